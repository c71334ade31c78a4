/* prefork: real processes that end in every way, and what the master does. */
#include "tests/unit/tap.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/prefork.h"

enum { CHILDREN = 3, CHILD_LOG = 512 };

/* What all processes of a case see. */
struct shared {
	atomic_int starts;
	atomic_int drained;
	_Atomic(pid_t) pids[CHILD_LOG];
};

static struct shared *shared;

static int
note_start(void)
{
	int i = atomic_fetch_add(&shared->starts, 1);

	if (i < CHILD_LOG)
		atomic_store(&shared->pids[i], getpid());
	return i;
}

static int
wait_for_ever(void)
{
	while (pause() < 0) /* it never says anything else */
		continue;
	return 0;
}

static int
serve_wait(void *ctx UNUSED)
{
	note_start();
	return wait_for_ever();
}

static int
serve_crash(void *ctx UNUSED)
{
	note_start();
	abort();
}

static int
serve_idle(void *ctx UNUSED)
{
	note_start();
	return PREFORK_IDLE;
}

/* The first child wants to end for want of work, the others have some. */
static int
serve_first_idle(void *ctx UNUSED)
{
	int i = note_start();

	if (i == 0)
		return PREFORK_IDLE;
	if (i >= CHILDREN)
		return wait_for_ever();
	usleep(100000);
	return 0;
}

/* Told to end, it takes its time, as a request would. */
static int
serve_drain(void *ctx UNUSED)
{
	sigset_t term;
	int sig = 0;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	note_start();
	sigwait(&term, &sig);
	usleep(200000);
	atomic_fetch_add(&shared->drained, 1);
	return 0;
}

static pid_t
master_start(int (*serve)(void *ctx))
{
	pid_t pid = 0;

	memset(shared, 0, sizeof(*shared));
	pid = fork();
	if (pid == 0) {
		/* A test that fails leaves nothing behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(prefork_run(CHILDREN, serve, NULL));
	}
	return pid;
}

/* The exit status of pid within ms; -1 when it is still there, 1000 + the
 * signal when one ended it. */
static int
ended_within(pid_t pid, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (clock_mono_ms() > until)
			return -1;
		usleep(2000);
	}
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

static bool
starts_reach(int n, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (atomic_load(&shared->starts) < n) {
		if (clock_mono_ms() > until)
			return false;
		usleep(2000);
	}
	return true;
}

static int
children_alive(void)
{
	int n = 0;

	for (int i = 0; i < atomic_load(&shared->starts) && i < CHILD_LOG; i++)
		n += kill(atomic_load(&shared->pids[i]), 0) == 0;
	return n;
}

static bool
children_gone(int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (waitpid(-1, NULL, WNOHANG), children_alive() > 0) {
		if (clock_mono_ms() > until)
			return false;
		usleep(2000);
	}
	return true;
}

static void
test_replace_and_stop(int sig)
{
	pid_t master = master_start(serve_wait);

	ok(starts_reach(CHILDREN, 2000), "%d children start", CHILDREN);
	kill(atomic_load(&shared->pids[1]), SIGKILL);
	ok(starts_reach(CHILDREN + 1, 2000), "a killed child is replaced");
	is_int(ended_within(master, 0), -1, "and the master stays");
	kill(master, sig);
	is_int(ended_within(master, 2000), 0, "signal %d ends the master", sig);
	is_int(children_alive(), 0, "and every child before it");
}

static void
test_storm(void)
{
	pid_t master = master_start(serve_crash);
	int64_t begun = clock_mono_ms(), seconds = 0;
	int first = 0, starts = 0;

	ok(starts_reach(CHILDREN + PREFORK_STARTS_PER_S, 2000),
	    "children that crash at once are started again");
	usleep(1200000);
	starts = atomic_load(&shared->starts);
	seconds = (clock_mono_ms() - begun) / 1000 + 1;
	ok(starts <= CHILDREN + PREFORK_STARTS_PER_S * seconds,
	    "at most %d a second: %d in %d s", PREFORK_STARTS_PER_S, starts,
	    (int)seconds);
	first = starts;
	ok(starts_reach(first + 1, 2000), "and that without end");
	kill(master, SIGTERM);
	is_int(ended_within(master, 2000), 0, "a storm ends on TERM");
}

static void
test_idle(void)
{
	pid_t master = master_start(serve_idle);

	is_int(ended_within(master, 2000), 0,
	    "the master ends when every child was idle");
	is_int(atomic_load(&shared->starts), CHILDREN, "none was replaced");
	master = master_start(serve_first_idle);
	ok(starts_reach(2 * CHILDREN, 2000),
	    "a child with work that ends brings the idle ones back");
	kill(master, SIGTERM);
	is_int(ended_within(master, 2000), 0, "and they stop on TERM");
}

/* Who starts us may have SIGCHLD ignored, and that is inherited. */
static void
test_inherited_ignore(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	pid_t master = 0;

	sigaction(SIGCHLD, &ignore, &before);
	master = master_start(serve_wait);
	sigaction(SIGCHLD, &before, NULL);
	ok(starts_reach(CHILDREN, 2000), "SIGCHLD ignored: children start");
	kill(atomic_load(&shared->pids[0]), SIGKILL);
	ok(starts_reach(CHILDREN + 1, 2000), "and are replaced all the same");
	kill(master, SIGTERM);
	is_int(ended_within(master, 2000), 0, "and stop on TERM");
}

static void
test_drain(void)
{
	pid_t master = master_start(serve_drain);

	ok(starts_reach(CHILDREN, 2000), "children that drain start");
	kill(master, SIGTERM);
	is_int(ended_within(master, 3000), 0, "the master ends");
	is_int(atomic_load(&shared->drained), CHILDREN,
	    "after every child has finished its work");
}

static void
test_orphans(void)
{
	pid_t master = master_start(serve_wait);

	ok(starts_reach(CHILDREN, 2000), "children of a doomed master start");
	kill(master, SIGKILL);
	is_int(ended_within(master, 2000), 1000 + SIGKILL, "it is killed");
	ok(children_gone(2000), "its children end too");
}

int
main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	/* Orphans come to us, so that they do not stay as zombies. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	log_init("test_prefork", "error");
	test_replace_and_stop(SIGTERM);
	test_replace_and_stop(SIGINT);
	test_replace_and_stop(SIGUSR1);
	test_storm();
	test_idle();
	test_inherited_ignore();
	test_drain();
	test_orphans();
	return done();
}
