#include "common/runner/worker.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/link/conf.h"
#include "common/link/db.h"
#include "common/runner/batch.h"
#include "common/runner/point.h"
#include "common/runner/slot.h"

struct idle {
	int64_t since_us; /* when the last job ended, or the start */
};

/* Has a signal told us to end?  They are blocked, so they wait to be seen. */
static bool
stopping(const struct worker *w UNUSED)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) ||
						sigismember(&pending, SIGINT) ||
						sigismember(&pending, SIGUSR1));
}

/* Why the worker must not claim again, if so. */
static bool
must_end(const struct worker *w, enum board_end *ret)
{
	if (stopping(w))
		*ret = BOARD_STOPPED;
	else if (w->want->limit > 0 && w->board->ran >= w->want->limit)
		*ret = BOARD_FULL;
	else if (clock_mono_us() >= w->end_us)
		*ret = BOARD_FULL;
	else
		return false;
	return true;
}

static bool
claim(struct worker *w, struct err *e)
{
	struct claim_want want = {
		.queue = w->want->queue,
		.tasks = w->tasks.data,
		.max_jobs = pace_batch(&w->pace),
		.fit_ms = (w->end_us - clock_mono_us()) / 1000,
		.schedules = !w->want->unscheduled,
	};
	AUTO_BUF fast = BUF_INIT, lacks = BUF_INIT;

	if (w->want->limit > 0 &&
	    want.max_jobs > w->want->limit - w->board->ran)
		want.max_jobs = w->want->limit - w->board->ran;
	pace_fast(&w->pace, &fast);
	for (size_t i = 0; i < w->nlacks && i < WORKER_LACKS_MAX; i++)
		db_array_add(&lacks, w->lacks[i]);
	db_array_end(&lacks);
	if (!buf_ok(&fast, e) || !buf_ok(&lacks, e))
		return false;
	want.fast = fast.data;
	want.lacks = lacks.data;
	return claim_jobs(w->db, &want, &w->claim, e);
}

/* A failure is no reason to end the run: the next one tries again. */
static void
keep_house(struct worker *w)
{
	struct err e;

	if (!claim_keep_house(w->db, w->keep_ms, &e))
		log_fail(LOG_LEVEL_WARN, &e, "could not keep the house");
}

/*
 * Late in its time a runner cannot fit what is claimable any more: a fresh one
 * has the time.  Late is when less is left than the longest timeout met, or
 * than half of the whole.  (Earlier, what is claimable is on its way to
 * another runner, or has just come.)  A runner that ran nothing is not fresher
 * than the next, so it does not call for another, and that without end.
 */
static bool
leave_to_fresh(const struct worker *w, const struct outlook *out, uint32_t seen)
{
	int64_t left_ms = (w->end_us - clock_mono_us()) / 1000;
	int64_t half_ms = w->want->duration_ms / 2;

	return out->claimable &&
	       left_ms < (w->longest_ms > half_ms ? w->longest_ms : half_ms) &&
	       w->want->detached && w->board->ran > 0 &&
	       slots_seen(&w->slots) == seen;
}

/*
 * Nothing was claimable.  *ret_again: claim again; else leave, for the reason
 * *ret, b->seen being the counter that the guard compares after giving the
 * slot back.
 */
static bool
await(struct worker *w, const struct idle *idle, uint32_t seen, bool *ret_again,
    enum board_end *ret, struct err *e)
{
	struct outlook out;
	int64_t now, wait_ms;

	if (!claim_outlook(w->db, w->want->queue, &out, e))
		return false;
	if (out.upkeep_due)
		keep_house(w);
	w->board->report.none_left = !out.claimable;
	*ret = BOARD_DRY;
	*ret_again = false;
	if (leave_to_fresh(w, &out, seen)) {
		*ret = BOARD_FULL;
		return true;
	}
	now = clock_mono_us();
	wait_ms = w->want->linger_ms - (now - idle->since_us) / 1000;
	if (wait_ms > (w->end_us - now) / 1000)
		wait_ms = (w->end_us - now) / 1000;
	*ret_again = wait_ms > 0;
	if (!*ret_again) {
		point("leaving");
		w->board->seen = seen;
		*ret_again = w->want->detached && slots_seen(&w->slots) != seen;
		return true;
	}
	/* A job that comes due within the linger is awaited. */
	if (out.next_ms >= 0 && out.next_ms < wait_ms)
		wait_ms = out.next_ms + 1;
	slots_idle(&w->slots, w->slot, true);
	point("idle");
	if (slots_seen(&w->slots) == seen)
		slots_sleep(&w->slots, seen, wait_ms);
	slots_idle(&w->slots, w->slot, false);
	point("awake");
	return true;
}

/*
 * What was claimed leaves work for others: let one more of them start.  The
 * guard does it, since a runner that is started here would become its child.
 */
static void
call_next(struct worker *w)
{
	if (w->claim.more)
		(void)!eventfd_write(w->call, 1);
}

/* The limit is reached: is anything left? */
static bool
look_back(struct worker *w, struct err *e)
{
	struct outlook out;

	if (!claim_outlook(w->db, w->want->queue, &out, e))
		return false;
	if (out.upkeep_due)
		keep_house(w);
	w->board->report.none_left = !out.claimable;
	return true;
}

static bool
work(struct worker *w, enum board_end *ret, struct err *e)
{
	struct idle idle = { .since_us = clock_mono_us() };

	while (!must_end(w, ret)) {
		uint32_t seen = slots_seen(&w->slots);
		bool again;

		point("claiming");
		if (!claim(w, e))
			return false;
		point("claimed");
		if (w->claim.n > 0) {
			board_hold(w);
			call_next(w);
			if (!batch_run(w, e))
				return false;
			claim_clear(&w->claim);
			idle.since_us = clock_mono_us();
			continue;
		}
		claim_clear(&w->claim);
		if (!await(w, &idle, seen, &again, ret, e))
			return false;
		if (!again)
			return true;
	}
	return *ret != BOARD_FULL || look_back(w, e);
}

void
worker_run(struct board *b, const struct runner_want *want, int slot, int call,
    int halt, int64_t end_us)
{
	struct worker w = { .board = b,
		.want = want,
		.slot = slot,
		.call = call,
		.halt = halt,
		.end_us = end_us,
		.tasks = BUF_INIT,
		.stop = stopping };
	struct err e = { 0 };
	enum board_end end = BOARD_LOST;

	task_slugs(&w.tasks);
	w.db = db_new(conf_database_url("run"), conf_pooled(), "run");
	db_deadline(w.db, WORKER_DEADLINE_MS);
	if (!slots_open(&w.slots, &e) ||
	    !conf_duration_ms(
		"RETENTION", CLAIM_RETENTION_MS, &w.keep_ms, &e) ||
	    !work(&w, &end, &e)) {
		b->err = e;
		end = BOARD_LOST;
	}
	b->end = end;
	point("worker-leaves");
	db_free(w.db);
	buf_release(&w.tasks);
}
