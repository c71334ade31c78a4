/*
 * What guard and worker share: anonymous memory, mapped before the fork.
 *
 * The worker writes, the guard reads after the worker's death (or, for
 * `current` and `started_us`, while it lives).  No locks: one writer, and
 * each entry is complete before `held` or `current` says that it is there.
 */
#ifndef AFTERWORK_RUNNER_BOARD_H
#define AFTERWORK_RUNNER_BOARD_H

#include <stdatomic.h>

#include "common/queue/settle.h"
#include "common/runner/runner.h"

enum board_end {       /* why the worker left */
	BOARD_CRASHED, /* it did not say: it died */
	BOARD_DRY,     /* nothing to claim, and the linger is over */
	BOARD_FULL,    /* limit or duration reached, work may be left */
	BOARD_STOPPED, /* a signal asked */
	BOARD_LOST,    /* no database */
};

struct board {
	/* the claim in hand: jobs[0..held), their texts excepted */
	struct job jobs[CLAIM_MAX];
	char queue[JOB_QUEUE_MAX + 1];
	int64_t claimed_us;
	_Atomic int held;

	/* the handler that runs: index into jobs, or -1; steady clock */
	_Atomic int current;
	_Atomic int64_t started_us;

	/* results, through all workers of this runner */
	struct runner_report report;
	int ran;
	uint32_t seen; /* wake counter at the last empty claim */
	enum board_end end;
	struct err err; /* for BOARD_LOST */
};

/* How a settled job is reported (not for a released one). */
enum runner_status board_status(enum settle_op op);

/* Note one job's fate for the caller of the run. */
void board_report(struct board *b, int64_t id, enum runner_status status);

#endif
