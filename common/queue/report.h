/*
 * Reading jobs: documents as JSON text made by the database
 * (schema/queue/api/read.sql), live and ended jobs alike.
 */
#ifndef AFTERWORK_QUEUE_REPORT_H
#define AFTERWORK_QUEUE_REPORT_H

#include "common/base/buf.h"

struct db;
struct filter;

/*
 * An array of documents, and how many there are in all: counted up to 10,000,
 * so that it costs the same whatever there is.  Beyond that it is what the
 * planner's statistics say, or, under conditions, a number that the page does
 * not go past.
 *
 * Conditions and orders take every field of a document.  Those that tell the
 * state (state, hasError, processing) never look where such jobs are not: live
 * jobs, failed ones and history are apart.  Under conditions each queue is
 * read by its keys in the order of ids, and stops when the page is full; other
 * orders sort what the conditions leave.  Either may find too much to read:
 * then it ends with ERR_UNAVAILABLE after FILTER_DEADLINE_MS.
 */
bool report_list(struct db *db, const struct filter *f, struct buf *ret_docs,
    int64_t *ret_total, struct err *e) MUSTCHECK;

/* Where jobs of the states that the conditions leave can be, as an array of
 * "live", "failed" and "history": no list reads the others. */
void report_stores(const struct filter *f, struct buf *ret);

bool report_count(struct db *db, const struct filter *f, int64_t *ret,
    struct err *e) MUSTCHECK;

/* One document, or what was selected of it ({0}: all).  ERR_NOT_FOUND. */
bool report_job(struct db *db, int64_t id, const struct filter *select,
    struct buf *ret_doc, struct err *e) MUSTCHECK;

/* {"queues":[…]}: how each queue does (schema/queue/api/stats.sql). */
bool report_stats(struct db *db, struct buf *ret_doc, struct err *e) MUSTCHECK;

/* The same in Prometheus' text format. */
bool report_metrics(
    struct db *db, struct buf *ret_text, struct err *e) MUSTCHECK;

#endif
