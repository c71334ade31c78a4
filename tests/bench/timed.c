/*
 * timed: how long a statement takes, bare.
 *
 *	timed DATABASE-URL SQL VALUE…
 *
 * For each VALUE: BEGIN, the prepared statement with it as $1 (this is what
 * is timed), COMMIT.  Prints the median in microseconds.
 */
#include "tests/bench/bench.h"

int
main(int argc, char **argv)
{
	int64_t *took = calloc((size_t)argc, sizeof(*took));
	size_t n = 0;
	PGconn *db;

	if (argc < 4 || took == NULL)
		return 64;
	db = bench_connect(argv[1]);
	bench_prepare(db, "it", argv[2]);
	for (int i = 3; i < argc; i++) {
		const char *args[] = { argv[i] };
		int64_t start_us;

		bench_do(db, "BEGIN");
		start_us = bench_now_us();
		PQclear(bench_run(db, "it", 1, args));
		took[n++] = bench_now_us() - start_us;
		bench_do(db, "COMMIT");
	}
	bench_sort(took, n);
	printf("%" PRId64 "\n", bench_percentile(took, n, 50));
	free(took);
	PQfinish(db);
	return 0;
}
