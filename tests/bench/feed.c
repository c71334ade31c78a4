/*
 * feed: run one statement again and again, at a steady pace.
 *
 *	feed [-w] RATE N DATABASE-URL SQL
 *
 * N times, RATE a second.  One that is late does not wait, so that the rate
 * holds in the mean.  With -w it wakes a runner after each (after_wake(), as
 * every way in does): of the folder RUNTIME_DIRECTORY.
 *
 * Prints how many a second it were.
 */
#include <string.h>

#include "common/runner/after.h"
#include "tests/bench/bench.h"

static void
wake(void)
{
	struct err e = { 0 };

	if (!after_wake(&e))
		bench_die("%s", e.msg);
}

static void
feed(PGconn *db, int64_t rate, int64_t n, bool waking)
{
	int64_t start_us = bench_now_us();

	for (int64_t i = 0; i < n; i++) {
		bench_sleep_us(start_us + i * 1000000 / rate - bench_now_us());
		PQclear(bench_run(db, "it", 0, NULL));
		if (waking)
			wake();
	}
	printf("%.1f\n", (double)n * 1e6 / (double)(bench_now_us() - start_us));
}

int
main(int argc, char **argv)
{
	bool waking = argc > 1 && strcmp(argv[1], "-w") == 0;
	PGconn *db;

	if (argc != 5 + waking)
		return 64;
	argv += waking;
	db = bench_connect(argv[3]);
	bench_prepare(db, "it", argv[4]);
	feed(db, bench_number(argv[1], 1, 100000),
	    bench_number(argv[2], 1, 100000000), waking);
	PQfinish(db);
	return 0;
}
