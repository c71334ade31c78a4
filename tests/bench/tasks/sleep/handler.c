/* The upload's job in a runner that takes five seconds for it. */
#include <poll.h>

#include "common/runner/task.h"

static bool
handle(struct task_run *t UNUSED, struct err *e UNUSED)
{
	(void)poll(NULL, 0, 5000);
	return true;
}

TASK_HANDLER("syncMediaToGalleries", handle);
