#include "common/runner/batch.h"

#include <poll.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/link/js.h"
#include "common/runner/point.h"
#include "common/runner/program.h"

/* A job that waits longer than this behind others of its claim goes back. */
enum { LATE_US = 500 * 1000 };

enum outcome {
	COMMITTED,
	UNDONE, /* rolled back; the link is fine */
	LOST,   /* no link; nobody knows whether it was committed */
};

void
board_hold(struct worker *w, const struct claim *c)
{
	struct board *b = w->board;

	for (size_t i = 0; i < c->n; i++)
		b->jobs[i] = c->jobs[i];
	memcpy(b->queue, c->queue, sizeof(b->queue));
	b->claimed_us = c->at_us;
	atomic_store(&b->current, -1);
	atomic_store(&b->held, (int)c->n);
}

struct db *
task_db(struct task_run *t)
{
	struct worker *w = t->worker;
	int64_t left_us = atomic_load(&w->board->started_us) +
			  (int64_t)t->job->timeout_ms * 1000 - clock_mono_us();
	struct err e;

	if (!w->in_tx)
		w->in_tx = db_begin(w->db, &w->tx, &e);
	if (!w->in_savepoint) {
		db_savepoint(w->db);
		w->in_savepoint = true;
	}
	/* In whole seconds, so that a batch need not set it anew each time. */
	db_deadline(
	    w->db, left_us > 0 ? (left_us + 999999) / 1000000 * 1000 : 1);
	return w->db;
}

/* What the job printed, as it is stored. */
static char *
output_text(struct json_object *output)
{
	AUTO_BUF text = BUF_INIT;

	if (output == NULL)
		return NULL;
	js_print(output, &text);
	return buf_steal(&text);
}

static bool
call_handler(struct worker *w, const struct job *job, struct settlement *s,
    struct err *e)
{
	const struct task_handler *h = task_find(job->task);
	AUTO_JS *input = NULL;
	struct task_run t = {
		.job = job, .queue = w->claim.queue, .worker = w
	};
	bool ok;

	if (!js_parse_object(job->input, strlen(job->input), &input, e))
		return false;
	t.input = input;
	ok = h->handle(&t, e);
	if (ok)
		s->output = output_text(t.output);
	js_free(&t.output);
	return ok;
}

/* Why a job that is ours must not be started any more; NULL when it may. */
static const char *
refusal(const struct job *job)
{
	if (job->cancelled)
		return "The job was cancelled.";
	if (job->retired)
		return "The task is no longer registered.";
	if (job->crashes >= CLAIM_CRASHES_MAX)
		return "The job ended its runner three times.";
	return NULL;
}

/* Does the job's timeout fit into its lease and into our time? */
static bool
fits(const struct worker *w, const struct job *job)
{
	int64_t end = clock_mono_us() + (int64_t)job->timeout_ms * 1000;

	return end <= w->claim.at_us + job->lease_ms * 1000 && end <= w->end_us;
}

/*
 * One before it took unexpectedly long.  Meanwhile this one may have been
 * cancelled, others may have the time for it, and of its lease there is less:
 * it is claimed anew.
 */
static bool
is_late(const struct worker *w, size_t i)
{
	return i > 0 && clock_mono_us() - w->claim.at_us > LATE_US;
}

static void
log_attempt(
    const struct worker *w, const struct job *job, const struct settlement *s)
{
	static const char *const names[] = { [SETTLE_DONE] = "done",
		[SETTLE_FAILED] = "failed",
		[SETTLE_RETRY] = "retry",
		[SETTLE_RELEASE] = "released",
		[SETTLE_CRASH] = "crashed",
		[SETTLE_PARK] = "failed",
		[SETTLE_SNOOZE] = "snoozed",
		[SETTLE_CANCELLED] = "cancelled" };
	struct log_line l;

	log_begin(
	    &l, s->error == NULL ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "job");
	log_text(&l, "queue", w->claim.queue);
	log_text(&l, "task", job->task);
	log_int(&l, "job", job->id);
	log_int(&l, "attempt", job->attempt);
	log_int(&l, "lease", job->lease_no);
	log_text(&l, "outcome", s->lost ? "lost" : names[s->op]);
	log_text(&l, "error", s->error);
	log_int(&l, "us", s->took_us);
	log_end(&l);
}

