/*
 * Statements on somebody else's connection: his transaction, his settings.
 *
 * Nothing here changes the connection's mode, prepares a statement or sets
 * anything: its owner goes on with it as he left it.
 */
#include "common/link/db_impl.h"

struct db *
db_adopt(struct pg_conn *conn)
{
	struct db *db = db_new("", true, "");

	db->conn = conn;
	db->adopted = true;
	return db;
}

bool
db_is_adopted(const struct db *db)
{
	return db->adopted;
}

/* Why a statement cannot go out now; NULL when it can. */
static const char *
obstacle(const PGconn *conn)
{
	if (PQpipelineStatus(conn) != PQ_PIPELINE_OFF)
		return "The connection is in pipeline mode.";
	if (PQtransactionStatus(conn) == PQTRANS_ACTIVE)
		return "The connection is busy with another statement.";
	if (PQtransactionStatus(conn) == PQTRANS_INERROR)
		return "The transaction has failed; roll it back first.";
	return NULL;
}

/* The first line of what libpq says. */
static bool
lost(const struct db *db, const char *name, struct err *e)
{
	const char *why = PQerrorMessage(db->conn);

	return err_fail(e, ERR_UNAVAILABLE, "statement \"%s\": %.*s", name,
	    (int)strcspn(why, "\n"), why);
}

bool
db_adopted_query(struct db *db, const struct db_call *call,
    struct db_rows **ret, struct err *e)
{
	AUTO_RESULT *r = NULL;
	ExecStatusType status;
	const char *why;

	if (PQstatus(db->conn) != CONNECTION_OK)
		return lost(db, call->name, e);
	why = obstacle(db->conn);
	if (why != NULL)
		return err_fail(e, ERR_LOCKED, "%s", why);
	r = PQexecParams(db->conn, call->sql, (int)call->nargs, NULL,
	    call->args, NULL, NULL, 0);
	status = PQresultStatus(r);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		return db_diag(r, PG_DIAG_SQLSTATE)[0] == '\0'
			   ? lost(db, call->name, e)
			   : db_result_fail(r, call->name, e);
	if (ret != NULL) {
		*ret = (struct db_rows *)r;
		r = NULL;
	}
	return true;
}
