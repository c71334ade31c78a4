/* <afterwork.h>: jobs from C, in transactions of the library's and the
 * caller's own. */
#include "common/lib/afterwork.h"
#include "tests/unit/tap.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <unistd.h>

enum { THREADS = 2, JOBS_EACH = 40 };

static const char *url;
static char queue[64]; /* the test's own, paused */

/* The first value, as a number; -1: it fails. */
static int64_t
number(PGconn *conn, const char *sql)
{
	PGresult *r = PQexec(conn, sql);
	int64_t n = -1;

	if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) > 0)
		n = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
	else if (PQresultStatus(r) == PGRES_COMMAND_OK)
		n = 0;
	else
		diag("%s", PQerrorMessage(conn));
	PQclear(r);
	return n;
}

static int64_t
waiting(PGconn *conn)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM afterwork.job WHERE queue = '%s'", queue);
	return number(conn, sql);
}

static struct afterwork_job
plain(void)
{
	return (struct afterwork_job){
		.size = sizeof(struct afterwork_job),
		.task = "noop",
		.queue = queue,
	};
}

static bool
is_code(struct afterwork *aw, int got, int want, const char *what)
{
	bool good = is_int(got, want, "%s", what);

	if (!good)
		diag("%s: %s %s", afterwork_field(aw), afterwork_message(aw),
		    afterwork_sqlstate(aw));
	return good;
}

static void
test_adopted(PGconn *conn)
{
	struct afterwork *aw = afterwork_adopt(conn);
	struct afterwork_job job = plain();
	int64_t before = waiting(conn), id = 0;
	int created = -1;

	number(conn, "BEGIN");
	is_code(aw, afterwork_enqueue(aw, &job, &id, &created), AFTERWORK_OK,
	    "a job in the caller's transaction");
	ok(id > 0 && created == 1, "has an id, and is new");
	is_int(waiting(conn), before + 1, "is there inside");
	number(conn, "ROLLBACK");
	is_int(waiting(conn), before, "and goes with it");
	number(conn, "BEGIN");
	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL), AFTERWORK_OK,
	    "nobody needs to ask for the id");
	number(conn, "COMMIT");
	is_int(waiting(conn), before + 1, "or comes with its commit");
	is_code(aw, afterwork_enqueue(aw, &job, &id, NULL), AFTERWORK_OK,
	    "without one it commits by itself");
	is_int(waiting(conn), before + 2, "at once");
	is_int(PQtransactionStatus(conn), PQTRANS_IDLE, "no mode has changed");
	is_code(
	    aw, afterwork_begin(aw), AFTERWORK_STATE, "begin is the caller's");
	is_code(aw, afterwork_commit(aw), AFTERWORK_STATE, "and so is commit");
	afterwork_rollback(aw);
	afterwork_close(aw);
	is_int(number(conn, "SELECT 1"), 1, "the connection is left open");
}

static void
test_refused(PGconn *conn)
{
	struct afterwork *aw = afterwork_adopt(conn);
	struct afterwork_job job = plain();
	int64_t id = 77;

	job.task = "no-such-task";
	number(conn, "BEGIN");
	is_code(aw, afterwork_enqueue(aw, &job, &id, NULL), AFTERWORK_INVALID,
	    "a task that is not registered");
	is_int(afterwork_code(aw), AFTERWORK_INVALID, "the code is kept");
	is_text(afterwork_field(aw), "task", "with the field");
	is_text(afterwork_sqlstate(aw), "P0001", "the SQLSTATE");
	is_text(afterwork_message(aw),
	    "The task \"no-such-task\" is not registered.", "and words");
	is_int(id, 77, "the id is untouched");
	job.task = "noop";
	is_code(aw, afterwork_enqueue(aw, &job, &id, NULL), AFTERWORK_STATE,
	    "the transaction has failed");
	number(conn, "ROLLBACK");
	job.task = "script";
	is_code(aw, afterwork_enqueue(aw, &job, &id, NULL), AFTERWORK_INVALID,
	    "an input that does not fit");
	is_text(afterwork_field(aw), "sh", "names its field");
	job = plain();
	job.input = "{";
	is_code(aw, afterwork_enqueue(aw, &job, &id, NULL), AFTERWORK_INVALID,
	    "an input that is no JSON");
	job = plain();
	job.run_at = "soon";
	is_code(aw, afterwork_enqueue(aw, &job, &id, NULL), AFTERWORK_INVALID,
	    "a time that is none");
	job.delay_ms = 5;
	is_code(aw, afterwork_enqueue(aw, &job, &id, NULL), AFTERWORK_INVALID,
	    "a time and a delay");
	job = plain();
	job.size = sizeof(job) - sizeof(char *);
	is_code(aw, afterwork_enqueue(aw, &job, &id, NULL), AFTERWORK_INVALID,
	    "a job without its size");
	afterwork_close(aw);
}

