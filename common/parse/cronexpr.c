/*
 * Cron expressions.  A parsed field is a set of bits; looking for the next
 * time walks days (a day is out at once when its month, day or weekday is)
 * and reads hour and minute off the bits.
 */
#include "common/parse/cronexpr.h"

#include "common/base/num.h"

enum {
	MINUTE_S = 60,
	HOUR_S = 60 * MINUTE_S,
	DAY_S = 24 * HOUR_S,
	EPOCH_WEEKDAY = 4,   /* 1970-01-01 was a Thursday */
	CYCLE_DAYS = 146097, /* the calendar repeats after 400 years */
	DAYS_1600_1970 = 135140,
	SEARCH_DAYS = 41 * 366, /* 29 February on one weekday, across 2100 */
	FEBRUARY = 2,
};

/* What times are looked at: some 30 million years either way. */
#define TIME_MAX_S INT64_C(1000000000000000)

struct field {
	const char *name;
	int min;
	int max;  /* of a number in the text */
	int last; /* of '*' and of a start without an end */
};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, NFIELDS };

static const struct field fields[NFIELDS] = {
	[MINUTE] = { "minute", 0, 59, 59 },
	[HOUR] = { "hour", 0, 23, 23 },
	[DAY] = { "day of month", 1, 31, 31 },
	[MONTH] = { "month", 1, 12, 12 },
	[WEEKDAY] = { "weekday", 0, 7, 6 },
};

struct text {
	const char *p;
	size_t n;
};

/* A day of the calendar, and its number since 1970-01-01. */
struct date {
	int64_t number;
	int64_t year; /* within its cycle: only leap years matter */
	int month;
	int day;
};

/* Up to the first c, which *rest then stands behind; all when there is
 * none (*ret_found false). */
static struct text
split(struct text *rest, char c, bool *ret_found)
{
	const char *at = rest->n == 0 ? NULL : memchr(rest->p, c, rest->n);
	struct text head = { rest->p,
		at == NULL ? rest->n : (size_t)(at - rest->p) };
	size_t used = head.n + (at != NULL);

	*ret_found = at != NULL;
	rest->p += used;
	rest->n -= used;
	return head;
}

static bool
field_fail(const struct field *f, struct err *e)
{
	return err_fail(e, ERR_INVALID,
	    "The cron expression's %s is not valid: numbers from %d to %d, "
	    "\"*\", \",\", \"-\" and \"/\" are allowed.",
	    f->name, f->min, f->max);
}

static bool
parse_number(const struct field *f, struct text t, int64_t *ret, struct err *e)
{
	if (t.n > 2 || !num_parse(t.p, t.n, f->min, f->max, ret))
		return field_fail(f, e);
	return true;
}

/* "*", "n", "n-m", each with "/step": a start without an end goes to the
 * last where it has a step. */
static bool
parse_item(
    const struct field *f, struct text item, uint64_t *bits, struct err *e)
{
	bool stepped, ranged = false;
	struct text range = split(&item, '/', &stepped);
	int64_t from = f->min, to = f->last, step = 1;

	if (stepped && !num_parse(item.p, item.n, 1, 9999, &step))
		return err_fail(e, ERR_INVALID,
		    "The cron expression's %s has a step that is not a "
		    "number from 1 up.",
		    f->name);
	if (range.n != 1 || *range.p != '*') {
		struct text start = split(&range, '-', &ranged);

		if (!parse_number(f, start, &from, e))
			return false;
		if (ranged && !parse_number(f, range, &to, e))
			return false;
		if (!ranged && (!stepped || from > to))
			to = from;
	}
	if (from > to)
		return err_fail(e, ERR_INVALID,
		    "The cron expression's %s has a range that ends before "
		    "it starts.",
		    f->name);
	for (; from <= to; from += step)
		*bits |= UINT64_C(1) << from;
	return true;
}

static bool
parse_field(const struct field *f, struct text t, uint64_t *ret, struct err *e)
{
	bool more;

	*ret = 0;
	do {
		if (!parse_item(f, split(&t, ',', &more), ret, e))
			return false;
	} while (more);
	return true;
}

static bool
split_fields(const char *s, struct text ret[static NFIELDS], struct err *e)
{
	size_t n = 0;

	for (s += strspn(s, " \t"); *s != '\0'; s += strspn(s, " \t")) {
		size_t len = strcspn(s, " \t");

		if (n < NFIELDS)
			ret[n] = (struct text){ s, len };
		n++;
		s += len;
	}
	if (n != NFIELDS)
		return err_fail(e, ERR_INVALID,
		    "The cron expression needs five fields: minute, hour, day "
		    "of month, month, weekday.");
	return true;
}

static bool
is_star(struct text t)
{
	return t.n == 1 && *t.p == '*';
}

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
month_days(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };

	return days[month - 1] + (month == FEBRUARY && is_leap(year));
}

/* Is there a year with such a day?  (Every weekday comes in every month, and
 * on every date, 29 February too.) */
static bool
ever_comes(const struct cronexpr *c)
{
	if (c->either)
		return true;
	for (int month = 1; month <= 12; month++)
		for (int day = 1; day <= month_days(0, month); day++)
			if ((c->month >> month & 1) && (c->day >> day & 1))
				return true;
	return false;
}

