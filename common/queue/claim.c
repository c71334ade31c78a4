#include "common/queue/claim.h"

#include "common/base/clock.h"

/* The text, or NULL for NULL. */
static const char *
text_or_null(const struct db_rows *rows, int i, int column)
{
	return db_null(rows, i, column) ? NULL : db_text(rows, i, column);
}

/* Of what a claim gives out; one that does not look at everything comes without
 * those behind AWAITED. */
enum column {
	MORE,
	ID,
	LEASE_NO,
	TASK,
	INPUT,
	ATTEMPT,
	CRASHES,
	LEASE_MS,
	TIMEOUT_MS,
	RETRIES,
	BACKOFF,
	DELAY_MS,
	MAX_DELAY_MS,
	JITTER,
	RETIRED,
	CANCELLED,
	HANDLER,
	FOLDER,
	MEMORY_BYTES,
	CPU_MS,
	TRACEPARENT,
	SETTINGS,
	PRIORITY,
	RUN_AT,
	HAS_PLACE,
	AWAITED,
	QUEUE,
	NEXT_MS, /* and all that outlook() says, from here */
	UPKEEP_DUE,
	PING_DUE,
};

#define COLUMNS                                                               \
	"more, id, lease_no, task, input, attempt, crashes, lease_ms,\n"      \
	"    timeout_ms, retries, backoff, delay_ms, max_delay_ms, jitter,\n" \
	"    retired, cancelled, handler, folder, memory_bytes, cpu_ms,\n"    \
	"    traceparent, settings, priority, run_at, has_place, awaited"

/* Rows come in any order. */
#define CLAIM_ORDER "ORDER BY priority, run_at, id"

/* Three columns of row 0 from next on, and whether something is claimable. */
static void
read_outlook(
    const struct db_rows *rows, int claimable, int next, struct outlook *ret)
{
	ret->claimable = db_bool(rows, 0, claimable);
	ret->next_ms = db_null(rows, 0, next) ? -1 : db_int(rows, 0, next);
	if (!db_null(rows, 0, next) && ret->next_ms < 0)
		ret->next_ms = 0;
	ret->upkeep_due = db_bool(rows, 0, next + 1);
	ret->ping_due = db_bool(rows, 0, next + 2);
}

static void
read_job(const struct db_rows *rows, int i, struct job *ret)
{
	*ret = (struct job) {
		.id = db_int(rows, i, ID),
		.lease_no = db_int(rows, i, LEASE_NO),
		.task = db_text(rows, i, TASK),
		.input = db_text(rows, i, INPUT),
		.attempt = (int)db_int(rows, i, ATTEMPT),
		.crashes = (int)db_int(rows, i, CRASHES),
		.lease_ms = db_int(rows, i, LEASE_MS),
		.timeout_ms = (int)db_int(rows, i, TIMEOUT_MS),
		.retries = (int)db_int(rows, i, RETRIES),
		.backoff = {
			.exponential = strcmp(db_text(rows, i, BACKOFF),
					   "exponential") == 0,
			.delay_ms = db_int(rows, i, DELAY_MS),
			.max_ms = db_int(rows, i, MAX_DELAY_MS),
			.jitter = db_bool(rows, i, JITTER),
		},
		.retired = db_bool(rows, i, RETIRED),
		.cancelled = db_bool(rows, i, CANCELLED),
		.handler = text_or_null(rows, i, HANDLER),
		.folder = db_text(rows, i, FOLDER),
		.memory_bytes = db_int(rows, i, MEMORY_BYTES),
		.cpu_ms = db_int(rows, i, CPU_MS),
		.traceparent = text_or_null(rows, i, TRACEPARENT),
		.settings = text_or_null(rows, i, SETTINGS),
		.has_place = db_bool(rows, i, HAS_PLACE),
	};
}

/* Of a queue, or NULL: of all. */
#define QUEUES "CASE WHEN $1::text IS NOT NULL THEN ARRAY[$1::text] END"

static const char SQL_CLAIM_JOBS[] =
    "SELECT " COLUMNS ",\n"
    "    queue, next_ms, upkeep_due, ping_due\n"
    "FROM afterwork.claim(" QUEUES ", $2, $3::text[], $4::text[],\n"
    "    $5::integer, $6::bigint, $7::text[], $8::boolean)\n" CLAIM_ORDER;

static const char SQL_CLAIM_BEHIND[] =
    "SELECT " COLUMNS "\n"
    "FROM afterwork.claim_behind($1, $2::text[], $3::text[], $4::integer,\n"
    "    $5::bigint, $6::text[], $7::integer, $8::timestamptz, "
    "$9::bigint)\n" CLAIM_ORDER;