/* Fill done[i] for a job that is not to be started.  False: it is. */
static bool
pass_over(struct worker *w, size_t i)
{
	const struct job *job = &w->claim.jobs[i];
	struct settlement *s = &w->done[i];
	const char *why = refusal(job);

	settlement_clear(s);
	s->id = job->id;
	s->lease_no = job->lease_no;
	s->start_us = clock_mono_us() - w->claim.at_us;
	if (why == NULL) {
		s->op = SETTLE_RELEASE;
		return !fits(w, job) || is_late(w, i) || w->stop(w);
	}
	settle_failure(job, true, s);
	if (job->cancelled)
		s->op = SETTLE_CANCELLED;
	s->error = strdup(why);
	return true;
}

/* From here to end_job() the job is the one that pays for a crash. */
static void
begin_job(struct worker *w, size_t i)
{
	w->in_savepoint = false;
	atomic_store(
	    &w->board->started_us, w->claim.at_us + w->done[i].start_us);
	atomic_store(&w->board->current, (int)i);
}

static void
end_job(struct worker *w, size_t i)
{
	struct settlement *s = &w->done[i];

	s->took_us = clock_mono_us() - w->claim.at_us - s->start_us;
	pace_learn(
	    &w->pace, w->claim.jobs[i].task, s->took_us, w->in_savepoint);
}

/*
 * Run jobs[i] and fill done[i].  False: the link is gone, and with it what the
 * batch has done so far.
 */
static bool
run_one(struct worker *w, size_t i, struct err *e)
{
	const struct job *job = &w->claim.jobs[i];
	struct settlement *s = &w->done[i];
	struct err fault = { 0 };
	bool ok = true;

	if (pass_over(w, i))
		return true;
	begin_job(w, i);
	point("handler");
	ok = call_handler(w, job, s, &fault);
	point("handled");
	end_job(w, i);
	db_deadline(w->db, WORKER_DEADLINE_MS);
	if (ok)
		s->op = SETTLE_DONE;
	else {
		settle_failure(job,
		    fault.code == ERR_INVALID || fault.code == ERR_NOT_FOUND,
		    s);
		s->error = strdup(fault.msg);
	}
	if (!ok && w->in_savepoint && !db_rollback_to(w->db, e))
		return false;
	if (ok && w->in_savepoint)
		db_savepoint_forget(w->db);
	atomic_store(&w->board->current, -1);
	return true;
}

/* Has the claim that went with a settlement said what comes next?  One that saw
 * nothing but a queue, and took nothing, is followed by a look at everything.
 */
static bool
took_next(struct worker *w, const struct claim_want *want)
{
	if (want == NULL)
		return false;
	if (w->next.n > 0 || want->behind == NULL)
		return true;
	w->behind_until_us = 0;
	return false;
}

/*
 * Settle done[first..first+n) and, if one is open, commit their transaction;
 * after a batch's last job, claim the next ones with it.
 */
static bool
settle(struct worker *w, size_t first, size_t n, struct err *e)
{
	bool last = first + n == w->claim.n;
	struct settle_next next = {
		.tx = w->in_tx ? &w->tx : NULL,
		.want = last ? w->look(w, n) : NULL,
		.claim = &w->next,
		.first = w->claim.first,
	};
	size_t settled;

	point("settling");
	if (!settle_and(w->db, w->claim.queue, &w->done[first], n, &next,
		&settled, e)) {
		w->quiet = false;
		return false;
	}
	w->in_tx = false;
	w->has_next = took_next(w, next.want);
	if (w->has_next)
		board_hold(w, &w->next);
	point("settled");
	return true;
}

static enum outcome
transact(struct worker *w, size_t first, size_t n, struct err *e)
{
	enum outcome r = LOST;
	bool ran = true;

	for (size_t i = first; ran && i < first + n; i++)
		ran = run_one(w, i, e);
	if (ran && settle(w, first, n, e))
		r = COMMITTED;
	else if (ran && db_connected(w->db))
		r = UNDONE;
	if (w->in_tx)
		db_tx_end(&w->tx);
	w->in_tx = false;
	return r;
}

/* The jobs [first, first+n) are settled for good: tell the caller. */
static void
account(struct worker *w, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++) {
		struct settlement *s = &w->done[i];

		log_attempt(w, &w->claim.jobs[i], s);
		if (s->op != SETTLE_RELEASE && !s->lost) {
			board_report(w->board, s->id, board_status(s->op));
			w->board->ran++;
		}
		settlement_clear(s);
	}
}

/* A job whose transaction does not commit: it failed, if it is still ours. */
static bool
settle_undone(
    struct worker *w, size_t i, const struct err *fault, struct err *e)
{
	struct settlement *s = &w->done[i];
	size_t settled;

