/*
 * Starting a program that is not ours, with nothing of ours.
 *
 * It gets the descriptors and the environment that are given and no other, a
 * session of its own, default signals, and limits; it dies with the process
 * that started it.  The parent's memory is not copied: the child borrows it
 * until it execs, as posix_spawn() does, which cannot set limits.
 */
#ifndef AFTERWORK_RUNNER_SPAWN_H
#define AFTERWORK_RUNNER_SPAWN_H

#include "common/base/err.h"

enum { SPAWN_FDS = 4, SPAWN_FDS_MAX = 12 };

struct spawn {
	const char *path;   /* absolute */
	char *const *argv;  /* NULL: the path alone */
	const char *folder; /* its working directory */
	char *const *envp;
	int fds[SPAWN_FDS_MAX]; /* become 0, 1, 2 and so on */
	size_t nfds;
	/*
	 * Bytes of private memory of one process (RLIMIT_DATA), 0: no limit.
	 * Not RLIMIT_AS: that counts addresses, of which many runtimes reserve
	 * far more than they ever use.
	 */
	int64_t memory_bytes;
	/* CPU time of one process, rounded up to seconds (RLIMIT_CPU); 0: no
	 * limit.  At it SIGXCPU comes, two seconds later SIGKILL. */
	int64_t cpu_ms;
};

/*
 * Start it.  *ret_pidfd becomes readable when it has ended (-1 where the
 * kernel has none).  ERR_NOT_FOUND: program or folder are not there, or not
 * for this user; ERR_UNAVAILABLE: the kernel could not start it.
 */
bool spawn_start(const struct spawn *s, int *ret_pid, int *ret_pidfd,
    struct err *e) MUSTCHECK;

#endif
