/* The link to PostgreSQL: statements, failures, deadlines, scripts. */
#define S "test_db"
#include "tests/unit/dbtest.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"

static const char COUNT[] = "SELECT pg_catalog.count(*) FROM " S ".t";
static const char TIMEOUT[] =
    "SELECT pg_catalog.current_setting('statement_timeout')";

static void
test_values(void)
{
	static const char sql[] =
	    "SELECT $1::text, $2::bigint, $3::boolean, NULL::text, "
	    "NULL::bigint, false, -7::bigint, ''::text";
	const char *const args[] = { "a\xc3\xa9'\"\\", "9223372036854775807",
		"true" };
	AUTO_DB *db = new_db();
	AUTO_ROWS *rows = NULL;
	struct err e;

	ok(!db_connected(db), "a new one has no link");
	if (!ok(db_query(db, "t_values", sql, LEN(args), args, &rows, &e),
		"a statement with arguments")) {
		diag("%s", e.msg);
		return;
	}
	ok(db_connected(db), "has opened the link");
	is_int(db_nrows(rows), 1, "one row");
	is_text(db_text(rows, 0, 0), args[0], "text comes back");
	is_int((int64_t)db_text_len(rows, 0, 0), 6, "its length");
	is_int(db_int(rows, 0, 1), INT64_MAX, "the largest number");
	ok(db_bool(rows, 0, 2) && !db_bool(rows, 0, 5), "booleans");
	ok(db_null(rows, 0, 3) && !db_null(rows, 0, 7), "NULL or empty");
	is_text(db_text(rows, 0, 3), "", "the text of NULL");
	is_int(db_int(rows, 0, 4), 0, "the number of NULL");
	is_int(db_int(rows, 0, 6), -7, "a negative number");
}

static void
test_session(void)
{
	AUTO_DB *db = new_db();

	value_is(db, "s1",
	    "SELECT pg_catalog.current_setting('application_name')",
	    "afterwork test", "application name");
	value_is(db, "s2",
	    "SELECT pg_catalog.current_setting('client_encoding')", "UTF8",
	    "encoding");
	if (pooled)
		return;
	value_is(db, "s3", "SELECT pg_catalog.current_setting('search_path')",
	    "", "search path");
	value_is(db, "s4", TIMEOUT, "9800ms",
	    "statement time-out, below the deadline");
	value_is(db, "s5", "SELECT '2026-11-23 08:15:00+01'::timestamptz",
	    "2026-11-23 07:15:00+00", "ISO dates in UTC");
	value_is(db, "s6",
	    "SELECT pg_catalog.current_setting("
	    "'idle_in_transaction_session_timeout')",
	    "10s", "idle in transaction");
	value_is(db, "s7",
	    "SELECT pg_catalog.count(*) FROM "
	    "pg_catalog.pg_prepared_statements WHERE name LIKE 's_'",
	    "7", "statements are prepared under their names");
	value_is(db, "s7", "SELECT 'is not looked at'", "7",
	    "and run by name from then on");
}

static void
test_unnamed(void)
{
	AUTO_DB *db = new_db();

	if (!pooled)
		return;
	value_is(db, "u1", "SELECT 1", "1", "a statement");
	value_is(db, "u1", "SELECT 2", "2", "is not kept under its name");
	value_is(db, "u3",
	    "SELECT pg_catalog.count(*) FROM "
	    "pg_catalog.pg_prepared_statements",
	    "0", "nothing is prepared");
}

