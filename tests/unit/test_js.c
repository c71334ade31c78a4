/* JSON in and out. */
#include "common/link/js.h"

#include "tests/unit/tap.h"

/* want NULL: refused. */
static const struct {
	const char *in, *want;
} texts[] = {
	{ "{}", "{}" },
	{ " [ 1 , 2 ]\n", "[1,2]" },
	{ "null", "null" },
	{ "true", "true" },
	{ "-12", "-12" },
	{ "0", "0" },
	{ "1.50", "1.50" },
	{ "1e5", "1e5" },
	{ "9223372036854775807", "9223372036854775807" },
	{ "\"a/b\"", "\"a/b\"" },
	{ "\"\\u00e9\\n\"", "\"\xc3\xa9\\n\"" },
	{ "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
	{ "{\"a\":1,\"a\":2}", "{\"a\":2}" },
	{ "{\"a\":[null,{\"b\":\"\\\\u0000\"}]}",
	    "{\"a\":[null,{\"b\":\"\\\\u0000\"}]}" },
	{ "", NULL },
	{ " ", NULL },
	{ "{", NULL },
	{ "[1", NULL },
	{ "[1,]", NULL },
	{ "{\"a\":1,}", NULL },
	{ "{\"a\" 1}", NULL },
	{ "{a:1}", NULL },
	{ "{'a':1}", NULL },
	{ "'a'", NULL },
	{ "{} {}", NULL },
	{ "1 2", NULL },
	{ "truefalse", NULL },
	{ "1\"a\"", NULL },
	{ "nul", NULL },
	{ "NULL", NULL },
	{ "True", NULL },
	{ "NaN", NULL },
	{ "-NaN", NULL },
	{ "Infinity", NULL },
	{ "-Infinity", NULL },
	{ "01", NULL },
	{ "-01", NULL },
	{ "00", NULL },
	{ "1.", NULL },
	{ ".5", NULL },
	{ "+1", NULL },
	{ "-", NULL },
	{ "1e", NULL },
	{ "1e+", NULL },
	{ "1-2", NULL },
	{ "1.2.3", NULL },
	{ "0x10", NULL },
	{ "9223372036854775808", NULL },
	{ "-9223372036854775809", NULL },
	{ "99999999999999999999999", NULL },
	{ "1e18", NULL },
	{ "1e17", "1e17" },
	{ "-123456789e9", "-123456789e9" },
	{ "-1234567890E+9", NULL },
	{ "0.5e18", "0.5e18" },
	{ "0.5e19", NULL },
	{ "1e131071", NULL },
	{ "0e99999999999999999999", NULL },
	{ "5e-324", "5e-324" },
	{ "1e-325", NULL },
	{ "1234567890123456789012.5e-1", "1234567890123456789012.5e-1" },
	{ "/* c */1", NULL },
	{ "1 // c", NULL },
	{ "\"abc", NULL },
	{ "\"abc\\", NULL },
	{ "\"\\x\"", NULL },
	{ "\"\\u12\"", NULL },
	{ "\"a\tb\"", NULL },
	{ "\"a\nb\"", NULL },
	{ "\"\x01\"", NULL },
	{ "\"\xff\"", NULL },
	{ "\"\xc0\x80\"", NULL },
	{ "\"\xed\xa0\x80\"", NULL },
	{ "\"\\\xc3\xa9\"", NULL },
	{ "\"\\u0000\"", NULL },
	{ "{\"a\\u0000b\":1}", NULL },
	{ "[\"\\\\\\u0000\"]", NULL },
	{ "\xef\xbb\xbf{}", NULL },
	{ "\f1", NULL },
};

static void
test_texts(void)
{
	for (size_t i = 0; i < LEN(texts); i++) {
		AUTO_JS *v = NULL;
		AUTO_BUF out = BUF_INIT;
		struct err e = { .code = ERR_NONE };

		if (js_parse(texts[i].in, strlen(texts[i].in), &v, &e))
			js_print(v, &out);
		is_text(e.code == ERR_NONE ? out.data : NULL, texts[i].want,
		    "text %zu is %s", i,
		    texts[i].want == NULL ? "refused" : "taken");
		if (texts[i].want == NULL)
			ok(e.code == ERR_INVALID &&
				strncmp(e.msg, "Invalid JSON", 12) == 0,
			    "as invalid: %s", e.msg);
	}
}

static bool
parses_nested(int depth)
{
	AUTO_BUF b = BUF_INIT;
	AUTO_JS *v = NULL;
	struct err e;

	for (int i = 0; i < depth; i++)
		buf_addc(&b, '[');
	for (int i = 0; i < depth; i++)
		buf_addc(&b, ']');
	return js_parse(b.data, b.len, &v, &e);
}

static void
test_limits(void)
{
	AUTO_JS *v = NULL;
	struct err e;

	ok(parses_nested(JS_DEPTH_MAX), "%d deep is taken", JS_DEPTH_MAX);
	ok(!parses_nested(JS_DEPTH_MAX + 1), "one more is not");
	ok(!parses_nested(100000), "nor are 100000");
	ok(!js_parse("1\0", 2, &v, &e), "a NUL byte behind");
	ok(!js_parse("\"a\0b\"", 5, &v, &e), "a NUL byte within");
	ok(js_parse("[1]x", 3, &v, &e), "only n bytes are looked at");
	ok(!js_parse_object("[1]", 3, &v, &e), "an array is no object");
	ok(!js_parse_object("null", 4, &v, &e), "null is no object");
	is_int((int64_t)js_len(v), 1, "what failed left the output alone");
}

static const char BODY[] =
    "{\"t\":\"text\",\"i\":42,\"n\":-5,\"b\":true,\"z\":null,\"f\":1.5,"
    "\"o\":{\"k\":\"v\"},\"a\":[1,\"two\",null]}";

static void
test_text(struct json_object *o)
{
	const char *t = "untouched";
	struct err e;

	ok(js_text(o, "t", NULL, &t, &e), "a text");
	is_text(t, "text", "its value");
	ok(js_text(o, "z", "other", &t, &e), "null counts as absent");
	is_text(t, "other", "and gives the other");
	ok(js_text(o, "nope", NULL, &t, &e), "an absent one");
	is_text(t, NULL, "gives the other, NULL too");
	t = "untouched";
	ok(!js_text(o, "i", NULL, &t, &e), "a number is no text");
	is_int(e.code, ERR_INVALID, "its code");
	is_text(e.field, "i", "the key is named");
	is_text(t, "untouched", "the output is untouched");
}

static const struct {
	const char *key;
	int64_t min, max;
	bool good;
	int64_t want;
} ints[] = {
	{ "i", 0, 100, true, 42 },
	{ "i", 42, 42, true, 42 },
	{ "n", -5, 0, true, -5 },
	{ "nope", 50, 60, true, 7 },
	{ "z", 50, 60, true, 7 },
	{ "i", 43, 100, false, 0 },
	{ "i", 0, 41, false, 0 },
	{ "f", 0, 100, false, 0 },
	{ "t", 0, 100, false, 0 },
	{ "b", 0, 100, false, 0 },
	{ "a", 0, 100, false, 0 },
};

static void
test_ints(struct json_object *o)
{
	struct err e;

	for (size_t i = 0; i < LEN(ints); i++) {
		int64_t v = -99;

		is_int(
		    js_int(o, ints[i].key, 7, ints[i].min, ints[i].max, &v, &e),
		    ints[i].good, "\"%s\" is %sa number in range", ints[i].key,
		    ints[i].good ? "" : "not ");
		is_int(v, ints[i].good ? ints[i].want : -99, "its value");
		if (!ints[i].good)
			is_text(e.field, ints[i].key, "its key is named");
	}
}

static void
test_bool(struct json_object *o)
{
	struct err e;
	bool b = false;

	ok(js_bool(o, "b", false, &b, &e) && b, "a boolean");
	ok(js_bool(o, "nope", true, &b, &e) && b, "an absent one");
	ok(!js_bool(o, "i", false, &b, &e), "a number is none");
	is_text(e.field, "i", "its key is named");
}

static void
test_values(struct json_object *o)
{
	struct json_object *a = js_get(o, "a");

	ok(js_is_object(js_get(o, "o")), "object");
	ok(js_is_array(a), "array");
	ok(js_is_text(js_get(o, "t")), "text");
	ok(js_is_int(js_get(o, "i")) && !js_is_int(js_get(o, "f")),
	    "a fraction is no whole number");
	ok(js_is_bool(js_get(o, "b")), "boolean");
	ok(js_get(o, "z") == NULL, "null is NULL");
	ok(js_get(a, "x") == NULL, "an array has no keys");
	is_int((int64_t)js_len(a), 3, "length");
	is_int(js_int_of(js_at(a, 0)), 1, "first");
	is_text(js_text_of(js_at(a, 1)), "two", "second");
	ok(js_at(a, 2) == NULL && js_at(a, 3) == NULL, "null, and the end");
	is_text(js_text_of(js_at(a, 0)), NULL, "a number has no text");
	is_int(js_int_of(js_get(o, "t")), 0, "a text has no number");
	ok(!js_bool_of(js_get(o, "i")), "42 is not true");
	is_int((int64_t)js_len(o), 0, "an object has no length");
}

static bool
join_keys(const char *key, struct json_object *v, void *ctx)
{
	(void)v;
	buf_adds(ctx, key);
	return strcmp(key, "n") != 0;
}

static void
test_build(struct json_object *o)
{
	AUTO_BUF keys = BUF_INIT;
	AUTO_BUF out = BUF_INIT;
	AUTO_JS *made = js_new_object();
	struct json_object *list = js_new_array();

	ok(!js_each(o, join_keys, &keys), "js_each tells that it stopped");
	is_text(keys.data, "tin", "keys in order, up to there");

	js_set(made, "list", list);
	js_add(list, js_new_int(INT64_MAX));
	js_add(list, js_new_text("<\"\n"));
	js_add(list, NULL);
	js_add(list, js_ref(js_get(o, "o")));
	js_set_text(made, "none", NULL);
	js_set_int(made, "i", -1);
	js_set_bool(made, "b", true);
	js_set_text(made, "gone", "x");
	js_del(made, "gone");
	js_set_text(made, "i2", "a/b");
	js_print(made, &out);
	is_text(out.data,
	    "{\"list\":[9223372036854775807,\"<\\\"\\n\",null,{\"k\":\"v\"}],"
	    "\"none\":null,\"i\":-1,\"b\":true,\"i2\":\"a/b\"}",
	    "what was built");
	ok(js_each(made, join_keys, &out), "js_each tells that it went on");
	buf_clear(&out);
	js_print(NULL, &out);
	is_text(out.data, "null", "NULL is null");
}

int
main(void)
{
	AUTO_JS *o = NULL;
	struct err e;

	test_texts();
	test_limits();
	if (ok(js_parse_object(BODY, strlen(BODY), &o, &e), "an object")) {
		test_text(o);
		test_ints(o);
		test_bool(o);
		test_values(o);
		test_build(o);
	}
	return done();
}