static void
test_newer(PGconn *conn)
{
	struct afterwork *aw = afterwork_adopt(conn);
	struct {
		struct afterwork_job job;
		const char *later;
	} newer = { .job = plain() };
	int64_t id;

	newer.job.size = sizeof(newer);
	is_code(aw, afterwork_enqueue(aw, &newer.job, &id, NULL), AFTERWORK_OK,
	    "a newer program that uses nothing newer");
	newer.later = "x";
	is_code(aw, afterwork_enqueue(aw, &newer.job, &id, NULL),
	    AFTERWORK_INVALID, "one that does");
	is_text(afterwork_field(aw), "size", "is told");
	afterwork_close(aw);
}

static void
test_options(PGconn *conn)
{
	struct afterwork *aw = afterwork_open(url);
	struct afterwork_job job = plain();
	char key[32], sql[700];
	int64_t id = 0, again = 0;
	int created = -1;

	snprintf(key, sizeof(key), "lib-%d", (int)getpid());
	job.input = "{\"a\": \"\xc3\xa9\"}";
	job.delay_ms = 3600000;
	job.has_priority = 1;
	job.priority = -3;
	job.unique_key = key;
	job.concurrency_key = "ck";
	job.meta = "{\"m\": 1}";
	job.tags = "[\"x\", \"y\"]";
	is_code(aw, afterwork_enqueue(aw, &job, &id, &created), AFTERWORK_OK,
	    "a job with everything");
	snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM afterwork.job WHERE queue = '%s' AND id = "
	    "%" PRId64 " AND priority = -3 AND unique_key = '%s' AND "
	    "concurrency_key = 'ck' AND meta = '{\"m\": 1}' AND tags = "
	    "'{x,y}' AND state = 'delayed' AND input ->> 'a' = E'\\u00e9' "
	    "AND run_at BETWEEN now() + interval '59 minutes' AND now() + "
	    "interval '61 minutes'",
	    queue, id, key);
	is_int(number(conn, sql), 1, "is stored as it was asked for");
	job.delay_ms = 0;
	job.run_at = "2040-01-01T12:00:00+02:00";
	is_code(aw, afterwork_enqueue(aw, &job, &again, &created), AFTERWORK_OK,
	    "its unique key once more");
	ok(again == id && created == 0, "gives the job that holds it");
	job.replace = 1;
	is_code(aw, afterwork_enqueue(aw, &job, &again, &created), AFTERWORK_OK,
	    "with replace");
	snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM afterwork.job WHERE queue = '%s' AND id = "
	    "%" PRId64 " AND run_at = '2040-01-01 10:00+00'",
	    queue, id);
	is_int(number(conn, sql), 1, "the waiting one takes the time");
	afterwork_close(aw);
}

static void
test_many(PGconn *conn)
{
	static const char *const inputs[] = { "{\"sh\": \"1\"}",
		"{\"sh\": \"{},\\\"\\\\ \"}", "{\"sh\": \"3\"}" };
	const char *const bad[] = { inputs[0], "{},{}", inputs[2] };
	const char *const unfit[] = { inputs[0], "{}" };
	struct afterwork *aw = afterwork_open(url);
	int64_t ids[3] = { 0 }, n;

	n = number(conn, "SELECT count(*) FROM afterwork.job");
	is_code(aw, afterwork_begin(aw), AFTERWORK_OK, "a transaction");
	is_code(aw, afterwork_enqueue_many(aw, "script", inputs, 3, ids),
	    AFTERWORK_OK, "three inputs");
	ok(ids[0] > 0 && ids[1] > ids[0] && ids[2] > ids[1], "three ids");
	afterwork_rollback(aw);
	is_int(number(conn, "SELECT count(*) FROM afterwork.job"), n,
	    "rolled back");
	is_code(aw, afterwork_enqueue_many(aw, "script", bad, 3, ids),
	    AFTERWORK_INVALID, "no text becomes two inputs");
	is_code(aw, afterwork_enqueue_many(aw, "script", unfit, 2, ids),
	    AFTERWORK_INVALID, "one that does not fit");
	is_text(afterwork_field(aw), "1.sh", "is named by its place");
	is_code(aw, afterwork_enqueue_many(aw, "script", NULL, 0, NULL),
	    AFTERWORK_OK, "none at all");
	is_int(number(conn, "SELECT count(*) FROM afterwork.job"), n,
	    "all or none");
	afterwork_close(aw);
}

