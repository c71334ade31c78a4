/* An executable as a job: what it is told, and what is made of its end. */
#ifndef AFTERWORK_RUNNER_PROGRAM_H
#define AFTERWORK_RUNNER_PROGRAM_H

#include "common/runner/batch.h"

/*
 * Run one attempt of a job whose handler is an executable, without any use of
 * the worker's link, and fill ret.  An executable that is not on this host
 * gives the job back (SETTLE_RELEASE) and is noted in w->lacks.
 */
void program_run(
    struct worker *w, const struct job *job, struct settlement *ret);

#endif
