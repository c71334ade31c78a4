/*
 * PostgreSQL: the only caller of libpq.
 *
 * One link a process, opened at the first statement and by the process that
 * uses it.  All I/O is non-blocking with a deadline: no call waits longer
 * than the statement's deadline (default DB_DEADLINE_MS) plus the connect
 * time-out of 3 s.  A link found dead before use is opened anew, so that a
 * restart of PostgreSQL between two requests fails neither; a link lost in
 * mid-statement means "outcome unknown" (ERR_UNAVAILABLE, no SQLSTATE).  Where
 * no link could be opened, nothing was sent (SQLSTATE DB_NO_LINK).
 *
 * A statement is prepared under its name at its first use, in the same round
 * trip; behind a pooler (DATABASE_POOLED=1) it is unnamed.  BEGIN and
 * SAVEPOINT cost no round trip of their own: they travel with the next
 * statement.
 *
 * SQLSTATE to err_code: class 22 and 23 (but 23505), P0001, 42704 raised by
 * our functions: ERR_INVALID; 23505 ERR_CONFLICT; P0002 ERR_NOT_FOUND; 55P03,
 * 40001, 40P01, 57xxx, 53xxx, 08xxx, 25P03 and a lost link ERR_UNAVAILABLE
 * (53100: ERR_NO_SPACE); the rest ERR_BUG.  For P0001/P0002/42704 the message
 * is the one raised and DETAIL, if given, becomes err.field.  Of class 23 it
 * is a general one, since the server's names tables and constraints; the
 * column, where the server tells it, becomes err.field.
 */
#ifndef AFTERWORK_LINK_DB_H
#define AFTERWORK_LINK_DB_H

#include "common/base/buf.h"

struct db;
struct db_rows; /* the rows of one answer */

enum { DB_DEADLINE_MS = 10000, DB_ARGS_MAX = 128 };

/* The standard's "unable to establish connection". */
#define DB_NO_LINK "08001"

/* Never connects.  url is borrowed for the life of the db ("" = PG*).
 * function names the link in pg_stat_activity ("afterwork upload"). */
struct db *db_new(const char *url, bool pooled, const char *function);
void db_free(struct db *db); /* NULL is fine; closes the link */
#define AUTO_DB CLEANUP(db_freep) struct db
void db_freep(struct db **db);

/*
 * A db on a connection that somebody else has made, owns and goes on using
 * (borrowed; a PGconn of libpq).  db_query() runs in whatever transaction is
 * open there and changes nothing of the connection; the deadline is its
 * owner's.  Busy, in pipeline mode, or in a transaction that has failed:
 * ERR_LOCKED.  Transactions and scripts are the owner's: refused.
 */
struct pg_conn;
struct db *db_adopt(struct pg_conn *conn);
bool db_is_adopted(const struct db *db);

void db_close(struct db *db);           /* the next use opens a new link */
bool db_connected(const struct db *db); /* a link is open (maybe dead) */
bool db_connect(struct db *db, struct err *e) MUSTCHECK; /* else lazily */

/* Deadline of every later statement, also told to the server (a little less,
 * as statement_timeout) when it differs from the session's, which is the one
 * set before the link was opened.  0: DB_DEADLINE_MS. */
void db_deadline(struct db *db, int64_t ms);

/*
 * Run one statement with text arguments (NULL = SQL NULL), wait for its
 * answer.  name: unique per text, at most 63 bytes, static storage; sql:
 * static storage.  On success *ret (if not NULL) is given to the caller,
 * who ends it with db_rows_free().
 */
bool db_query(struct db *db, const char *name, const char *sql, size_t nargs,
    const char *const args[], struct db_rows **ret, struct err *e) MUSTCHECK;

/* A statement of db_calls(); the fields are db_query()'s arguments. */
struct db_call {
	const char *name;
	const char *sql;
	size_t nargs;
	const char *const *args;
	bool once; /* never prepared; sql lives until the call returns */
	struct db_rows *rows; /* set on success: given to the caller */
};

struct db_tx;
enum { DB_CALLS_MAX = 2 };

/*
 * Run up to DB_CALLS_MAX statements, and then commit tx (or NULL: outside of a
 * transaction they are one of their own), all in one round trip.  Each sees
 * what those before it did.  False: none of them took effect, or, when the link
 * was lost, perhaps all; tx is still to be ended by its owner.
 */
bool db_calls(struct db *db, struct db_call calls[], size_t n, struct db_tx *tx,
    struct err *e) MUSTCHECK;

/* Several statements without arguments or rows (migrations): simple protocol,
 * one implicit transaction.  deadline_ms 0: none. */
bool db_script(struct db *db, const char *sql, int64_t deadline_ms,
    struct err *e) MUSTCHECK;

void db_rows_free(struct db_rows *rows);
void db_rows_freep(struct db_rows **rows);
#define AUTO_ROWS CLEANUP(db_rows_freep) struct db_rows

int db_nrows(const struct db_rows *rows);
bool db_null(const struct db_rows *rows, int row, int col);
/* Borrowed until the rows are freed; "" for NULL. */
const char *db_text(const struct db_rows *rows, int row, int col);
size_t db_text_len(const struct db_rows *rows, int row, int col);
/* Numbers and booleans of our own statements; what is not one aborts, since
 * then the statement and its reader differ.  NULL: 0 / false. */
int64_t db_int(const struct db_rows *rows, int row, int col);
bool db_bool(const struct db_rows *rows, int row, int col);

/*
 * Transactions.  db_begin() sends nothing by itself.  AUTO_TX rolls back
 * unless db_commit() succeeded.  A failed statement leaves the transaction
 * aborted until db_rollback() or db_rollback_to().
 */
struct db_tx {
	struct db *db;
};
#define AUTO_TX CLEANUP(db_tx_end) struct db_tx
bool db_begin(struct db *db, struct db_tx *tx, struct err *e) MUSTCHECK;
bool db_commit(struct db_tx *tx, struct err *e) MUSTCHECK;
/* A statement of it has failed, or its link is gone: it can only end. */
bool db_tx_failed(const struct db_tx *tx);
void db_tx_end(struct db_tx *tx); /* roll back if still open */

/* One savepoint level, name fixed: lazily set before the next statement;
 * rolled back (false: link lost) or forgotten. */
void db_savepoint(struct db *db);
bool db_rollback_to(struct db *db, struct err *e) MUSTCHECK;
void db_savepoint_forget(struct db *db); /* pending and unused: not sent */

/* Append the elements as a PostgreSQL array literal: '{"a",NULL,"b"}'. */
void db_array_add(struct buf *array, const char *text_or_null);
void db_array_add_int(struct buf *array, int64_t v);
void db_array_end(struct buf *array); /* "{}" when nothing was added */

#endif
