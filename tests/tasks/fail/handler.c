/* fail {"times": n, "forGood": bool}: fail in the first n attempts. */
#include "common/link/js.h"
#include "common/runner/task.h"

static bool
handle(struct task_run *t, struct err *e)
{
	bool for_good;
	int64_t times;

	if (!js_int(t->input, "times", 0, 0, 1000, &times, e) ||
	    !js_bool(t->input, "forGood", false, &for_good, e))
		return false;
	if (t->job->attempt <= times)
		return err_fail(e, for_good ? ERR_INVALID : ERR_UNAVAILABLE,
		    "this was attempt %d of %d that fail", t->job->attempt,
		    (int)times);
	return true;
}

TASK_HANDLER("fail", handle);
