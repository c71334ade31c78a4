/*
 * What the files of link/db share; nobody else includes this.  The only
 * place that includes libpq-fe.h.
 */
#ifndef AFTERWORK_LINK_DB_IMPL_H
#define AFTERWORK_LINK_DB_IMPL_H

#include <libpq-fe.h>

#include "common/link/db.h"

enum {
	PREPARED_MAX = 128,   /* later statements go unnamed */
	APPLICATION_MAX = 64, /* longer names are cut by the server */
};

enum tx_state {
	TX_NONE,    /* each statement commits by itself */
	TX_PENDING, /* begun here; BEGIN goes out with the next statement */
	TX_OPEN,    /* BEGIN was sent */
	TX_DEAD,    /* the server gave it up; nothing goes until its end */
};

struct db {
	const char *url;
	bool pooled;
	bool adopted; /* conn is somebody else's: db_adopt() */
	char application[APPLICATION_MAX];
	int64_t deadline_ms;

	PGconn *conn;       /* NULL: no link */
	bool doomed;        /* is to be closed before its next use */
	int64_t session_ms; /* the session's statement_timeout */
	int64_t local_ms;   /* the open transaction's; -1: not known */
	const char *prepared[PREPARED_MAX];
	size_t nprepared;

	enum tx_state tx;
	bool save_armed;  /* db_rollback_to() has somewhere to go */
	bool save_wanted; /* SAVEPOINT goes out with the next statement */
	bool save_set;    /* the server has one */
};

#define AUTO_RESULT CLEANUP(db_result_clearp) PGresult
void db_result_clearp(PGresult **r);

/* A field of the server's error or notice; "" when absent. */
const char *db_diag(const PGresult *r, int field);

/* Fill *e from a failed result that has an SQLSTATE.  Always false. */
bool db_result_fail(const PGresult *r, const char *name, struct err *e);

/* Is it a plan that a migration has outdated? */
bool db_result_stale(const PGresult *r);

/* Close the link with libpq's word on it.  Always false. */
bool db_link_lost(struct db *db, const char *doing, struct err *e);

/* db_query() on a connection that was adopted. */
bool db_adopted_query(struct db *db, const struct db_call *call,
    struct db_rows **ret, struct err *e) MUSTCHECK;

/* statement_timeout for a deadline: a little less, so that the server gives
 * up first; then the link stays good, and the outcome is known. */
int64_t db_server_ms(int64_t deadline_ms);

#endif