static void
test_transaction(PGconn *conn)
{
	struct afterwork *aw = afterwork_open(url);
	struct afterwork_job job = plain(), bad = plain();
	int64_t before = waiting(conn);

	bad.task = "no-such-task";
	is_code(aw, afterwork_commit(aw), AFTERWORK_STATE, "nothing to commit");
	is_code(aw, afterwork_begin(aw), AFTERWORK_OK, "begin");
	is_code(aw, afterwork_begin(aw), AFTERWORK_STATE, "not twice");
	afterwork_enqueue(aw, &job, NULL, NULL);
	afterwork_enqueue(aw, &job, NULL, NULL);
	is_int(waiting(conn), before, "nobody sees the jobs yet");
	is_code(aw, afterwork_commit(aw), AFTERWORK_OK, "commit");
	is_int(waiting(conn), before + 2, "now they do");
	afterwork_begin(aw);
	afterwork_enqueue(aw, &job, NULL, NULL);
	is_code(aw, afterwork_enqueue(aw, &bad, NULL, NULL), AFTERWORK_INVALID,
	    "one of several is refused");
	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL), AFTERWORK_STATE,
	    "what comes after it is not stored");
	is_code(aw, afterwork_commit(aw), AFTERWORK_STATE, "nor the others");
	is_int(waiting(conn), before + 2, "all or none");
	is_code(aw, afterwork_begin(aw), AFTERWORK_OK, "and it goes on");
	afterwork_enqueue(aw, &job, NULL, NULL);
	afterwork_close(aw);
	is_int(waiting(conn), before + 2, "closing rolls back");
}

static void
test_busy(PGconn *conn)
{
	struct afterwork *aw = afterwork_adopt(conn);
	struct afterwork_job job = plain();
	PGresult *r;

	PQsendQuery(conn, "SELECT 1");
	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL), AFTERWORK_STATE,
	    "a connection that is busy");
	while ((r = PQgetResult(conn)) != NULL)
		PQclear(r);
	PQenterPipelineMode(conn);
	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL), AFTERWORK_STATE,
	    "one in pipeline mode");
	PQexitPipelineMode(conn);
	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL), AFTERWORK_OK,
	    "neither was harmed");
	afterwork_close(aw);
}

static void
test_rights(PGconn *conn)
{
	struct afterwork *aw = afterwork_adopt(conn);
	struct afterwork_job job = plain();
	char sql[300];

	snprintf(sql, sizeof(sql),
	    "BEGIN; CREATE ROLE library_%d; GRANT library_%d TO CURRENT_USER;"
	    "SET LOCAL ROLE library_%d",
	    (int)getpid(), (int)getpid(), (int)getpid());
	is_int(number(conn, sql), 0, "a login of a program's own");
	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL), AFTERWORK_DENIED,
	    "without rights");
	number(conn, "ROLLBACK");
	snprintf(sql, sizeof(sql),
	    "BEGIN; CREATE ROLE library_%d; GRANT library_%d TO CURRENT_USER;"
	    "GRANT afterwork_producer TO library_%d;"
	    "SET LOCAL ROLE library_%d; SET LOCAL search_path = ''",
	    (int)getpid(), (int)getpid(), (int)getpid(), (int)getpid());
	number(conn, sql);
	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL), AFTERWORK_OK,
	    "and as a producer");
	is_code(aw,
	    afterwork_enqueue_many(
		aw, "noop", (const char *const[]){ "{}" }, 1, NULL),
	    AFTERWORK_OK, "of many, too");
	number(conn, "ROLLBACK");
	afterwork_close(aw);
}

