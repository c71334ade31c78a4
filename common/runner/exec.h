/*
 * One run of an executable, from its start until nothing of it is left.
 *
 * Input goes in as a file on descriptor 0, so that a program that does not
 * read it holds nothing up.  Descriptors 1, 2 and 3 are pipes, read while it
 * runs: the output (at most EXEC_OUTPUT_MAX bytes), the log (its last
 * EXEC_LOG_MAX bytes), and lines of progress.
 *
 * It ends by itself; or it is asked to by SIGTERM, to everything that it has
 * started, at its time-out, when stop_fd says so, and when it writes too much,
 * and is killed EXEC_GRACE_MS later.  Whatever it has left behind when its own
 * process has ended is killed at once.
 *
 * The caller becomes a subreaper (reap.h) and must have no other children.
 */
#ifndef AFTERWORK_RUNNER_EXEC_H
#define AFTERWORK_RUNNER_EXEC_H

#include "common/base/buf.h"
#include "common/runner/reap.h"
#include "common/runner/spawn.h"

enum {
	EXEC_OUTPUT_MAX = 1024 * 1024,
	EXEC_LOG_MAX = 16 * 1024,
	EXEC_LINE_MAX = 4096, /* of progress; longer ones are passed over */
	EXEC_GRACE_MS = 5000, /* from SIGTERM to SIGKILL */
	EXEC_SWEEP_MS = 3000, /* for the kill to do its work */
	EXEC_SLOW_MS = 200,   /* then slow() is called */
};

struct exec_want {
	const char *path;   /* absolute */
	const char *folder; /* working directory */
	char *const *envp;
	const char *input;
	const int *more; /* descriptors that it has from 4 on */
	size_t nmore;    /* at most SPAWN_FDS_MAX - SPAWN_FDS */
	int64_t timeout_ms;
	int64_t memory_bytes, cpu_ms; /* spawn.h; 0: no limit */
	int stop_fd;                  /* readable: ask stop(); -1: none */

	/* While it runs; each may be NULL. */
	bool (*stop)(void *ctx); /* true: end it */
	void (*slow)(void *ctx); /* once, when it is not a quick one */
	void (*line)(void *ctx, const char *p, size_t n); /* from 3 */
	void *ctx;
};

enum exec_end {
	EXEC_ENDED,    /* by itself, or by a signal that is not ours */
	EXEC_LATE,     /* ended at its time-out */
	EXEC_STOPPED,  /* ended because stop() said so */
	EXEC_TOO_MUCH, /* ended because of its output's length */
};

struct exec_result {
	enum exec_end end;
	bool signalled; /* then status is the signal, else its exit status */
	int status;
	bool swept; /* false: something of it could not be killed */
	struct reap_usage usage;
	struct buf output; /* as written */
	struct buf log;    /* its end, as valid UTF-8 without NUL */
};

#define AUTO_EXEC CLEANUP(exec_release) struct exec_result
void exec_release(struct exec_result *r);

/* False: it did not start (spawn.h has the errors); *ret is untouched.  Else
 * the result is given, and ended with exec_release(). */
bool exec_run(const struct exec_want *want, struct exec_result *ret,
    struct err *e) MUSTCHECK;

#endif