static bool
parse_fields(const struct text texts[static NFIELDS], struct cronexpr *ret,
    struct err *e)
{
	uint64_t bits[NFIELDS];
	struct cronexpr c;

	for (size_t i = 0; i < NFIELDS; i++)
		if (!parse_field(&fields[i], texts[i], &bits[i], e))
			return false;
	c = (struct cronexpr){
		.minute = bits[MINUTE],
		.hour = (uint32_t)bits[HOUR],
		.day = (uint32_t)bits[DAY],
		.month = (uint16_t)bits[MONTH],
		.weekday =
		    (uint8_t)((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f),
		.either = *texts[DAY].p != '*' && *texts[WEEKDAY].p != '*',
	};
	if (!ever_comes(&c))
		return err_fail(e, ERR_INVALID,
		    "The cron expression never comes: no such day of month "
		    "in these months.");
	*ret = c;
	return true;
}

bool
cronexpr_parse_crontab(const char *s, struct cronexpr *ret, struct err *e)
{
	struct text texts[NFIELDS];

	return split_fields(s, texts, e) && parse_fields(texts, ret, e);
}

bool
cronexpr_parse(const char *s, struct cronexpr *ret, struct err *e)
{
	struct text texts[NFIELDS];
	struct cronexpr c;

	if (!split_fields(s, texts, e) || !parse_fields(texts, &c, e))
		return false;
	if (!is_star(texts[DAY]) && !is_star(texts[WEEKDAY]))
		return err_fail(e, ERR_INVALID,
		    "The cron expression has a day of month and a weekday: one "
		    "of them must be \"*\".");
	*ret = c;
	return true;
}

static void
next_day(struct date *d)
{
	d->number++;
	if (++d->day <= month_days(d->year, d->month))
		return;
	d->day = 1;
	if (++d->month <= 12)
		return;
	d->month = 1;
	d->year++;
}

/* The date of a day number: its place within the 400-year cycle that began
 * on 1 January 1600, then whole years, then whole months. */
static struct date
date_of(int64_t number)
{
	int64_t left = (number + DAYS_1600_1970) % CYCLE_DAYS;
	struct date d = { .number = number, .month = 1 };

	if (left < 0)
		left += CYCLE_DAYS;
	while (left >= 365 + is_leap(d.year)) {
		left -= 365 + is_leap(d.year);
		d.year++;
	}
	while (left >= month_days(d.year, d.month)) {
		left -= month_days(d.year, d.month);
		d.month++;
	}
	d.day = (int)left + 1;
	return d;
}

static bool
day_matches(const struct cronexpr *c, const struct date *d)
{
	int64_t weekday = (d->number + EPOCH_WEEKDAY) % 7;
	bool fits_day, fits_weekday;

	if (weekday < 0)
		weekday += 7;
	fits_day = c->day >> d->day & 1;
	fits_weekday = c->weekday >> weekday & 1;
	return (c->month >> d->month & 1) &&
	       (c->either ? fits_day || fits_weekday
			  : fits_day && fits_weekday);
}

/* Day number, and the second of that day in *ret_s. */
static int64_t
split_time(int64_t utc_s, int *ret_s)
{
	int64_t day = utc_s / DAY_S, rest = utc_s % DAY_S;

	if (rest < 0) {
		rest += DAY_S;
		day--;
	}
	*ret_s = (int)rest;
	return day;
}

bool
cronexpr_matches(const struct cronexpr *c, int64_t utc_s)
{
	int s;
	struct date d = date_of(split_time(utc_s, &s));

	return day_matches(c, &d) && (c->hour >> (s / HOUR_S) & 1) &&
	       (c->minute >> (s % HOUR_S / MINUTE_S) & 1);
}

/* The first matching minute of a day from second s on, or -1. */
static int
next_minute(const struct cronexpr *c, int s)
{
	int hour = s / HOUR_S;
	uint64_t minutes = c->minute >> (s % HOUR_S / MINUTE_S)
					    << (s % HOUR_S / MINUTE_S);
	uint32_t hours;

	if ((c->hour >> hour & 1) && minutes != 0)
		return hour * HOUR_S + __builtin_ctzll(minutes) * MINUTE_S;
	hours = hour == 23 ? 0 : c->hour >> (hour + 1) << (hour + 1);
	if (hours == 0)
		return -1;
	return __builtin_ctz(hours) * HOUR_S +
	       __builtin_ctzll(c->minute) * MINUTE_S;
}

bool
cronexpr_next(const struct cronexpr *c, int64_t utc_s, int64_t *ret_s)
{
	int s;
	struct date d;

	if (utc_s < -TIME_MAX_S || utc_s > TIME_MAX_S)
		return false;
	/* from the minute after this one, so that the result is later */
	d = date_of(split_time(utc_s + MINUTE_S, &s));
	for (int i = 0; i <= SEARCH_DAYS; i++, next_day(&d), s = 0) {
		int found = day_matches(c, &d) ? next_minute(c, s) : -1;

		if (found < 0)
			continue;
		*ret_s = d.number * DAY_S + found;
		return true;
	}
	return false;
}
