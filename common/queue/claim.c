#include "common/queue/claim.h"

#include "common/base/arg.h"
#include "common/base/clock.h"
#include "common/link/db.h"

/* The text, or NULL for NULL. */
static const char *
text_or_null(const struct db_rows *rows, int i, int column)
{
	return db_null(rows, i, column) ? NULL : db_text(rows, i, column);
}

/* Row i of the claim; the columns stand in SQL_CLAIM_JOBS. */
static void
read_job(const struct db_rows *rows, int i, struct job *ret)
{
	*ret = (struct job) {
		.id = db_int(rows, i, 1),
		.lease_no = db_int(rows, i, 2),
		.task = db_text(rows, i, 3),
		.input = db_text(rows, i, 4),
		.attempt = (int)db_int(rows, i, 5),
		.crashes = (int)db_int(rows, i, 6),
		.lease_ms = db_int(rows, i, 7),
		.timeout_ms = (int)db_int(rows, i, 8),
		.retries = (int)db_int(rows, i, 9),
		.backoff = {
			.exponential
			= strcmp(db_text(rows, i, 10), "exponential") == 0,
			.delay_ms = db_int(rows, i, 11),
			.max_ms = db_int(rows, i, 12),
			.jitter = db_bool(rows, i, 13),
		},
		.retired = db_bool(rows, i, 14),
		.cancelled = db_bool(rows, i, 16),
		.handler = text_or_null(rows, i, 17),
		.folder = db_text(rows, i, 18),
		.memory_bytes = db_int(rows, i, 19),
		.cpu_ms = db_int(rows, i, 20),
		.traceparent = text_or_null(rows, i, 21),
	};
}

static const char SQL_CLAIM_JOBS[] =
    "SELECT queue, id, lease_no, task, input, attempt, crashes, lease_ms,\n"
    "    timeout_ms, retries, backoff, delay_ms, max_delay_ms, jitter,\n"
    "    retired, more, cancelled, handler, folder, memory_bytes, cpu_ms,\n"
    "    traceparent\n"
    "FROM afterwork.claim(CASE WHEN $1::text IS NOT NULL\n"
    "    THEN ARRAY[$1::text] END, $2, $3::text[], $4::text[],\n"
    "    $5::integer, $6::bigint, $7::text[], $8::boolean)";

bool
claim_jobs(struct db *db, const struct claim_want *want, struct claim *ret,
    struct err *e)
{
	int64_t at_us = clock_mono_us();
	struct db_rows *rows;
	int n;

	if (!db_query(db, "claim_jobs", SQL_CLAIM_JOBS, 8,
		(const char *const[]){ want->queue, ret->queue, want->tasks,
		    want->fast, arg_int(want->max_jobs).s,
		    arg_int(want->fit_ms).s, want->lacks,
		    want->schedules ? "true" : "false" },
		&rows, e))
		return false;
	n = db_nrows(rows);
	ret->rows = rows;
	ret->n = 0;
	ret->more = false;
	ret->at_us = at_us;
	for (int i = 0; i < n && i < CLAIM_MAX; i++)
		read_job(rows, i, &ret->jobs[ret->n++]);
	if (n > 0) {
		(void)snprintf(
		    ret->queue, sizeof(ret->queue), "%s", db_text(rows, 0, 0));
		ret->more = db_bool(rows, 0, 15);
	}
	return true;
}

void
claim_clear(struct claim *c)
{
	db_rows_free(c->rows);
	c->rows = NULL;
	c->n = 0;
}

static const char SQL_CLAIM_OUTLOOK[] =
    "SELECT claimable, next_ms, upkeep_due\n"
    "FROM afterwork.outlook(CASE WHEN $1::text IS NOT NULL\n"
    "    THEN ARRAY[$1::text] END)";

bool
claim_outlook(
    struct db *db, const char *queue, struct outlook *ret, struct err *e)
{
	const char *const args[] = { queue };
	AUTO_ROWS *rows = NULL;

	if (!db_query(
		db, "claim_outlook", SQL_CLAIM_OUTLOOK, 1, args, &rows, e))
		return false;
	ret->claimable = db_bool(rows, 0, 0);
	ret->next_ms = db_null(rows, 0, 1) ? -1 : db_int(rows, 0, 1);
	if (!db_null(rows, 0, 1) && ret->next_ms < 0)
		ret->next_ms = 0;
	ret->upkeep_due = db_bool(rows, 0, 2);
	return true;
}

static const char SQL_CLAIM_KEEP_HOUSE[] =
    "SELECT afterwork.keep_house($1::bigint * interval '1 ms')";

bool
claim_keep_house(struct db *db, int64_t keep_ms, struct err *e)
{
	return db_query(db, "claim_keep_house", SQL_CLAIM_KEEP_HOUSE, 1,
	    (const char *const[]){ arg_int(keep_ms).s }, NULL, e);
}