	free(s->output);
	free(s->error);
	s->output = NULL;
	s->error = strdup(fault->msg);
	settle_failure(&w->claim.jobs[i], false, s);
	if (!settle_jobs(w->db, w->claim.queue, s, 1, &settled, e)) {
		/* What is refused may be in there, too. */
		if (e->code == ERR_UNAVAILABLE || s->detail == NULL)
			return false;
		free(s->detail);
		s->detail = NULL;
		if (!settle_jobs(w->db, w->claim.queue, s, 1, &settled, e))
			return false;
	}
	account(w, i, 1);
	return true;
}

static bool
run_singly(struct worker *w, size_t first, size_t n, struct err *e)
{
	for (size_t i = first; i < first + n; i++) {
		struct err fault = { 0 };

		switch (transact(w, i, 1, &fault)) {
		case COMMITTED:
			account(w, i, 1);
			break;
		case UNDONE:
			if (!settle_undone(w, i, &fault, e))
				return false;
			break;
		case LOST:
			*e = fault;
			return false;
		}
	}
	return true;
}

/* Jobs [first, first + n), whose handlers are compiled in. */
static bool
run_handlers(struct worker *w, size_t first, size_t n, struct err *e)
{
	struct err fault = { 0 };

	switch (transact(w, first, n, &fault)) {
	case COMMITTED:
		account(w, first, n);
		break;
	case UNDONE:
		log_fail(LOG_LEVEL_WARN, &fault,
		    "a batch of %zu jobs was undone; running each alone", n);
		return run_singly(w, first, n, e);
	case LOST:
		*e = fault;
		return false;
	}
	return true;
}

/* --- executables ---------------------------------------------------------- */

/* One that PostgreSQL refuses must not keep the others from being settled. */
static bool
settle_each(struct worker *w, struct err *e)
{
	for (; w->unsettled < w->finished; w->unsettled++) {
		size_t i = w->unsettled, settled;
		struct err fault = { 0 };

		if (settle_jobs(w->db, w->claim.queue, &w->done[i], 1, &settled,
			&fault))
			account(w, i, 1);
		else if (!settle_undone(w, i, &fault, e))
			return false;
	}
	return true;
}

/* Settle the executables that have ended. */
static bool
settle_finished(struct worker *w, struct err *e)
{
	size_t first = w->unsettled, n = w->finished - first;

	if (n == 0)
		return true;
	if (!settle(w, first, n, e))
		return e->code != ERR_UNAVAILABLE && settle_each(w, e);
	account(w, first, n);
	w->unsettled = w->finished;
	return true;
}

/* While an executable runs on.  What fails now is tried again at its end. */
static void
settle_meanwhile(struct worker *w)
{
	struct err e;

	if (!settle_finished(w, &e))
		log_fail(LOG_LEVEL_WARN, &e, "could not report yet");
}

static bool
settle_patiently(struct worker *w, struct err *e)
{
	int64_t until = clock_mono_ms() + WORKER_REPORT_MS;

	while (!settle_finished(w, e)) {
		if (e->code != ERR_UNAVAILABLE || clock_mono_ms() > until)
			return false;
		(void)poll(NULL, 0, 100);
	}
	return true;
}

/* Jobs [first, first + n), whose handlers are executables. */
static bool
run_programs(struct worker *w, size_t first, size_t n, struct err *e)
{
	w->unsettled = w->finished = first;
	w->slow = settle_meanwhile;
	for (size_t i = first; i < first + n; i++, w->finished++) {
		if (pass_over(w, i))
			continue;
		begin_job(w, i);
		point("program");
		program_run(w, &w->claim.jobs[i], &w->done[i]);
		point("program-ended");
		end_job(w, i);
		atomic_store(&w->board->current, -1);
	}
	return settle_patiently(w, e);
}

/* How many of the jobs from first on are of its kind. */
static size_t
alike(const struct claim *c, size_t first)
{
	bool program = c->jobs[first].handler != NULL;
	size_t n = 1;

	while (
	    first + n < c->n && (c->jobs[first + n].handler != NULL) == program)
		n++;
	return n;
}

bool
batch_run(struct worker *w, struct err *e)
{
	size_t n;

	for (size_t i = 0; i < w->claim.n; i += n) {
		n = alike(&w->claim, i);
		if (w->claim.jobs[i].handler != NULL
			? !run_programs(w, i, n, e)
			: !run_handlers(w, i, n, e))
			return false;
	}
	if (!w->has_next)
		atomic_store(&w->board->held, 0);
	return true;
}
