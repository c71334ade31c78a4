/*
 * Taking jobs, and what to do when there are none.
 *
 * Any number of processes may claim at once; a job goes to one of them, until
 * its lease ends (its task's timeout and 30 s of grace) or it is settled.  The
 * lease is the only lock: a runner that dies says nothing.  Claims come in
 * index order (priority, run_at, id).  Time is the database's.
 */
#ifndef AFTERWORK_QUEUE_CLAIM_H
#define AFTERWORK_QUEUE_CLAIM_H

#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/queue/backoff.h"
#include "common/queue/job.h"

enum {
	CLAIM_MAX = 100,                           /* jobs a claim */
	CLAIM_RETENTION_MS = 7 * 24 * 3600 * 1000, /* RETENTION's default */
	CLAIM_CRASHES_MAX = 3, /* a job that took so many runners is parked */
};

struct claim_want {
	const char *queue; /* NULL: all that are not paused */
	const char *tasks; /* array literal: what is compiled into the caller */
	const char *lacks; /* array literal: whose handler is not here */
	const char *fast;  /* array literal: what may be claimed together */
	int max_jobs;      /* 1 .. CLAIM_MAX */
	int64_t fit_ms;    /* leave tasks with a longer timeout */
	bool schedules;    /* first make the jobs of slots that are due */

	/* Look at nothing but what comes behind this claim's last job in its
	 * queue; or NULL: at everything.  What waits for a look at everything
	 * is not taken (a lease that ran out, a place that was kept, a queue
	 * with a maximum), and no job at all says nothing of what there is. */
	const struct claim *behind;
};

/* A job that this process holds.  Texts live as long as the claim. */
struct job {
	int64_t id;
	int64_t lease_no; /* the fence: every report carries it */
	const char *task;
	const char *input; /* JSON object */
	int attempt;       /* this execution's number, from 1 */
	int crashes;       /* runners it has taken along so far */
	int timeout_ms;
	int retries; /* executions after the first */
	struct backoff backoff;
	int64_t lease_ms; /* from the claim */
	bool retired;     /* its task is no longer registered */
	bool cancelled;   /* not to be run: to be settled so */
	bool has_place;   /* of a key or a queue: its end lets another in */

	/* An executable, or NULL: compiled in.  Limits: 0 is none. */
	const char *handler;     /* absolute path */
	const char *folder;      /* its working directory */
	const char *traceparent; /* of meta, as given; or NULL */
	const char *settings;    /* names, a space between; or NULL */
	int64_t memory_bytes;
	int64_t cpu_ms;
};

struct outlook {
	bool claimable;  /* by somebody, if not by the caller */
	int64_t next_ms; /* until the next delayed job; -1: none */
	bool upkeep_due;
	bool ping_due; /* none has been noted for ten minutes */
};

/* Where a job stands in claim order, within its queue. */
struct claim_place {
	int64_t priority;
	char run_at[48]; /* as PostgreSQL says it to this session */
	int64_t id;
};

struct claim {
	char queue[JOB_QUEUE_MAX + 1]; /* of every job here */
	struct job jobs[CLAIM_MAX];    /* in claim order */
	size_t n;
	struct claim_place last; /* of the last job; not of first */
	bool more;               /* something else could be claimed right now */
	bool looked;            /* at everything; else more is of what it saw */
	bool awaited;           /* what ends lets in who comes before others */
	bool first;             /* jobs[0] is one that claim_first() took */
	struct outlook outlook; /* where n is 0 and all was looked at */
	int64_t at_us;          /* clock_mono_us() just before it was asked */
	struct db_rows *rows;   /* owns the texts */
};

/*
 * Claim and commit.  No claimable job is success with ret->n == 0.  ret->queue
 * is kept from call to call: the next look begins behind it, so that no queue
 * starves another.  A claim given is ended with claim_clear().
 *
 * With behind the claim costs the server a quarter less, and passes nothing of
 * what was claimed before: a reader with an old snapshot keeps all that in the
 * index.  But it sees nothing else: not what has come due or is more urgent,
 * nor other queues.  Who asks so must look at everything again soon.
 */
bool claim_jobs(struct db *db, const struct claim_want *want, struct claim *ret,
    struct err *e) MUSTCHECK;
void claim_clear(struct claim *c);

/*
 * The same, for one job of a queue by name, as the first thing in a session:
 * at a third of the cost, but only where a claim has nothing to do but take it.
 * n is 0 where there is anything else, or no such job: then claim_jobs() knows.
 */
bool claim_first(struct db *db, const struct claim_want *want,
    const char *queue, struct claim *ret, struct err *e) MUSTCHECK;

/*
 * The same in two halves, for a claim that travels with other statements
 * (settle.h): make the call, then read its answer.  want, what it names, and
 * after_queue (the queue behind which to begin) must live until then; the rows
 * go over.
 */
struct claim_ask {
	struct db_call call;
	const char *args[9];
	struct arg max_jobs;
	struct arg fit_ms;
	struct arg priority;
	struct arg id;
	const struct claim *behind; /* of want */
	int64_t at_us;
};
void claim_ask(const struct claim_want *want, const char *after_queue,
    struct claim_ask *ret);
void claim_take(
    const struct claim_ask *ask, struct db_rows *rows, struct claim *ret);

/* What is left and what comes; queue NULL: all. */
bool claim_outlook(struct db *db, const char *queue, struct outlook *ret,
    struct err *e) MUSTCHECK;

/*
 * Is something claimable that want leaves for its fit_ms alone, and that a
 * runner of whole_ms would take?
 */
bool claim_outlasts(struct db *db, const struct claim_want *want,
    int64_t whole_ms, bool *ret, struct err *e) MUSTCHECK;

/* Make and drop partitions, then sweep (afterwork.keep_house), each in a
 * transaction of its own: what a sweep fails of leaves the partitions made.
 * keep_ms is RETENTION.  Not inside a transaction. */
bool claim_keep_house(struct db *db, int64_t keep_ms, struct err *e) MUSTCHECK;

/* A run call came: what the doctor goes by.  One statement. */
bool claim_note_ping(struct db *db, struct err *e) MUSTCHECK;

#endif
