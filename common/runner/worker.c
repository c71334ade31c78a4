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

enum {
	LOOK_MS = 250, /* from a job's end, if nobody calls */

	/* So long what one queue has next goes first: 50 ms, or, where a look
	 * at everything takes its time, four times that, a second at most. */
	BEHIND_US = 50 * 1000,
	BEHIND_LOOKS = 4,
	BEHIND_MAX_US = 1000 * 1000,
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

/* What the worker asks for, in texts of its own. */
struct asking {
	struct claim_want want;
	struct buf fast;
	struct buf lacks;
};

/* done: jobs that have ended and are not counted yet. */
static bool
ask(struct worker *w, size_t done, struct asking *a, struct err *e)
{
	int left = w->want->limit - w->board->ran - (int)done;

	buf_clear(&a->fast);
	buf_clear(&a->lacks);
	pace_fast(&w->pace, &a->fast);
	for (size_t i = 0; i < w->nlacks && i < WORKER_LACKS_MAX; i++)
		db_array_add(&a->lacks, w->lacks[i]);
	db_array_end(&a->lacks);
	if (!buf_ok(&a->fast, e) || !buf_ok(&a->lacks, e))
		return false;
	a->want = (struct claim_want){
		.queue = w->want->queue,
		.tasks = w->tasks.data,
		.lacks = a->lacks.data,
		.fast = a->fast.data,
		.max_jobs = pace_batch(&w->pace),
		.fit_ms = (w->end_us - clock_mono_us()) / 1000,
		/* Who was woken has work to do first. */
		.schedules = !w->want->unscheduled &&
			     (!w->want->detached || w->claim.at_us > 0),
	};
	if (w->want->limit > 0 && a->want.max_jobs > left)
		a->want.max_jobs = left;
	return true;
}

/* What claim_first() says of more is of every queue, too. */
static bool
leaves_nothing(const struct claim *c)
{
	return !c->more && (c->looked || c->first);
}

/* Do the n jobs that were claimed end, so that none of them comes back? */
static bool
all_gone(const struct worker *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (w->done[i].op != SETTLE_DONE)
			return false;
	return n == w->claim.n;
}

/* May the end of one of the n jobs let another one in? */
static bool
lets_in(const struct worker *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (w->claim.jobs[i].has_place)
			return true;
	return false;
}

/*
 * What there was is done, and whoever has called since it was claimed has been
 * answered, or is better answered a little later: there is nothing to claim but
 * what comes due, or is stored without a call.  A runner that lingers looks for
 * that when it is called, or a little later.  One that does not linger leaves
 * it to the next, if a claim that looks no further told it of its job.
 */
static bool
is_quiet(const struct worker *w, size_t n)
{
	uint32_t seen = w->seen;

	if (!leaves_nothing(&w->claim) || !all_gone(w, n) || lets_in(w, n))
		return false;
	if (w->want->linger_ms == 0)
		return w->claim.first && slots_seen(&w->slots) == seen;
	return !slots_called(&w->slots, &seen) ||
	       slots_cooldown_us(&w->slots) > 0;
}

/* After a claim, of which the counter stood at w->seen.  One who has not much
 * time left does not answer for jobs that need more. */
static void
answer(struct worker *w)
{
	int64_t left_ms = (w->end_us - clock_mono_us()) / 1000;

	if (leaves_nothing(&w->claim) && w->want->queue == NULL &&
	    2 * left_ms >= w->want->duration_ms)
		slots_answer(&w->slots, w->seen);
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What w->claim tells of claims to come, and of calls before it. */
static void
learn(struct worker *w)
{
	int64_t now_us = clock_mono_us(), took_us = now_us - w->claim.at_us;

	if (w->claim.looked)
		w->behind_until_us =
		    now_us +
		    (took_us * BEHIND_LOOKS < BEHIND_US
			    ? BEHIND_US
			    : least(took_us * BEHIND_LOOKS, BEHIND_MAX_US));
	answer(w);
}

/*
 * Should the next claim see no more than what comes behind the last one in its
 * queue?  What is more urgent, what comes due, and other queues wait until
 * then, and for what this claim takes.  Of the n jobs that end none comes back,
 * or lets in who waits for it.
 */
static bool
goes_on(const struct worker *w, size_t n)
{
	return w->claim.more && !w->claim.awaited && all_gone(w, n) &&
	       clock_mono_us() < w->behind_until_us;
}

/* Should the next claim go with the settlement of n jobs, and how? */
static const struct claim_want *
look_ahead(struct worker *w, size_t n)
{
	static struct asking a = { .fast = BUF_INIT, .lacks = BUF_INIT };
	uint32_t seen = slots_seen(&w->slots);
	enum board_end end;
	struct err e;

	w->quiet = is_quiet(w, n);
	if (w->quiet || must_end(w, &end) || !ask(w, n, &a, &e) ||
	    a.want.max_jobs < 1)
		return NULL;
	if (goes_on(w, n))
		a.want.behind = &w->claim;
	w->next_seen = seen;
	slots_claiming(&w->slots);
	return &a.want;
}

/* A runner that was woken begins where jobs are unless they are told to be
 * elsewhere.  Behind a pooler the session is seldom a new one. */
static bool
claim_woken(struct worker *w, const struct claim_want *want, struct err *e)
{
	if (!w->want->detached || w->claim.at_us > 0 || conf_pooled())
		return true;
	return claim_first(w->db, want, JOB_QUEUE_DEFAULT, &w->claim, e);
}

static bool
claim(struct worker *w, struct err *e)
{
	static struct asking a = { .fast = BUF_INIT, .lacks = BUF_INIT };

	w->seen = slots_seen(&w->slots);
	point("claiming");
	slots_claiming(&w->slots);
	if (!ask(w, 0, &a, e) || !claim_woken(w, &a.want, e))
		return false;
	if (w->claim.n == 0 && !claim_jobs(w->db, &a.want, &w->claim, e))
		return false;
	learn(w);
	point("claimed");
	return true;
}

/* The claim that came with the last settlement. */
static void
move_up(struct worker *w)
{
	w->claim = w->next;
	w->next.rows = NULL;
	w->seen = w->next_seen;
	w->has_next = false;
	learn(w);
}

/*
 * What is due besides jobs.  A runner that was woken is no ping: those may have
 * stopped.  A failure is no reason to end the run: the next one tries again.
 */
static void
keep_house(struct worker *w, const struct outlook *out)
{
	struct err e;

	if (out->upkeep_due && !claim_keep_house(w->db, w->keep_ms, &e))
		log_fail(LOG_LEVEL_WARN, &e, "could not keep the house");
	if (out->ping_due && !w->want->detached && !claim_note_ping(w->db, &e))
		log_fail(LOG_LEVEL_WARN, &e, "could not note the ping");
}

/*
 * Is there a job that a fresh runner has the time for, and this one no more?
 * One that ran nothing and has just begun is not fresher than the next, so it
 * does not call for another, and that without end.  What fails here the next
 * claim meets again.
 */
static bool
leave_to_fresh(struct worker *w, const struct outlook *out)
{
	static struct asking a = { .fast = BUF_INIT, .lacks = BUF_INIT };
	int64_t whole_ms = w->want->duration_ms;
	int64_t left_ms = (w->end_us - clock_mono_us()) / 1000;
	bool outlasts = false;
	struct err e;

	if (!out->claimable || !w->want->detached ||
	    (w->board->ran == 0 && whole_ms - left_ms < RUNNER_START_S * 1000))
		return false;
	return ask(w, 0, &a, &e) &&
	       claim_outlasts(w->db, &a.want, whole_ms, &outlasts, &e) &&
	       outlasts && slots_seen(&w->slots) == w->seen;
}

/*
 * Leave as dry, unless a wake-up came (true).  The guard compares b->seen once
 * more after giving the slot back.
 */
static bool
leave(struct worker *w, enum board_end *ret)
{
	point("leaving");
	*ret = BOARD_DRY;
	w->board->seen = w->seen;
	return w->want->detached && slots_seen(&w->slots) != w->seen;
}

/* Wait for a call since the last claim that nobody else answers, during the
 * rest of a cooldown neither, but not beyond the runner's end. */
static void
doze(struct worker *w, int64_t wait_ms)
{
	int64_t until_us = least(clock_mono_us() + wait_ms * 1000, w->end_us);
	uint32_t seen = w->seen;
	int64_t left_us, cool_us;

	slots_idle(&w->slots, w->slot, true);
	point("idle");
	while ((left_us = until_us - clock_mono_us()) > 0) {
		if (!slots_called(&w->slots, &seen)) {
			slots_sleep(&w->slots, seen, (left_us + 999) / 1000);
			continue;
		}
		cool_us = slots_cooldown_us(&w->slots);
		if (cool_us > 0)
			(void)usleep((useconds_t)least(cool_us, left_us));
		if (slots_called(&w->slots, &seen))
			break;
	}
	slots_idle(&w->slots, w->slot, false);
	point("awake");
}

/* Nothing was claimable, and nothing has been run since idle_us.  True: claim
 * again; false: leave, for the reason *ret. */
static bool
await(struct worker *w, int64_t idle_us, enum board_end *ret)
{
	const struct outlook *out = &w->claim.outlook;
	int64_t now_us, wait_ms;

	keep_house(w, out);
	w->board->report.none_left = !out->claimable;
	if (leave_to_fresh(w, out)) {
		*ret = BOARD_FULL;
		return false;
	}
	now_us = clock_mono_us();
	wait_ms = w->want->linger_ms - (now_us - idle_us) / 1000;
	if (wait_ms <= 0 || now_us >= w->end_us)
		return leave(w, ret);
	/* A job that comes due within the linger is awaited. */
	if (out->next_ms >= 0 && out->next_ms < wait_ms)
		wait_ms = out->next_ms + 1;
	doze(w, wait_ms);
	return true;
}

/*
 * What was claimed leaves work for others, or may: call one more of them.  If
 * one must be started for that the guard does it, whose child it would become
 * here.
 */
static void
call_next(struct worker *w)
{
	if (!leaves_nothing(&w->claim) && slots_call(&w->slots))
		(void)!eventfd_write(w->call, 1);
}

/* The limit is reached: is anything left? */
static bool
look_back(struct worker *w, struct err *e)
{
	struct outlook out;

	if (!claim_outlook(w->db, w->want->queue, &out, e))
		return false;
	keep_house(w, &out);
	w->board->report.none_left = !out.claimable;
	return true;
}

/* Take what came with the last settlement, or ask.  *ret_end: neither, but
 * the end, for the reason *ret. */
static bool
obtain(struct worker *w, bool *ret_end, enum board_end *ret, struct err *e)
{
	*ret_end = !w->has_next && must_end(w, ret);
	if (*ret_end)
		return true;
	if (w->has_next) {
		move_up(w);
		return true;
	}
	if (!claim(w, e))
		return false;
	board_hold(w, &w->claim);
	return true;
}

static bool
work(struct worker *w, enum board_end *ret, struct err *e)
{
	int64_t idle_us = clock_mono_us();
	bool go_on = true, end;

	while (go_on) {
		if (!obtain(w, &end, ret, e))
			return false;
		if (end)
			return *ret != BOARD_FULL || look_back(w, e);
		if (w->claim.n == 0) {
			claim_clear(&w->claim);
			go_on = await(w, idle_us, ret);
			continue;
		}
		call_next(w);
		w->quiet = false;
		if (!batch_run(w, e))
			return false;
		claim_clear(&w->claim);
		idle_us = clock_mono_us();
		if (!w->quiet)
			continue;
		w->board->report.none_left = true;
		if (w->want->linger_ms > 0)
			doze(w, least(w->want->linger_ms, LOOK_MS));
		else
			go_on = leave(w, ret);
	}
	return true;
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
		.stop = stopping,
		.look = look_ahead };
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
