/*
 * A runner: takes a slot of this host, runs claimable jobs, leaves.
 *
 * Two processes.  The guard (the caller of runner_run) holds the slot and is
 * the subreaper; it links to the database only to hear of a cancel, while a job
 * takes long (heed.h), and to mend.  The worker is its child: it connects,
 * claims, runs handlers, settles.  The worker notes in shared memory (board.h)
 * what it holds and which job it runs.  When it dies, or a job outstays its
 * timeout and the guard kills it, the guard connects, charges that one job and
 * gives the others back.  When the guard dies the kernel kills the worker and
 * frees the slot; then leases end.
 */
#ifndef AFTERWORK_RUNNER_RUNNER_H
#define AFTERWORK_RUNNER_RUNNER_H

#include "common/base/err.h"

enum {
	RUNNER_JOBS_MAX = 1000,
	RUNNER_MAX_DURATION_S = 300,
	/* Of a duration, what no job can count on: a runner has to start, to
	 * connect and to claim first.  A longer timeout is not registered. */
	RUNNER_START_S = 5,
};

struct runner_want {
	const char *queue;   /* NULL: all that are not paused */
	int limit;           /* jobs to run; 0: no limit */
	bool detached;       /* started by a waker, which counts on it */
	bool unscheduled;    /* make no jobs of schedules */
	int64_t linger_ms;   /* wait so long for more; 0: leave when dry */
	int64_t duration_ms; /* no job starts whose timeout ends later */
};

enum runner_status {
	RUNNER_SUCCESS,
	RUNNER_ERROR,       /* will be tried again */
	RUNNER_ERROR_FINAL, /* will not */
};

struct runner_report {
	bool had_slot;  /* false: every slot was taken; nothing done */
	bool none_left; /* nothing claimable was left at the end */
	/* A wake-up came while it had the slot, or jobs were given back when
	 * the database was lost. */
	bool called;
	int njobs;        /* entries of jobs (the first 1,000) */
	int ntried_again; /* of those: RUNNER_ERROR */
	struct {
		int64_t id;
		enum runner_status status;
	} jobs[RUNNER_JOBS_MAX];
};

/*
 * Run.  Blocks TERM, INT and USR1 in the calling process while it works (they
 * are looked at, not lost: the runner then ends after the job in hand).  No
 * free slot is success with had_slot false.  ERR_UNAVAILABLE: the database
 * could not be reached, or was lost; the report tells what was done.
 */
bool runner_run(const struct runner_want *want, struct runner_report *ret,
    struct err *e) MUSTCHECK;

/* "success", "error", "error-reached-max-retries". */
const char *runner_status_name(enum runner_status status);

#endif
