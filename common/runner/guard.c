/* The guard: holds the slot, watches the worker, mends what it leaves. */
#include "common/runner/runner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/proc.h"
#include "common/link/conf.h"
#include "common/link/db.h"
#include "common/queue/settle.h"
#include "common/runner/after.h"
#include "common/runner/board.h"
#include "common/runner/exec.h"
#include "common/runner/heed.h"
#include "common/runner/point.h"
#include "common/runner/reap.h"
#include "common/runner/slot.h"
#include "common/runner/verdict.h"
#include "common/runner/worker.h"

enum {
	TICK_MS = 100, /* how often a running worker is looked at */
	LATE_MS = 100, /* a handler may report so late by itself */
	/* The worker ends an executable itself, unless it hangs. */
	PROGRAM_LATE_MS = EXEC_GRACE_MS + EXEC_SWEEP_MS + 2000,
	MEND_MS = 10000, /* how long to try to reach the database */
	STRANGE_MAX = 3, /* then the fault is ours, not a job's */
};

struct guard {
	const struct runner_want *want;
	struct slots slots;
	uint32_t seen; /* wake counter before the slot was taken */
	struct board *board;
	int call; /* eventfd: the worker wants another runner */
	int halt; /* eventfd: the worker's job is to end, see the board */
	struct heed heed;
	int64_t end_us;
	int64_t killed_lease; /* the worker was killed for this job; or 0 */
	bool timed_out;       /* because of its time; else: */
	enum lease_word word; /* ... because of this */
	bool gave_back;       /* what a worker had left on the board */
	bool missed;          /* it left work, or a wake-up, unanswered */
	int strange_ends;     /* workers in a row that died for no job */
	int status;           /* of the last worker, as waitpid() has it */
};

static void
block_signals(sigset_t *ret_old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, ret_old);
}

static bool
stopping(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) ||
						sigismember(&pending, SIGINT) ||
						sigismember(&pending, SIGUSR1));
}

/* In the child: nothing of the parent's but the board and the log. */
static NORETURN void
be_worker(struct guard *g, pid_t guard)
{
	int slot = g->slots.held;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != guard)
		_exit(1);
	proc_clean_fds(true, (const int[]){ g->call, g->halt }, 2);
	worker_run(g->board, g->want, slot, g->call, g->halt, g->end_us);
	_exit(0);
}

/* Is jobs[i] still the one that runs, held under that lease? */
static bool
runs_still(const struct board *b, int i, int64_t lease_no)
{
	return i == atomic_load(&b->current) && b->jobs[i].lease_no == lease_no;
}

/* Kill a worker whose job has outstayed its timeout. */
static void
check_time(struct guard *g, pid_t worker)
{
	struct board *b = g->board;
	int i = atomic_load(&b->current);
	int64_t lease_no, limit_us;
	int late_ms;

	if (i < 0 || g->killed_lease != 0)
		return;
	lease_no = b->jobs[i].lease_no;
	late_ms = b->jobs[i].handler != NULL ? PROGRAM_LATE_MS : LATE_MS;
	limit_us = atomic_load(&b->started_us) +
		   ((int64_t)b->jobs[i].timeout_ms + late_ms) * 1000;
	if (clock_mono_us() < limit_us || !runs_still(b, i, lease_no))
		return;
	g->timed_out = true;
	g->killed_lease = lease_no;
	(void)kill(worker, SIGKILL);
}

/*
 * Is the job wanted no more?  The worker ends an executable; what is compiled
 * in ends with the worker.
 */
static void
check_word(struct guard *g, pid_t worker)
{
	struct board *b = g->board;
	enum lease_word word = heed_look(&g->heed, b);
	int64_t lease_no = g->heed.lease_no;
	int i = atomic_load(&b->current);

	if (word == LEASE_GO_ON || i < 0 || g->killed_lease != 0 ||
	    !runs_still(b, i, lease_no))
		return;
	if (b->jobs[i].handler != NULL) {
		atomic_store(&b->halt_word, word);
		atomic_store(&b->halt_lease, lease_no);
		(void)eventfd_write(g->halt, 1);
		return;
	}
	g->word = word;
	g->killed_lease = lease_no;
	(void)kill(worker, SIGKILL);
}

/*
 * The worker leaves work for others.  What is started here must not be ours
 * when its middle process ends: so, for that moment, orphans are not.
 */
static void
call_next(struct guard *g)
{
	eventfd_t n;
	struct err e;

	(void)eventfd_read(g->call, &n);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0);
	if (!after_start(&g->slots, &e))
		log_fail(LOG_LEVEL_WARN, &e, "could not wake another runner");
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* For a kernel that knows no pidfd. */
static bool
has_ended(pid_t worker)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)worker, &info,
		   WEXITED | WNOHANG | WNOWAIT) != 0 ||
	       info.si_pid == worker;
}

