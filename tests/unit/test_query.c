/* Form text, paths and UTF-8. */
#include "common/parse/query.h"

#include "common/base/buf.h"
#include "tests/unit/tap.h"

/* "name=value|name=value" of what was parsed, or the error's code. */
static void
show(const char *p, size_t n, struct buf *ret)
{
	struct query q = { 0 };
	struct err e = { 0 };

	buf_clear(ret);
	if (!query_parse(p, n, &q, &e)) {
		buf_addf(ret, "!%s", err_name(e.code));
		ok(q.text == NULL && q.pairs == NULL && e.msg[0] != '\0',
		    "a refused query leaves the result alone and says why");
		return;
	}
	for (size_t i = 0; i < q.npairs; i++)
		buf_addf(ret, "%s%s=%s", i == 0 ? "" : "|", q.pairs[i].name,
		    q.pairs[i].value);
	query_release(&q);
}

static void
test_pairs(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "a=1&b=2", "a=1|b=2" },
		{ "a=1&a=2", "a=1|a=2" },
		{ "a", "a=" },
		{ "a=", "a=" },
		{ "=1", "=1" },
		{ "=", "=" },
		{ "&&a=1&&", "a=1" },
		{ "&", "" },
		{ "a=b=c", "a=b=c" },
		{ "a=%20+%2B", "a=  +" },
		{ "a%3Db%26=1", "a=b&=1" },
		{ "%C3%A9=\xc3\xa9", "\xc3\xa9=\xc3\xa9" },
		{ "%f0%9F%98%80", "\xf0\x9f\x98\x80=" },
		{ "where[a][equals]=x%5b", "where[a][equals]=x[" },
		{ "a=1;b=2", "a=1;b=2" },
		{ "a=%", "!invalid" },
		{ "a=%2", "!invalid" },
		{ "a=%2&b=0", "!invalid" },
		{ "a=%zz", "!invalid" },
		{ "a=%+1", "!invalid" },
		{ "%=1", "!invalid" },
		{ "a=%00", "!invalid" },
		{ "a=%c3", "!invalid" },
		{ "a=\xc3", "!invalid" },
		{ "a\xc3=\xa9", "!invalid" },
		{ "a=%c3&%a9", "!invalid" },
		{ "a=%c0%af", "!invalid" },
		{ "a=%ed%a0%80", "!invalid" },
		{ "a=%f4%90%80%80", "!invalid" },
		{ "a=%ff", "!invalid" },
	};
	AUTO_BUF got = BUF_INIT;

	for (size_t i = 0; i < LEN(cases); i++) {
		show(cases[i].text, strlen(cases[i].text), &got);
		is_text(got.data, cases[i].want, "query %s", cases[i].text);
	}
	show("a=\0b", 4, &got);
	is_text(got.data, "!invalid", "a NUL in the query");
}

static void
test_limits(void)
{
	AUTO_BUF text = BUF_INIT, got = BUF_INIT;
	struct query q = { 0 };
	struct err e = { 0 };

	for (int i = 0; i < QUERY_PAIRS_MAX; i++)
		buf_adds(&text, "a&");
	ok(query_parse(text.data, text.len, &q, &e), "%d pairs are taken",
	    QUERY_PAIRS_MAX);
	is_int((int64_t)q.npairs, QUERY_PAIRS_MAX, "and all are there");
	query_release(&q);
	buf_adds(&text, "a");
	show(text.data, text.len, &got);
	is_text(got.data, "!invalid", "one pair more is refused");

	buf_clear(&text);
	for (int i = 0; i < QUERY_BYTES_MAX; i++)
		buf_addc(&text, 'x');
	ok(query_parse(text.data, text.len, &q, &e), "%d bytes are taken",
	    QUERY_BYTES_MAX);
	query_release(&q);
	buf_addc(&text, 'x');
	show(text.data, text.len, &got);
	is_text(got.data, "!invalid", "one byte more is refused");
}

static void
test_get(void)
{
	struct query q = { 0 };
	struct err e = { 0 };

	if (!ok(query_parse("a=1&b=&a=2", 10, &q, &e), "a query"))
		return;
	is_text(query_get(&q, "a"), "1", "the first of two");
	is_text(query_get(&q, "b"), "", "an empty value");
	is_text(query_get(&q, "c"), NULL, "an absent one");
	query_release(&q);
	is_int((int64_t)q.npairs, 0, "release empties it");
	is_text(query_get(&q, "a"), NULL, "and nothing is found in it");
	query_release(&q);
	ok(query_parse(NULL, 0, &q, &e) && q.npairs == 0, "no query at all");
	query_release(&q);
}

static void
test_path(void)
{
	static const struct {
		const char *path, *want; /* NULL: refused */
	} cases[] = {
		{ "/api/media/1", "/api/media/1" },
		{ "/a%20b+c", "/a b+c" },
		{ "/%C3%A9", "/\xc3\xa9" },
		{ "/%2e%2E", "/.." },
		{ "", "" },
		{ "/a%2Fb", NULL },
		{ "/a%2fb", NULL },
		{ "/a%00", NULL },
		{ "/a%", NULL },
		{ "/a%4", NULL },
		{ "/a%g0", NULL },
		{ "/a%c3", NULL },
		{ "/a\xff", NULL },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct err e = { 0 };
		char path[32];
		bool good;

		snprintf(path, sizeof(path), "%s", cases[i].path);
		good = query_decode_path(path, &e);
		is_text(good ? path : NULL, cases[i].want, "path %s",
		    cases[i].path);
		if (good)
			continue;
		is_text(path, cases[i].path, "and it is as it was");
		is_int(e.code, ERR_INVALID, "and the code is right");
	}
}

static void
test_utf8(void)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "", true },
		{ "ascii", true },
		{ "\x7f", true },
		{ "\xc2\x80", true },
		{ "\xdf\xbf", true },
		{ "\xe0\xa0\x80", true },
		{ "\xed\x9f\xbf", true },
		{ "\xee\x80\x80", true },
		{ "\xef\xbf\xbf", true },
		{ "\xf0\x90\x80\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\x80", false },
		{ "\xc0\x80", false },
		{ "\xc1\xbf", false },
		{ "\xc2", false },
		{ "\xc2 ", false },
		{ "\xc2\xc2", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xe1\x80", false },
		{ "\xe1\x80 ", false },
		{ "\xed\xa0\x80", false },
		{ "\xed\xbf\xbf", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xf1\x80\x80", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false },
		{ "\xf8\x88\x80\x80\x80", false },
		{ "\xff", false },
	};

	for (size_t i = 0; i < LEN(cases); i++)
		ok(utf8_valid(cases[i].text, strlen(cases[i].text)) ==
			cases[i].want,
		    "UTF-8 case %zu is %s", i,
		    cases[i].want ? "well-formed" : "refused");
}

int
main(void)
{
	test_pairs();
	test_limits();
	test_get();
	test_path();
	test_utf8();
	return done();
}
