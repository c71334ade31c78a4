/* How long a failed job waits: every kind, the caps, and the edges of jitter.
 */
#include "common/queue/backoff.h"

#include "tests/unit/tap.h"

#define HUGE_MS INT64_MAX

static const struct {
	struct backoff b;
	int attempt;
	uint32_t random;
	int64_t want;
} cases[] = {
	/* exponential, jitter, delay, max */
	{ { false, false, 1000, 3600000 }, 1, 0, 1000 },
	{ { false, false, 1000, 3600000 }, 2, 0, 1000 },
	{ { false, false, 1000, 3600000 }, 99, 0, 1000 },
	{ { false, false, 5000, 2000 }, 1, 0, 2000 },
	{ { false, false, 0, 2000 }, 1, 0, 0 },
	{ { true, false, 1000, 3600000 }, 1, 0, 1000 },
	{ { true, false, 1000, 3600000 }, 2, 0, 2000 },
	{ { true, false, 1000, 3600000 }, 3, 0, 4000 },
	{ { true, false, 1000, 3600000 }, 12, 0, 2048000 },
	{ { true, false, 1000, 3600000 }, 13, 0, 3600000 },
	{ { true, false, 1000, 3600000 }, 14, 0, 3600000 },
	{ { true, false, 1000, 3600000 }, 64, 0, 3600000 },
	{ { true, false, 1000, 3600000 }, 65, 0, 3600000 },
	{ { true, false, 1000, 3600000 }, INT32_MAX, 0, 3600000 },
	{ { true, false, 1000, 4000 }, 3, 0, 4000 },
	{ { true, false, 1000, 3999 }, 3, 0, 3999 },
	{ { true, false, 5000, 2000 }, 1, 0, 2000 },
	{ { true, false, 1000, 0 }, 5, 0, 0 },
	{ { true, false, 0, 3600000 }, 1, 0, 0 },
	{ { true, false, 0, 3600000 }, 1000000, 0, 0 },
	{ { true, false, 1, HUGE_MS }, 62, 0, INT64_C(1) << 61 },
	{ { true, false, 1, HUGE_MS }, 63, 0, INT64_C(1) << 62 },
	{ { true, false, HUGE_MS, HUGE_MS }, 1, 0, HUGE_MS },
	/* The upper half, whatever the number. */
	{ { true, true, 1000, 3600000 }, 1, 0, 1000 },
	{ { true, true, 1000, 3600000 }, 1, UINT32_MAX, 500 },
	{ { true, true, 1000, 3600000 }, 1, UINT32_MAX / 2, 751 },
	{ { true, true, 1000, 3600000 }, 4, UINT32_MAX, 4000 },
	{ { true, true, 1000, 3600000 }, 40, UINT32_MAX, 1800000 },
	{ { true, true, 1000, 3600000 }, 40, 0, 3600000 },
	{ { false, true, 1000, 3600000 }, 7, UINT32_MAX, 500 },
	{ { true, true, 1, 3600000 }, 1, UINT32_MAX, 1 },
	{ { true, true, 0, 3600000 }, 1, UINT32_MAX, 0 },
};

/* However often it failed, a wait is never negative, never over the cap and
 * never shorter than the one before it. */
static void
never_shorter(const struct backoff *b)
{
	int64_t before = 0;
	bool good = true;

	for (int attempt = 1; attempt <= 200; attempt++) {
		int64_t wait = backoff_ms(b, attempt, 0);

		good = good && wait >= before && wait <= b->max_ms;
		before = wait;
	}
	ok(good,
	    "delay %" PRId64 ", cap %" PRId64 ": 200 waits that never shrink",
	    b->delay_ms, b->max_ms);
}

static void
spread(void)
{
	const struct backoff b = { true, true, 60000, 3600000 };
	int64_t least = INT64_MAX, most = 0, sum = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t random = (uint64_t)UINT32_MAX * i / 999;
		int64_t wait = backoff_ms(&b, 2, (uint32_t)random);

		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
		sum += wait;
	}
	is_int(least, 60000, "no wait is shorter than half");
	is_int(most, 120000, "nor longer than the whole");
	ok(sum / 1000 > 89000 && sum / 1000 < 91000,
	    "and they lie evenly between");
}

int
main(void)
{
	static const struct backoff growing[] = {
		{ true, false, 1000, 3600000 },
		{ true, false, 7, 86400000 },
		{ true, false, 1, HUGE_MS },
		{ true, false, HUGE_MS / 3, HUGE_MS },
	};

	for (size_t i = 0; i < LEN(cases); i++)
		is_int(
		    backoff_ms(&cases[i].b, cases[i].attempt, cases[i].random),
		    cases[i].want,
		    "%s of %" PRId64 " up to %" PRId64 "%s, after execution %d",
		    cases[i].b.exponential ? "exponential" : "fixed",
		    cases[i].b.delay_ms, cases[i].b.max_ms,
		    cases[i].b.jitter ? " with jitter" : "", cases[i].attempt);
	for (size_t i = 0; i < LEN(growing); i++)
		never_shorter(&growing[i]);
	spread();
	return done();
}
