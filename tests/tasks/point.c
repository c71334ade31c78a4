/*
 * The tests' own point(): at a named point of a runner's life, do what a file
 * in $AFTERWORK_TEST_POINTS asks for.  The file is removed first, so each fires
 * once, in whichever process comes by first.
 *
 *   NAME.stop   write the pid to NAME.pid, then stop until continued
 *   NAME.kill   die at once, as by kill -9
 *   NAME.both   take the parent (a worker's guard) along
 *   NAME.parent kill the parent only
 *
 * A number in the file is how often the point is passed before that.
 */
#include "common/runner/point.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/link/conf.h"

/* Takes one from the number in the file.  False: it was none, or 0. */
static bool
let_pass(const char *path)
{
	FILE *f = fopen(path, "r+e");
	int n = 0;

	if (f == NULL)
		return false;
	if (fscanf(f, "%d", &n) == 1 && n > 0) {
		rewind(f);
		(void)fprintf(f, "%d\n", n - 1);
	}
	(void)fclose(f);
	return n > 0;
}

static bool
asked(const char *name, const char *what)
{
	AUTO_BUF path = BUF_INIT;

	buf_addf(&path, "%s/%s.%s",
	    conf_text("AFTERWORK_TEST_POINTS", "/nowhere"), name, what);
	return !let_pass(path.data) && unlink(path.data) == 0;
}

static void
note_pid(const char *name)
{
	AUTO_BUF path = BUF_INIT, part = BUF_INIT;
	FILE *f;

	buf_addf(&path, "%s/%s.pid",
	    conf_text("AFTERWORK_TEST_POINTS", "/nowhere"), name);
	buf_addf(&part, "%s.part", path.data);
	f = fopen(part.data, "we");
	if (f == NULL)
		return;
	(void)fprintf(f, "%d\n", (int)getpid());
	(void)fclose(f);
	(void)rename(part.data, path.data);
}

void
point(const char *name)
{
	if (conf_text("AFTERWORK_TEST_POINTS", NULL) == NULL)
		return;
	if (asked(name, "stop")) {
		note_pid(name);
		(void)raise(SIGSTOP);
	}
	if (asked(name, "parent"))
		(void)kill(getppid(), SIGKILL);
	if (asked(name, "both")) {
		(void)kill(getppid(), SIGKILL);
		(void)raise(SIGKILL);
	}
	if (asked(name, "kill"))
		(void)raise(SIGKILL);
}
