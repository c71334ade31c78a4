#include "common/link/filter_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/num.h"
#include "common/link/db.h"

enum { WORDS_MAX = 32, TIME_TEXT_MAX = 40 };

static bool
misfit(const struct filter_field *field, const char *what, struct err *e)
{
	return err_field(
	    e, field->name, "This field is compared with %s.", what);
}

bool
filter_value_null(
    const struct filter_field *field, const struct tree_node *value)
{
	if (value->kind == TREE_NULL)
		return true;
	if (value->kind != TREE_TEXT || field->type == FILTER_TEXT ||
	    field->type == FILTER_LIST || field->type == FILTER_JSON)
		return false;
	return *value->text == '\0' || strcmp(value->text, "null") == 0;
}

/* ---- numbers ---- */

static bool
add_int(const struct filter_field *field, const char *text, size_t n,
    struct buf *b, struct err *e)
{
	bool minus = n > 0 && *text == '-';
	int64_t v;

	if (!num_parse(text + minus, n - minus, 0, INT64_MAX, &v))
		return misfit(field, "whole numbers", e);
	buf_addf(b, "%lld", (long long)(minus ? -v : v));
	return true;
}

/* ---- times ---- */

struct digits {
	const char *p, *end;
};

static bool
take(struct digits *d, size_t n, int64_t min, int64_t max, int64_t *ret)
{
	if ((size_t)(d->end - d->p) < n || !num_parse(d->p, n, min, max, ret))
		return false;
	d->p += n;
	return true;
}

static bool
skip(struct digits *d, char c)
{
	if (d->p == d->end || *d->p != c)
		return false;
	d->p++;
	return true;
}

static int64_t
days_in(int64_t year, int64_t month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* ".123456": milliseconds count, as in JavaScript. */
static bool
take_fraction(struct digits *d, int64_t *ret_ms)
{
	int64_t scale = 100, digit;
	const char *from;

	if (!skip(d, '.'))
		return true;
	for (from = d->p; take(d, 1, 0, 9, &digit); scale /= 10)
		*ret_ms += scale * digit;
	return d->p > from && d->p - from <= 9;
}

static bool
take_clock(struct digits *d, int64_t part[3], int64_t *ret_ms)
{
	if (!take(d, 2, 0, 23, &part[0]) || !skip(d, ':') ||
	    !take(d, 2, 0, 59, &part[1]))
		return false;
	return !skip(d, ':') ||
	       (take(d, 2, 0, 59, &part[2]) && take_fraction(d, ret_ms));
}

/* "Z", "+02:00", "+0200" or nothing (UTC). */
static bool
take_zone(struct digits *d, char ret[8])
{
	int64_t hours, minutes;
	char sign;

	(void)snprintf(ret, 8, "Z");
	if (d->p == d->end || skip(d, 'Z') || skip(d, 'z'))
		return true;
	sign = *d->p;
	/* A plus in a query string that was not encoded is a space. */
	if (sign == ' ')
		sign = '+';
	if (sign != '+' && sign != '-')
		return false;
	d->p++;
	if (!take(d, 2, 0, 14, &hours))
		return false;
	(void)skip(d, ':');
	if (!take(d, 2, 0, 59, &minutes))
		return false;
	(void)snprintf(ret, 8, "%c%02d:%02d", sign, (int)hours, (int)minutes);
	return true;
}

static bool
add_time(const struct filter_field *field, const char *text, size_t n,
    struct buf *b, struct err *e)
{
	struct digits d = { text, text + n };
	int64_t year, month, day, clock[3] = { 0 }, ms = 0;
	char zone[8] = "Z";
	bool good = take(&d, 4, 1, 9999, &year) && skip(&d, '-') &&
		    take(&d, 2, 1, 12, &month) && skip(&d, '-') &&
		    take(&d, 2, 1, 31, &day) && day <= days_in(year, month);

	if (good && (skip(&d, 'T') || skip(&d, 't') || skip(&d, ' ')))
		good = take_clock(&d, clock, &ms) && take_zone(&d, zone);
	if (!good || d.p != d.end)
		return misfit(
		    field, "times such as 2026-07-20T12:34:56.789Z", e);
	buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%s", (int)year,
	    (int)month, (int)day, (int)clock[0], (int)clock[1], (int)clock[2],
	    (int)ms, zone);
	return true;
}

/* ---- all types ---- */

static bool
is_one_of(const char *words, const char *text, size_t n)
{
	for (const char *p = words; n > 0 && *p != '\0'; p++) {
		size_t len = strcspn(p, " ");

		if (len == n && strncmp(p, text, n) == 0)
			return true;
		p += len;
		if (*p == '\0')
			break;
	}
	return false;
}

