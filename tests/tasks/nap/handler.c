/* nap {"ms": n}: sleep so long. */
#include <poll.h>

#include "common/link/js.h"
#include "common/runner/task.h"

static bool
handle(struct task_run *t, struct err *e)
{
	int64_t ms;

	if (!js_int(t->input, "ms", 0, 0, 60000, &ms, e))
		return false;
	(void)poll(NULL, 0, (int)ms);
	return true;
}

TASK_HANDLER("nap", handle);
