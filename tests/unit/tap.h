/*
 * TAP for unit tests: one line a case, the plan at the end.
 *
 *	ok(x > 0, "x is positive");
 *	is_int(got, 3, "%s has three", name);
 *	is_text(got, "abc", "the text comes back");
 *	return done();
 *
 * Header only: each test is a program of its own.
 */
#ifndef AFTERWORK_TESTS_TAP_H
#define AFTERWORK_TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>

#include "common/base/base.h"

static int tap_count UNUSED;
static int tap_failed UNUSED;

PRINTF(2, 0)
static inline void
tap_vline(bool good, const char *fmt, va_list ap)
{
	if (!good)
		tap_failed++;
	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
}

/* Returns cond, so that a case can stop where going on makes no sense. */
static inline bool UNUSED PRINTF(2, 3) ok(bool cond, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vline(cond, fmt, ap);
	va_end(ap);
	return cond;
}

static inline bool UNUSED PRINTF(3, 4)
    is_int(int64_t got, int64_t want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vline(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("#      got: %" PRId64 "\n# expected: %" PRId64 "\n",
		    got, want);
	return got == want;
}

/* NULL equals NULL only. */
static inline bool UNUSED PRINTF(3, 4)
    is_text(const char *got, const char *want, const char *fmt, ...)
{
	bool same = got == want ||
		    (got != NULL && want != NULL && strcmp(got, want) == 0);
	va_list ap;

	va_start(ap, fmt);
	tap_vline(same, fmt, ap);
	va_end(ap);
	if (!same)
		printf("#      got: %s\n# expected: %s\n",
		    got == NULL ? "(null)" : got,
		    want == NULL ? "(null)" : want);
	return same;
}

/* A remark that harness and reader see, and that decides nothing. */
static inline void UNUSED PRINTF(1, 2) diag(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* The whole program has nothing to test here. */
static inline int UNUSED
skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	return 0;
}

/* The plan; main's result. */
static inline int UNUSED
done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed == 0 && tap_count > 0 ? 0 : 1;
}

#endif
