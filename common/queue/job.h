/*
 * Jobs on their way in: what a caller wants done, checked and stored by the
 * database (schema/queue/api/enqueue.sql), inside the caller's transaction if
 * one is open.
 */
#ifndef AFTERWORK_QUEUE_JOB_H
#define AFTERWORK_QUEUE_JOB_H

#include "common/base/err.h"

struct db;

enum { JOB_QUEUE_MAX = 100, JOB_TASK_MAX = 64 };

#define JOB_QUEUE_DEFAULT "default" /* of tasks that name no other */

/* All texts are borrowed; NULL is "as the task has it", or none. */
struct job_spec {
	const char *task;
	const char *input; /* JSON object; NULL is {} */
	const char *queue;
	const char *run_at;   /* as PostgreSQL reads a timestamptz */
	const char *priority; /* decimal */
	const char *unique_key;
	const char *concurrency_key;
	const char *meta;         /* JSON */
	const char *tags;         /* JSON array of texts */
	const char *unique_for;   /* as PostgreSQL reads an interval */
	const char *unique_until; /* "start" or "end" */
	bool replace;             /* a waiting holder of unique_key */
};

/*
 * Store one job.  *ret_created is false when its unique key is in use; then
 * *ret_id is the job that holds it.  ERR_INVALID with the field at fault: the
 * task is unknown, the input does not fit it.
 */
bool job_enqueue(struct db *db, const struct job_spec *spec, int64_t *ret_id,
    bool *ret_created, struct err *e) MUSTCHECK;

/*
 * End a job.  *ret_running: a runner has it, and is told to end it.  asked_by
 * and reason stay with its record; either may be NULL.  ERR_NOT_FOUND: there
 * is none; ERR_CONFLICT: it has ended.
 */
bool job_cancel(struct db *db, int64_t id, const char *asked_by,
    const char *reason, bool *ret_running, struct err *e) MUSTCHECK;

/*
 * Make a job ready now: a waiting one comes due, an ended one starts over
 * under its old id.  ERR_NOT_FOUND; ERR_CONFLICT: it runs, or another job has
 * taken its unique key.
 */
bool job_revive(struct db *db, int64_t id, struct err *e) MUSTCHECK;

/* At most so many jobs of a queue run at a time, on all hosts; 0: no limit.
 * ERR_NOT_FOUND: there is no such queue. */
bool queue_limit(
    struct db *db, const char *queue, int64_t max, struct err *e) MUSTCHECK;

/* Stop or resume claiming from a queue.  ERR_NOT_FOUND: there is none. */
bool queue_pause(
    struct db *db, const char *queue, bool stop, struct err *e) MUSTCHECK;

#endif
