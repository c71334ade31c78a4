#include "common/link/jsnode.h"

#include <inttypes.h>
#include <stdarg.h>

#include "common/link/js.h"
#include "common/parse/jsonpos.h"

/* base and key with a dot between, where both are there.  A path that is too
 * long becomes "": its line is not known then. */
static void
join(const char *base, const char *key, char ret[static JSNODE_PATH_MAX])
{
	const char *dot = base[0] != '\0' && key[0] != '\0' ? "." : "";
	int n = snprintf(ret, JSNODE_PATH_MAX, "%s%s%s", base, dot, key);

	if (n < 0 || n >= JSNODE_PATH_MAX)
		ret[0] = '\0';
}

bool
jsnode_parse(const char *p, size_t n, struct json_object **ret_source,
    struct jsnode *ret, struct err *e)
{
	int line = jsonpos_fault(p, n);

	if (line > 0)
		return err_fail(
		    e, ERR_INVALID, "line %d: this is not JSON", line);
	if (!js_parse_object(p, n, ret_source, e))
		return false;
	*ret = (struct jsnode){ .p = p, .n = n, .o = *ret_source };
	return true;
}

int
jsnode_line(const struct jsnode *at, const char *key)
{
	char path[JSNODE_PATH_MAX];
	int line;

	join(at->path, key, path);
	line = jsonpos_line(at->p, at->n, path);
	return line != 0 ? line : jsonpos_line(at->p, at->n, at->path);
}

bool
jsnode_bad(const struct jsnode *at, const char *key, struct err *e,
    const char *fmt, ...)
{
	char path[JSNODE_PATH_MAX], why[ERR_MSG_MAX];
	int line = jsnode_line(at, key);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	join(at->path, key, path);
	if (line == 0)
		return err_field(e, path, "%s %s", path, why);
	return err_field(e, path, "line %d: %s %s", line, path, why);
}

struct keys {
	const struct jsnode *at;
	const char *const *known;
	struct err *e;
};

static bool
check_key(const char *key, struct json_object *v UNUSED, void *ctx)
{
	const struct keys *k = ctx;
	AUTO_BUF list = BUF_INIT;

	for (size_t i = 0; k->known[i] != NULL; i++) {
		if (strcmp(k->known[i], key) == 0)
			return true;
		buf_addf(&list, "%s%s", i > 0 ? ", " : "", k->known[i]);
	}
	return jsnode_bad(
	    k->at, key, k->e, "is an unknown key; known are: %s", list.data);
}

bool
jsnode_keys(const struct jsnode *at, const char *const known[], struct err *e)
{
	struct keys k = { at, known, e };

	return at->o == NULL || js_each(at->o, check_key, &k);
}

bool
jsnode_child(
    const struct jsnode *at, const char *key, struct jsnode *ret, struct err *e)
{
	struct json_object *v = js_get(at->o, key);

	if (v != NULL && !js_is_object(v))
		return jsnode_bad(at, key, e, "must be an object");
	*ret = (struct jsnode){ .p = at->p, .n = at->n, .o = v };
	join(at->path, key, ret->path);
	return true;
}

bool
jsnode_list(const struct jsnode *at, const char *key, size_t max,
    struct json_object **ret, struct err *e)
{
	struct json_object *v = js_get(at->o, key);

	if (v != NULL && !js_is_array(v))
		return jsnode_bad(at, key, e, "must be a list");
	if (js_len(v) > max)
		return jsnode_bad(
		    at, key, e, "may have at most %zu elements", max);
	*ret = v;
	return true;
}

bool
jsnode_element(const struct jsnode *at, const char *key, size_t i,
    struct jsnode *ret, struct err *e)
{
	char index[24], path[JSNODE_PATH_MAX];

	*ret = (struct jsnode){ .p = at->p, .n = at->n };
	ret->o = js_at(js_get(at->o, key), i);
	snprintf(index, sizeof(index), "%zu", i);
	join(at->path, key, path);
	join(path, index, ret->path);
	return js_is_object(ret->o) ||
	       jsnode_bad(ret, "", e, "must be an object");
}

bool
jsnode_text(const struct jsnode *at, const char *key, size_t max,
    const char *otherwise, const char **ret, struct err *e)
{
	struct json_object *v = js_get(at->o, key);
	const char *text = v == NULL ? otherwise : js_text_of(v);

	if (v != NULL && text == NULL)
		return jsnode_bad(at, key, e, "must be a text");
	if (v != NULL && (text[0] == '\0' || strlen(text) > max))
		return jsnode_bad(at, key, e, "must have 1 to %zu bytes", max);
	*ret = text;
	return true;
}

bool
jsnode_int(const struct jsnode *at, const char *key, int64_t min, int64_t max,
    int64_t otherwise, int64_t *ret, struct err *e)
{
	struct json_object *v = js_get(at->o, key);
	int64_t n = v == NULL ? otherwise : js_int_of(v);

	if (v != NULL && (!js_is_int(v) || n < min || n > max))
		return jsnode_bad(at, key, e,
		    "must be a whole number from %" PRId64 " to %" PRId64, min,
		    max);
	*ret = n;
	return true;
}

bool
jsnode_bool(const struct jsnode *at, const char *key, bool otherwise, bool *ret,
    struct err *e)
{
	struct json_object *v = js_get(at->o, key);

	if (v != NULL && !js_is_bool(v))
		return jsnode_bad(at, key, e, "must be true or false");
	*ret = v == NULL ? otherwise : js_bool_of(v);
	return true;
}

bool
jsnode_number(const struct jsnode *at, const char *key, struct err *e)
{
	struct json_object *v = js_get(at->o, key);

	return v == NULL || js_is_number(v) ||
	       jsnode_bad(at, key, e, "must be a number");
}
