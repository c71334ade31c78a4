#include "common/queue/settle.h"

#include <sys/random.h>

#include "common/link/db.h"

static const char *const op_names[] = {
	[SETTLE_DONE] = "done",
	[SETTLE_FAILED] = "failed",
	[SETTLE_RETRY] = "retry",
	[SETTLE_RELEASE] = "release",
	[SETTLE_CRASH] = "crash",
	[SETTLE_PARK] = "park",
	[SETTLE_SNOOZE] = "snooze",
	[SETTLE_CANCELLED] = "cancelled",
};

void
settlement_clear(struct settlement *s)
{
	free(s->output);
	free(s->error);
	free(s->detail);
	*s = (struct settlement){ 0 };
}

/* Spreads retries; no secret hangs on it, so a short read would do no harm. */
static uint32_t
dice(void)
{
	uint32_t v = 0;

	(void)!getrandom(&v, sizeof(v), GRND_NONBLOCK);
	return v;
}

void
settle_failure(const struct job *job, bool for_good, struct settlement *ret)
{
	ret->delay_ms = 0;
	if (for_good || job->attempt > job->retries) {
		ret->op = SETTLE_FAILED;
		return;
	}
	ret->op = SETTLE_RETRY;
	ret->delay_ms = backoff_ms(&job->backoff, job->attempt, dice());
}

void
settle_crash(const struct job *job, struct settlement *ret)
{
	ret->delay_ms = 0;
	ret->op =
	    job->crashes + 1 >= CLAIM_CRASHES_MAX ? SETTLE_PARK : SETTLE_CRASH;
}

/* One array of the call for each field of a settlement. */
struct columns {
	struct buf id, lease_no, op, delay, start, took, output, error, detail;
};

static void
columns_release(struct columns *c)
{
	struct buf *all[] = { &c->id, &c->lease_no, &c->op, &c->delay,
		&c->start, &c->took, &c->output, &c->error, &c->detail };

	for (size_t i = 0; i < LEN(all); i++)
		buf_release(all[i]);
}

static void
columns_add(struct columns *c, const struct settlement *s)
{
	db_array_add_int(&c->id, s->id);
	db_array_add_int(&c->lease_no, s->lease_no);
	db_array_add(&c->op, op_names[s->op]);
	db_array_add_int(&c->delay, s->delay_ms);
	db_array_add_int(&c->start, s->start_us);
	db_array_add_int(&c->took, s->took_us);
	db_array_add(&c->output, s->output);
	db_array_add(&c->error, s->error);
	db_array_add(&c->detail, s->detail);
}

static bool
columns_end(struct columns *c, const char *args[], struct err *e)
{
	struct buf *all[] = { &c->id, &c->lease_no, &c->op, &c->delay,
		&c->start, &c->took, &c->output, &c->error, &c->detail };

	for (size_t i = 0; i < LEN(all); i++) {
		db_array_end(all[i]);
		if (!buf_ok(all[i], e))
			return false;
		args[i] = all[i]->data;
	}
	return true;
}

static bool
is_among(const struct db_rows *rows, int64_t id)
{
	for (int i = 0; i < db_nrows(rows); i++)
		if (db_int(rows, i, 0) == id)
			return true;
	return false;
}

/* The rows are the ids that were still the caller's; how many. */
static size_t
mark_lost(const struct db_rows *rows, struct settlement *s, size_t n)
{
	size_t settled = (size_t)db_nrows(rows);

	for (size_t i = 0; i < n; i++)
		s[i].lost = settled < n && !is_among(rows, s[i].id);
	return settled;
}

static const char SQL_SETTLE_FIRST[] =
    "SELECT afterwork.settle_first($1, $2, $3, $4, $5, $6, $7, $8)";

/* Of settle_and(): one job that is done and holds nothing, and no claim. */
static bool
settle_first(struct db *db, const char *queue, struct settlement *s,
    struct db_tx *tx, size_t *ret_settled, struct err *e)
{
	struct arg numbers[] = { arg_int(s->id), arg_int(s->lease_no),
		arg_int(s->start_us), arg_int(s->took_us) };
	const char *const args[] = { queue, numbers[0].s, numbers[1].s,
		numbers[2].s, numbers[3].s, s->output, s->detail,
		tx != NULL ? "true" : "false" };
	struct db_call call = { .name = "settle_first",
		.sql = SQL_SETTLE_FIRST,
		.nargs = LEN(args),
		.args = args };

	if (!db_calls(db, &call, 1, tx, e))
		return false;
	s->lost = db_null(call.rows, 0, 0);
	*ret_settled = !s->lost;
	db_rows_free(call.rows);
	return true;
}

static const char SQL_SETTLE_AND[] =
    "SELECT unnest(afterwork.settle($1, $2::bigint[], $3::bigint[],\n"
    "    $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[],\n"
    "    $9::text[], $10::text[], $11::boolean))";

bool
settle_and(struct db *db, const char *queue, struct settlement *s, size_t n,
    const struct settle_next *next, size_t *ret_settled, struct err *e)
{
	CLEANUP(columns_release)
	struct columns c = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT,
		BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT };
	const char *args[11] = { queue };
	struct db_call calls[2] = { { .name = "settle_and",
	    .sql = SQL_SETTLE_AND,
	    .nargs = LEN(args),
	    .args = args } };
	struct claim_ask ask;

	if (next->first && next->want == NULL && s->op == SETTLE_DONE)
		return settle_first(db, queue, s, next->tx, ret_settled, e);
	for (size_t i = 0; i < n; i++)
		columns_add(&c, &s[i]);
	if (!columns_end(&c, args + 1, e))
		return false;
	args[10] = next->tx != NULL ? "true" : "false";
	if (next->want != NULL) {
		claim_ask(next->want, queue, &ask);
		calls[1] = ask.call;
	}
	if (!db_calls(db, calls, next->want != NULL ? 2 : 1, next->tx, e))
		return false;
	*ret_settled = mark_lost(calls[0].rows, s, n);
	db_rows_free(calls[0].rows);
	if (next->want != NULL)
		claim_take(&ask, calls[1].rows, next->claim);
	return true;
}

bool
settle_jobs(struct db *db, const char *queue, struct settlement *s, size_t n,
    size_t *ret_settled, struct err *e)
{
	const struct settle_next nothing = { 0 };

	return settle_and(db, queue, s, n, &nothing, ret_settled, e);
}
