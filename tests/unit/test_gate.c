/*
 * gate: so many at a time, over processes; whoever ends makes room.
 */
#include "tests/unit/tap.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/site/gate.h"

/* A process that is through the gate until it is killed; its number, or -1
 * when it did not get through. */
static pid_t
inside(void)
{
	int said[2];
	char c = 'n';
	pid_t pid = 0;

	if (pipe(said) != 0)
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct gate g = GATE_INIT;
		struct err e;

		c = gate_enter(&g, &e) ? 'y' : 'n';
		if (write(said[1], &c, 1) == 1 && c == 'y')
			pause();
		_exit(0);
	}
	if (read(said[0], &c, 1) != 1)
		c = 'n';
	close(said[0]);
	close(said[1]);
	if (c == 'y')
		return pid;
	waitpid(pid, NULL, 0);
	return -1;
}

static void
finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int
main(void)
{
	char dir[] = "/tmp/afterwork-gate.XXXXXX";
	struct gate g = GATE_INIT;
	pid_t pids[GATE_PLACES];
	int64_t start_ms = 0;
	struct err e;

	ok(mkdtemp(dir) != NULL && setenv("RUNTIME_DIRECTORY", dir, 1) == 0,
	    "a folder");
	for (int i = 0; i < GATE_PLACES; i++) {
		pids[i] = inside();
		ok(pids[i] > 0, "process %d is through", i);
	}
	start_ms = clock_mono_ms();
	ok(!gate_enter(&g, &e), "then it is full");
	is_int(e.code, ERR_UNAVAILABLE, "which may pass");
	ok(clock_mono_ms() - start_ms >= GATE_WAIT_MS, "it was waited for");
	finish(pids[0]);
	ok(gate_enter(&g, &e), "whoever is killed makes room");
	ok(inside() < 0, "for one");
	gate_leave(&g);
	gate_leave(&g);
	ok(gate_enter(&g, &e), "so does whoever leaves");
	gate_leave(&g);
	for (int i = 1; i < GATE_PLACES; i++)
		finish(pids[i]);
	return done();
}