static const struct {
	const char *sql;
	enum err_code code;
	const char *state, *msg, *field;
} failures[] = {
	{ "SELECT " S ".refuse('P0001')", ERR_INVALID, "P0001", "say P0001",
	    "the.field" },
	{ "SELECT " S ".refuse('P0002')", ERR_NOT_FOUND, "P0002", "say P0002",
	    "the.field" },
	{ "SELECT " S ".refuse('42704')", ERR_INVALID, "42704", "say 42704",
	    "the.field" },
	{ "SELECT 'x'::text::bigint", ERR_INVALID, "22P02",
	    "invalid input syntax for type bigint: \"x\"", "" },
	{ "SELECT 1/(pg_catalog.length('')::integer)", ERR_INVALID, "22012",
	    "division by zero", "" },
	{ "INSERT INTO " S ".t VALUES (1, 'again')", ERR_CONFLICT, "23505",
	    "Value must be unique.", "" },
	{ "INSERT INTO " S ".t VALUES (2, NULL)", ERR_INVALID, "23502",
	    "A value is missing, refers to nothing or is not allowed.", "v" },
	{ "INSERT INTO " S ".t VALUES (2, 'bad')", ERR_INVALID, "23514",
	    "A value is missing, refers to nothing or is not allowed.", "" },
	{ "SELECT " S ".refuse('40001')", ERR_UNAVAILABLE, "40001",
	    "statement \"f\": say 40001", "" },
	{ "SELECT " S ".refuse('40P01')", ERR_UNAVAILABLE, "40P01",
	    "statement \"f\": say 40P01", "" },
	{ "SELECT " S ".refuse('55P03')", ERR_UNAVAILABLE, "55P03",
	    "statement \"f\": say 55P03", "" },
	{ "SELECT " S ".refuse('57014')", ERR_UNAVAILABLE, "57014",
	    "statement \"f\": say 57014", "" },
	{ "SELECT " S ".refuse('53100')", ERR_NO_SPACE, "53100", "say 53100",
	    "" },
	{ "SELECT " S ".refuse('53200')", ERR_UNAVAILABLE, "53200",
	    "statement \"f\": say 53200", "" },
	{ "SELECT " S ".refuse('08006')", ERR_UNAVAILABLE, "08006",
	    "statement \"f\": say 08006", "" },
	{ "SELECT " S ".refuse('25P03')", ERR_UNAVAILABLE, "25P03",
	    "statement \"f\": say 25P03", "" },
	{ "SELECT nothing", ERR_BUG, "42703",
	    "statement \"f\": column \"nothing\" does not exist", "" },
	{ "", ERR_BUG, "", "statement \"f\" is empty", "" },
	{ "SELEKT 1", ERR_BUG, "42601",
	    "statement \"f\": syntax error at or near \"SELEKT\"", "" },
};

static void
test_failures(void)
{
	AUTO_DB *db = new_db();

	ok(runs(db, "f0", "INSERT INTO " S ".t VALUES (1, 'one')"), "a row");
	for (size_t i = 0; i < LEN(failures); i++) {
		AUTO_DB *once = new_db();
		struct err e = { .code = ERR_NONE };

		ok(!run(once, "f", failures[i].sql, &e), "%s fails",
		    failures[i].sql);
		is_int(e.code, failures[i].code, "as %s",
		    err_name(failures[i].code));
		is_text(e.sqlstate, failures[i].state, "its SQLSTATE");
		is_text(e.msg, failures[i].msg, "its message");
		is_text(e.field, failures[i].field, "its field");
		value_is(once, "f_after", "SELECT 5", "5",
		    "and the link stays good");
	}
	ok(runs(db, "f1", "DELETE FROM " S ".t"), "the row goes");
}

static void
test_reconnect(void)
{
	AUTO_DB *db = new_db();
	char *before = pid_of(db), *after;
	struct err e;

	end_backend(before);
	after = pid_of(db);
	ok(after != NULL && strcmp(before, after) != 0,
	    "a link that died while idle is replaced unseen");
	end_backend(after);
	ok(db_connect(db, &e), "so is one that is only asked to connect");
	db_close(db);
	ok(!db_connected(db), "closed");
	value_is(db, "again", "SELECT 1", "1", "and opened by the next use");
	free(before);
	free(after);
}

static void
test_lost(void)
{
	static const char sql[] =
	    "SELECT pg_catalog.pg_terminate_backend("
	    "pg_catalog.pg_backend_pid()), pg_catalog.pg_sleep(5)";
	AUTO_DB *db = new_db();
	struct err e;

	ok(!run(db, "suicide", sql, &e), "a link lost in mid-statement");
	is_int(e.code, ERR_UNAVAILABLE, "is unavailable: %s", e.msg);
	ok(!db_connected(db), "and closed");
	value_is(db, "next", "SELECT 3", "3", "the next statement opens one");
}

static void
test_deadline(void)
{
	AUTO_DB *db = new_db();
	int64_t start;
	struct err e;

	value_is(db, "d0", "SELECT 1", "1", "a link");
	db_deadline(db, 1000);
	start = clock_mono_ms();
	ok(!run(db, "d1", "SELECT pg_catalog.pg_sleep(5)", &e),
	    "a slow statement");
	start = clock_mono_ms() - start;
	ok(start >= 700 && start < 2000, "ends at its deadline: %d ms",
	    (int)start);
	is_text(e.sqlstate, "57014", "the server gave it up");
	ok(db_connected(db), "so that the link stays good");
	db_deadline(db, 0);
	ok(runs(db, "d2", "SELECT pg_catalog.pg_sleep(1.1)"),
	    "and the next has its time again");
	{
		AUTO_TX tx = { 0 };

		db_deadline(db, 20000);
		ok(db_begin(db, &tx, &e), "begin");
		value_is(db, "d3", TIMEOUT, "19800ms", "a longer deadline");
		db_savepoint(db);
		db_deadline(db, 1000);
		ok(!run(db, "d1", "SELECT pg_catalog.pg_sleep(5)", &e),
		    "a shorter one within");
		ok(db_rollback_to(db, &e), "back");
		db_deadline(db, 20000);
		value_is(db, "d3", TIMEOUT, "19800ms", "the longer again");
		db_savepoint(db);
		db_deadline(db, 30000);
		ok(runs(db, "d4", "SELECT 1") && db_rollback_to(db, &e),
		    "one that is taken back with its savepoint");
		value_is(db, "d3", TIMEOUT, "29800ms", "is told again");
	}
	db_deadline(db, 0);
	if (!pooled)
		value_is(db, "d3", TIMEOUT, "9800ms", "and the session's");
}

