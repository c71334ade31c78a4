/*
 * JSON bodies through link/js: what is taken is printed as JSON that is taken
 * again and printed the same, and holds nothing that a database cannot.
 */
#include "common/link/js.h"

#include "common/parse/query.h"
#include "tests/fuzz/fuzz.h"

/* No escape of a NUL: PostgreSQL's text has none. */
static bool
has_nul_escape(const char *p)
{
	for (p = strchr(p, '\\'); p != NULL; p = strchr(p, '\\')) {
		if (strncmp(p, "\\u0000", 6) == 0)
			return true;
		p += p[1] == '\0' ? 1 : 2;
	}
	return false;
}

static void
check_text(const char *key, struct json_object *o)
{
	const char *text = NULL;
	struct err e;

	if (js_text(o, key, NULL, &text, &e)) {
		HOLDS(text == NULL || utf8_valid(text, strlen(text)));
		HOLDS((text != NULL) == js_is_text(js_get(o, key)));
	} else {
		HOLDS(e.code == ERR_INVALID && strcmp(e.field, key) == 0);
	}
}

static bool
on_member(const char *key, struct json_object *v UNUSED, void *ctx)
{
	HOLDS(utf8_valid(key, strlen(key)));
	if (strlen(key) < 40)
		check_text(key, ctx);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JS *v = NULL;
	AUTO_JS *again = NULL;
	AUTO_BUF once = BUF_INIT;
	AUTO_BUF twice = BUF_INIT;
	struct err e;

	if (!js_parse((const char *)data, size, &v, &e)) {
		HOLDS(e.code == ERR_INVALID || e.code == ERR_TOO_LARGE);
		return 0;
	}
	js_print(v, &once);
	HOLDS(utf8_valid(once.data, once.len));
	HOLDS(!has_nul_escape(once.data));
	HOLDS(js_parse(once.data, once.len, &again, &e));
	js_print(again, &twice);
	HOLDS(once.len == twice.len);
	HOLDS(memcmp(once.data, twice.data, once.len) == 0);
	if (js_is_object(v))
		js_each(v, on_member, v);
	return 0;
}
