/*
 * Ending what a task has started, whatever it did to hide it.
 *
 * The caller is a subreaper (PR_SET_CHILD_SUBREAPER), so a process whose
 * parent has gone becomes the caller's child, in whatever group or session it
 * is.  Everything below the caller is taken for the task's: no process may
 * call this that has children of its own to keep.
 */
#ifndef AFTERWORK_RUNNER_REAP_H
#define AFTERWORK_RUNNER_REAP_H

#include "common/base/base.h"

/*
 * What processes that have ended took.  Only those count that were waited
 * for: the task's own process, what it waited for itself, and what came to us.
 * A process begins as a copy of its parent, so peak_bytes never reads below
 * what the runner itself has resident (some MiB).
 */
struct reap_usage {
	int64_t cpu_us;     /* user and system, summed */
	int64_t peak_bytes; /* resident, of the largest one */
};

/* Wait for the child pid, if it has ended (or block until it has): 0 while it
 * runs, else pid, as waitpid() has it. */
int reap_child(int pid, bool block, int *ret_status, struct reap_usage *sum);

/* Bury what has ended but the child keep, whose status is still wanted (0:
 * everything).  False: no child is left. */
bool reap_dead(int keep, struct reap_usage *sum);

/* Send sig to everything below the caller but the process group group, which
 * has it already (0: none has). */
void reap_signal(int sig, int group);

/* Kill everything below the caller until nothing is left, for at most max_ms;
 * false: something is left (it cannot be killed, or forks faster). */
bool reap_all(int64_t max_ms, struct reap_usage *sum) MUSTCHECK;

#endif