static void
test_elsewhere(PGconn *conn)
{
	struct afterwork *aw = afterwork_open("host=/nonexistent dbname=x");
	struct afterwork_job job = plain();
	char sql[80];
	PGconn *other = PQconnectdb(url);

	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL),
	    AFTERWORK_UNAVAILABLE, "a database out of reach");
	afterwork_close(aw);
	aw = afterwork_adopt(other);
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d, 5000)",
	    PQbackendPID(other));
	number(conn, sql);
	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL),
	    AFTERWORK_UNAVAILABLE, "a connection that is lost");
	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL),
	    AFTERWORK_UNAVAILABLE, "and stays lost");
	is_text(afterwork_sqlstate(aw), "", "whatever was stored");
	afterwork_close(aw);
	PQfinish(other);
	afterwork_close(NULL);
}

static void
test_schema(PGconn *conn)
{
	struct afterwork *aw;
	struct afterwork_job job = plain();
	char text[1024];
	PGconn *bare;

	snprintf(text, sizeof(text), "%s%sdbname=template1", url,
	    strchr(url, '?') != NULL ? "&" : "?");
	bare = PQconnectdb(text);
	if (PQstatus(bare) != CONNECTION_OK) {
		/* Only the stack's own database may be entered. */
		ok(PQstatus(conn) == CONNECTION_OK, "# SKIP no other database");
		PQfinish(bare);
		return;
	}
	aw = afterwork_adopt(bare);
	is_code(aw, afterwork_enqueue(aw, &job, NULL, NULL), AFTERWORK_SCHEMA,
	    "a database without afterwork");
	afterwork_close(aw);
	PQfinish(bare);
}

static void *
enqueue_some(void *arg)
{
	struct afterwork *aw = afterwork_open(url);
	struct afterwork_job job = plain();
	int *good = arg;

	for (int i = 0; i < JOBS_EACH; i++)
		*good += afterwork_enqueue(aw, &job, NULL, NULL) == 0;
	afterwork_close(aw);
	return NULL;
}

static void
test_threads(PGconn *conn)
{
	pthread_t threads[THREADS];
	int good[THREADS] = { 0 };
	int64_t before = waiting(conn);

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, enqueue_some, &good[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		is_int(good[i], JOBS_EACH, "all of a thread's");
	}
	is_int(waiting(conn), before + THREADS * JOBS_EACH, "are there");
}

static void
test_wake(void)
{
	struct afterwork *aw = afterwork_open(url);

	unsetenv("RUNTIME_DIRECTORY");
	is_code(aw, afterwork_wake(aw), AFTERWORK_INVALID,
	    "without the folder nobody is woken");
	is_text(afterwork_field(aw), "RUNTIME_DIRECTORY", "and it is named");
	is_int(afterwork_wake(NULL), AFTERWORK_INVALID, "nor without a handle");
	afterwork_close(aw);
}

int
main(void)
{
	char sql[300];
	PGconn *conn;

	url = getenv("TEST_DATABASE_URL");
	if (url == NULL || url[0] == '\0')
		return skip_all("TEST_DATABASE_URL is not set");
	snprintf(queue, sizeof(queue), "library-%d", (int)getpid());
	conn = PQconnectdb(url);
	snprintf(sql, sizeof(sql),
	    "INSERT INTO afterwork.queue (name, paused) VALUES ('%s', true)",
	    queue);
	ok(number(conn, sql) == 0, "a queue of the test's own");
	test_adopted(conn);
	test_refused(conn);
	test_newer(conn);
	test_options(conn);
	test_many(conn);
	test_transaction(conn);
	test_busy(conn);
	test_rights(conn);
	test_elsewhere(conn);
	test_schema(conn);
	test_threads(conn);
	test_wake();
	snprintf(sql, sizeof(sql),
	    "DELETE FROM afterwork.job WHERE queue = '%s'; DELETE FROM "
	    "afterwork.queue WHERE name = '%s'",
	    queue, queue);
	ok(number(conn, sql) == 0, "clean");
	PQfinish(conn);
	return done();
}
