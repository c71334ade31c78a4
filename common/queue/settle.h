/*
 * Reporting how claimed jobs went (schema/queue/api/settle.sql): the only way
 * out of a claim.  Fenced: a report whose lease number is old changes nothing.
 */
#ifndef AFTERWORK_QUEUE_SETTLE_H
#define AFTERWORK_QUEUE_SETTLE_H

#include "common/base/buf.h"
#include "common/queue/claim.h"

enum settle_op {
	SETTLE_DONE,      /* it succeeded */
	SETTLE_FAILED,    /* it failed for good */
	SETTLE_RETRY,     /* it failed; once more after delay_ms */
	SETTLE_RELEASE,   /* it never started; nothing is charged */
	SETTLE_CRASH,     /* it took its runner along; the crash is counted */
	SETTLE_PARK,      /* the same, and once too often: it failed for good */
	SETTLE_SNOOZE,    /* later, after delay_ms; nothing is charged */
	SETTLE_CANCELLED, /* somebody wanted it ended */
};

struct settlement {
	int64_t id;
	int64_t lease_no;
	enum settle_op op;
	int64_t delay_ms;
	int64_t start_us; /* from the claim to the start */
	int64_t took_us;  /* from the start to the end */
	bool lost;        /* set by settle_jobs: somebody else has it */
	char *output;     /* owned (free): JSON, or NULL */
	char *error;      /* owned (free): for people, or NULL */
	char *detail;     /* owned (free): JSON object for the log */
};

/* Frees the texts. */
void settlement_clear(struct settlement *s);

/*
 * What follows a failure of this job: SETTLE_RETRY with its delay while tries
 * are left, SETTLE_FAILED else or when for_good.
 */
void settle_failure(
    const struct job *job, bool for_good, struct settlement *ret);
/* What follows when the job took its runner along. */
void settle_crash(const struct job *job, struct settlement *ret);

/*
 * Settle n jobs (1 .. CLAIM_MAX) of one queue, by themselves.  *ret_settled:
 * how many were still the caller's; each other one is marked lost.
 */
bool settle_jobs(struct db *db, const char *queue, struct settlement *s,
    size_t n, size_t *ret_settled, struct err *e) MUSTCHECK;

/*
 * The same, and what comes next, in one round trip: with tx (or NULL), its
 * COMMIT, unless a job was no longer ours, which is an error then, since its
 * work would be committed too; with want (or NULL), a claim, which begins
 * behind this queue.  All of it takes effect or nothing.  first: the one job
 * came of claim_first(), and is settled as cheaply if it is done.
 */
struct settle_next {
	struct db_tx *tx;
	bool first;
	const struct claim_want *want;
	struct claim *claim; /* set where want is */
};
bool settle_and(struct db *db, const char *queue, struct settlement *s,
    size_t n, const struct settle_next *next, size_t *ret_settled,
    struct err *e) MUSTCHECK;

#endif
