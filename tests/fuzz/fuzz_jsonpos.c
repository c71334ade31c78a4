/*
 * A byte that says how much of the input is a path, the path, a JSON text.
 *
 * - Lines lie within the text.
 * - What link/js takes has no fault here, and every key of it has a line.
 * - What ends with a brace is not well-formed without it.
 */
#include "common/parse/jsonpos.h"

#include "common/link/js.h"
#include "tests/fuzz/fuzz.h"

struct text {
	const char *p;
	size_t n;
};

static int
lines_of(const struct text *t)
{
	int lines = 1;

	for (size_t i = 0; i < t->n; i++)
		lines += t->p[i] == '\n';
	return lines;
}

/* Keys with an escape are written otherwise than they are called. */
static bool
has_line(const char *key, struct json_object *v UNUSED, void *ctx)
{
	const struct text *t = ctx;

	if (memchr(t->p, '\\', t->n) == NULL && key[0] != '\0' &&
	    strlen(key) < 500)
		HOLDS(jsonpos_line(t->p, t->n, key) > 0);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JS *v = NULL;
	struct err e = { 0 };
	struct text t;
	size_t path_n;
	char *path;
	int fault;

	if (size < 1 || data[0] > size - 1)
		return -1;
	path_n = data[0];
	path = strndup((const char *)data + 1, path_n);
	t = (struct text){ (const char *)data + 1 + path_n, size - 1 - path_n };
	fault = jsonpos_fault(t.p, t.n);
	HOLDS(fault >= 0 && fault <= lines_of(&t));
	HOLDS(jsonpos_line(t.p, t.n, path) >= 0);
	HOLDS(jsonpos_line(t.p, t.n, path) <= lines_of(&t));
	if (js_parse(t.p, t.n, &v, &e)) {
		HOLDS(fault == 0);
		HOLDS(js_each(v, has_line, &t));
		if (js_is_object(v) || js_is_array(v))
			HOLDS(t.n == 0 || t.p[t.n - 1] != '}' ||
			      jsonpos_fault(t.p, t.n - 1) > 0);
	}
	free(path);
	return 0;
}
