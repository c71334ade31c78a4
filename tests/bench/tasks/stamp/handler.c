/* The upload's job in a runner that notes when its first statement ran. */
#include <inttypes.h>

#include "common/link/db.h"
#include "common/runner/task.h"

static const char SQL_STAMP[] =
    "INSERT INTO bench.stamp (job, at) VALUES ($1::bigint, clock_timestamp())";

static bool
handle(struct task_run *t, struct err *e)
{
	char job[24];
	const char *const args[] = { job };

	(void)snprintf(job, sizeof(job), "%" PRId64, t->job->id);
	return db_query(task_db(t), "stamp", SQL_STAMP, 1, args, NULL, e);
}

TASK_HANDLER("syncMediaToGalleries", handle);
