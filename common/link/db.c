/*
 * PostgreSQL through libpq: statements, scripts, transactions.
 *
 * The link is always in pipeline mode, with one Sync for each db_query():
 * BEGIN, SAVEPOINT, a time-out, the first Prepare and the statement itself
 * share a round trip.  Whatever leaves the link in doubt - no answer in time,
 * a result without SQLSTATE - closes it; what the statement did is then
 * unknown, and the caller is told so by ERR_UNAVAILABLE without SQLSTATE.
 */
#include "common/link/db_impl.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>

#include "common/base/clock.h"

enum { STEPS_MAX = 12 }; /* of one pipeline */

/* --- a pipeline: steps sent together, then their results --- */

enum step {
	STEP_PLAIN,
	STEP_RELEASE,
	STEP_SAVEPOINT,
	STEP_TIMEOUT,
	STEP_PREPARE
};

struct pipeline {
	const char *name;   /* of the statement, for messages and Prepare */
	int64_t until_ms;   /* on the monotonic clock; 0: no limit */
	int64_t timeout_ms; /* what STEP_TIMEOUT tells the server */
	struct {
		enum step step;
		const char *name; /* of the statement at hand */
		PGresult **ret;   /* where its result goes, or NULL */
	} steps[STEPS_MAX];
	size_t n;
};

static void
add_step(struct pipeline *p, enum step step, PGresult **ret)
{
	p->steps[p->n].step = step;
	p->steps[p->n].name = p->name;
	p->steps[p->n].ret = ret;
	p->n++;
}

static bool
send_plain(struct db *db, struct pipeline *p, enum step step, const char *sql)
{
	add_step(p, step, NULL);
	return PQsendQueryParams(db->conn, sql, 0, NULL, NULL, NULL, NULL, 0) ==
	       1;
}

static bool
send_begin(struct db *db, struct pipeline *p)
{
	if (db->tx != TX_PENDING)
		return true;
	db->tx = TX_OPEN;
	db->local_ms = db->session_ms;
	return send_plain(db, p, STEP_PLAIN, "BEGIN");
}

/* The old one is released first, so that a batch does not nest them. */
static bool
send_savepoint(struct db *db, struct pipeline *p)
{
	if (!db->save_wanted)
		return true;
	if (db->save_set &&
	    !send_plain(db, p, STEP_RELEASE, "RELEASE SAVEPOINT afterwork"))
		return false;
	return send_plain(db, p, STEP_SAVEPOINT, "SAVEPOINT afterwork");
}

/* A handler may think between two statements for as long as one may take. */
static const char SQL_TIMEOUT[] =
    "SELECT pg_catalog.set_config('statement_timeout', $1::text, true),\n"
    "    pg_catalog.set_config('idle_in_transaction_session_timeout',\n"
    "        greatest($1::bigint, 10000)::text, true)";

/* Local to the transaction, or to this pipeline where there is none. */
static bool
send_timeout(struct db *db, struct pipeline *p)
{
	int64_t now = db->tx == TX_OPEN ? db->local_ms : db->session_ms;
	char text[24];
	const char *const args[] = { text };

	p->timeout_ms = db_server_ms(db->deadline_ms);
	if (p->timeout_ms == now)
		return true;
	snprintf(text, sizeof(text), "%" PRId64, p->timeout_ms);
	add_step(p, STEP_TIMEOUT, NULL);
	return PQsendQueryParams(
		   db->conn, SQL_TIMEOUT, 1, NULL, args, NULL, NULL, 0) == 1;
}

static bool
is_prepared(const struct db *db, const char *name)
{
	for (size_t i = 0; i < db->nprepared; i++)
		if (db->prepared[i] == name ||
		    strcmp(db->prepared[i], name) == 0)
			return true;
	return false;
}

static bool
send_statement(
    struct db *db, struct pipeline *p, const struct db_call *c, PGresult **ret)
{
	bool known = is_prepared(db, c->name);
	int nargs = (int)c->nargs;

	p->name = c->name;
	if (db->pooled || c->once ||
	    (!known && db->nprepared + DB_CALLS_MAX > PREPARED_MAX)) {
		add_step(p, STEP_PLAIN, ret);
		return PQsendQueryParams(db->conn, c->sql, nargs, NULL, c->args,
			   NULL, NULL, 0) == 1;
	}
	if (!known) {
		add_step(p, STEP_PREPARE, NULL);
		if (PQsendPrepare(db->conn, c->name, c->sql, 0, NULL) != 1)
			return false;
	}
	add_step(p, STEP_PLAIN, ret);
	return PQsendQueryPrepared(
		   db->conn, c->name, nargs, c->args, NULL, NULL, 0) == 1;
}

