/* The growing buffer. */
#include "common/base/buf.h"

#include <stdlib.h>

#include "tests/unit/tap.h"

static const struct {
	const char *in;
	size_t n;
	const char *want;
} json[] = {
	{ "", 0, "\"\"" },
	{ "plain", 5, "\"plain\"" },
	{ "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
	{ "\n\r\t", 3, "\"\\n\\r\\t\"" },
	{ "\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\\u007f\"" },
	{ "</script>", 9, "\"\\u003c/script>\"" },
	{ "\xc3\xa9", 2, "\"\xc3\xa9\"" },
	{ "\xe2\x82\xac", 3, "\"\xe2\x82\xac\"" },
	{ "\xf0\x9f\x98\x80!", 5, "\"\xf0\x9f\x98\x80!\"" },
	{ "\xff", 1, "\"\\u00ff\"" },
	{ "a\xc3", 2, "\"a\\u00c3\"" },
	{ "\xc3(", 2, "\"\\u00c3(\"" },
	{ "\xc0\x80", 2, "\"\\u00c0\\u0080\"" },
	{ "\xe0\x80\x80", 3, "\"\\u00e0\\u0080\\u0080\"" },
	{ "\xed\xa0\x80", 3, "\"\\u00ed\\u00a0\\u0080\"" },
	{ "\xf0\x80\x80\x80", 4, "\"\\u00f0\\u0080\\u0080\\u0080\"" },
	{ "\xf4\x90\x80\x80", 4, "\"\\u00f4\\u0090\\u0080\\u0080\"" },
	{ "\xf5\x80\x80\x80", 4, "\"\\u00f5\\u0080\\u0080\\u0080\"" },
};

static const struct {
	const char *in;
	size_t n, want;
} utf8[] = {
	{ "a", 1, 1 },
	{ "\0", 1, 1 },
	{ "\x7f", 1, 1 },
	{ "\x80", 1, 0 },
	{ "\xc1\xbf", 2, 0 },
	{ "\xc2\x80", 2, 2 },
	{ "\xdf\xbf", 2, 2 },
	{ "\xe0\x9f\xbf", 3, 0 },
	{ "\xe0\xa0\x80", 3, 3 },
	{ "\xed\x9f\xbf", 3, 3 },
	{ "\xed\xa0\x80", 3, 0 },
	{ "\xef\xbf\xbf", 3, 3 },
	{ "\xf0\x8f\xbf\xbf", 4, 0 },
	{ "\xf0\x90\x80\x80", 4, 4 },
	{ "\xf4\x8f\xbf\xbf", 4, 4 },
	{ "\xf4\x90\x80\x80", 4, 0 },
	{ "\xf8\x88\x80\x80\x80", 5, 0 },
	{ "\xe2\x82", 2, 0 },
	{ "\xe2\x82\x28", 3, 0 },
};

static void
test_build(void)
{
	AUTO_BUF b = BUF_INIT;

	is_text(b.data, "", "nothing is an empty text");
	is_int((int64_t)b.cap, 0, "and needs no memory");
	buf_adds(&b, "ab");
	buf_addc(&b, 'c');
	buf_addf(&b, "%d-%s", 12, "x");
	buf_add(&b, "\0z", 2);
	is_int((int64_t)b.len, 9, "all are appended");
	ok(memcmp(b.data, "abc12-x\0z", 10) == 0, "in order, NUL behind");
	buf_clear(&b);
	is_text(b.data, "", "clear empties");
	ok(b.cap > 0, "and keeps the memory");
	for (int i = 0; i < 100000; i++)
		buf_addc(&b, (char)('a' + i % 26));
	is_int((int64_t)b.len, 100000, "it grows");
	ok(b.data[99999] == 'a' + 99999 % 26 && b.data[100000] == '\0',
	    "and keeps what it had");
}

static void
test_long_format(void)
{
	AUTO_BUF b = BUF_INIT;

	buf_adds(&b, "x");
	buf_addf(&b, "%0*d", 5000, 7);
	is_int((int64_t)b.len, 5001, "a long format fits");
	ok(b.data[0] == 'x' && b.data[5000] == '7', "whole");
}

static void
test_broken(void)
{
	AUTO_BUF b = BUF_INIT;
	struct err e;
	char *text;

	ok(buf_ok(&b, &e), "a new buffer is whole");
	buf_adds(&b, "kept");
	ok(!buf_reserve(&b, SIZE_MAX), "more than memory can hold");
	buf_adds(&b, "lost");
	is_text(b.data, "kept", "later writes do nothing");
	ok(!buf_ok(&b, &e), "and buf_ok tells");
	is_int(e.code, ERR_UNAVAILABLE, "with its code");
	text = buf_steal(&b);
	ok(text == NULL, "half a text is not given away");
	is_int((int64_t)b.cap, 0, "and the buffer is new again");
	(void)!buf_reserve(&b, SIZE_MAX);
	buf_clear(&b);
	buf_adds(&b, "again");
	is_text(b.data, "again", "a cleared one can be used again");
}

static void
test_steal(void)
{
	struct buf b = BUF_INIT;
	char *empty, *text;

	empty = buf_steal(&b);
	is_text(empty, "", "an empty one gives an empty text");
	buf_adds(&b, "mine");
	text = buf_steal(&b);
	is_text(text, "mine", "the text is given");
	is_text(b.data, "", "and the buffer is new");
	free(empty);
	free(text);
}

static void
test_trim(void)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "", "" },
		{ "abc", "abc" },
		{ "a\xc3\xa9", "a\xc3\xa9" },
		{ "a\xc3", "a" },
		{ "\xe2\x82", "" },
		{ "a\xe2\x82\xac", "a\xe2\x82\xac" },
		{ "a\xf0\x9f\x98", "a" },
		{ "\xa9\xa9", "\xa9\xa9" },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%s", cases[i].in);
		buf_utf8_trim(text);
		is_text(text, cases[i].want, "trim case %zu", i);
	}
}

int
main(void)
{
	test_build();
	test_long_format();
	test_broken();
	test_steal();
	for (size_t i = 0; i < LEN(json); i++) {
		AUTO_BUF b = BUF_INIT;

		buf_add_json(&b, json[i].in, json[i].n);
		is_text(b.data, json[i].want, "JSON string %s", json[i].want);
	}
	test_trim();
	for (size_t i = 0; i < LEN(utf8); i++)
		is_int((int64_t)buf_utf8_len(utf8[i].in, utf8[i].n),
		    (int64_t)utf8[i].want, "UTF-8 case %zu", i);
	return done();
}
