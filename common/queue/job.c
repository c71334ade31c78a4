#include "common/queue/job.h"

#include "common/base/arg.h"
#include "common/link/db.h"

static const char SQL_JOB_ENQUEUE[] =
    "SELECT id, created FROM afterwork.enqueue_job("
    "task => $1, input => coalesce($2::jsonb, '{}'), queue => $3, "
    "run_at => $4::timestamptz, priority => $5::integer, "
    "unique_key => $6, concurrency_key => $7, meta => $8::jsonb, "
    "tags => CASE WHEN $9::jsonb IS NOT NULL THEN "
    "    ARRAY(SELECT jsonb_array_elements_text($9::jsonb)) END, "
    "unique_for => $10::interval, unique_until => $11, "
    "replace => $12::boolean)";

bool
job_enqueue(struct db *db, const struct job_spec *spec, int64_t *ret_id,
    bool *ret_created, struct err *e)
{
	const char *const args[] = { spec->task, spec->input, spec->queue,
		spec->run_at, spec->priority, spec->unique_key,
		spec->concurrency_key, spec->meta, spec->tags, spec->unique_for,
		spec->unique_until, spec->replace ? "true" : "false" };
	AUTO_ROWS *rows = NULL;

	if (!db_query(
		db, "job_enqueue", SQL_JOB_ENQUEUE, LEN(args), args, &rows, e))
		return false;
	*ret_id = db_int(rows, 0, 0);
	*ret_created = db_bool(rows, 0, 1);
	return true;
}

/* What cancel() and revive() answer, as an error; true when it was done. */
static bool
outcome(const char *done, const char *answer, struct err *e)
{
	if (strcmp(answer, done) == 0)
		return true;
	if (answer[0] == '\0')
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	if (strcmp(answer, "running") == 0)
		return err_fail(e, ERR_CONFLICT,
		    "The job is running. Try again when it has ended.");
	return err_fail(e, ERR_CONFLICT, "The job has already ended.");
}

static const char SQL_JOB_CANCEL[] =
    "SELECT afterwork.cancel($1::bigint, $2, $3)";

bool
job_cancel(struct db *db, int64_t id, const char *asked_by, const char *reason,
    bool *ret_running, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "job_cancel", SQL_JOB_CANCEL, 3,
		(const char *const[]){ arg_int(id).s, asked_by, reason }, &rows,
		e))
		return false;
	*ret_running = strcmp(db_text(rows, 0, 0), "cancelling") == 0;
	return *ret_running || outcome("cancelled", db_text(rows, 0, 0), e);
}

static const char SQL_JOB_REVIVE[] = "SELECT afterwork.revive($1::bigint)";

bool
job_revive(struct db *db, int64_t id, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "job_revive", SQL_JOB_REVIVE, 1,
		(const char *const[]){ arg_int(id).s }, &rows, e)) {
		if (e->code == ERR_CONFLICT)
			return err_fail(e, ERR_CONFLICT,
			    "Another job has taken the job's unique key.");
		return false;
	}
	return outcome("ready", db_text(rows, 0, 0), e);
}

static const char SQL_QUEUE_PAUSE[] = "SELECT afterwork.pause($1, $2::boolean)";

bool
queue_pause(struct db *db, const char *queue, bool stop, struct err *e)
{
	const char *const args[] = { queue, stop ? "true" : "false" };
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "queue_pause", SQL_QUEUE_PAUSE, 2, args, &rows, e))
		return false;
	if (!db_bool(rows, 0, 0))
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	return true;
}

static const char SQL_QUEUE_LIMIT[] =
    "SELECT afterwork.limit_queue($1, nullif($2::integer, 0))";

bool
queue_limit(struct db *db, const char *queue, int64_t max, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "queue_limit", SQL_QUEUE_LIMIT, 2,
		(const char *const[]){ queue, arg_int(max).s }, &rows, e))
		return false;
	if (!db_bool(rows, 0, 0))
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	return true;
}