/* Milliseconds that poll() may wait: -1 for ever, 0 when time is up. */
static int
poll_ms(const struct pipeline *p)
{
	int64_t left = p->until_ms - clock_mono_ms();

	if (p->until_ms == 0)
		return -1;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Until PQgetResult() would not block.  False: the link is closed. */
static bool
wait_result(struct db *db, const struct pipeline *p, struct err *e)
{
	for (;;) {
		struct pollfd fd = { .fd = PQsocket(db->conn) };
		int unsent = PQflush(db->conn), ms = poll_ms(p), n;

		if (unsent < 0)
			return db_link_lost(db, p->name, e);
		if (PQisBusy(db->conn) == 0)
			return true;
		fd.events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0));
		n = poll(&fd, 1, ms);
		if (n == 0 && ms == 0) {
			db_close(db);
			return err_fail(e, ERR_UNAVAILABLE,
			    "statement \"%s\" passed its deadline", p->name);
		}
		/* What came before the end may still be a whole answer. */
		if (n > 0 && PQconsumeInput(db->conn) == 0 &&
		    PQisBusy(db->conn) != 0)
			return db_link_lost(db, p->name, e);
	}
}

/* The next result, or NULL for the end of a step. */
static bool
next_result(
    struct db *db, const struct pipeline *p, PGresult **ret, struct err *e)
{
	if (!wait_result(db, p, e))
		return false;
	*ret = PQgetResult(db->conn);
	return true;
}

/* The server has done step i. */
static void
step_done(struct db *db, const struct pipeline *p, size_t i)
{
	switch (p->steps[i].step) {
	case STEP_PLAIN:
		return;
	case STEP_RELEASE:
		db->save_set = false;
		return;
	case STEP_SAVEPOINT:
		db->save_set = true;
		db->save_wanted = false;
		return;
	case STEP_TIMEOUT:
		db->local_ms = p->timeout_ms;
		return;
	case STEP_PREPARE:
		db->prepared[db->nprepared++] = p->steps[i].name;
		return;
	}
}

/*
 * Look at a step's result.  False: it failed.  e is filled by the first step
 * that did (good tells), since those after it are only skipped.
 */
static bool
step_check(struct db *db, const struct pipeline *p, size_t i, const PGresult *r,
    bool good, struct err *e)
{
	ExecStatusType status = PQresultStatus(r);
	const char *name = p->steps[i].name;

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
		step_done(db, p, i);
		return true;
	}
	if (!good || status == PGRES_PIPELINE_ABORTED)
		return false;
	if (status == PGRES_EMPTY_QUERY)
		return err_fail(e, ERR_BUG, "statement \"%s\" is empty", name);
	if (db_diag(r, PG_DIAG_SQLSTATE)[0] == '\0') {
		db->doomed = true;
		return err_fail(e, ERR_UNAVAILABLE,
		    "statement \"%s\": connection lost", name);
	}
	if (db_result_stale(r)) {
		db->doomed = true;
		return err_fail(e, ERR_UNAVAILABLE,
		    "statement \"%s\": its plan is outdated", name);
	}
	return db_result_fail(r, name, e);
}

/*
 * Read every step's result up to the Sync, and keep those that are wanted.  A
 * link that breaks after an error was read does not hide that error.
 */
static bool
collect(struct db *db, const struct pipeline *p, struct err *e)
{
	bool good = true;
	struct err lost;

	for (size_t i = 0; i < p->n; i++) {
		AUTO_RESULT *r = NULL;
		AUTO_RESULT *end = NULL;

		if (!next_result(db, p, &r, good ? e : &lost))
			return false;
		if (!step_check(db, p, i, r, good, e))
			good = false;
		if (!next_result(db, p, &end, good ? e : &lost))
			return false;
		if (good && p->steps[i].ret != NULL) {
			*p->steps[i].ret = r;
			r = NULL;
		}
	}
	AUTO_RESULT *sync = NULL;
	if (!next_result(db, p, &sync, good ? e : &lost))
		return false;
	if (PQresultStatus(sync) != PGRES_PIPELINE_SYNC)
		return db_link_lost(db, "unexpected answer", good ? e : &lost);
	return good;
}

