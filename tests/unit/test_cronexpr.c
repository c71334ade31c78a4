/*
 * Cron expressions: what is one, which minutes match, which comes next.
 * Times are checked against libc's calendar, which cronexpr does not use.
 */
#include "common/parse/cronexpr.h"

#include "tests/unit/tap.h"

/* "2026-11-23 08:15:00" as seconds since 1970 UTC. */
static int64_t
at(const char *text)
{
	struct tm tm = { 0 };

	if (strptime(text, "%Y-%m-%d %H:%M:%S", &tm) == NULL)
		abort();
	return timegm(&tm);
}

static void
test_taken(void)
{
	static const char *const good[] = {
		"* * * * *",
		"0 0 1 1 *",
		"0 0 * * 0",
		"0 0 * * 7",
		"59 23 31 12 *",
		"*/5 * * * *",
		"*/90 * * * *",
		"0-30 * * * *",
		"0-59/7 * * * *",
		"5/15 * * * *",
		"1,2,3-5,*/20 * * * *",
		"05 08 * * *",
		"0 7 * * 1-5",
		"0 0 29 2 *",
		"0 0 30 2,4 *",
		"0 0 * */3 *",
		"  0 \t 0  * * *  ",
	};
	struct cronexpr c;

	for (size_t i = 0; i < LEN(good); i++) {
		struct err e = { 0 };

		ok(cronexpr_parse(good[i], &c, &e), "\"%s\" is taken%s",
		    good[i], e.msg);
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *text, *names;
	} bad[] = {
		{ "", "five fields" },
		{ "* * * *", "five fields" },
		{ "* * * * * *", "five fields" },
		{ "@daily", "five fields" },
		{ "60 * * * *", "minute" },
		{ "-1 * * * *", "minute" },
		{ "1- * * * *", "minute" },
		{ "1-2-3 * * * *", "minute" },
		{ "30-10 * * * *", "minute" },
		{ "*/0 * * * *", "minute" },
		{ "*/ * * * *", "minute" },
		{ "*/-5 * * * *", "minute" },
		{ "*/5/5 * * * *", "minute" },
		{ "/5 * * * *", "minute" },
		{ "*-5 * * * *", "minute" },
		{ "** * * * *", "minute" },
		{ "1, * * * *", "minute" },
		{ ",1 * * * *", "minute" },
		{ "1,,2 * * * *", "minute" },
		{ "+1 * * * *", "minute" },
		{ "1.5 * * * *", "minute" },
		{ "001 * * * *", "minute" },
		{ "4294967297 * * * *", "minute" },
		{ "x * * * *", "minute" },
		{ "* 24 * * *", "hour" },
		{ "* * 0 * *", "day of month" },
		{ "* * 32 * *", "day of month" },
		{ "* * L * *", "day of month" },
		{ "* * 15W * *", "day of month" },
		{ "* * ? * *", "day of month" },
		{ "* * * 0 *", "month" },
		{ "* * * 13 *", "month" },
		{ "* * * JAN *", "month" },
		{ "* * * * 8", "weekday" },
		{ "* * * * MON", "weekday" },
		{ "* * * * 1#2", "weekday" },
		{ "* * 1 * 1", "weekday" },
		{ "* * */2 * */2", "weekday" },
		{ "0 0 30 2 *", "never" },
		{ "0 0 31 2,4,6,9,11 *", "never" },
	};
	struct cronexpr c = { .minute = 77 };

	for (size_t i = 0; i < LEN(bad); i++) {
		struct err e = { 0 };

		c.minute = 77;
		ok(!cronexpr_parse(bad[i].text, &c, &e) &&
			e.code == ERR_INVALID && c.minute == 77,
		    "\"%s\" is refused", bad[i].text);
		ok(strstr(e.msg, bad[i].names) != NULL,
		    "and the message has \"%s\": %s", bad[i].names, e.msg);
	}
}

static void
test_next(void)
{
	static const struct {
		const char *text, *from, *want;
	} cases[] = {
		{ "* * * * *", "2026-11-23 08:15:00", "2026-11-23 08:16:00" },
		{ "* * * * *", "2026-11-23 08:15:59", "2026-11-23 08:16:00" },
		{ "15 8 * * *", "2026-11-23 08:14:59", "2026-11-23 08:15:00" },
		{ "15 8 * * *", "2026-11-23 08:15:00", "2026-11-24 08:15:00" },
		{ "0 0 * * *", "2026-12-31 23:59:30", "2027-01-01 00:00:00" },
		{ "59 23 * * *", "2026-11-23 23:59:00", "2026-11-24 23:59:00" },
		{ "*/20 * * * *", "2026-11-23 08:41:00",
		    "2026-11-23 09:00:00" },
		{ "5/15 * * * *", "2026-11-23 08:00:00",
		    "2026-11-23 08:05:00" },
		{ "5/15 * * * *", "2026-11-23 08:50:00",
		    "2026-11-23 09:05:00" },
		{ "0 7 * * 1-5", "2026-11-20 07:00:00", "2026-11-23 07:00:00" },
		{ "0 0 * * 0", "2026-11-23 00:00:00", "2026-11-29 00:00:00" },
		{ "0 0 * * 7", "2026-11-23 00:00:00", "2026-11-29 00:00:00" },
		{ "0 0 * * 5/2", "2026-11-23 00:00:00", "2026-11-27 00:00:00" },
		{ "0 0 31 * *", "2026-11-23 00:00:00", "2026-12-31 00:00:00" },
		{ "0 0 31 * *", "2027-01-31 00:00:00", "2027-03-31 00:00:00" },
		{ "0 0 29 2 *", "2026-11-23 00:00:00", "2028-02-29 00:00:00" },
		{ "0 0 29 2 *", "2096-02-29 00:00:00", "2104-02-29 00:00:00" },
		{ "59 23 29 2 *", "2096-02-29 23:59:00",
		    "2104-02-29 23:59:00" },
		{ "0 0 1 3 *", "2100-02-28 12:00:00", "2100-03-01 00:00:00" },
		{ "0 0 1 1 *", "1969-06-01 00:00:00", "1970-01-01 00:00:00" },
		{ "30 6 1 1 *", "1599-12-31 23:59:59", "1600-01-01 06:30:00" },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct cronexpr c = { 0 };
		struct err e = { 0 };
		int64_t got = 0;

		if (!ok(cronexpr_parse(cases[i].text, &c, &e), "\"%s\" parses",
			cases[i].text))
			continue;
		ok(cronexpr_next(&c, at(cases[i].from), &got),
		    "and comes after %s", cases[i].from);
		is_int(got, at(cases[i].want), "namely at %s", cases[i].want);
		ok(cronexpr_matches(&c, got), "which matches");
	}
}

