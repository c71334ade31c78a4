/*
 * Reading jobs: documents as JSON text made by the database
 * (schema/queue/api/read.sql), live and ended jobs alike.
 */
#ifndef AFTERWORK_QUEUE_REPORT_H
#define AFTERWORK_QUEUE_REPORT_H

#include "common/base/buf.h"

struct db;

/*
 * An array of documents by id, and how many jobs there are in all: counted up
 * to 10,000, beyond that what the planner's statistics say, so that it costs
 * the same whatever there is.
 */
bool report_list(struct db *db, bool newest_first, int64_t limit,
    int64_t offset, struct buf *ret_docs, int64_t *ret_total,
    struct err *e) MUSTCHECK;

bool report_count(struct db *db, int64_t *ret, struct err *e) MUSTCHECK;

/* One document.  ERR_NOT_FOUND. */
bool report_job(
    struct db *db, int64_t id, struct buf *ret_doc, struct err *e) MUSTCHECK;

/* {"queues":[…]}: how each queue does (schema/queue/api/stats.sql). */
bool report_stats(struct db *db, struct buf *ret_doc, struct err *e) MUSTCHECK;

/* The same in Prometheus' text format. */
bool report_metrics(
    struct db *db, struct buf *ret_text, struct err *e) MUSTCHECK;

#endif
