/*
 * Form text and percent-decoding.  Everything is checked as it is decoded,
 * so that nobody behind here meets a NUL or a broken character.
 */
#include "common/parse/query.h"

/* How far into a UTF-8 sequence we are, and what the next byte may be (the
 * bounds shut out overlong forms, surrogates and what is above U+10FFFF). */
struct utf8 {
	unsigned left;
	unsigned char low, high;
};

static bool
utf8_lead(struct utf8 *u, unsigned char c)
{
	u->low = 0x80;
	u->high = 0xbf;
	if (c < 0x80)
		return true;
	if (c < 0xc2 || c > 0xf4)
		return false;
	u->left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	if (c == 0xe0)
		u->low = 0xa0;
	if (c == 0xed)
		u->high = 0x9f;
	if (c == 0xf0)
		u->low = 0x90;
	if (c == 0xf4)
		u->high = 0x8f;
	return true;
}

/* Takes the next byte; false when it cannot stand here. */
static bool
utf8_feed(struct utf8 *u, unsigned char c)
{
	if (u->left == 0)
		return utf8_lead(u, c);
	if (c < u->low || c > u->high)
		return false;
	u->left--;
	u->low = 0x80;
	u->high = 0xbf;
	return true;
}

bool
utf8_valid(const char *p, size_t n)
{
	struct utf8 u = { 0 };

	for (size_t i = 0; i < n; i++)
		if (!utf8_feed(&u, (unsigned char)p[i]))
			return false;
	return u.left == 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* The byte that p (n > 0 bytes) begins with, decoded; how many bytes stand
 * for it in *ret_n.  -1: a '%' without two hexadecimal digits. */
static int
decode_byte(const char *p, size_t n, bool form, size_t *ret_n)
{
	int high, low;

	*ret_n = 1;
	if (*p == '+' && form)
		return ' ';
	if (*p != '%')
		return (unsigned char)*p;
	high = n >= 3 ? hex_digit(p[1]) : -1;
	low = n >= 3 ? hex_digit(p[2]) : -1;
	*ret_n = 3;
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Everything that can be wrong with encoded text, before any of it is
 * decoded.  '&' and '=' end a character, so a query is checked as a whole. */
static bool
check_text(const char *p, size_t n, bool form, const char *what, struct err *e)
{
	struct utf8 u = { 0 };
	size_t step;

	for (size_t i = 0; i < n; i += step) {
		int c = decode_byte(p + i, n - i, form, &step);

		if (c < 0)
			return err_fail(e, ERR_INVALID,
			    "The %s has a \"%%\" without two hexadecimal "
			    "digits behind it.",
			    what);
		if (c == 0)
			return err_fail(
			    e, ERR_INVALID, "The %s has a NUL byte.", what);
		if (c == '/' && step == 3 && !form)
			return err_fail(e, ERR_INVALID,
			    "The %s has an encoded slash.", what);
		if (!utf8_feed(&u, (unsigned char)c))
			return err_fail(
			    e, ERR_INVALID, "The %s is not valid UTF-8.", what);
	}
	if (u.left != 0)
		return err_fail(
		    e, ERR_INVALID, "The %s is not valid UTF-8.", what);
	return true;
}

/* Decode n checked bytes to ret, which may be p; the bytes that come out. */
static size_t
decode_text(const char *p, size_t n, bool form, char *ret)
{
	size_t out = 0, step;

	for (size_t i = 0; i < n; i += step)
		ret[out++] = (char)decode_byte(p + i, n - i, form, &step);
	return out;
}

/* Bytes before the first c, or n. */
static size_t
until(const char *p, size_t n, char c)
{
	const char *at = n == 0 ? NULL : memchr(p, c, n);

	return at == NULL ? n : (size_t)(at - p);
}

static size_t
count_pairs(const char *p, size_t n)
{
	size_t pairs = 0, step;

	for (size_t i = 0; i < n; i += step + 1) {
		step = until(p + i, n - i, '&');
		pairs += step > 0;
	}
	return pairs;
}

/* One "name=value" to text; the bytes written, both NULs included.  That is
 * never more than n + 2, and a NUL replaces the '='. */
static size_t
decode_pair(const char *p, size_t n, char *text, struct query_pair *ret)
{
	size_t name_n = until(p, n, '='), out;

	ret->name = text;
	out = decode_text(p, name_n, true, text);
	text[out++] = '\0';
	ret->value = text + out;
	if (name_n < n)
		out += decode_text(
		    p + name_n + 1, n - name_n - 1, true, text + out);
	text[out++] = '\0';
	return out;
}

bool
query_parse(const char *p, size_t n, struct query *ret, struct err *e)
{
	struct query q = { 0 };
	size_t pairs, used = 0, step;

	if (n > QUERY_BYTES_MAX)
		return err_fail(e, ERR_INVALID,
		    "The query is longer than %d bytes.", QUERY_BYTES_MAX);
	pairs = count_pairs(p, n);
	if (pairs > QUERY_PAIRS_MAX)
		return err_fail(e, ERR_INVALID,
		    "The query has more than %d parameters.", QUERY_PAIRS_MAX);
	if (!check_text(p, n, true, "query", e))
		return false;
	q.text = malloc(n + 2 * pairs + 1);
	q.pairs = calloc(pairs + 1, sizeof(*q.pairs));
	if (q.text == NULL || q.pairs == NULL) {
		query_release(&q);
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	}
	for (size_t i = 0; i < n; i += step + 1) {
		step = until(p + i, n - i, '&');
		if (step > 0)
			used += decode_pair(
			    p + i, step, q.text + used, &q.pairs[q.npairs++]);
	}
	*ret = q;
	return true;
}

void
query_release(struct query *q)
{
	free(q->text);
	free(q->pairs);
	*q = (struct query){ 0 };
}

const char *
query_get(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->npairs; i++)
		if (strcmp(q->pairs[i].name, name) == 0)
			return q->pairs[i].value;
	return NULL;
}

bool
query_decode_path(char *path, struct err *e)
{
	size_t n = strlen(path);

	if (!check_text(path, n, false, "path", e))
		return false;
	path[decode_text(path, n, false, path)] = '\0';
	return true;
}
