/*
 * afterwork from C: put a job into the queue, in your own transaction.
 *
 *	#include <afterwork.h>
 *	cc program.c $(pkg-config --cflags --libs afterwork libpq)
 *
 * Two ways to begin.
 *
 * 1. On your own connection: afterwork_adopt(conn).  Every call runs in the
 *    transaction that is open on it, so that your rows and the job are stored
 *    together or not at all.  This is what a queue in the database is for:
 *
 *	PQexec(conn, "BEGIN");
 *	PQexec(conn, "INSERT INTO invoice …");
 *	struct afterwork_job job = { .size = sizeof(job),
 *	    .task = "sendInvoice", .input = "{\"invoiceId\": 7}" };
 *	if (afterwork_enqueue(aw, &job, &id, NULL) == AFTERWORK_OK)
 *		PQexec(conn, "COMMIT");
 *	else
 *		PQexec(conn, "ROLLBACK");
 *	afterwork_wake(aw);
 *
 * 2. On a connection of the library's: afterwork_open(conninfo).  Each call
 *    commits by itself, or several together between afterwork_begin() and
 *    afterwork_commit().
 *
 * The database must have the schema (`afterwork migrate`), and the login must
 * be a member of the role afterwork_producer: GRANT afterwork_producer TO shop.
 *
 * Errors.  A call returns AFTERWORK_OK or the code that says what to do; the
 * handle keeps message, field and SQLSTATE of its last failed call.  On
 * failure outputs are untouched.  A job that is refused fails the transaction
 * that it was to be part of, as any failed statement of PostgreSQL does: roll
 * back, or set a savepoint of your own before the call.
 *
 * Threads.  A handle is used by one thread at a time; different handles by
 * different threads at once.  afterwork_wake() may be called by all.
 *
 * Texts are NUL-terminated and borrowed for the call; on a connection of the
 * library's they are UTF-8, on yours in its client_encoding.
 *
 * The names that begin with "afterwork_" and "AFTERWORK_" are the library's.
 * What is here stays: functions are added, structs grow at their end (that is
 * what their size is for).
 */
#ifndef AFTERWORK_LIB_AFTERWORK_H
#define AFTERWORK_LIB_AFTERWORK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AFTERWORK_API __attribute__((visibility("default")))

/* A connection and the last error on it. */
struct afterwork;

/* libpq's PGconn, whose header is not needed here. */
struct pg_conn;

enum afterwork_code {
	AFTERWORK_OK = 0,
	/* The job or an argument is wrong, and will be the next time: the task
	 * is not registered, the input does not fit it, …  The message says
	 * why in words for people, afterwork_field() where. */
	AFTERWORK_INVALID = 1,
	/* The same call may succeed later.  With an SQLSTATE nothing was
	 * stored; without one the link broke, and outside a transaction it is
	 * unknown whether the job was: a unique key makes it safe to repeat. */
	AFTERWORK_UNAVAILABLE = 2,
	/* The login lacks a right, see above. */
	AFTERWORK_DENIED = 3,
	/* The database has no afterwork, or an older one: afterwork migrate */
	AFTERWORK_SCHEMA = 4,
	/* Not now: the transaction has failed and must be rolled back, there
	 * is none, or the connection is busy or in pipeline mode. */
	AFTERWORK_STATE = 5,
	/* Anything else; the message is for a log. */
	AFTERWORK_FAILED = 6
};

/*
 * A handle on a connection of its own.  conninfo is libpq's: a URI or
 * "name=value …"; NULL: DATABASE_URL as all of afterwork reads it
 * (DATABASE_URL_FILE, a systemd credential, or libpq's PG*).  With the
 * setting DATABASE_POOLED=1 nothing is used that needs a session.
 *
 * Nothing connects before the first call that needs to; a link that is found
 * dead before a call is opened anew.  No call waits longer than 10 s for an
 * answer, and 3 s for each host to connect.  NULL: memory is short.
 */
AFTERWORK_API struct afterwork *afterwork_open(const char *conninfo);

/*
 * A handle on your connection, which stays yours: the library neither closes
 * nor sets up anything, and how long a statement may take is your
 * statement_timeout.  conn lives longer than the handle.  NULL: memory is
 * short.
 */