/* Day of month and weekday, as a crontab has them. */
static void
test_both_days(void)
{
	static const struct {
		const char *text, *from, *want;
	} cases[] = {
		/* Neither begins with a star: the 13th, and fridays. */
		{ "0 7 13 * 5", "2026-11-12 07:00:00", "2026-11-13 07:00:00" },
		{ "0 7 13 * 5", "2026-11-13 07:00:00", "2026-11-20 07:00:00" },
		{ "0 7 13 * 5", "2026-12-11 07:00:00", "2026-12-13 07:00:00" },
		{ "0 0 30 2 1", "2026-02-23 00:00:00", "2027-02-01 00:00:00" },
		{ "0 0 1-31 * 0", "2026-11-23 00:00:00",
		    "2026-11-24 00:00:00" },
		/* One does: mondays with an odd date. */
		{ "0 7 */2 * 1", "2026-11-23 06:00:00", "2026-11-23 07:00:00" },
		{ "0 7 */2 * 1", "2026-11-23 07:00:00", "2026-12-07 07:00:00" },
		{ "0 7 13 * */5", "2026-02-13 07:00:00",
		    "2026-03-13 07:00:00" },
		{ "0 0 29 2 */7", "2088-02-29 00:00:00",
		    "2128-02-29 00:00:00" },
		/* Only one is given: as Vercel has it. */
		{ "0 7 13 * *", "2026-11-13 07:00:00", "2026-12-13 07:00:00" },
		{ "0 7 * * 5", "2026-11-13 07:00:00", "2026-11-20 07:00:00" },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct cronexpr c = { 0 };
		struct err e = { 0 };
		int64_t got = 0;

		if (!ok(cronexpr_parse_crontab(cases[i].text, &c, &e),
			"a crontab may have \"%s\"%s", cases[i].text, e.msg))
			continue;
		ok(cronexpr_next(&c, at(cases[i].from), &got),
		    "and it comes after %s", cases[i].from);
		is_int(got, at(cases[i].want), "namely at %s", cases[i].want);
		ok(cronexpr_matches(&c, got), "which matches");
	}
}

/* The same question asked of libc. */
static bool
libc_matches(const struct cronexpr *c, int64_t utc_s)
{
	time_t t = (time_t)utc_s;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL)
		abort();
	return (c->minute >> tm.tm_min & 1) && (c->hour >> tm.tm_hour & 1) &&
	       (c->day >> tm.tm_mday & 1) &&
	       (c->month >> (tm.tm_mon + 1) & 1) &&
	       (c->weekday >> tm.tm_wday & 1);
}

/* Every half hour of a span, matches and next against libc. */
static void
test_span(const char *text, const char *from, const char *to)
{
	int64_t end = at(to), next = at(from);
	struct cronexpr c = { 0 };
	struct err e = { 0 };
	int wrong = 0, hits = 0;

	if (!ok(cronexpr_parse(text, &c, &e), "\"%s\" parses", text))
		return;
	for (int64_t t = at(from); t < end; t += 1800) {
		bool hit = libc_matches(&c, t);

		hits += hit;
		wrong += cronexpr_matches(&c, t + 29) != hit;
		if (!hit)
			continue;
		if (!cronexpr_next(&c, t - 1, &next) || next != t)
			wrong++;
	}
	is_int(
	    wrong, 0, "\"%s\" agrees with libc from %s to %s", text, from, to);
	ok(hits > 0, "in %d hits", hits);
}

static void
test_out_of_range(void)
{
	struct cronexpr c = { 0 };
	struct err e = { 0 };
	int64_t got = 77;

	if (!ok(cronexpr_parse("* * * * *", &c, &e), "every minute"))
		return;
	ok(!cronexpr_next(&c, INT64_MAX, &got) && got == 77,
	    "nothing comes after the last second");
	ok(!cronexpr_next(&c, INT64_MIN, &got) && got == 77,
	    "nor after the first");
}

int
main(void)
{
	test_taken();
	test_refused();
	test_next();
	test_both_days();
	test_span(
	    "0,30 */5 * * *", "1899-12-01 00:00:00", "1904-03-02 00:00:00");
	test_span("0 12 29 2 *", "1960-01-01 00:00:00", "2013-01-01 00:00:00");
	test_span(
	    "30 0-6 * 1,2,3 2,4", "2096-01-01 00:00:00", "2105-01-01 00:00:00");
	test_out_of_range();
	return done();
}