/* The server does not give up, since it may not: the link is closed. */
static void
test_deadline_hard(void)
{
	static const char sql[] =
	    "SELECT pg_catalog.set_config('statement_timeout', '0', false)";
	AUTO_DB *db = new_db();
	int64_t start;
	struct err e;

	db_deadline(db, 500);
	if (pooled || !ok(runs(db, "h1", sql), "no time-out at the server"))
		return;
	start = clock_mono_ms();
	ok(!run(db, "h2", "SELECT pg_catalog.pg_sleep(5)", &e),
	    "a slow statement");
	start = clock_mono_ms() - start;
	ok(start >= 500 && start < 1500, "ends at the deadline: %d ms",
	    (int)start);
	ok(e.code == ERR_UNAVAILABLE && e.sqlstate[0] == '\0',
	    "its outcome is unknown: %s", e.msg);
	ok(!db_connected(db), "and the link closed");
}

static void
test_script(void)
{
	AUTO_DB *db = new_db();
	struct err e;

	ok(db_script(db, "", 0, &e), "an empty script");
	ok(db_script(db,
	       "INSERT INTO " S ".t VALUES (1, 'a'); SELECT 1;"
	       "INSERT INTO " S ".t VALUES (2, 'b')",
	       0, &e),
	    "several statements");
	ok(!db_script(db,
	       "INSERT INTO " S ".t VALUES (3, 'c');"
	       "SELECT nothing; SELECT 1",
	       5000, &e),
	    "one that fails");
	is_text(e.sqlstate, "42703", "is told");
	value_is(db, "c1", COUNT, "2", "and takes the others back");
	ok(!db_script(db, "COPY " S ".t FROM STDIN", 0, &e) &&
		e.code == ERR_BUG,
	    "COPY is refused");
	value_is(db, "c2", "SELECT 4", "4", "and the link good again");
	if (!pooled)
		ok(!db_script(db, "SELECT pg_catalog.pg_sleep(5)", 1000, &e) &&
			e.code == ERR_UNAVAILABLE,
		    "a script's deadline: %s", e.msg);
	{
		AUTO_TX tx = { 0 };

		ok(db_begin(db, &tx, &e) &&
			db_script(db, "DELETE FROM " S ".t; SELECT 1", 0, &e),
		    "in a transaction");
		value_is(db, "c1", COUNT, "0", "it is seen");
	}
	value_is(db, "c1", COUNT, "2", "and rolled back with it");
	if (!pooled)
		value_is(db, "c3", TIMEOUT, "9800ms", "the time-out is back");
	ok(runs(db, "c4", "DELETE FROM " S ".t"), "clean");
}

/* A plan outlives a change of its table: told once, then new. */
static void
test_stale_plan(void)
{
	static const char alter[] = "ALTER TABLE " S ".t ADD COLUMN w text";
	static const char back[] = "ALTER TABLE " S ".t DROP COLUMN w";
	AUTO_DB *db = new_db();
	AUTO_DB *other = new_db();
	struct err e;

	if (pooled)
		return;
	ok(runs(db, "q1", "SELECT * FROM " S ".t"), "a plan");
	ok(db_script(other, alter, 0, &e), "its table changes");
	ok(!run(db, "q1", "SELECT * FROM " S ".t", &e) &&
		e.code == ERR_UNAVAILABLE,
	    "it is outdated: %s", e.msg);
	ok(runs(db, "q1", "SELECT * FROM " S ".t"), "the next one is new");
	ok(db_script(other, back, 0, &e), "clean");
}