AFTERWORK_API struct afterwork *afterwork_adopt(struct pg_conn *conn);

/* Ends a handle, and rolls back what is open on a connection of its own.
 * NULL is fine. */
AFTERWORK_API void afterwork_close(struct afterwork *aw);

/* What is wanted.  Every member left zero is as the task has it, or none. */
struct afterwork_job {
	size_t size;       /* sizeof(struct afterwork_job), always */
	const char *task;  /* its slug */
	const char *input; /* a JSON object; NULL: {} */
	const char *queue;
	/* Not before: an ISO 8601 time with its zone, such as
	 * "2026-07-20T12:00:00Z" … */
	const char *run_at;
	/* … or so many milliseconds from now, by the database's clock.  Costs
	 * a statement more.  0: at once; not together with run_at. */
	int64_t delay_ms;
	/* Not 0: priority below holds; a lower one runs first. */
	int has_priority;
	int32_t priority;
	/* One live job with this key in its queue, 1 to 255 characters. */
	const char *unique_key;
	/* Another key than the one that the task's limit makes of the input. */
	const char *concurrency_key;
	/* JSON, kept with the job; "traceparent" in it goes to executables. */
	const char *meta;
	/* A JSON list of up to 16 words, kept with the job: ["north"] */
	const char *tags;
	/* The key is held so long from now even if the job ends before, as
	 * PostgreSQL reads an interval: "1 hour". */
	const char *unique_for;
	/* Else until the job's "end" (the default) or its "start". */
	const char *unique_until;
	/* Not 0: a waiting holder of the key takes this input and time, one
	 * that runs is followed by this job. */
	int replace;
};

/*
 * Store one job.  ret_id and ret_created may be NULL.  *ret_created is 0 when
 * the unique key is in use: then *ret_id is the job that holds it, and nothing
 * was stored.
 */
AFTERWORK_API int afterwork_enqueue(struct afterwork *aw,
    const struct afterwork_job *job, int64_t *ret_id, int *ret_created);

/*
 * Store a job of the task for each of n inputs (JSON objects), all or none, in
 * one statement.  ret_ids, unless NULL, has room for n ids, which come in the
 * order of the inputs.
 */
AFTERWORK_API int afterwork_enqueue_many(struct afterwork *aw, const char *task,
    const char *const inputs[], size_t n, int64_t *ret_ids);

/*
 * A transaction on a connection of the library's (AFTERWORK_STATE on yours).
 * Commit ends it whether it succeeds or not; rollback of none does nothing.
 */
AFTERWORK_API int afterwork_begin(struct afterwork *aw);
AFTERWORK_API int afterwork_commit(struct afterwork *aw);
AFTERWORK_API void afterwork_rollback(struct afterwork *aw);

/*
 * Wake a runner on this host, after the commit: what is queued starts now, not
 * at the next ping.  Does not wait for it; costs microseconds, or two forks
 * when a runner has to be started.  aw may be NULL: then there is nobody to
 * keep the message.  A failure loses nothing.
 *
 * Which runners are meant, and how one is started, comes from the process's
 * environment, read once: RUNTIME_DIRECTORY (the folder that all functions of
 * this host have; AFTERWORK_INVALID without it), RUNNER_SLOTS, and for the
 * runner itself DATABASE_URL or DATABASE_URL_RUN and the other settings.  The
 * runner is the one that was installed with the library.
 */
AFTERWORK_API int afterwork_wake(struct afterwork *aw);

/* About the last call on this handle that failed; never NULL, "" if there is
 * nothing to say.  Good until the next call on it. */
AFTERWORK_API const char *afterwork_message(const struct afterwork *aw);
AFTERWORK_API const char *afterwork_field(const struct afterwork *aw);
AFTERWORK_API const char *afterwork_sqlstate(const struct afterwork *aw);
AFTERWORK_API int afterwork_code(const struct afterwork *aw);

/* The library's version, "1.0.0". */
AFTERWORK_API const char *afterwork_version(void);

#ifdef __cplusplus
}
#endif

#endif
