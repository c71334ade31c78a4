/*
 * after(): what is queued starts now, not at the next ping.
 *
 * The idea is Next.js's after(): work that runs once the response is out.
 * Here it is a wake-up, not the work itself: an idle runner is told, or a
 * detached one is started if a slot is free, or a mark is left that runners
 * look at before they leave (slot.h says why none is lost).
 */
#ifndef AFTERWORK_RUNNER_AFTER_H
#define AFTERWORK_RUNNER_AFTER_H

#include "common/base/err.h"

/*
 * Wake a runner on this host.  Call it after the commit and after the answer.
 * Never waits for the runner; costs a few microseconds, or two forks when one
 * is started.  A failure (ERR_UNAVAILABLE) loses nothing: the next ping runs
 * the job.
 */
bool after_wake(struct err *e) MUSTCHECK;

/* Where the runner is, for a program that it does not lie beside (borrowed for
 * good; NULL: beside it, as ever). */
void after_runner(const char *path);

/* This program's standard error is no log, but a terminal, or a pipe whose
 * reader waits for its end: a runner that it starts does not write there.  What
 * becomes of jobs is in the database. */
void after_silent(void);

struct slots;
/* The same in two steps, for runners, who have the slots open already: this is
 * the second, for a slots_call() that says so.  Nothing when another starts
 * one. */
bool after_start(const struct slots *slots, struct err *e) MUSTCHECK;

#endif
