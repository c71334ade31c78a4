/* The link to PostgreSQL: open, close, alive or not, and what errors mean. */
#include "common/link/db_impl.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>

/* What a session of our own gets.  Behind a pooler these are the role's. */
#define OPTIONS_FIXED                                                 \
	"-c search_path= -c DateStyle=ISO -c TimeZone=UTC -c jit=off" \
	" -c lock_timeout=5s"

#define CONNECT_TIMEOUT_S "3" /* for each host of the URL */

enum { IDLE_MS = 10000 }; /* the least a transaction may stand still */

/* --- errors --- */

void
db_result_clearp(PGresult **r)
{
	PQclear(*r);
	*r = NULL;
}

static const struct {
	const char *state; /* the SQLSTATE or the head of it */
	enum err_code code;
} codes[] = {
	{ "23505", ERR_CONFLICT },
	{ "22", ERR_INVALID },
	{ "23", ERR_INVALID },
	{ "P0001", ERR_INVALID },
	{ "42704", ERR_INVALID },
	{ "P0002", ERR_NOT_FOUND },
	{ "53100", ERR_NO_SPACE },
	{ "53", ERR_UNAVAILABLE },
	{ "57", ERR_UNAVAILABLE },
	{ "08", ERR_UNAVAILABLE },
	{ "25P03", ERR_UNAVAILABLE },
	{ "40001", ERR_UNAVAILABLE },
	{ "40P01", ERR_UNAVAILABLE },
	{ "55P03", ERR_UNAVAILABLE },
};

static enum err_code
code_of(const char *state)
{
	for (size_t i = 0; i < LEN(codes); i++)
		if (strncmp(state, codes[i].state, strlen(codes[i].state)) == 0)
			return codes[i].code;
	return ERR_BUG;
}

const char *
db_diag(const PGresult *r, int field)
{
	const char *text = PQresultErrorField(r, field);

	return text == NULL ? "" : text;
}

/* Did one of our own functions raise it?  Then its text is for the client. */
static bool
is_raised(const char *state)
{
	return strcmp(state, "P0001") == 0 || strcmp(state, "P0002") == 0 ||
	       strcmp(state, "42704") == 0;
}

/* A client may read this text, so it names no table and no constraint. */
static bool
fail_constraint(const PGresult *r, enum err_code code, struct err *e)
{
	err_fail(e, code, "%s",
	    code == ERR_CONFLICT
		? "Value must be unique."
		: "A value is missing, refers to nothing or is not allowed.");
	snprintf(
	    e->field, sizeof(e->field), "%s", db_diag(r, PG_DIAG_COLUMN_NAME));
	return false;
}

bool
db_result_fail(const PGresult *r, const char *name, struct err *e)
{
	const char *state = db_diag(r, PG_DIAG_SQLSTATE);
	const char *text = db_diag(r, PG_DIAG_MESSAGE_PRIMARY);
	enum err_code code = code_of(state);

	if (strncmp(state, "23", 2) == 0)
		fail_constraint(r, code, e);
	else if (code == ERR_UNAVAILABLE || code == ERR_BUG)
		err_fail(e, code, "statement \"%s\": %s", name, text);
	else
		err_fail(e, code, "%s", text);
	if (is_raised(state)) {
		snprintf(e->field, sizeof(e->field), "%s",
		    db_diag(r, PG_DIAG_MESSAGE_DETAIL));
		buf_utf8_trim(e->field);
	}
	snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", state);
	return false;
}

bool
db_result_stale(const PGresult *r)
{
	return strcmp(db_diag(r, PG_DIAG_SQLSTATE), "0A000") == 0 &&
	       strcmp(db_diag(r, PG_DIAG_SOURCE_FUNCTION),
		   "RevalidateCachedQuery") == 0;
}

/* --- the link --- */

struct db *
db_new(const char *url, bool pooled, const char *function)
{
	struct db *db = calloc(1, sizeof(*db));

	if (db == NULL)
		abort();
	db->url = url;
	db->pooled = pooled;
	db->deadline_ms = DB_DEADLINE_MS;
	snprintf(
	    db->application, sizeof(db->application), "afterwork %s", function);
	return db;
}

void
db_free(struct db *db)
{
	if (db == NULL)
		return;
	db_close(db);
	free(db);
}

void
db_freep(struct db **db)
{
	db_free(*db);
	*db = NULL;
}

