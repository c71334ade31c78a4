/* Time as text; clocks that go forward. */
#include "common/base/clock.h"

#include "tests/unit/tap.h"

static const struct {
	int64_t us;
	const char *iso, *http;
} cases[] = {
	{ 0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ 1795421700123999, "2026-11-23T08:15:00.123Z",
	    "Mon, 23 Nov 2026 08:15:00 GMT" },
	{ 951782399999999, "2000-02-28T23:59:59.999Z",
	    "Mon, 28 Feb 2000 23:59:59 GMT" },
	{ 951782400000000, "2000-02-29T00:00:00.000Z",
	    "Tue, 29 Feb 2000 00:00:00 GMT" },
	{ 4107542399000000, "2100-02-28T23:59:59.000Z",
	    "Sun, 28 Feb 2100 23:59:59 GMT" },
	{ 4107542400000000, "2100-03-01T00:00:00.000Z",
	    "Mon, 01 Mar 2100 00:00:00 GMT" },
	{ 1735689599999000, "2024-12-31T23:59:59.999Z",
	    "Tue, 31 Dec 2024 23:59:59 GMT" },
	{ -1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT" },
	{ 253402300799999999, "9999-12-31T23:59:59.999Z",
	    "Fri, 31 Dec 9999 23:59:59 GMT" },
};

static int64_t
floor_s(int64_t us)
{
	return us >= 0 ? us / 1000000 : -((-us + 999999) / 1000000);
}

/* A day at a time over 400 years against libc. */
static bool
agrees_with_libc(void)
{
	char got[CLOCK_HTTP_MAX], want[CLOCK_HTTP_MAX];
	struct tm tm;

	for (int64_t s = 3661; s < INT64_C(400) * 366 * 86400; s += 86400) {
		time_t t = (time_t)s;

		clock_http(s, got);
		gmtime_r(&t, &tm);
		strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		if (strcmp(got, want) != 0) {
			diag("%s instead of %s", got, want);
			return false;
		}
	}
	return true;
}

int
main(void)
{
	char iso[CLOCK_ISO_MAX], http[CLOCK_HTTP_MAX];
	int64_t mono = clock_mono_us(), wall = clock_wall_us();
	struct timespec t = { .tv_nsec = 20000000 };

	for (size_t i = 0; i < LEN(cases); i++) {
		clock_iso(cases[i].us, iso);
		is_text(iso, cases[i].iso, "iso of %s", cases[i].iso);
		clock_http(floor_s(cases[i].us), http);
		is_text(http, cases[i].http, "http of %s", cases[i].iso);
	}
	ok(agrees_with_libc(), "every day of 400 years is as libc has it");

	nanosleep(&t, NULL);
	mono = clock_mono_us() - mono;
	wall = clock_wall_us() - wall;
	ok(mono >= 20000 && mono < 5000000, "20 ms on the monotonic clock");
	ok(wall > 0, "the wall clock goes, too");
	ok(clock_wall_s() == time(NULL) || clock_wall_s() == time(NULL),
	    "seconds since 1970");
	ok(clock_mono_ms() - clock_mono_us() / 1000 <= 1,
	    "milliseconds are microseconds by 1000");
	return done();
}
