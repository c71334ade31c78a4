/* One row a run: an effect that must happen once.  The table is the tests'.
 * ledger {"ms": n} takes so long, once the row is there. */
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
	int64_t ms;

	(void)snprintf(job, sizeof(job), "%" PRId64, t->job->id);
	(void)snprintf(lease, sizeof(lease), "%" PRId64, t->job->lease_no);
	if (!js_int(t->input, "ms", 0, 0, 60000, &ms, e) ||
	    !db_query(task_db(t), "ledger", SQL_LEDGER, 2, args, NULL, e))
		return false;
	(void)poll(NULL, 0, (int)ms);
	return true;
}

TASK_HANDLER("ledger", handle);
