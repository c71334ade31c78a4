/*
 * What an executable's end means for its job: the contract of a task.
 *
 *   exit status 0      done; its output, one JSON object or nothing
 *   75                 failed, tried again; after the output's "retry_after"
 *                      seconds where it gives them
 *   65, 78             failed, never tried again
 *   79                 not now: again in the output's "snooze" seconds, and no
 *                      attempt is charged
 *   any other, a signal, the time-out, too much output, output that is no JSON
 *                      object: failed, tried again by the task's policy
 *
 * 65, 75 and 78 are EX_DATAERR, EX_TEMPFAIL and EX_CONFIG of sysexits.h.
 */
#ifndef AFTERWORK_RUNNER_VERDICT_H
#define AFTERWORK_RUNNER_VERDICT_H

#include "common/base/buf.h"
#include "common/queue/settle.h"
#include "common/runner/exec.h"

enum {
	VERDICT_DATA = 65,
	VERDICT_AGAIN = 75,
	VERDICT_CONFIG = 78,
	VERDICT_SNOOZE = 79,
	VERDICT_NODES_MAX = 20000, /* objects and lists in an output */
	/* Bytes of an output that are kept with its attempt; a longer one is
	 * left out.  There may be 50 of them. */
	VERDICT_KEPT_MAX = 16 * 1024,
};

/*
 * Fill op, delay_ms, output, error and detail of *ret (cleared before).  The
 * detail has exitStatus or signal, cpuSeconds, peakMemoryBytes and log, and is
 * there whatever the end was; progress, if the program said any (an object, or
 * NULL); and output, if that was a JSON object and the job is not done by it:
 * then it is the job's.  EXEC_STOPPED counts as cancelled.
 */
void verdict(const struct job *job, const struct exec_result *r,
    const char *progress, struct settlement *ret);

/*
 * An attempt that ended with its worker, which had told nothing of it yet.
 * wait_status is the worker's, by waitpid(): it says something of a compiled-in
 * task only, which ran in there.
 *
 * verdict_lost(): the detail, given: signal, or exitStatus (not 0, by which a
 * worker ends that has lost the database), and progress; NULL: nothing.
 * verdict_crash() adds to *why that the job ended its runner, and by what.
 */
char *verdict_lost(
    const struct job *job, int wait_status, const char *progress);
void verdict_crash(const struct job *job, int wait_status, struct buf *why);

#endif
