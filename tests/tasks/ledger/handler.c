/* One row a run: an effect that must happen once.  The table is the tests'. */
#include <inttypes.h>

#include "common/link/db.h"
#include "common/runner/task.h"

static const char SQL_LEDGER[] =
    "INSERT INTO tests.ledger (job, lease_no) VALUES ($1::bigint, $2::bigint)";

static bool
handle(struct task_run *t, struct err *e)
{
	char job[24], lease[24];
	const char *const args[] = { job, lease };

	(void)snprintf(job, sizeof(job), "%" PRId64, t->job->id);
	(void)snprintf(lease, sizeof(lease), "%" PRId64, t->job->lease_no);
	return db_query(task_db(t), "ledger", SQL_LEDGER, 2, args, NULL, e);
}

TASK_HANDLER("ledger", handle);