void
db_close(struct db *db)
{
	if (!db->adopted)
		PQfinish(db->conn);
	db->conn = NULL;
	db->doomed = false;
	db->nprepared = 0;
	/* A new link must not go on with half a transaction. */
	if (db->tx == TX_OPEN)
		db->tx = TX_DEAD;
}

bool
db_connected(const struct db *db)
{
	return db->conn != NULL;
}

void
db_deadline(struct db *db, int64_t ms)
{
	db->deadline_ms = ms <= 0 ? DB_DEADLINE_MS : ms;
}

int64_t
db_server_ms(int64_t deadline_ms)
{
	int64_t ms = deadline_ms - (deadline_ms >= 800 ? 200 : deadline_ms / 4);

	return ms < 1 ? 1 : ms > INT_MAX ? INT_MAX : ms;
}

bool
db_link_lost(struct db *db, const char *doing, struct err *e)
{
	const char *why = PQerrorMessage(db->conn);

	/* Of several lines the first says it. */
	err_fail(e, ERR_UNAVAILABLE, "%s: %.*s", doing, (int)strcspn(why, "\n"),
	    why);
	db_close(db);
	return false;
}

/* What the server says without being asked: only its leaving matters. */
static void
on_notice(void *arg, const PGresult *r)
{
	struct db *db = arg;
	const char *severity = db_diag(r, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
		db->doomed = true;
}

/*
 * libpq's blocking connect: with connect_timeout it polls, moves on to the
 * next host when one is silent, and knows target_session_attrs; its
 * asynchronous form leaves a silent host to the caller, who cannot skip it.
 */
static PGconn *
link_start(const struct db *db, const char *options)
{
	const char *const keys[] = {
		"dbname", /* first: what follows overrules the URL */
		"application_name",
		"client_encoding",
		"connect_timeout",
		"tcp_user_timeout",
		"keepalives_idle",
		"keepalives_interval",
		"keepalives_count",
		db->pooled ? NULL : "options",
		NULL,
	};
	const char *const values[] = {
		db->url,
		db->application,
		"UTF8",
		CONNECT_TIMEOUT_S,
		"10000",
		"10",
		"5",
		"3",
		options,
		NULL,
	};

	return PQconnectdbParams(keys, values, 1);
}

static bool
link_open(struct db *db, struct err *e)
{
	char options[256];
	int64_t idle_ms;

	/* Behind a pooler the default is taken to hold, and not sent. */
	db->session_ms =
	    db_server_ms(db->pooled ? DB_DEADLINE_MS : db->deadline_ms);
	idle_ms = db->session_ms > IDLE_MS ? db->session_ms : IDLE_MS;
	snprintf(options, sizeof(options),
	    OPTIONS_FIXED " -c statement_timeout=%" PRId64
			  " -c idle_in_transaction_session_timeout=%" PRId64,
	    db->session_ms, idle_ms);
	db->conn = link_start(db, options);
	if (db->conn == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	if (PQstatus(db->conn) != CONNECTION_OK)
		return db_link_lost(db, "could not connect to the database", e);
	PQsetNoticeReceiver(db->conn, on_notice, db);
	if (PQsetnonblocking(db->conn, 1) != 0 ||
	    PQenterPipelineMode(db->conn) != 1)
		return db_link_lost(db, "could not set up the link", e);
	return true;
}

/* A server that left while the link was idle shows up as readable. */
static bool
link_alive(struct db *db)
{
	struct pollfd p = { .fd = PQsocket(db->conn), .events = POLLIN };

	while (PQstatus(db->conn) == CONNECTION_OK && poll(&p, 1, 0) > 0)
		if (PQconsumeInput(db->conn) == 0)
			return false;
	/* Parses what came: a farewell reaches on_notice(). */
	(void)PQisBusy(db->conn);
	return PQstatus(db->conn) == CONNECTION_OK && !db->doomed;
}

bool
db_connect(struct db *db, struct err *e)
{
	if (db->adopted)
		return true;
	if (db->tx == TX_DEAD)
		return err_fail(
		    e, ERR_UNAVAILABLE, "the transaction's link was lost");
	/* In mid-transaction there is no other link to go to. */
	if (db->tx == TX_OPEN || (db->conn != NULL && link_alive(db)))
		return true;
	db_close(db);
	if (link_open(db, e))
		return true;
	/* Nothing was sent: what was to be done has not been done. */
	snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", DB_NO_LINK);
	return false;
}
