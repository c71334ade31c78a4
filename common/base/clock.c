/*
 * Time.  Calendar texts are made by hand from day numbers: strftime() would
 * bring the locale and the time zone of whoever started the process.
 */
#include "common/base/clock.h"

enum { DAY_S = 86400 };

static int64_t
clock_us(clockid_t id)
{
	struct timespec t;

	/* Cannot fail for the two clocks used here. */
	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t
clock_mono_ms(void)
{
	return clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_wall_s(void)
{
	return clock_us(CLOCK_REALTIME) / 1000000;
}

int64_t
clock_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

/* Quotient rounded down, so that times before 1970 come out right. */
static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

struct calendar {
	int64_t year;
	int month, day; /* from 1 */
	int hour, minute, second;
	int weekday; /* 0 is Sunday */
};

/*
 * Count years from March, so that the leap day is the last of its year; a
 * Gregorian era of 400 years has 146097 days.
 */
static struct calendar
calendar_of(int64_t wall_s)
{
	int64_t days = floor_div(wall_s, DAY_S);
	int rest = (int)(wall_s - days * DAY_S);
	int64_t shifted = days + 719468; /* days since 1 March of year 0 */
	int64_t era = floor_div(shifted, 146097);
	int64_t doe = shifted - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int mp = (int)((5 * doy + 2) / 153); /* 0 is March */
	int month = mp < 10 ? mp + 3 : mp - 9;

	return (struct calendar){
		.year = era * 400 + yoe + (month <= 2 ? 1 : 0),
		.month = month,
		.day = (int)doy - (153 * mp + 2) / 5 + 1,
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
		.weekday = (int)(days + 4 - floor_div(days + 4, 7) * 7),
	};
}

void
clock_iso(int64_t wall_us, char ret[static CLOCK_ISO_MAX])
{
	int64_t s = floor_div(wall_us, 1000000);
	struct calendar c = calendar_of(s);

	snprintf(ret, CLOCK_ISO_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    (int)c.year, c.month, c.day, c.hour, c.minute, c.second,
	    (int)((wall_us - s * 1000000) / 1000));
}

void
clock_http(int64_t wall_s, char ret[static CLOCK_HTTP_MAX])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct calendar c = calendar_of(wall_s);

	snprintf(ret, CLOCK_HTTP_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT",
	    days[c.weekday], c.day, months[c.month - 1], (int)c.year, c.hour,
	    c.minute, c.second);
}
