/* The worker: the process that connects, claims, runs and settles. */
#ifndef AFTERWORK_RUNNER_WORKER_H
#define AFTERWORK_RUNNER_WORKER_H

#include "common/runner/board.h"

/*
 * Work until dry, full, stopped or cut off; b->end says which.  Runs in the
 * forked child, which then only exits.  slot is the guard's; call, an eventfd,
 * asks the guard to wake another runner, halt tells that the guard wants a job
 * to end; end_us is on the steady clock.
 */
void worker_run(struct board *b, const struct runner_want *want, int slot,
    int call, int halt, int64_t end_us);

#endif