static void
watch(struct guard *g, pid_t worker)
{
	AUTO_FD fd = (int)syscall(SYS_pidfd_open, worker, 0);
	bool told = false;

	for (;;) {
		struct pollfd p[] = { { .fd = fd, .events = POLLIN },
			{ .fd = g->call, .events = POLLIN } };
		int n = poll(p, LEN(p), TICK_MS);

		if (n > 0 && p[1].revents != 0)
			call_next(g);
		if ((n > 0 && p[0].revents != 0) ||
		    (fd < 0 && has_ended(worker)))
			return;
		check_time(g, worker);
		check_word(g, worker);
		if (!told && stopping())
			told = kill(worker, SIGTERM) == 0;
	}
}

/* What executables have left came here with the worker's end.  Nothing else is
 * below us: what is woken is made an orphan of others (call_next). */
static void
sweep(struct guard *g)
{
	struct reap_usage usage = { 0 };

	if (!atomic_exchange(&g->board->ran_programs, false))
		return;
	if (!reap_all(EXEC_SWEEP_MS, &usage))
		log_say(LOG_LEVEL_WARN,
		    "something that a task started cannot be ended");
}

/* One worker's life.  False: none could be started. */
static bool
run_worker(struct guard *g, struct err *e)
{
	pid_t self = getpid(), worker;

	g->board->end = BOARD_CRASHED;
	g->timed_out = false;
	g->killed_lease = 0;
	g->gave_back = false;
	atomic_store(&g->board->current, -1);
	worker = fork();
	if (worker < 0)
		return err_errno(
		    e, ERR_UNAVAILABLE, "could not start a worker");
	if (worker == 0)
		be_worker(g, self);
	watch(g, worker);
	heed_end(&g->heed);
	while (waitpid(worker, &g->status, 0) < 0 && errno == EINTR)
		continue;
	sweep(g);
	return true;
}

/* How the job that ran when the worker ended is to be settled. */
static void
settle_current(
    const struct guard *g, const struct job *job, struct settlement *s)
{
	char said[BOARD_PROGRESS_MAX];
	AUTO_BUF why = BUF_INIT;
	uint32_t seen = 0;

	s->start_us = atomic_load(&g->board->started_us) - g->board->claimed_us;
	s->took_us = clock_mono_us() - atomic_load(&g->board->started_us);
	if (g->killed_lease != 0 && g->killed_lease != job->lease_no) {
		/* The one that was meant had just ended. */
		s->op = SETTLE_RELEASE;
	} else if (g->killed_lease != 0 && !g->timed_out) {
		s->op = SETTLE_CANCELLED;
		buf_adds(&why, "The job was cancelled.");
	} else if (g->killed_lease != 0) {
		settle_failure(job, false, s);
		buf_addf(&why, "The job took longer than its timeout of %d ms.",
		    job->timeout_ms);
	} else if (g->board->end == BOARD_LOST) {
		/* Perhaps its own doing: else it would go on for ever. */
		settle_failure(job, false, s);
		buf_adds(&why, "The database was lost while the job ran.");
	} else {
		settle_crash(job, s);
		verdict_crash(job, g->status, &why);
	}
	s->error = buf_steal(&why);
	if (s->op != SETTLE_RELEASE)
		s->detail = verdict_lost(job, g->status,
		    board_said(g->board, job->lease_no, &seen, said) ? said
								     : NULL);
}

static bool
try_mend(struct guard *g, struct db *db, struct err *e)
{
	struct board *b = g->board;
	int held = atomic_load(&b->held), current = atomic_load(&b->current);
	struct settlement s[CLAIM_MAX] = { 0 };
	size_t settled;
	bool ok;

	for (int i = 0; i < held; i++) {
		s[i].id = b->jobs[i].id;
		s[i].lease_no = b->jobs[i].lease_no;
		s[i].op = SETTLE_RELEASE;
		if (i == current)
			settle_current(g, &b->jobs[i], &s[i]);
	}
	ok = settle_jobs(db, b->queue, s, (size_t)held, &settled, e);
	if (ok && current >= 0 && !s[current].lost) {
		board_report(b, s[current].id, board_status(s[current].op));
		b->ran++;
	}
	for (int i = 0; i < held; i++)
		settlement_clear(&s[i]);
	return ok;
}

/*
 * The worker left jobs on the board: charge the one that ran, give the others
 * back.  What cannot be told to the database comes back when its lease ends.
 */
static bool
mend(struct guard *g, struct err *e)
{
	AUTO_DB *db = NULL;
	int64_t until = clock_mono_ms() + MEND_MS;

	if (atomic_load(&g->board->held) == 0)
		return true;
	point("mending");
	db = db_new(conf_database_url("run"), conf_pooled(), "run");
	while (!try_mend(g, db, e)) {
		if (e->code != ERR_UNAVAILABLE || clock_mono_ms() > until)
			return false;
		(void)poll(NULL, 0, TICK_MS);
	}
	atomic_store(&g->board->held, 0);
	g->gave_back = true;
	return true;
}

static bool
time_is_left(const struct guard *g)
{
	return !stopping() && clock_mono_us() < g->end_us &&
	       g->strange_ends < STRANGE_MAX &&
	       (g->want->limit == 0 || g->board->ran < g->want->limit);
}

