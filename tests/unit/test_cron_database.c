/*
 * Cron expressions are read twice: here, so that a refusal can say which line
 * of which file, and by the database, which knows the zones.  In UTC both must
 * find the same slots.
 */
#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/parse/cronexpr.h"
#include "tests/unit/tap.h"

enum { RANDOM_CASES = 400, TEXT_MAX = 128 };

#define NEVER  INT64_C(-1)
#define FROM_S INT64_C(1577836800) /* 2020-01-01 */
#define SPAN_S INT64_C(2840140800) /* 90 years: across 2100 */

static uint32_t seed = 20260720;

static int
draw(int below)
{
	seed = seed * 1664525 + 1013904223;
	return (int)((seed >> 8) % (uint32_t)below);
}

static const char SQL_NEXT[] =
    "SELECT CASE WHEN isfinite(n.at)\n"
    "    THEN extract(epoch FROM n.at)::bigint ELSE -1 END\n"
    "FROM afterwork.cron_next(afterwork.cron_parse($1::text), 'UTC',\n"
    "    to_timestamp($2::bigint)) AS n (at)";

/* NEVER: refused, or there is none. */
static int64_t
database_next(struct db *db, const char *text, int64_t from_s)
{
	const struct arg from = arg_int(from_s);
	const char *const args[] = { text, from.s };
	AUTO_ROWS *rows = NULL;
	struct err e = { 0 };

	if (db_query(db, "next", SQL_NEXT, LEN(args), args, &rows, &e))
		return db_int(rows, 0, 0);
	if (e.code != ERR_INVALID)
		diag("%s: %s", text, e.msg);
	return e.code == ERR_INVALID ? NEVER : INT64_MIN;
}

static int64_t
own_next(const char *text, int64_t from_s)
{
	struct cronexpr c;
	struct err e = { 0 };
	int64_t at_s;

	if (!cronexpr_parse_crontab(text, &c, &e))
		return NEVER;
	return cronexpr_next(&c, from_s, &at_s) ? at_s : INT64_MIN;
}

static void
is_agreed(struct db *db, const char *text, int64_t from_s)
{
	is_int(database_next(db, text, from_s), own_next(text, from_s),
	    "\"%s\" after %" PRId64, text, from_s);
}

/* One field: "*", a number, a range, each perhaps stepped, perhaps a list. */
static void
draw_field(char *ret, int min, int max)
{
	int first = min + draw(max - min + 1);
	int last = first + draw(max - first + 1);
	int n;

	switch (draw(8)) {
	case 0:
		n = snprintf(ret, TEXT_MAX, "%d", first);
		break;
	case 1:
		n = snprintf(ret, TEXT_MAX, "%d-%d", first, last);
		break;
	case 2:
		n = snprintf(
		    ret, TEXT_MAX, "%d-%d/%d", first, last, 1 + draw(5));
		break;
	case 3:
		n = snprintf(ret, TEXT_MAX, "%d/%d", first, 1 + draw(9));
		break;
	case 4:
		n = snprintf(ret, TEXT_MAX, "%d,%d", first, last);
		break;
	case 5:
		n = snprintf(ret, TEXT_MAX, "*/%d", 1 + draw(40));
		break;
	default:
		n = snprintf(ret, TEXT_MAX, "*");
	}
	if (n < 0 || n >= TEXT_MAX)
		abort();
}

static void
test_random(struct db *db)
{
	static const int bounds[][2] = { { 0, 59 }, { 0, 23 }, { 1, 31 },
		{ 1, 12 }, { 0, 7 } };

	for (int i = 0; i < RANDOM_CASES; i++) {
		char f[LEN(bounds)][TEXT_MAX], text[LEN(bounds) * TEXT_MAX];

		for (size_t k = 0; k < LEN(bounds); k++)
			draw_field(f[k], bounds[k][0], bounds[k][1]);
		(void)snprintf(text, sizeof(text), "%s %s %s %s %s", f[0], f[1],
		    f[2], f[3], f[4]);
		is_agreed(
		    db, text, FROM_S + SPAN_S / RANDOM_CASES * i + draw(86400));
	}
}

static void
test_refused(struct db *db)
{
	static const char *const bad[] = { "", "* * * *", "* * * * * *",
		"60 * * * *", "-1 * * * *", "1- * * * *", "1-2-3 * * * *",
		"30-10 * * * *", "*/0 * * * *", "*/ * * * *", "*-5 * * * *",
		"** * * * *", "1, * * * *", ",1 * * * *", "1,,2 * * * *",
		"+1 * * * *", "001 * * * *", "x * * * *", "* 24 * * *",
		"* * 0 * *", "* * 32 * *", "* * L * *", "* * * 13 *",
		"* * * * 8", "* * * * MON", "0 0 30 2 *", "0 0 31 2,4,6,9,11 *",
		"0 0 30 2 */2" };

	for (size_t i = 0; i < LEN(bad); i++) {
		is_int(own_next(bad[i], FROM_S), NEVER, "\"%s\" is refused",
		    bad[i]);
		is_agreed(db, bad[i], FROM_S);
	}
}

static void
test_chosen(struct db *db)
{
	static const char *const good[] = { "* * * * *", "0 0 29 2 *",
		"59 23 31 12 *", "0 0 29 2 */6", "0 0 30 2 1", "0 0 31 4 0,7",
		"0 0 * * 7", "0 0 * * 5/2", "0 7 1-7 * 1", "0 7 */2 * 1",
		"0 7 1 * */2", "5/15 * * * *", "*/90 * * * *" };

	for (size_t i = 0; i < LEN(good); i++)
		for (int k = 0; k < 4; k++)
			is_agreed(db, good[i], FROM_S + SPAN_S / 4 * k);
}

int
main(void)
{
	const char *url = getenv("TEST_DATABASE_URL");
	AUTO_DB *db = NULL;

	if (url == NULL || url[0] == '\0')
		return skip_all("TEST_DATABASE_URL is not set");
	db = db_new(url, false, "test");
	test_refused(db);
	test_chosen(db);
	test_random(db);
	return done();
}
