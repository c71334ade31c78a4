/*
 * What the bench programs share: time, order statistics, a link to PostgreSQL.
 * Header only: each program is one file beside it.
 */
#ifndef AFTERWORK_TESTS_BENCH_H
#define AFTERWORK_TESTS_BENCH_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <libpq-fe.h>

#include "common/base/base.h"
#include "common/base/num.h"

NORETURN PRINTF(1, 2) static inline void bench_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* The clock that PostgreSQL's clock_timestamp() reads, too. */
static inline int64_t
bench_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline void UNUSED
bench_sleep_us(int64_t us)
{
	struct timespec t = { .tv_sec = us / 1000000,
		.tv_nsec = us % 1000000 * 1000 };

	while (us > 0 && nanosleep(&t, &t) != 0)
		continue;
}

static inline int64_t UNUSED
bench_number(const char *text, int64_t min, int64_t max)
{
	int64_t v;

	if (!num_parse_text(text, min, max, &v))
		bench_die("not a number from %" PRId64 " to %" PRId64 ": %s",
		    min, max, text);
	return v;
}

static inline int
bench_compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static inline void UNUSED
bench_sort(int64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), bench_compare);
}

/* The value below which that many percent of the sorted v lie. */
static inline int64_t UNUSED
bench_percentile(const int64_t *v, size_t n, size_t percent)
{
	size_t at = (n * percent + 99) / 100;

	return v[at == 0 ? 0 : at - 1];
}

static inline PGconn *UNUSED
bench_connect(const char *url)
{
	PGconn *db = PQconnectdb(url);

	if (PQstatus(db) != CONNECTION_OK)
		bench_die("%s", PQerrorMessage(db));
	return db;
}

static inline PGresult *
bench_result(PGconn *db, PGresult *r)
{
	if (PQresultStatus(r) != PGRES_COMMAND_OK &&
	    PQresultStatus(r) != PGRES_TUPLES_OK)
		bench_die("%s", PQerrorMessage(db));
	return r;
}

static inline void UNUSED
bench_do(PGconn *db, const char *sql)
{
	PQclear(bench_result(db, PQexec(db, sql)));
}

static inline void UNUSED
bench_prepare(PGconn *db, const char *name, const char *sql)
{
	PQclear(bench_result(db, PQprepare(db, name, sql, 0, NULL)));
}

static inline PGresult *UNUSED
bench_run(PGconn *db, const char *name, int n, const char *const *args)
{
	return bench_result(
	    db, PQexecPrepared(db, name, n, args, NULL, NULL, 0));
}

#endif