static void
test_large(void)
{
	static char text[4 * 1024 * 1024];
	const char *const args[] = { text };
	AUTO_DB *db = new_db();
	AUTO_ROWS *rows = NULL;
	struct err e;

	memset(text, 'x', sizeof(text) - 1);
	ok(db_query(
	       db, "l1", "SELECT $1::text || $1::text", 1, args, &rows, &e) &&
		db_text_len(rows, 0, 0) == 2 * (sizeof(text) - 1),
	    "4 MiB there, 8 MiB back");
}

static void
test_many(void)
{
	static char names[140][8];
	AUTO_DB *db = new_db();
	bool good = true;

	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < LEN(names); i++) {
			snprintf(names[i], sizeof(names[i]), "m%zu", i);
			good = good && runs(db, names[i], "SELECT 1");
		}
	ok(good, "more statements than are kept prepared");
}

static void
test_no_server(void)
{
	AUTO_DB *none = db_new("host=/nonexistent dbname=x", pooled, "test");
	AUTO_DB *bad = db_new("host=/nonexistent nonsense=1", pooled, "test");
	struct err e;

	ok(!run(none, "n", "SELECT 1", &e) && e.code == ERR_UNAVAILABLE,
	    "no server: %s", e.msg);
	ok(!db_connected(none), "no link");
	ok(!run(bad, "n", "SELECT 1", &e) && e.code == ERR_UNAVAILABLE,
	    "no conninfo: %s", e.msg);
	{
		AUTO_TX tx = { 0 };

		ok(db_begin(none, &tx, &e) && !run(none, "n", "SELECT 1", &e) &&
			db_commit(&tx, &e),
		    "a transaction of which nothing was sent");
	}
}

/* A server that takes the connection and says nothing. */
static void
test_silent_server(void)
{
	char folder[] = "/tmp/test_db.XXXXXX", conninfo[64];
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t start = clock_mono_ms();
	struct err e;

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/.s.PGSQL.5432", folder);
	snprintf(
	    conninfo, sizeof(conninfo), "host=%s user=x port=5432", folder);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 5) != 0)
		abort();
	AUTO_DB *db = db_new(conninfo, pooled, "test");
	ok(!run(db, "n", "SELECT 1", &e) && e.code == ERR_UNAVAILABLE,
	    "a silent server: %s", e.msg);
	start = clock_mono_ms() - start;
	ok(start < 4500, "is left after 3 s: %d ms", (int)start);
	(void)close(fd);
	(void)unlink(a.sun_path);
	(void)rmdir(folder);
}

static void
test_arrays(void)
{
	AUTO_DB *db = new_db();
	AUTO_ROWS *rows = NULL;
	AUTO_BUF texts = BUF_INIT;
	AUTO_BUF ints = BUF_INIT;
	AUTO_BUF none = BUF_INIT;
	struct err e;

	db_array_add(&texts, "a\"b\\c,{}");
	db_array_add(&texts, NULL);
	db_array_add(&texts, "");
	db_array_add(&texts, "NULL");
	db_array_end(&texts);
	db_array_add_int(&ints, INT64_MIN);
	db_array_add_int(&ints, 7);
	db_array_end(&ints);
	db_array_end(&none);
	const char *const args[] = { texts.data, ints.data, none.data };
	if (!ok(db_query(db, "arrays",
		    "SELECT ($1::text[])[1], ($1::text[])[2] IS NULL, "
		    "($1::text[])[3] = '', ($1::text[])[4], "
		    "($2::bigint[])[1], pg_catalog.cardinality($3::text[])",
		    LEN(args), args, &rows, &e),
		"arrays go over"))
		return;
	is_text(db_text(rows, 0, 0), "a\"b\\c,{}", "quoted");
	ok(db_bool(rows, 0, 1), "NULL");
	ok(db_bool(rows, 0, 2), "empty");
	is_text(db_text(rows, 0, 3), "NULL", "the word NULL");
	is_int(db_int(rows, 0, 4), INT64_MIN, "a number");
	is_int(db_int(rows, 0, 5), 0, "no element");
}

static void
test_arguments(void)
{
	const char *args[DB_ARGS_MAX + 1] = { NULL };
	AUTO_DB *db = new_db();
	struct err e;

	ok(!db_query(db, "many", "SELECT 1", LEN(args), args, NULL, &e) &&
		e.code == ERR_BUG,
	    "too many arguments");
}

static void
test_all(void)
{
	test_values();
	test_session();
	test_unnamed();
	test_failures();
	test_reconnect();
	test_lost();
	test_deadline();
	test_deadline_hard();
	test_script();
	test_stale_plan();
	test_large();
	test_many();
	test_arrays();
	test_arguments();
	test_no_server();
	if (!pooled)
		test_silent_server();
}

int
main(void)
{
	return dbtest_main(test_all);
}
