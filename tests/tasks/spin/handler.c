/* Burn the processor until somebody ends it. */
#include "common/runner/task.h"

static bool
handle(struct task_run *t UNUSED, struct err *e UNUSED)
{
	for (volatile unsigned n = 1; n != 0; n |= 1)
		continue;
	return true;
}

TASK_HANDLER("spin", handle);
