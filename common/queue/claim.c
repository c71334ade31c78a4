#include "common/queue/claim.h"

#include "common/base/clock.h"

/* The text, or NULL for NULL. */
static const char *
text_or_null(const struct db_rows *rows, int i, int column)
{
	return db_null(rows, i, column) ? NULL : db_text(rows, i, column);
}

/* What outlook() says: three columns of row 0 from column at on, and ping. */
static void
read_outlook(const struct db_rows *rows, int at, int ping, struct outlook *ret)
{
	ret->claimable = db_bool(rows, 0, at);
	ret->next_ms = db_null(rows, 0, at + 1) ? -1 : db_int(rows, 0, at + 1);
	if (!db_null(rows, 0, at + 1) && ret->next_ms < 0)
		ret->next_ms = 0;
	ret->upkeep_due = db_bool(rows, 0, at + 2);
	ret->ping_due = db_bool(rows, 0, ping);
}

/* Row i of the claim; the columns stand in SQL_CLAIM_JOBS. */
static void
read_job(const struct db_rows *rows, int i, struct job *ret)
{
	*ret = (struct job) {
		.id = db_int(rows, i, 5),
		.lease_no = db_int(rows, i, 6),
		.task = db_text(rows, i, 7),
		.input = db_text(rows, i, 8),
		.attempt = (int)db_int(rows, i, 9),
		.crashes = (int)db_int(rows, i, 10),
		.lease_ms = db_int(rows, i, 11),
		.timeout_ms = (int)db_int(rows, i, 12),
		.retries = (int)db_int(rows, i, 13),
		.backoff = {
			.exponential
			= strcmp(db_text(rows, i, 14), "exponential") == 0,
			.delay_ms = db_int(rows, i, 15),
			.max_ms = db_int(rows, i, 16),
			.jitter = db_bool(rows, i, 17),
		},
		.retired = db_bool(rows, i, 18),
		.cancelled = db_bool(rows, i, 19),
		.handler = text_or_null(rows, i, 20),
		.folder = db_text(rows, i, 21),
		.memory_bytes = db_int(rows, i, 22),
		.cpu_ms = db_int(rows, i, 23),
		.traceparent = text_or_null(rows, i, 24),
		.settings = text_or_null(rows, i, 25),
		.has_place = db_bool(rows, i, 26),
	};
}

static const char SQL_CLAIM_JOBS[] =
    "SELECT more, next_ms, upkeep_due, nth, queue, id, lease_no, task,\n"
    "    input, attempt, crashes, lease_ms, timeout_ms, retries, backoff,\n"
    "    delay_ms, max_delay_ms, jitter, retired, cancelled, handler,\n"
    "    folder, memory_bytes, cpu_ms, traceparent, settings, has_place,\n"
    "    ping_due\n"
    "FROM afterwork.claim(CASE WHEN $1::text IS NOT NULL\n"
    "    THEN ARRAY[$1::text] END, $2, $3::text[], $4::text[],\n"
    "    $5::integer, $6::bigint, $7::text[], $8::boolean)";

void
claim_ask(const struct claim_want *want, const char *after_queue,
    struct claim_ask *ret)
{
	*ret = (struct claim_ask){
		.max_jobs = arg_int(want->max_jobs),
		.fit_ms = arg_int(want->fit_ms),
		.at_us = clock_mono_us(),
	};
	ret->args[0] = want->queue;
	ret->args[1] = after_queue;
	ret->args[2] = want->tasks;
	ret->args[3] = want->fast;
	ret->args[4] = ret->max_jobs.s;
	ret->args[5] = ret->fit_ms.s;
	ret->args[6] = want->lacks;
	ret->args[7] = want->schedules ? "true" : "false";
	ret->call = (struct db_call){
		.name = "claim_jobs",
		.sql = SQL_CLAIM_JOBS,
		.nargs = LEN(ret->args),
		.args = ret->args,
	};
}

