/*
 * Schedules: jobs that are made when their time has come
 * (schema/queue/api/schedule.sql).
 *
 * Claiming does it by itself (claim_want.schedules): any runner's claim first
 * makes the jobs of slots that are due, exactly one a slot, however many ask
 * at once.  This is for those who want it done without running anything.
 */
#ifndef AFTERWORK_QUEUE_SCHEDULE_H
#define AFTERWORK_QUEUE_SCHEDULE_H

#include "common/base/buf.h"

struct db;

/* Make the jobs that are due, of one queue (NULL: of all); Payload's document
 * of what was done, and how many jobs there are now that were not before. */
bool schedule_handle(struct db *db, const char *queue, struct buf *ret_doc,
    int64_t *ret_queued, struct err *e) MUSTCHECK;

#endif
