/*
 * listen: the least from a commit to the first statement of its job in a
 * process that is already there.
 *
 *	listen take DATABASE-URL
 *		LISTEN; at each NOTIFY claim one job and note when its first
 *		statement ran in bench.stamp.  Ends with its standard input.
 *	listen send N PAUSE-MS DATABASE-URL
 *		N times: one statement that inserts a job and notifies.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"

static const char SQL_CLAIM[] =
    "UPDATE bench.job SET lease_no = nextval('bench.lease_no'), "
    "	claimed_at = clock_timestamp(), attempts = attempts + 1, "
    "	lease_until = clock_timestamp() + interval '60 s' "
    "WHERE queue = 'default' AND id = (SELECT id FROM bench.job "
    "	WHERE queue = 'default' AND state = 'ready' AND (lease_until IS NULL "
    "		OR lease_until <= statement_timestamp()) "
    "	ORDER BY priority, run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) "
    "RETURNING id, lease_no, input";

static const char SQL_STAMP[] =
    "INSERT INTO bench.stamp (job, at) VALUES ($1::bigint, clock_timestamp())";

static const char SQL_SEND[] =
    "WITH j AS (INSERT INTO bench.job (run_at, state, priority, queue, task, "
    "	input) VALUES (clock_timestamp(), 'ready', 100, 'default', 'noop', "
    "	'{}') RETURNING id) "
    "SELECT pg_notify('bench', j.id::text) FROM j";

static void
take_one(PGconn *db)
{
	PGresult *job = bench_run(db, "claim", 0, NULL);

	if (PQntuples(job) == 1) {
		const char *args[] = { PQgetvalue(job, 0, 0) };

		PQclear(bench_run(db, "stamp", 1, args));
	}
	PQclear(job);
}

static int
take(const char *url)
{
	PGconn *db = bench_connect(url);
	struct pollfd p[] = { { .fd = PQsocket(db), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN } };
	PGnotify *n;

	bench_prepare(db, "claim", SQL_CLAIM);
	bench_prepare(db, "stamp", SQL_STAMP);
	bench_do(db, "LISTEN bench");
	printf("ready\n");
	(void)fflush(stdout);
	while (poll(p, LEN(p), -1) > 0 && p[1].revents == 0) {
		if (PQconsumeInput(db) == 0)
			bench_die("%s", PQerrorMessage(db));
		while ((n = PQnotifies(db)) != NULL) {
			PQfreemem(n);
			take_one(db);
		}
	}
	PQfinish(db);
	return 0;
}

static int
send_all(int64_t n, int64_t pause_us, const char *url)
{
	PGconn *db = bench_connect(url);

	bench_prepare(db, "send", SQL_SEND);
	for (int64_t i = 0; i < n; i++) {
		PQclear(bench_run(db, "send", 0, NULL));
		bench_sleep_us(pause_us);
	}
	PQfinish(db);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "take") == 0)
		return take(argv[2]);
	if (argc == 5 && strcmp(argv[1], "send") == 0)
		return send_all(bench_number(argv[2], 1, 100000),
		    bench_number(argv[3], 0, 60000) * 1000, argv[4]);
	return 64;
}