void
claim_take(const struct claim_ask *ask, struct db_rows *rows, struct claim *ret)
{
	int n = db_nrows(rows);

	ret->rows = rows;
	ret->n = 0;
	ret->plain = false;
	ret->at_us = ask->at_us;
	ret->more = db_bool(rows, 0, 0);
	if (db_null(rows, 0, 5)) {
		read_outlook(rows, 0, 27, &ret->outlook);
		return;
	}
	(void)snprintf(
	    ret->queue, sizeof(ret->queue), "%s", db_text(rows, 0, 4));
	for (int i = 0; i < n && i < CLAIM_MAX; i++)
		read_job(rows, i, &ret->jobs[db_int(rows, i, 3) - 1]);
	ret->n = (size_t)n;
}

bool
claim_jobs(struct db *db, const struct claim_want *want, struct claim *ret,
    struct err *e)
{
	struct claim_ask ask;

	claim_ask(want, ret->queue, &ask);
	if (!db_calls(db, &ask.call, 1, NULL, e))
		return false;
	claim_take(&ask, ask.call.rows, ret);
	return true;
}

/* The columns are those of SQL_CLAIM_JOBS. */
static const char SQL_CLAIM_FIRST[] =
    "SELECT more, NULL, NULL, 1, $1, id, lease_no, task, input, attempt,\n"
    "    crashes, lease_ms, timeout_ms, retries, backoff, delay_ms,\n"
    "    max_delay_ms, jitter, false, cancelled, handler, folder,\n"
    "    memory_bytes, cpu_ms, traceparent, settings, false\n"
    "FROM afterwork.claim_first($1, $2, $3)";

bool
claim_first(struct db *db, const struct claim_want *want, const char *queue,
    struct claim *ret, struct err *e)
{
	struct claim_ask ask = { .at_us = clock_mono_us() };
	struct arg fit_ms = arg_int(want->fit_ms);
	const char *const args[] = { queue, want->tasks, fit_ms.s };
	struct db_rows *rows;

	if (!db_query(
		db, "claim_first", SQL_CLAIM_FIRST, LEN(args), args, &rows, e))
		return false;
	ret->n = 0;
	if (db_nrows(rows) == 0) {
		db_rows_free(rows);
		return true;
	}
	claim_take(&ask, rows, ret);
	ret->plain = true;
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
    "SELECT claimable, next_ms, upkeep_due, ping_due\n"
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
	read_outlook(rows, 0, 3, ret);
	return true;
}

static const char SQL_CLAIM_OUTLASTS[] =
    "SELECT afterwork.outlasts(CASE WHEN $1::text IS NOT NULL\n"
    "    THEN ARRAY[$1::text] END, $2::text[], $3::text[], $4::bigint,\n"
    "    $5::bigint)";

bool
claim_outlasts(struct db *db, const struct claim_want *want, int64_t whole_ms,
    bool *ret, struct err *e)
{
	struct arg fit = arg_int(want->fit_ms), whole = arg_int(whole_ms);
	const char *const args[] = { want->queue, want->tasks, want->lacks,
		fit.s, whole.s };
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "claim_outlasts", SQL_CLAIM_OUTLASTS, LEN(args), args,
		&rows, e))
		return false;
	*ret = db_bool(rows, 0, 0);
	return true;
}

static const char SQL_CLAIM_KEEP_HOUSE[] =
    "SELECT afterwork.keep_house($1::bigint * interval '1 ms', $2::text)";

static bool
keep_half(struct db *db, int64_t keep_ms, const char *half, struct err *e)
{
	struct arg keep = arg_int(keep_ms);
	const char *const args[] = { keep.s, half };

	return db_query(db, "claim_keep_house", SQL_CLAIM_KEEP_HOUSE, LEN(args),
	    args, NULL, e);
}

bool
claim_keep_house(struct db *db, int64_t keep_ms, struct err *e)
{
	return keep_half(db, keep_ms, "partitions", e) &&
	       keep_half(db, keep_ms, "sweeps", e);
}

bool
claim_note_ping(struct db *db, struct err *e)
{
	return keep_half(db, 0, "ping", e);
}
