/* More ways in than job.h has: many jobs in one call, and a time from now. */
#ifndef AFTERWORK_QUEUE_ENQUEUE_H
#define AFTERWORK_QUEUE_ENQUEUE_H

#include "common/base/buf.h"

struct db;

/*
 * One job of the task for each input (JSON objects), all or none, in one
 * statement.  ret_ids, if not NULL, has room for n ids, in the order of the
 * inputs.  Errors as job_enqueue() has them.
 */
bool enqueue_many(struct db *db, const char *task, const char *const inputs[],
    size_t n, int64_t *ret_ids, struct err *e) MUSTCHECK;

/* The database's time so many milliseconds from now, as job_spec.run_at takes
 * it. */
bool enqueue_due(struct db *db, int64_t delay_ms, struct buf *ret_run_at,
    struct err *e) MUSTCHECK;

#endif