/* Results that nobody gets, since the pipeline failed after them. */
static void
drop_results(struct pipeline *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].ret != NULL) {
			PQclear(*p->steps[i].ret);
			*p->steps[i].ret = NULL;
		}
}

/* Sync, and take the answers.  sent: were all steps accepted by libpq? */
static bool
pipeline_run(struct db *db, struct pipeline *p, bool sent, struct err *e)
{
	bool good;

	if (!sent || PQpipelineSync(db->conn) != 1)
		return db_link_lost(db, p->name, e);
	good = collect(db, p, e);
	if (db->conn != NULL &&
	    (db->doomed || PQstatus(db->conn) != CONNECTION_OK))
		db_close(db);
	/* A transaction that the server has ended must not go on unseen. */
	if (db->conn != NULL && db->tx == TX_OPEN &&
	    PQtransactionStatus(db->conn) == PQTRANS_IDLE)
		db->tx = TX_DEAD;
	if (!good)
		drop_results(p);
	return good;
}

static struct pipeline
pipeline_new(const struct db *db, const char *name)
{
	return (struct pipeline){
		.name = name,
		.until_ms = clock_mono_ms() + db->deadline_ms,
	};
}

static void tx_over(struct db_tx *tx);

bool
db_calls(struct db *db, struct db_call calls[], size_t n, struct db_tx *tx,
    struct err *e)
{
	PGresult *results[DB_CALLS_MAX] = { NULL };
	struct pipeline p;
	bool sent;

	if (db->adopted || n > DB_CALLS_MAX || calls[0].nargs > DB_ARGS_MAX)
		return err_fail(e, ERR_BUG,
		    "statement \"%s\" has too many companions or arguments",
		    calls[0].name);
	if (!db_connect(db, e))
		return false;
	p = pipeline_new(db, calls[0].name);
	sent = send_begin(db, &p) && send_savepoint(db, &p) &&
	       send_timeout(db, &p);
	for (size_t i = 0; sent && i < n; i++)
		sent = send_statement(db, &p, &calls[i], &results[i]);
	/* When a statement fails the server skips all behind it, this too. */
	if (sent && tx != NULL)
		sent = send_plain(db, &p, STEP_PLAIN, "COMMIT");
	if (!pipeline_run(db, &p, sent, e))
		return false;
	if (tx != NULL)
		tx_over(tx);
	for (size_t i = 0; i < n; i++)
		calls[i].rows = (struct db_rows *)results[i];
	return true;
}

bool
db_query(struct db *db, const char *name, const char *sql, size_t nargs,
    const char *const args[], struct db_rows **ret, struct err *e)
{
	struct db_call call = {
		.name = name, .sql = sql, .nargs = nargs, .args = args
	};

	if (db->adopted)
		return db_adopted_query(db, &call, ret, e);
	if (!db_calls(db, &call, 1, NULL, e))
		return false;
	if (ret != NULL)
		*ret = call.rows;
	else
		db_rows_free(call.rows);
	return true;
}

/* One command by itself, in the open transaction. */
static bool
run_plain(struct db *db, const char *sql, struct err *e)
{
	struct pipeline p = pipeline_new(db, sql);

	return pipeline_run(db, &p, send_plain(db, &p, STEP_PLAIN, sql), e);
}

/* --- scripts --- */

static const char SQL_SCRIPT_TIMEOUT[] =
    "SELECT pg_catalog.set_config('statement_timeout', $1::text, "
    "$2::boolean)";

/*
 * In a transaction for the rest of it (a BEGIN that is pending goes out with
 * this); else for the session, and later statements see that it differs from
 * theirs.  A pooler's session is not ours to change.
 */
static bool
script_timeout(struct db *db, int64_t deadline_ms, struct err *e)
{
	int64_t ms = deadline_ms == 0 ? 0 : db_server_ms(deadline_ms);
	bool local = db->tx != TX_NONE;
	char text[24];
	const char *const args[] = { text, local ? "true" : "false" };

	if (db->pooled && !local)
		return db_connect(db, e);
	snprintf(text, sizeof(text), "%" PRId64, ms);
	if (!db_query(db, "db_script_timeout", SQL_SCRIPT_TIMEOUT, LEN(args),
		args, NULL, e))
		return false;
	*(local ? &db->local_ms : &db->session_ms) = ms;
	return true;
}

