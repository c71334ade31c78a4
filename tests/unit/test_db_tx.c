/* Transactions and savepoints of the link to PostgreSQL. */
#define S "test_db_tx"
#include "tests/unit/dbtest.h"

static const char INSERT[] = "INSERT INTO " S ".t VALUES (1, 'a')";
static const char COUNT[] = "SELECT pg_catalog.count(*) FROM " S ".t";

static void
test_tx(void)
{
	AUTO_DB *db = new_db();
	struct err e;

	{
		AUTO_TX tx = { 0 };

		ok(db_begin(db, &tx, &e) && !db_connected(db),
		    "begin sends nothing");
		ok(!db_begin(db, &tx, &e) && e.code == ERR_BUG,
		    "a second begin is a bug");
		ok(runs(db, "x1", INSERT), "a statement in it");
	}
	value_is(
	    db, "x2", COUNT, "0", "left without commit, it is rolled back");
	{
		AUTO_TX tx = { 0 };

		ok(db_begin(db, &tx, &e) && runs(db, "x1", INSERT) &&
			db_commit(&tx, &e),
		    "committed");
		ok(!db_commit(&tx, &e) && e.code == ERR_BUG,
		    "a second commit is a bug");
	}
	value_is(db, "x2", COUNT, "1", "it stays");
	{
		AUTO_TX tx = { 0 };

		ok(db_begin(db, &tx, &e) && db_commit(&tx, &e),
		    "an empty one commits");
	}
	ok(runs(db, "x3", "DELETE FROM " S ".t"), "clean");
}

static void
test_tx_failed(void)
{
	AUTO_DB *db = new_db();
	struct err e;

	{
		AUTO_TX tx = { 0 };

		ok(db_begin(db, &tx, &e) &&
			!run(db, "y1", "SELECT " S ".refuse('P0001')", &e),
		    "the first statement of a transaction fails");
		ok(!run(db, "y2", "SELECT 1", &e), "so does the next");
		is_text(e.sqlstate, "25P02", "since it is aborted");
		ok(!db_commit(&tx, &e) && e.code == ERR_BUG,
		    "and it cannot be committed");
	}
	value_is(db, "y3", "SELECT 1", "1", "the link is good behind it");
	{
		AUTO_TX tx = { 0 };

		ok(db_begin(db, &tx, &e) &&
			runs(db, "y4", "INSERT INTO " S ".late VALUES (77)"),
		    "a row that is checked at commit");
		ok(!db_commit(&tx, &e), "makes the commit fail");
		is_text(e.sqlstate, "23503", "as the server says");
		ok(!run(db, "y5", "SELECT 1", &e) && e.code == ERR_UNAVAILABLE,
		    "nothing goes on in what the server has ended");
	}
	value_is(db, "y3", "SELECT 1", "1", "and the link is good behind it");
}

static void
test_tx_lost(void)
{
	AUTO_DB *db = new_db();
	struct err e;
	char *pid;

	{
		AUTO_TX tx = { 0 };

		ok(db_begin(db, &tx, &e) &&
			runs(db, "z1", "INSERT INTO " S ".t VALUES (9, 'z')"),
		    "half a transaction");
		pid = pid_of(db);
		end_backend(pid);
		ok(!run(db, "z2", "INSERT INTO " S ".t VALUES (10, 'z')", &e),
		    "its link dies");
		is_int(e.code, ERR_UNAVAILABLE, "told: %s", e.msg);
		ok(!run(db, "z2", INSERT, &e) && e.code == ERR_UNAVAILABLE,
		    "the rest does not run on another link");
		ok(!db_commit(&tx, &e) && e.code == ERR_UNAVAILABLE,
		    "nor commit");
	}
	value_is(db, "z3", COUNT, "0", "no half of it is there");
	free(pid);
}

static void
test_savepoints(void)
{
	AUTO_DB *db = new_db();
	AUTO_TX tx = { 0 };
	struct err e;

	db_savepoint(db);
	ok(runs(db, "p0", "SELECT 1"), "outside a transaction none is set");
	ok(!db_rollback_to(db, &e) && e.code == ERR_BUG,
	    "so that there is none to go back to");
	db_close(db);
	ok(db_begin(db, &tx, &e), "begin");
	db_savepoint(db);
	ok(db_rollback_to(db, &e) && !db_connected(db),
	    "an unused one costs nothing");
	ok(!run(db, "p1", "SELECT " S ".refuse('P0001')", &e),
	    "the first statement fails");
	ok(db_rollback_to(db, &e), "back");
	ok(runs(db, "p2", "INSERT INTO " S ".t VALUES (1, 'kept')"),
	    "and another one runs");
	db_savepoint(db);
	ok(runs(db, "p3", "INSERT INTO " S ".t VALUES (2, 'gone')"),
	    "behind a new one");
	ok(db_rollback_to(db, &e), "back to that");
	ok(db_rollback_to(db, &e), "twice");
	db_savepoint(db);
	db_savepoint_forget(db);
	ok(runs(db, "p4", "INSERT INTO " S ".t VALUES (3, 'kept')"),
	    "a forgotten one is not sent");
	ok(!db_rollback_to(db, &e) && e.code == ERR_BUG,
	    "and not gone back to");
	ok(db_commit(&tx, &e), "commit");
	value_is(db, "p5",
	    "SELECT pg_catalog.string_agg(id::text || v, ',' ORDER BY id) "
	    "FROM " S ".t",
	    "1kept,3kept", "what is left");
	ok(runs(db, "p6", "DELETE FROM " S ".t"), "clean");
}

/* Sub-transactions do not pile up: 200 savepoints, one level. */
static void
test_batch(void)
{
	AUTO_DB *db = new_db();
	AUTO_TX tx = { 0 };
	bool good = true;
	struct err e;

	good = db_begin(db, &tx, &e);
	for (int i = 0; i < 200 && good; i++) {
		db_savepoint(db);
		good = i % 3 == 0 ? !run(db, "b1",
					"SELECT " S ".refuse('P0001')", &e) &&
					db_rollback_to(db, &e)
				  : run(db, "b2",
					"INSERT INTO " S ".t SELECT "
					"pg_catalog.count(*), "
					"'x' FROM " S ".t",
					&e);
		db_savepoint_forget(db);
	}
	ok(good && db_commit(&tx, &e), "a batch with failures in between");
	value_is(db, "b3", COUNT, "133", "keeps what succeeded");
	ok(runs(db, "b4", "DELETE FROM " S ".t"), "clean");
}

static void
test_all(void)
{
	test_tx();
	test_tx_failed();
	test_tx_lost();
	test_savepoints();
	test_batch();
}

int
main(void)
{
	return dbtest_main(test_all);
}
