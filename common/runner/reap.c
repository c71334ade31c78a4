#include "common/runner/reap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/path.h"

enum {
	PIDS_MAX = 32768, /* in one look; more come with the next */
	PAUSE_MIN_US = 50,
	PAUSE_MAX_US = 5000,
};

struct pids {
	int *v;
	size_t n, room;
};

static void
pids_release(struct pids *p)
{
	free(p->v);
}

static void
pids_add(struct pids *p, int pid)
{
	size_t room = p->room == 0 ? 64 : 2 * p->room;
	int *v;

	if (p->n == PIDS_MAX)
		return;
	if (p->n == p->room) {
		v = realloc(p->v, room * sizeof(*v));
		if (v == NULL)
			return;
		p->v = v;
		p->room = room;
	}
	p->v[p->n++] = pid;
}

/* The numbers in a "children" file: "12 345 ". */
static void
read_children(int fd, struct pids *ret)
{
	char chunk[4096];
	ssize_t n;
	int pid = 0;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (chunk[i] >= '0' && chunk[i] <= '9') {
				pid = pid * 10 + (chunk[i] - '0');
				continue;
			}
			if (pid > 0)
				pids_add(ret, pid);
			pid = 0;
		}
}

/* A process's children are those of each of its threads. */
static void
add_children(int pid, struct pids *ret)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		char file[300];
		AUTO_FD fd = -1;

		if (d->d_name[0] == '.')
			continue;
		(void)snprintf(file, sizeof(file), "%s/children", d->d_name);
		fd = openat(dirfd(dir), file, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			read_children(fd, ret);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

void
reap_signal(int sig, int group)
{
	CLEANUP(pids_release) struct pids below = { .v = NULL };

	add_children(getpid(), &below);
	for (size_t i = 0; i < below.n; i++) {
		/* Its children first: once it has gone they are ours, and in
		 * the next look. */
		add_children(below.v[i], &below);
		if (group == 0 || getpgid(below.v[i]) != group)
			(void)kill(below.v[i], sig);
	}
}

static void
add_usage(const struct rusage *r, struct reap_usage *sum)
{
	int64_t peak = (int64_t)r->ru_maxrss * 1024;

	sum->cpu_us +=
	    ((int64_t)r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1000000 +
	    r->ru_utime.tv_usec + r->ru_stime.tv_usec;
	if (peak > sum->peak_bytes)
		sum->peak_bytes = peak;
}

int
reap_child(int pid, bool block, int *ret_status, struct reap_usage *sum)
{
	struct rusage r;
	int got;

	do
		got = wait4(pid, ret_status, block ? 0 : WNOHANG, &r);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		add_usage(&r, sum);
	return got;
}

bool
reap_dead(int keep, struct reap_usage *sum)
{
	siginfo_t info = { 0 };
	int status;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
			return false;
		/* Others wait behind the one that is kept; they can. */
		if (info.si_pid == 0 || info.si_pid == keep)
			return true;
		(void)reap_child(info.si_pid, false, &status, sum);
	}
}

bool
reap_all(int64_t max_ms, struct reap_usage *sum)
{
	int64_t until = clock_mono_ms() + max_ms;
	long pause_us = PAUSE_MIN_US;

	while (reap_dead(0, sum)) {
		struct timespec t = { .tv_nsec = pause_us * 1000 };

		if (clock_mono_ms() > until)
			return false;
		reap_signal(SIGKILL, 0);
		(void)nanosleep(&t, NULL);
		pause_us =
		    pause_us < PAUSE_MAX_US ? 2 * pause_us : PAUSE_MAX_US;
	}
	return true;
}