/* All results of a simple query; e has the first error. */
static bool
script_collect(struct db *db, const struct pipeline *p, struct err *e)
{
	bool good = true;
	struct err lost;

	for (;;) {
		AUTO_RESULT *r = NULL;
		ExecStatusType status;

		if (!next_result(db, p, &r, good ? e : &lost))
			return false;
		if (r == NULL)
			return good;
		status = PQresultStatus(r);
		if (status == PGRES_EMPTY_QUERY)
			continue;
		if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
			db_close(db);
			return err_fail(e, ERR_BUG, "COPY in a script");
		}
		if (!step_check(db, p, 0, r, good, e))
			good = false;
	}
}

bool
db_script(struct db *db, const char *sql, int64_t deadline_ms, struct err *e)
{
	struct pipeline p = { .name = "script" };
	bool good;

	if (db->adopted)
		return err_fail(e, ERR_BUG, "script on another's connection");
	add_step(&p, STEP_PLAIN, NULL);
	if (!script_timeout(db, deadline_ms, e))
		return false;
	if (deadline_ms > 0)
		p.until_ms = clock_mono_ms() + deadline_ms;
	if (PQexitPipelineMode(db->conn) != 1 ||
	    PQsendQuery(db->conn, sql) != 1)
		return db_link_lost(db, p.name, e);
	good = script_collect(db, &p, e);
	if (db->conn == NULL)
		return false;
	if (db->doomed || PQenterPipelineMode(db->conn) != 1)
		db_close(db);
	return good;
}

/* --- transactions --- */

bool
db_begin(struct db *db, struct db_tx *tx, struct err *e)
{
	if (db->adopted || db->tx != TX_NONE)
		return err_fail(e, ERR_BUG, "transaction in a transaction");
	db->tx = TX_PENDING;
	tx->db = db;
	return true;
}

static void
tx_over(struct db_tx *tx)
{
	tx->db->tx = TX_NONE;
	tx->db->save_armed = false;
	tx->db->save_wanted = false;
	tx->db->save_set = false;
	tx->db = NULL;
}

bool
db_tx_failed(const struct db_tx *tx)
{
	const struct db *db = tx->db;

	if (db == NULL || db->tx == TX_DEAD)
		return db != NULL;
	return db->tx == TX_OPEN &&
	       PQtransactionStatus(db->conn) == PQTRANS_INERROR;
}

bool
db_commit(struct db_tx *tx, struct err *e)
{
	struct db *db = tx->db;

	if (db == NULL)
		return err_fail(e, ERR_BUG, "commit without a transaction");
	if (db->tx == TX_DEAD)
		return db_connect(db, e);
	if (db->tx == TX_OPEN) {
		/* COMMIT would roll back and call that a success. */
		if (PQtransactionStatus(db->conn) == PQTRANS_INERROR)
			return err_fail(
			    e, ERR_BUG, "commit after a failed statement");
		if (!run_plain(db, "COMMIT", e))
			return false;
	}
	tx_over(tx);
	return true;
}

void
db_tx_end(struct db_tx *tx)
{
	struct err e;

	if (tx->db == NULL)
		return;
	/* A link that cannot roll back ends, and the transaction with it. */
	if (tx->db->tx == TX_OPEN && !run_plain(tx->db, "ROLLBACK", &e))
		db_close(tx->db);
	tx_over(tx);
}

void
db_savepoint(struct db *db)
{
	/* Without a transaction there is none, and nothing to go back to. */
	if (db->tx == TX_NONE)
		return;
	db->save_armed = true;
	db->save_wanted = true;
}

bool
db_rollback_to(struct db *db, struct err *e)
{
	if (!db->save_armed)
		return err_fail(e, ERR_BUG, "no savepoint to go back to");
	if (db->tx == TX_DEAD)
		return db_connect(db, e);
	/* Nothing was sent since it was asked for. */
	if (db->save_wanted)
		return true;
	/* Settings that are local go back, too. */
	db->local_ms = -1;
	return run_plain(db, "ROLLBACK TO SAVEPOINT afterwork", e);
}

void
db_savepoint_forget(struct db *db)
{
	db->save_armed = false;
	db->save_wanted = false;
}
