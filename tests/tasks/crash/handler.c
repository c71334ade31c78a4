/* Die as a bug would: the worker goes with the job. */
#include <signal.h>

#include "common/runner/task.h"

static bool
handle(struct task_run *t UNUSED, struct err *e UNUSED)
{
	(void)raise(SIGKILL);
	return true;
}

TASK_HANDLER("crash", handle);
