/*
 * once: run a command and say what it took.
 *
 *	once COMMAND…
 *		Prints its wall time in microseconds.
 *	once -m COMMAND…
 *		Prints the highest peak of resident memory among the command
 *		and its descendants, in KiB, looked at when each of them ends.
 *		This stops them there, so the time says nothing.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/* The most that a process, which is about to exit, had of memory. */
static long
peak_kb(pid_t pid)
{
	char path[64], line[256];
	long kb = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return kb;
}

/* What to pass on when a traced process stopped. */
static int
on_stop(pid_t pid, int status, long *peak)
{
	int event = status >> 16, sig = WSTOPSIG(status);
	long kb = event == PTRACE_EVENT_EXIT ? peak_kb(pid) : 0;

	if (kb > *peak)
		*peak = kb;
	return event != 0 || sig == SIGSTOP || sig == SIGTRAP ? 0 : sig;
}

static int
trace(pid_t first)
{
	int status, result = 1;
	long peak = 0;
	pid_t pid;

	if (ptrace(PTRACE_SEIZE, first, NULL,
		PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		    PTRACE_O_TRACECLONE) != 0)
		bench_die("ptrace: %s", strerror(errno));
	(void)kill(first, SIGCONT);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			(void)ptrace(PTRACE_CONT, pid, NULL,
			    (uintptr_t)on_stop(pid, status, &peak));
		} else if (pid == first)
			result = status;
	}
	printf("%ld\n", peak);
	return result == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	bool memory = argc > 1 && strcmp(argv[1], "-m") == 0;
	int64_t start_us;
	int status;
	pid_t pid;

	argv += memory ? 2 : 1;
	if (*argv == NULL)
		return 64;
	start_us = bench_now_us();
	pid = fork();
	if (pid == 0) {
		if (memory)
			(void)raise(SIGSTOP);
		(void)execv(argv[0], argv);
		_exit(127);
	}
	if (memory) {
		(void)waitpid(pid, NULL, WUNTRACED);
		return trace(pid);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		bench_die("%s failed", argv[0]);
	printf("%" PRId64 "\n", bench_now_us() - start_us);
	return 0;
}
