/* One row a run: an effect that must happen once.  The table is the tests'.
 * ledger {"ms": n, "fails": bool, "asserts": bool} takes so long, once the row
 * is there, and then fails for good or not; asserts: its lease comes first. */
#include <inttypes.h>
#include <poll.h>

#include "common/link/db.h"
#include "common/link/js.h"
#include "common/runner/task.h"

static const char SQL_LEDGER[] =
    "INSERT INTO tests.ledger (job, lease_no) VALUES ($1::bigint, $2::bigint)";

static bool
handle(struct task_run *t, struct err *e)
{
	char job[24], lease[24];
	const char *const args[] = { job, lease };
	bool fails, asserts;
	int64_t ms;

	(void)snprintf(job, sizeof(job), "%" PRId64, t->job->id);
	(void)snprintf(lease, sizeof(lease), "%" PRId64, t->job->lease_no);
	if (!js_int(t->input, "ms", 0, 0, 60000, &ms, e) ||
	    !js_bool(t->input, "fails", false, &fails, e) ||
	    !js_bool(t->input, "asserts", false, &asserts, e) ||
	    (asserts && !task_assert_lease(t, e)) ||
	    !db_query(task_db(t), "ledger", SQL_LEDGER, 2, args, NULL, e))
		return false;
	(void)poll(NULL, 0, (int)ms);
	return !fails || err_fail(e, ERR_INVALID, "its row was there");
}

TASK_HANDLER("ledger", handle);
