/* Processes that share one start: fork, wait, replace. */
#include "common/http/prefork.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/heap.h"
#include "common/base/log.h"

struct place {
	pid_t pid; /* 0: empty */
	bool idle; /* empty by its own wish */
};

struct master {
	int (*serve)(void *ctx);
	void *ctx;
	pid_t pid;          /* of the master itself */
	sigset_t signals;   /* what the master waits for */
	sigset_t inherited; /* the mask that children get back */
	bool stopping;
	size_t n;
	struct place places[PREFORK_CHILDREN_MAX];
	/* Times of the last starts, a ring: the next may come a second
	 * after the oldest. */
	int64_t started_ms[PREFORK_STARTS_PER_S];
	size_t starts;
	int64_t not_before_ms; /* fork failed: rest a while */
};

static void
block_signals(struct master *m)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };

	/* An inherited "ignore" would make ended children vanish unseen. */
	sigaction(SIGCHLD, &normal, NULL);
	sigemptyset(&m->signals);
	sigaddset(&m->signals, SIGCHLD);
	sigaddset(&m->signals, SIGTERM);
	sigaddset(&m->signals, SIGINT);
	sigaddset(&m->signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &m->signals, &m->inherited);
}

static NORETURN void
child_main(const struct master *m)
{
	/* Before the check: a master that dies between the two is seen by
	 * one of them. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != m->pid)
		_exit(0);
	sigprocmask(SIG_SETMASK, &m->inherited, NULL);
	exit(m->serve(m->ctx));
}

static bool
child_start(struct master *m, struct place *place, int64_t now_ms)
{
	pid_t pid = fork();

	if (pid == 0)
		child_main(m);
	if (pid < 0) {
		struct err e;

		(void)err_errno(&e, ERR_UNAVAILABLE, "fork");
		log_fail(LOG_LEVEL_ERROR, &e, "could not start a child");
		m->not_before_ms = now_ms + 1000;
		return false;
	}
	*place = (struct place){ .pid = pid };
	return true;
}

/* How long until another start is due; 0: it is. */
static int64_t
rest_ms(const struct master *m, int64_t now_ms)
{
	size_t oldest = m->starts % LEN(m->started_ms);
	int64_t due_ms = m->not_before_ms;

	if (m->starts >= LEN(m->started_ms) &&
	    m->started_ms[oldest] + 1000 > due_ms)
		due_ms = m->started_ms[oldest] + 1000;
	return due_ms > now_ms ? due_ms - now_ms : 0;
}

/* Fill empty places as fast as the rate allows.  Returns how long to wait
 * before the rest may follow, -1 when nothing is left to start. */
static int64_t
replace_children(struct master *m)
{
	for (size_t i = 0; i < m->n; i++) {
		int64_t now_ms = clock_mono_ms(), wait_ms = 0;

		if (m->places[i].pid != 0 || m->places[i].idle)
			continue;
		wait_ms = rest_ms(m, now_ms);
		if (wait_ms > 0)
			return wait_ms;
		m->started_ms[m->starts++ % LEN(m->started_ms)] = now_ms;
		if (!child_start(m, &m->places[i], now_ms))
			return rest_ms(m, now_ms);
	}
	return -1;
}

/* The first children are not held back by the rate. */
static void
start_all(struct master *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (!child_start(m, &m->places[i], clock_mono_ms()))
			return;
}

static void
log_child(pid_t pid, int status)
{
	struct log_line line;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	log_begin(&line, LOG_LEVEL_WARN, "child ended");
	log_int(&line, "pid", pid);
	if (WIFSIGNALED(status))
		log_int(&line, "signal", WTERMSIG(status));
	else
		log_int(&line, "status", WEXITSTATUS(status));
	log_end(&line);
}

static void
child_ended(struct master *m, pid_t pid, int status)
{
	bool idle = WIFEXITED(status) && WEXITSTATUS(status) == PREFORK_IDLE;

	for (size_t i = 0; i < m->n; i++) {
		struct place *place = &m->places[i];

		if (place->pid == pid)
			*place = (struct place){ .idle = idle };
		else if (!idle)
			place->idle = false;
	}
	if (!idle)
		log_child(pid, status);
}

static void
reap(struct master *m)
{
	int status = 0;
	pid_t pid = 0;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_ended(m, pid, status);
}

static bool
any_child(const struct master *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->places[i].pid != 0)
			return true;
	return false;
}

static bool
all_idle(const struct master *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (!m->places[i].idle)
			return false;
	return true;
}

static void
stop_children(struct master *m)
{
	m->stopping = true;
	for (size_t i = 0; i < m->n; i++)
		if (m->places[i].pid != 0)
			kill(m->places[i].pid, SIGTERM);
}

/* Wait for a signal, at most wait_ms (-1: for ever), and act on it. */
static void
await_signal(struct master *m, int64_t wait_ms)
{
	struct timespec wait = {
		.tv_sec = wait_ms / 1000,
		.tv_nsec = wait_ms % 1000 * 1000000,
	};
	int sig = wait_ms < 0 ? sigwaitinfo(&m->signals, NULL)
			      : sigtimedwait(&m->signals, NULL, &wait);

	if (sig == SIGTERM || sig == SIGINT || sig == SIGUSR1)
		stop_children(m);
	reap(m);
}

int
prefork_run(int n, int (*serve)(void *ctx), void *ctx)
{
	int64_t wait_ms = -1;
	struct master m = {
		.serve = serve,
		.ctx = ctx,
		.pid = getpid(),
		.n = (size_t)n,
	};
	block_signals(&m);
	heap_fill();
	start_all(&m);
	while (!m.stopping && !all_idle(&m)) {
		wait_ms = replace_children(&m);
		await_signal(&m, wait_ms);
	}
	while (any_child(&m))
		await_signal(&m, -1);
	return 0;
}
