/*
 * once: run a command and say what it took.
 *
 *	once COMMAND…
 *		Prints its wall time in microseconds.
 *	once -m COMMAND…
 *		Prints, in KiB: the highest peak of resident memory among the
 *		command and its descendants; and the highest sum of what they
 *		held in proportion (shared pages counted once), looked at
 *		whenever one of them ends.  This stops them there, so the time
 *		says nothing.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { PROCESSES_MAX = 64 };

struct family {
	pid_t pids[PROCESSES_MAX];
	size_t n;
	long peak_kb;
	long sum_kb;
};

/* The number of a line "NAME:   123 kB" in a file of /proc. */
static long
proc_kb(pid_t pid, const char *file, const char *name)
{
	char path[64], line[256];
	long kb = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			kb = strtol(line + strlen(name), NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return kb;
}

static void
family_add(struct family *f, pid_t pid)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->pids[i] == pid)
			return;
	if (f->n == PROCESSES_MAX)
		bench_die("too many processes");
	f->pids[f->n++] = pid;
}

static void
family_drop(struct family *f, pid_t pid)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->pids[i] == pid)
			f->pids[i] = f->pids[--f->n];
}

/* pid is about to exit, its memory still there. */
static void
family_look(struct family *f, pid_t pid)
{
	long peak = proc_kb(pid, "status", "VmHWM:"), sum = 0;

	for (size_t i = 0; i < f->n; i++)
		sum += proc_kb(f->pids[i], "smaps_rollup", "Pss:");
	if (peak > f->peak_kb)
		f->peak_kb = peak;
	if (sum > f->sum_kb)
		f->sum_kb = sum;
}

/* What to pass on when a traced process stopped. */
static int
on_stop(struct family *f, pid_t pid, int status)
{
	int event = status >> 16, sig = WSTOPSIG(status);

	if (event == PTRACE_EVENT_EXIT)
		family_look(f, pid);
	if (event != 0 || sig == SIGSTOP || sig == SIGTRAP)
		return 0;
	return sig;
}

static int
trace(pid_t first)
{
	struct family f = { 0 };
	int status, result = 1;
	pid_t pid;

	if (ptrace(PTRACE_SEIZE, first, NULL,
		PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		    PTRACE_O_TRACECLONE) != 0)
		bench_die("ptrace: %s", strerror(errno));
	(void)kill(first, SIGCONT);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			family_add(&f, pid);
			(void)ptrace(PTRACE_CONT, pid, NULL,
			    (uintptr_t)on_stop(&f, pid, status));
			continue;
		}
		family_drop(&f, pid);
		if (pid == first)
			result = status;
	}
	printf("%ld %ld\n", f.peak_kb, f.sum_kb);
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
