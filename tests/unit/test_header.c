/* Header values: credentials, tokens, cookies, parameters, media types. */
#include "common/parse/header.h"

#include "tests/unit/tap.h"

/* A borrowed slice as text, for comparing; NULL for "not there". */
static const char *
text_of(bool found, const char *p, size_t n)
{
	static char text[256];

	if (!found)
		return NULL;
	snprintf(text, sizeof(text), "%.*s", (int)n, p);
	return text;
}

static void
test_scheme(void)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{ "Bearer abc", "abc" },
		{ "bearer abc", "abc" },
		{ "BEARER   abc", "abc" },
		{ "Bearer a b", "a b" },
		{ "Bearer", NULL },
		{ "Bearer ", NULL },
		{ "Bearer\tabc", NULL },
		{ "Bearerabc", NULL },
		{ "Beare abc", NULL },
		{ " Bearer abc", NULL },
		{ "Basic abc", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		const char *p = NULL;
		size_t n = 0;
		bool found = header_scheme(cases[i].value, "Bearer", &p, &n);

		is_text(text_of(found, p, n), cases[i].want, "scheme of \"%s\"",
		    cases[i].value == NULL ? "(null)" : cases[i].value);
	}
}

static void
test_token68(void)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "abcXYZ019-._~+/", true },
		{ "abc=", true },
		{ "abc===", true },
		{ "12345678901234567890", true },
		{ "123456789012345678901", false },
		{ "", false },
		{ "=", false },
		{ "a=b", false },
		{ "a b", false },
		{ "a,b", false },
		{ "a\"", false },
		{ "a\x01", false },
		{ "a\xc3\xa9", false },
	};

	for (size_t i = 0; i < LEN(cases); i++)
		ok(header_token68(cases[i].text, strlen(cases[i].text), 20) ==
			cases[i].want,
		    "token68 case %zu is %s", i,
		    cases[i].want ? "taken" : "refused");
	ok(!header_token68("a\0b", 3, 20), "token68 with a NUL is refused");
	ok(!header_token68("a\0", 2, 20), "token68 with a NUL at its end");
}

static void
test_cookie(void)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{ "t=1", "1" },
		{ "a=2; t=1", "1" },
		{ "t=1; a=2", "1" },
		{ "t=1;a=2", "1" },
		{ "a=2;t=1", "1" },
		{ " t=1 ; a=2", "1" },
		{ "t=", "" },
		{ "t=a=b", "a=b" },
		{ "t=\"q\"", "\"q\"" },
		{ ";;t=1;;", "1" },
		{ "t=1; t=1", NULL },
		{ "t=; t=1", NULL },
		{ "tt=1", NULL },
		{ "xt=1", NULL },
		{ "T=1", NULL },
		{ "t", NULL },
		{ "t ; a=1", NULL },
		{ "a=t=1", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		const char *p = NULL;
		size_t n = 0;
		bool found = header_cookie(cases[i].value, "t", &p, &n);

		is_text(text_of(found, p, n), cases[i].want,
		    "cookie t of \"%s\"",
		    cases[i].value == NULL ? "(null)" : cases[i].value);
	}
}

static const struct {
	const char *value;
	const char *want; /* of header_parameter with 8 bytes */
	const char *form; /* of header_form_parameter; "!" is bad */
} parameters[] = {
	{ "a/b; n=v", "v", "v" },
	{ "a/b;n=v", "v", "v" },
	{ "a/b ; n=v ; m=w", "v", "v" },
	{ "a/b; m=w; n=v", "v", "v" },
	{ "a/b; N=v", "v", "v" },
	{ "form-data; n=v", "v", "v" },
	{ "a/b; n=\"v w\"", "v w", "v w" },
	{ "a/b; n=\"a;m=b\"", "a;m=b", "a;m=b" },
	{ "a/b; m=\";n=1\"; n=2", "2", "2" },
	{ "a/b; n=\"\"", "", "" },
	{ "a/b; n=\"a\\\"b\"", "a\"b", "a\"b" },
	{ "a/b; n=\"a\\\\b\"", "a\\b", "a\\b" },
	{ "a/b; n=\"C:\\x\"", "C:x", "C:\\x" },
	{ "a/b; n=1234567", "1234567", "1234567" },
	{ "a/b; n=\"\\1\\2\\3\\4\\5\\6\\7\"", "1234567", "!" },
	{ "a/b;; n=v;", "v", "v" },
	{ "a/b; n=12345678", NULL, "!" },
	{ "a/b; n=v; n=v", NULL, "!" },
	{ "a/b; n=v; N=w", NULL, "!" },
	{ "a/b; n", NULL, "!" },
	{ "a/b; n=", NULL, "!" },
	{ "a/b; n =v", NULL, "!" },
	{ "a/b; n= v", NULL, "!" },
	{ "a/b; n=a b", NULL, "!" },
	{ "a/b; n=\"v", NULL, "!" },
	{ "a/b; n=\"v\\", NULL, "!" },
	{ "a/b; n=\"v\\\"", NULL, "!" },
	{ "a/b; n=\"v\"w", NULL, "!" },
	{ "a/b; n=v; =w", NULL, "!" },
	{ "a/b; n=v; m=\"", NULL, "!" },
	{ "a/b; n*=utf-8''v", NULL, NULL },
	{ "a/b; nn=v", NULL, NULL },
	{ "a/b", NULL, NULL },
	{ "", NULL, NULL },
	{ NULL, NULL, NULL },
};

