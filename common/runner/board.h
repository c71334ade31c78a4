/*
 * What guard and worker share: anonymous memory, mapped before the fork.
 *
 * The worker writes, the guard reads after the worker's death (or, for the job
 * that runs and its progress, while it lives).  Only `halt` goes the other way.
 * No locks: one writer for each, and each entry is complete before `held` or
 * `current` says that it is there.
 */
#ifndef AFTERWORK_RUNNER_BOARD_H
#define AFTERWORK_RUNNER_BOARD_H

#include <stdatomic.h>

#include "common/queue/lease.h"
#include "common/queue/settle.h"
#include "common/runner/runner.h"

enum { BOARD_PROGRESS_MAX = 2048 };

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

	/* what an executable last said of itself: JSON; the number is odd
	 * while it is written */
	_Atomic uint32_t progress_no;
	_Atomic int64_t progress_lease;
	char progress[BOARD_PROGRESS_MAX];
	_Atomic bool ran_programs; /* something of them may be left */

	/* the guard's word: the job held under this lease must end, and why */
	_Atomic int64_t halt_lease;
	_Atomic int halt_word; /* enum lease_word */

	/* results, through all workers of this runner */
	struct runner_report report;
	int ran;
	uint32_t seen; /* wake counter at the last empty claim */
	enum board_end end;
	struct err err; /* for BOARD_LOST */
};

/* Note what the job held under that lease said of itself; too long a text is
 * left out. */
void board_say(struct board *b, int64_t lease_no, const char *json);
/* The newest such text, copied, if it is newer than number *seen. */
bool board_said(struct board *b, int64_t lease_no, uint32_t *seen,
    char ret[static BOARD_PROGRESS_MAX]);

/* How a settled job is reported (not for a released one). */
enum runner_status board_status(enum settle_op op);

/* Note one job's fate for the caller of the run. */
void board_report(struct board *b, int64_t id, enum runner_status status);

#endif
