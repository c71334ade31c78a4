/*
 * While a job is held (schema/queue/api/lease.sql): what its holder should
 * know, and how it says how far it is.
 */
#ifndef AFTERWORK_QUEUE_LEASE_H
#define AFTERWORK_QUEUE_LEASE_H

#include "common/base/err.h"

struct db;

enum lease_word {
	LEASE_GO_ON,
	LEASE_CANCEL, /* somebody wants the job ended */
	LEASE_LOST,   /* somebody else has it, or it has ended */
};

/* Ask about the job held under lease_no.  progress: a JSON object to show with
 * the job, or NULL. */
bool lease_heed(struct db *db, const char *queue, int64_t id, int64_t lease_no,
    const char *progress, enum lease_word *ret, struct err *e) MUSTCHECK;

/* In the open transaction: fail with ERR_UNAVAILABLE unless the job is held
 * under lease_no, and keep it so until the transaction ends. */
bool lease_assert(
    struct db *db, int64_t id, int64_t lease_no, struct err *e) MUSTCHECK;

#endif