static void
test_parameter(void)
{
	for (size_t i = 0; i < LEN(parameters); i++) {
		const char *value = parameters[i].value;
		char got[8] = "before", form[8] = "before";
		bool found = header_parameter(value, "n", got, sizeof(got));
		enum header_found f =
		    header_form_parameter(value, "n", form, sizeof(form));

		is_text(found ? got : NULL, parameters[i].want,
		    "parameter n of %s", value == NULL ? "(null)" : value);
		is_text(f == HEADER_FOUND ? form
			: f == HEADER_BAD ? "!"
					  : NULL,
		    parameters[i].form, "form parameter n of %s",
		    value == NULL ? "(null)" : value);
		if (!found)
			is_text(got, "before", "and the result is untouched");
		if (f != HEADER_FOUND)
			is_text(form, "before", "and so is the form's");
	}
}

static void
test_media_type(void)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{ "image/png", "image/png" },
		{ "Image/PNG", "image/png" },
		{ " image/png ; q=1", "image/png" },
		{ "image/png;q=1", "image/png" },
		{ "a/svg+xml", "a/svg+xml" },
		{ "image/1234567890", NULL },
		{ "image/123456789", "image/123456789" },
		{ "image", NULL },
		{ "image/", NULL },
		{ "/png", NULL },
		{ "image/png/x", NULL },
		{ "image /png", NULL },
		{ "image/pn\"g", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		char got[16] = "before";
		bool found =
		    header_media_type(cases[i].value, got, sizeof(got));

		is_text(found ? got : NULL, cases[i].want,
		    "media type of \"%s\"",
		    cases[i].value == NULL ? "(null)" : cases[i].value);
	}
}

/* Tags as "weak:text" with a space between, "!" for what is no list. */
static void
test_etags(void)
{
	static const struct {
		const char *list, *want;
	} cases[] = {
		{ "\"a\"", "a" },
		{ "\"\"", "" },
		{ " \"a\" ,\t\"b\" ", "a b" },
		{ ",, \"a\",", "a" },
		{ "W/\"a\", \"b\"", "~a b" },
		{ "\"a,b\"", "a,b" },
		{ "", "" },
		{ "a", "!" },
		{ "\"a", "!" },
		{ "\"a\"\"b\"", "!" },
		{ "\"a\" \"b\"", "!" },
		{ "w/\"a\"", "!" },
		{ "W/", "!" },
		{ "\"a b\"", "!" },
		{ "*", "!" },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		const char *at = cases[i].list, *p = NULL;
		enum header_found found;
		char got[64] = "";
		bool weak = false;
		size_t n = 0, len = 0;

		while (
		    (found = header_etag(&at, &weak, &p, &n)) == HEADER_FOUND)
			len += (size_t)snprintf(got + len, sizeof(got) - len,
			    "%s%s%.*s", len > 0 ? " " : "", weak ? "~" : "",
			    (int)n, p);
		if (found == HEADER_BAD)
			(void)snprintf(got + len, sizeof(got) - len, "!");
		is_text(got, cases[i].want, "tags of %s", cases[i].list);
	}
}

int
main(void)
{
	is_int((int64_t)header_token("ab-c d"), 4, "a token ends at a space");
	is_int((int64_t)header_token(":x"), 0, "a colon is not in a token");
	is_int((int64_t)header_token(""), 0, "nothing is no token");
	test_scheme();
	test_token68();
	test_cookie();
	test_parameter();
	test_media_type();
	test_etags();
	return done();
}
