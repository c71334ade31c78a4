/* End the session that the job runs in, as an operator or a kernel might. */
#include "common/link/db.h"
#include "common/runner/task.h"

static const char SQL_LOST[] = "SELECT pg_terminate_backend(pg_backend_pid())";

static bool
handle(struct task_run *t, struct err *e)
{
	return db_query(task_db(t), "lost", SQL_LOST, 0, NULL, NULL, e);
}

TASK_HANDLER("lost", handle);
