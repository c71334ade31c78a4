/*
 * How long tasks take, learned by the worker that runs them, and what follows:
 * which may be claimed together, and how many.
 *
 * A task not yet seen counts as slow.  A batch is meant to last about
 * PACE_BATCH_US, so that a crash, a stop or a lease concerns little work.
 */
#ifndef AFTERWORK_RUNNER_PACE_H
#define AFTERWORK_RUNNER_PACE_H

#include "common/base/buf.h"
#include "common/queue/job.h"

enum {
	PACE_TASKS_MAX = 64, /* the tasks remembered; others stay slow */
	PACE_FAST_US = 50 * 1000,
	PACE_BATCH_US = 200 * 1000,
	/* Each job that uses the link writes under a savepoint, and PostgreSQL
	 * remembers 64 of a transaction at no cost to others. */
	PACE_LINKED_MAX = 60,
};

struct pace {
	struct {
		char task[JOB_TASK_MAX + 1];
		int64_t mean_us; /* exponentially weighted, 1/8 */
		bool linked;     /* its handler has used the link */
	} seen[PACE_TASKS_MAX];
	size_t n;
};

/* A job of this task took so long, and used the link or not. */
void pace_learn(struct pace *p, const char *task, int64_t took_us, bool linked);

/* How many jobs to claim: 1 .. CLAIM_MAX; 1 while no task is known as fast. */
int pace_batch(const struct pace *p);

/* Append the fast tasks as an array literal. */
void pace_fast(const struct pace *p, struct buf *ret);

#endif