/* Workers, one after another, until one has said why it left. */
static bool
run_workers(struct guard *g, struct err *e)
{
	do {
		int ran = g->board->ran;

		if (!run_worker(g, e))
			return false;
		if (g->board->ran > ran)
			g->strange_ends = 0;
		if (g->board->end == BOARD_CRASHED &&
		    atomic_load(&g->board->current) < 0)
			g->strange_ends++;
		if (g->board->end == BOARD_LOST) {
			*e = g->board->err;
			log_fail(LOG_LEVEL_WARN, e, "the worker had to end");
		}
		if (!mend(g, e) || g->board->end == BOARD_LOST)
			return false;
		if (g->board->end == BOARD_CRASHED)
			log_say(LOG_LEVEL_WARN, "%s",
			    g->timed_out ? "a job outstayed its timeout"
			    : g->killed_lease != 0 ? "a job was stopped"
						   : "a worker died");
	} while (g->board->end == BOARD_CRASHED && time_is_left(g));
	return true;
}

/*
 * Was work left, or did a wake-up come since the worker's last look?  One whose
 * link was lost may never have looked again; that it could not connect to begin
 * with is no reason for another start.
 */
static bool
is_missed(const struct guard *g, uint32_t seen)
{
	switch (g->board->end) {
	case BOARD_DRY:
		return seen != g->board->seen;
	case BOARD_FULL:
		return !g->board->report.none_left;
	case BOARD_CRASHED:
		return g->strange_ends < STRANGE_MAX;
	case BOARD_LOST:
		return g->gave_back || seen != g->seen;
	case BOARD_STOPPED:
		break;
	}
	return false;
}

/*
 * Leave the slot, then look at the counter once more: a waker that found no
 * free slot relies on it.  True: there is more to do and the slot is ours.
 */
static bool
come_back(struct guard *g)
{
	uint32_t seen;

	point("giving-back");
	slots_give_back(&g->slots);
	point("gave-back");
	seen = slots_seen(&g->slots);
	g->missed = is_missed(g, seen);
	g->board->report.called =
	    seen != g->seen || (g->board->end == BOARD_LOST && g->missed);
	if (!g->missed || g->board->end != BOARD_DRY || !g->want->detached ||
	    !time_is_left(g) || !slots_take(&g->slots))
		return false;
	g->missed = false;
	return true;
}

/* A detached runner that cannot come back hands over what is left. */
static void
hand_over(struct guard *g)
{
	struct err e;

	if (g->want->detached && g->missed && !stopping() &&
	    slots_call(&g->slots) && !after_start(&g->slots, &e))
		log_fail(LOG_LEVEL_WARN, &e, "could not hand over");
}

static bool
guard_run(struct guard *g, struct err *e)
{
	bool ok;

	do
		ok = run_workers(g, e);
	while (come_back(g) && ok);
	if (ok || g->board->end == BOARD_LOST)
		hand_over(g);
	return ok;
}

/*
 * A detached runner was started because a slot was free; where somebody was
 * faster, that one may have looked for jobs before ours came, or looks at
 * another queue only.  So it is told, as any holder of a slot is.  Either way
 * the start is over: whoever comes now must not count on it.
 */
static bool
take_slot(struct guard *g)
{
	bool taken;

	point("starting");
	g->seen = slots_seen(&g->slots);
	taken = slots_take(&g->slots);
	if (!g->want->detached)
		return taken;
	slots_started(&g->slots);
	if (taken)
		return true;
	slots_wake(&g->slots);
	return slots_take(&g->slots);
}

/* What guard and worker have in common. */
static bool
open_shared(struct guard *g, struct err *e)
{
	g->board = mmap(NULL, sizeof(*g->board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->board == MAP_FAILED)
		return err_errno(e, ERR_UNAVAILABLE, "could not map a board");
	g->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g->halt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->call >= 0 && g->halt >= 0)
		return true;
	(void)err_errno(e, ERR_UNAVAILABLE, "could not make an eventfd");
	fd_close(&g->call);
	fd_close(&g->halt);
	(void)munmap(g->board, sizeof(*g->board));
	return false;
}

static void
close_shared(struct guard *g)
{
	(void)munmap(g->board, sizeof(*g->board));
	fd_close(&g->call);
	fd_close(&g->halt);
	slots_close(&g->slots);
}

bool
runner_run(
    const struct runner_want *want, struct runner_report *ret, struct err *e)
{
	struct guard g = { .want = want,
		.end_us = clock_mono_us() + want->duration_ms * 1000 };
	sigset_t old;
	bool ok = true;

	memset(ret, 0, sizeof(*ret));
	if (!slots_open(&g.slots, e))
		return false;
	ret->had_slot = take_slot(&g);
	if (!ret->had_slot) {
		slots_close(&g.slots);
		return true;
	}
	if (!open_shared(&g, e)) {
		slots_close(&g.slots);
		return false;
	}
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	block_signals(&old);
	ok = guard_run(&g, e);
	*ret = g.board->report;
	ret->had_slot = true;
	close_shared(&g);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return ok;
}
