/* The pinger's minutes, on clocks that behave and clocks that jump. */
#include "deploy/command/minute.h"

#include "tests/unit/tap.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* 2026-11-23T08:15:00Z */
#define START_MS INT64_C(1795421700000)

/* What happens to the wall clock at some real moment. */
struct jump {
	int64_t at_ms;
	int64_t by_ms;
};

struct result {
	int rounds;           /* in all */
	int64_t least_gap_ms; /* real time between two */
	int64_t latest_ms;    /* most that a round began after its minute */
	int64_t last_utc_s;
	int looks; /* how often it woke */
};

/* Run the pinger's loop for real_ms from second offset of a minute. */
static struct result
play(int64_t offset_ms, int64_t real_ms, const struct jump *jumps, size_t n)
{
	struct result r = { .least_gap_ms = INT64_MAX };
	int64_t wall = START_MS + offset_ms, mono = 5 * HOUR;
	int64_t end = mono + real_ms, last = -1, utc_s;
	struct minute m;
	size_t next = 0;

	minute_init(&m, wall, mono);
	while (mono < end) {
		int64_t wait;

		r.looks++;
		if (minute_begun(&m, wall, mono, &utc_s)) {
			int64_t late = wall - utc_s * SECOND;

			r.rounds++;
			r.last_utc_s = utc_s;
			if (late > r.latest_ms)
				r.latest_ms = late;
			if (last >= 0 && mono - last < r.least_gap_ms)
				r.least_gap_ms = mono - last;
			last = mono;
		}
		wait = minute_wait_ms(&m, wall, mono);
		mono += wait;
		wall += wait;
		for (; next < n && mono - 5 * HOUR >= jumps[next].at_ms; next++)
			wall += jumps[next].by_ms;
	}
	return r;
}

static void
test_steady(void)
{
	struct result r = play(5 * SECOND, HOUR, NULL, 0);

	is_int(r.rounds, 60, "an hour has 60 rounds");
	is_int(r.least_gap_ms, MINUTE, "a minute apart");
	is_int(r.latest_ms, 0, "each at the start of its minute");
	ok(r.looks <= 61, "it wakes once a minute (%d)", r.looks);

	r = play(59990, HOUR, NULL, 0);
	is_int(r.rounds, 60, "begun 10 ms before a minute: it is not missed");
	r = play(0, 30 * SECOND, NULL, 0);
	is_int(r.rounds, 0, "the minute that runs at the start is left alone");
}

static void
test_jumps(void)
{
	static const struct jump ahead[] = { { 30 * MINUTE, 5 * HOUR } };
	static const struct jump back[] = { { 30 * MINUTE, -5 * HOUR } };
	static const struct jump little[] = { { 10 * MINUTE, -2 * SECOND },
		{ 20 * MINUTE, 2 * SECOND }, { 30 * MINUTE, -40 * SECOND } };
	struct jump wild[600];
	struct result r;

	r = play(5 * SECOND, HOUR, ahead, LEN(ahead));
	ok(r.rounds >= 59 && r.rounds <= 61,
	    "five hours ahead: no burst (%d rounds)", r.rounds);
	ok(r.least_gap_ms >= MINUTE_GAP_MS, "and no two close together");
	is_int(r.last_utc_s, START_MS / SECOND + 6 * 3600,
	    "and it goes on in the new time");

	r = play(5 * SECOND, HOUR, back, LEN(back));
	ok(r.rounds >= 59 && r.rounds <= 61,
	    "five hours back: it does not stop (%d rounds)", r.rounds);

	r = play(5 * SECOND, HOUR, little, LEN(little));
	ok(r.rounds >= 59 && r.rounds <= 61, "small corrections (%d rounds)",
	    r.rounds);
	ok(r.least_gap_ms >= MINUTE_GAP_MS, "and no two close together");

	for (size_t i = 0; i < LEN(wild); i++)
		wild[i] = (struct jump){ (int64_t)i * 6 * SECOND,
			i % 2 == 0 ? HOUR : -HOUR - 7 * SECOND };
	r = play(5 * SECOND, HOUR, wild, LEN(wild));
	ok(r.rounds <= HOUR / MINUTE_GAP_MS,
	    "a clock gone wild makes no burst (%d rounds)", r.rounds);
	ok(r.least_gap_ms >= MINUTE_GAP_MS, "and no two close together");
}

int
main(void)
{
	struct minute m;
	int64_t utc_s;

	test_steady();
	test_jumps();
	minute_init(&m, START_MS, 0);
	is_int(minute_wait_ms(&m, START_MS, 0), MINUTE, "waits a whole minute");
	is_int(minute_wait_ms(&m, START_MS + 59999, 0), 1, "or its last ms");
	ok(minute_begun(&m, START_MS + MINUTE, MINUTE, &utc_s), "a round");
	is_int(utc_s, START_MS / SECOND + 60, "of the right minute");
	ok(!minute_begun(&m, START_MS + MINUTE, MINUTE, &utc_s),
	    "is told once");
	/* A machine that slept: many minutes, one round. */
	ok(minute_begun(&m, START_MS + HOUR, HOUR, &utc_s), "after a sleep");
	ok(!minute_begun(&m, START_MS + HOUR + 1, HOUR + 1, &utc_s),
	    "there is one round, not sixty");
	return done();
}
