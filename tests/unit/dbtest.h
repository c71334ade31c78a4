/*
 * What the tests of link/db share.  They need a real server:
 * TEST_DATABASE_URL, whose user may make tables in a schema of its own and
 * end its own backends.  Each runs twice: directly, and as behind a pooler; and
 * a third time through a real one, where TEST_POOLED_URL names it.
 */
#ifndef AFTERWORK_TESTS_DBTEST_H
#define AFTERWORK_TESTS_DBTEST_H

#include "common/link/db.h"
#include "tests/unit/tap.h"

/* The test's own schema, so that two may run at a time. */
#ifndef S
#define S "test_db"
#endif

static const char *url;
static bool pooled;

static inline UNUSED struct db *
new_db(void)
{
	return db_new(url, pooled, "test");
}

/* The first value of the first row as text, NULL when it fails. */
static inline UNUSED char *
value(struct db *db, const char *name, const char *sql, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, name, sql, 0, NULL, &rows, e))
		return NULL;
	return strdup(db_nrows(rows) == 0 ? "(no row)" : db_text(rows, 0, 0));
}

static inline UNUSED void
value_is(struct db *db, const char *name, const char *sql, const char *want,
    const char *what)
{
	struct err e = { .code = ERR_NONE };
	char *got = value(db, name, sql, &e);

	is_text(got, want, "%s%s", pooled ? "pooled: " : "", what);
	if (got == NULL)
		diag("%s: %s", err_name(e.code), e.msg);
	free(got);
}

static inline UNUSED bool
run(struct db *db, const char *name, const char *sql, struct err *e)
{
	return db_query(db, name, sql, 0, NULL, NULL, e);
}

/* Does it run?  Says why not. */
static inline UNUSED bool
runs(struct db *db, const char *name, const char *sql)
{
	struct err e = { .code = ERR_NONE };
	bool good = run(db, name, sql, &e);

	if (!good)
		diag("%s: %s %s", name, err_name(e.code), e.msg);
	return good;
}

static const char SCHEMA_DROP[] UNUSED = "DROP SCHEMA " S " CASCADE";
static const char SCHEMA[] UNUSED =
    "DROP SCHEMA IF EXISTS " S " CASCADE; CREATE SCHEMA " S ";\n"
    "CREATE TABLE " S ".t (id bigint PRIMARY KEY, v text NOT NULL,\n"
    "    CHECK (v <> 'bad'));\n"
    "CREATE TABLE " S ".late (id bigint REFERENCES " S ".t (id)\n"
    "    DEFERRABLE INITIALLY DEFERRED);\n"
    "CREATE FUNCTION " S ".refuse(code text) RETURNS void\n"
    "LANGUAGE plpgsql AS $$ BEGIN\n"
    "RAISE EXCEPTION 'say %', code USING ERRCODE = code, DETAIL = "
    "'the.field';\n"
    "END $$;";

/* Backend that serves the link. */
static inline UNUSED char *
pid_of(struct db *db)
{
	struct err e;

	return value(db, "pid", "SELECT pg_catalog.pg_backend_pid()", &e);
}

/* End that backend, and wait until it is gone: past a pooler, which might have
 * it ended by itself. */
static inline UNUSED void
end_backend(const char *pid)
{
	static const char sql[] =
	    "SELECT pg_catalog.pg_terminate_backend($1::integer, 5000)";
	AUTO_DB *other = db_new(getenv("TEST_DATABASE_URL"), false, "test");
	struct err e;

	if (!db_query(other, "end", sql, 1, &pid, NULL, &e))
		abort();
}

/* Run test() with fresh tables, in each of the ways. */
static inline UNUSED int
dbtest_main(void (*test)(void))
{
	struct err e = { .code = ERR_NONE };

	url = getenv("TEST_DATABASE_URL");
	if (url == NULL || url[0] == '\0')
		return skip_all("TEST_DATABASE_URL is not set");
	for (int round = 0; round < 3; round++) {
		AUTO_DB *db = NULL;

		pooled = round > 0;
		if (round == 2)
			url = getenv("TEST_POOLED_URL");
		if (url == NULL || url[0] == '\0')
			break;
		db = new_db();
		if (!ok(db_script(db, SCHEMA, 0, &e), "tables: %s", e.msg))
			break;
		test();
		ok(db_script(db, SCHEMA_DROP, 0, &e), "clean");
	}
	return done();
}

#endif
