/*
 * Six bytes of a time in seconds (and, divided, one of our own days),
 * then an expression.
 *
 * - Fields hold no bits that are no times, and at least one.
 * - next() is later, matches, and nothing matches in between.
 * - Written out as numbers, the expression is the same one.
 * - What Vercel takes a crontab takes too, for the same.
 */
#include "common/parse/cronexpr.h"

#include "common/base/buf.h"
#include "tests/fuzz/fuzz.h"

enum { MINUTE_S = 60, LOOK_BACK = 3000 };

static void
check_bits(const struct cronexpr *c)
{
	HOLDS(c->minute != 0 && c->minute >> 60 == 0);
	HOLDS(c->hour != 0 && c->hour >> 24 == 0);
	HOLDS(c->day != 0 && (c->day & 1) == 0);
	HOLDS(c->month != 0 && c->month >> 13 == 0 && (c->month & 1) == 0);
	HOLDS(c->weekday != 0 && c->weekday >> 7 == 0);
}

static void
check_next(const struct cronexpr *c, int64_t from)
{
	int64_t next = 0, after = 0;

	HOLDS(cronexpr_next(c, from, &next));
	HOLDS(next > from && next % MINUTE_S == 0);
	HOLDS(cronexpr_matches(c, next));
	HOLDS(cronexpr_matches(c, next + MINUTE_S - 1));
	for (int i = 1; i <= LOOK_BACK && next - i * MINUTE_S > from; i++)
		HOLDS(!cronexpr_matches(c, next - i * MINUTE_S));
	HOLDS(cronexpr_next(c, next - 1, &after) && after == next);
	HOLDS(cronexpr_next(c, next, &after) && after > next);
}

static void
check_crontab(const char *text, const struct cronexpr *vercel, int64_t from)
{
	struct cronexpr c = { 0 };
	struct err e = { 0 };
	bool taken = cronexpr_parse_crontab(text, &c, &e);

	if (taken) {
		check_bits(&c);
		check_next(&c, from);
	} else
		HOLDS(e.code == ERR_INVALID && e.msg[0] != '\0');
	if (vercel != NULL)
		HOLDS(taken && !c.either && c.minute == vercel->minute &&
		      c.hour == vercel->hour && c.day == vercel->day &&
		      c.month == vercel->month && c.weekday == vercel->weekday);
}

static void
add_field(struct buf *b, uint64_t bits, int first, int last)
{
	uint64_t all = ((UINT64_C(2) << last) - 1) >> first << first;

	if (b->len > 0)
		buf_addc(b, ' ');
	if (bits == all) {
		buf_addc(b, '*');
		return;
	}
	for (int i = first; i <= last; i++)
		if (bits >> i & 1)
			buf_addf(b, "%s%d",
			    b->len == 0 || b->data[b->len - 1] == ' ' ? ""
								      : ",",
			    i);
}

static void
check_written(const struct cronexpr *c)
{
	AUTO_BUF b = BUF_INIT;
	struct cronexpr again;
	struct err e = { 0 };

	add_field(&b, c->minute, 0, 59);
	add_field(&b, c->hour, 0, 23);
	add_field(&b, c->day, 1, 31);
	add_field(&b, c->month, 1, 12);
	add_field(&b, c->weekday, 0, 6);
	HOLDS(cronexpr_parse(b.data, &again, &e));
	HOLDS(again.minute == c->minute && again.hour == c->hour &&
	      again.day == c->day && again.month == c->month &&
	      again.weekday == c->weekday);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cronexpr c = { 0 };
	struct err e = { 0 };
	int64_t from = 0;
	char *text;

	if (size < 6)
		return 0;
	for (size_t i = 0; i < 6; i++)
		from = from * 256 + data[i];
	from -= INT64_C(1) << 47;
	text = strndup((const char *)data + 6, size - 6);
	if (cronexpr_parse(text, &c, &e)) {
		check_bits(&c);
		check_next(&c, from / 1000);
		check_next(&c, from);
		check_written(&c);
		check_crontab(text, &c, from / 1000);
	} else {
		HOLDS(e.code == ERR_INVALID && e.msg[0] != '\0');
		HOLDS(c.minute == 0);
		check_crontab(text, NULL, from / 1000);
	}
	free(text);
	return 0;
}