static bool
add_value(const struct filter_field *field, const char *text, size_t n,
    struct buf *b, struct err *e)
{
	switch (field->type) {
	case FILTER_INT:
		return add_int(field, text, n, b, e);
	case FILTER_TIME:
		return add_time(field, text, n, b, e);
	case FILTER_WORD:
		if (!is_one_of(field->words, text, n))
			return misfit(field, field->words, e);
		break;
	case FILTER_BOOL:
	case FILTER_PRESENT:
		return misfit(field, "true or false", e);
	case FILTER_TEXT:
	case FILTER_LIST:
	case FILTER_JSON:
		break;
	}
	buf_add(b, text, n);
	return true;
}

static bool
plain(const struct filter_field *field, const struct tree_node *value,
    struct err *e)
{
	if (!tree_is_scalar(value))
		return misfit(field, "one value", e);
	if (value->kind == TREE_NULL)
		return misfit(field, "a value", e);
	return true;
}

bool
filter_value(const struct filter_field *field, const struct tree_node *value,
    struct buf *args, struct err *e)
{
	if (!plain(field, value, e) ||
	    !add_value(field, value->text, strlen(value->text), args, e))
		return false;
	buf_addc(args, '\0');
	return true;
}

static bool
add_element(const struct filter_field *field, const char *text, size_t n,
    struct buf *array, struct err *e)
{
	AUTO_BUF one = BUF_INIT;

	if (!add_value(field, text, n, &one, e) || !buf_ok(&one, e))
		return false;
	db_array_add(array, one.data);
	return true;
}

/* Spaces round a part are not meant. */
static bool
add_parts(const struct filter_field *field, const char *text, struct buf *array,
    struct err *e)
{
	int n = 0;

	for (const char *p = text;; p++) {
		size_t len;

		p += strspn(p, " ");
		len = strcspn(p, ",");
		while (len > 0 && p[len - 1] == ' ')
			len--;
		if (len > 0 && ++n > WHERE_VALUES_MAX)
			return err_field(e, field->name,
			    "A list has at most %d values.", WHERE_VALUES_MAX);
		if (len > 0 && !add_element(field, p, len, array, e))
			return false;
		p += strcspn(p, ",");
		if (*p == '\0')
			return true;
	}
}

bool
filter_values(const struct filter_field *field, const struct tree_node *value,
    struct buf *args, struct err *e)
{
	AUTO_BUF array = BUF_INIT;

	if (tree_is_scalar(value)) {
		if (!plain(field, value, e) ||
		    !add_parts(field, value->text, &array, e))
			return false;
	} else {
		for (const struct tree_node *c = value->first; c != NULL;
		     c = c->next)
			if (!plain(field, c, e) ||
			    !add_element(
				field, c->text, strlen(c->text), &array, e))
				return false;
	}
	db_array_end(&array);
	buf_add(args, array.data, array.len + 1);
	return buf_ok(&array, e);
}

bool
filter_truth(const struct filter_field *field, const struct tree_node *value,
    bool *ret, struct err *e)
{
	bool yes = strcmp(value->text, "true") == 0;

	if (!tree_is_scalar(value) ||
	    (!yes && strcmp(value->text, "false") != 0))
		return misfit(field, "true or false", e);
	*ret = yes;
	return true;
}

/* ---- patterns ---- */

static void
add_escaped(struct buf *b, const char *text, size_t n)
{
	buf_addc(b, '%');
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '%' || text[i] == '_' || text[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, text[i]);
	}
	buf_addc(b, '%');
}

bool
filter_pattern(const struct filter_field *field, const struct tree_node *value,
    struct buf *args, struct err *e)
{
	if (!plain(field, value, e))
		return false;
	add_escaped(args, value->text, strlen(value->text));
	buf_addc(args, '\0');
	return true;
}

bool
filter_words(const struct filter_field *field, const struct tree_node *value,
    struct buf *args, struct err *e)
{
	AUTO_BUF array = BUF_INIT;
	int n = 0;

	if (!plain(field, value, e))
		return false;
	for (const char *p = value->text; *(p += strspn(p, " ")) != '\0';) {
		AUTO_BUF word = BUF_INIT;
		size_t len = strcspn(p, " ");

		if (++n > WORDS_MAX)
			return err_field(e, field->name,
			    "There are more than %d words.", WORDS_MAX);
		add_escaped(&word, p, len);
		if (!buf_ok(&word, e))
			return false;
		db_array_add(&array, word.data);
		p += len;
	}
	db_array_end(&array);
	buf_add(args, array.data, array.len + 1);
	return buf_ok(&array, e);
}
