/* The upload's job in a runner that has nothing to do for it. */
#include "common/runner/task.h"

static bool
handle(struct task_run *t UNUSED, struct err *e UNUSED)
{
	return true;
}

TASK_HANDLER("syncMediaToGalleries", handle);