static void
ask_behind(const struct claim_want *want, struct claim_ask *ret)
{
	const struct claim *behind = want->behind;

	ret->priority = arg_int(behind->last.priority);
	ret->id = arg_int(behind->last.id);
	ret->args[0] = behind->queue;
	ret->args[1] = want->tasks;
	ret->args[2] = want->fast;
	ret->args[3] = ret->max_jobs.s;
	ret->args[4] = ret->fit_ms.s;
	ret->args[5] = want->lacks;
	ret->args[6] = ret->priority.s;
	ret->args[7] = behind->last.run_at;
	ret->args[8] = ret->id.s;
	ret->call = (struct db_call){ .name = "claim_behind",
		.sql = SQL_CLAIM_BEHIND,
		.nargs = 9,
		.args = ret->args };
}

void
claim_ask(const struct claim_want *want, const char *after_queue,
    struct claim_ask *ret)
{
	*ret = (struct claim_ask){
		.max_jobs = arg_int(want->max_jobs),
		.fit_ms = arg_int(want->fit_ms),
		.behind = want->behind,
		.at_us = clock_mono_us(),
	};
	if (want->behind != NULL) {
		ask_behind(want, ret);
		return;
	}
	ret->args[0] = want->queue;
	ret->args[1] = after_queue;
	ret->args[2] = want->tasks;
	ret->args[3] = want->fast;
	ret->args[4] = ret->max_jobs.s;
	ret->args[5] = ret->fit_ms.s;
	ret->args[6] = want->lacks;
	ret->args[7] = want->schedules ? "true" : "false";
	ret->call = (struct db_call){ .name = "claim_jobs",
		.sql = SQL_CLAIM_JOBS,
		.nargs = 8,
		.args = ret->args };
}

static void
read_place(const struct db_rows *rows, int i, struct claim_place *ret)
{
	ret->priority = db_int(rows, i, PRIORITY);
	(void)snprintf(
	    ret->run_at, sizeof(ret->run_at), "%s", db_text(rows, i, RUN_AT));
	ret->id = db_int(rows, i, ID);
}

static void
take_jobs(struct db_rows *rows, struct claim *ret)
{
	int n = db_nrows(rows);

	if (n > CLAIM_MAX)
		n = CLAIM_MAX;
	ret->n = (size_t)n;
	for (int i = 0; i < n; i++)
		read_job(rows, i, &ret->jobs[i]);
	read_place(rows, n - 1, &ret->last);
}

/* queue: where the jobs are; NULL: the rows say so, and have looked at
 * everything. */
static void
take(const char *queue, int64_t at_us, struct db_rows *rows, struct claim *ret)
{
	ret->rows = NULL;
	ret->n = 0;
	ret->more = false;
	ret->looked = queue == NULL;
	ret->awaited = false;
	ret->first = false;
	ret->at_us = at_us;
	if (db_nrows(rows) == 0) {
		db_rows_free(rows);
		return;
	}
	ret->rows = rows;
	ret->more = db_bool(rows, 0, MORE);
	if (db_null(rows, 0, ID)) {
		read_outlook(rows, MORE, NEXT_MS, &ret->outlook);
		return;
	}
	ret->awaited = db_bool(rows, 0, AWAITED);
	if (queue == NULL)
		queue = db_text(rows, 0, QUEUE);
	if (queue != ret->queue) /* it may be the last claim's */
		(void)snprintf(ret->queue, sizeof(ret->queue), "%s", queue);
	take_jobs(rows, ret);
}

void
claim_take(const struct claim_ask *ask, struct db_rows *rows, struct claim *ret)
{
	take(ask->behind != NULL ? ask->behind->queue : NULL, ask->at_us, rows,
	    ret);
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

static const char SQL_CLAIM_FIRST[] =
    "SELECT more, id, lease_no, task, input, attempt, crashes, lease_ms,\n"
    "    timeout_ms, retries, backoff, delay_ms, max_delay_ms, jitter,\n"
    "    false, cancelled, handler, folder, memory_bytes, cpu_ms,\n"
    "    traceparent, settings, 0, '', false, false\n"
    "FROM afterwork.claim_first($1, $2, $3)";

bool
claim_first(struct db *db, const struct claim_want *want, const char *queue,
    struct claim *ret, struct err *e)
{
	int64_t at_us = clock_mono_us();
	struct arg fit_ms = arg_int(want->fit_ms);
	const char *const args[] = { queue, want->tasks, fit_ms.s };
	struct db_rows *rows;

	if (!db_query(
		db, "claim_first", SQL_CLAIM_FIRST, LEN(args), args, &rows, e))
		return false;
	take(queue, at_us, rows, ret);
	ret->first = ret->n > 0;
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
    "FROM afterwork.outlook(" QUEUES ")";

bool
claim_outlook(
    struct db *db, const char *queue, struct outlook *ret, struct err *e)
{
	const char *const args[] = { queue };
	AUTO_ROWS *rows = NULL;

	if (!db_query(
		db, "claim_outlook", SQL_CLAIM_OUTLOOK, 1, args, &rows, e))
		return false;
	read_outlook(rows, 0, 1, ret);
	return true;
}

static const char SQL_CLAIM_OUTLASTS[] =
    "SELECT afterwork.outlasts(" QUEUES ", $2::text[], $3::text[],\n"
    "    $4::bigint, $5::bigint)";

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
