/*
 * watch {"folder": f, "name": n, "ms": m}: counts who runs at the same time, by
 * what the kernel knows: each takes the first byte that nobody has locked, of
 * the file f/n.  Who scans has locked byte 0 meanwhile, so that the others can
 * only become fewer; and a process that dies gives its byte back.
 *
 * A line for each goes to f/n.seen: how many there were with this one, and its
 * job.  The lines are in the order of the starts.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/link/js.h"
#include "common/runner/task.h"

enum { PLACES = 64 };

static bool
lock(int fd, int at, int how, short type)
{
	struct flock l = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1
	};

	return fcntl(fd, how, &l) == 0;
}

/* The number of those that run, this one included. */
static int
take(int fd)
{
	for (int n = 1; n < PLACES; n++)
		if (lock(fd, n, F_OFD_SETLK, F_WRLCK))
			return n;
	return PLACES;
}

static int
open_in(const char *folder, const char *name, const char *tail)
{
	AUTO_BUF path = BUF_INIT;

	buf_addf(&path, "%s/%s%s", folder, name, tail);
	return open(path.data, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

static bool
handle(struct task_run *t, struct err *e)
{
	const char *folder, *name;
	int64_t ms;
	char line[64];
	int n;

	if (!js_text(t->input, "folder", NULL, &folder, e) ||
	    !js_text(t->input, "name", NULL, &name, e) ||
	    !js_int(t->input, "ms", 0, 0, 1000, &ms, e))
		return false;
	AUTO_FD fd = open_in(folder, name, "");
	AUTO_FD seen = open_in(folder, name, ".seen");
	if (fd < 0 || seen < 0 || !lock(fd, 0, F_OFD_SETLKW, F_WRLCK))
		return err_errno(e, ERR_UNAVAILABLE, "no file to watch by");
	n = take(fd);
	(void)snprintf(line, sizeof(line), "%d %" PRId64 "\n", n, t->job->id);
	if (write(seen, line, strlen(line)) < 0 ||
	    !lock(fd, 0, F_OFD_SETLK, F_UNLCK))
		return err_errno(e, ERR_UNAVAILABLE, "no line was written");
	(void)poll(NULL, 0, (int)ms);
	return true;
}

TASK_HANDLER("watch", handle);
