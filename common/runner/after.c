#include "common/runner/after.h"

#include <unistd.h>

#include "common/base/path.h"
#include "common/base/proc.h"
#include "common/link/conf.h"
#include "common/runner/slot.h"

/* Where the runner lies, seen from the folder of the calling program: beside
 * the other functions, or below the operator's command, in a build or
 * installed. */
static const char *const places[] = { "/run", "/functions/run",
	"/../lib/afterwork/functions/run" };

static const char *runner_given;
static bool silent;

void
after_runner(const char *path)
{
	runner_given = path;
}

void
after_silent(void)
{
	silent = true;
}

/* The runner's path, found once; NULL when there is none. */
static const char *
runner_path(void)
{
	static char *found;
	char *dir;

	if (runner_given != NULL)
		return runner_given;
	if (found != NULL)
		return found;
	dir = path_self_dir();
	for (size_t i = 0; dir != NULL && i < LEN(places); i++) {
		AUTO_BUF path = BUF_INIT;

		buf_adds(&path, dir);
		buf_adds(&path, places[i]);
		if (access(path.data, X_OK) == 0) {
			found = buf_steal(&path);
			break;
		}
	}
	free(dir);
	return found;
}

/* With the mark of its start; and with the folder of its slots, by which those
 * who may not look into it can tell whose it is. */
static bool
start_runner(int mark, struct err *e)
{
	const char *path = runner_path();
	const char *const argv[] = { path, "--detached", conf_runtime_dir(),
		NULL };

	if (path == NULL)
		return err_fail(e, ERR_UNAVAILABLE,
		    "could not find the runner beside this program");
	return proc_spawn_detached(argv, conf_environ(), mark, !silent, e);
}

bool
after_start(const struct slots *slots, struct err *e)
{
	AUTO_FD mark = -1;

	if (!slots_begin_start(slots, &mark, e))
		return false;
	if (mark < 0 || start_runner(mark, e))
		return true;
	slots_end_start(mark);
	return false;
}

bool
after_wake(struct err *e)
{
	static struct slots slots = { .fd = -1 };

	if (slots.fd < 0 && !slots_open(&slots, e))
		return false;
	return !slots_call(&slots) || after_start(&slots, e);
}
