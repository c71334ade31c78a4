/*
 * JSON through json-c.
 *
 * json-c 0.16 is lax even in its strict mode: it takes NaN, 'quotes' round
 * keys, leading zeros, raw control bytes and overlong UTF-8, saturates whole
 * numbers and cuts keys at \u0000.  So the words of a text are checked here
 * first, in one pass; the order of the words is left to json-c.
 */
#include "common/link/js.h"

#include <inttypes.h>
#include <limits.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "common/base/num.h"

enum { PRINT_FLAGS = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE };

/* PostgreSQL keeps 1e9 as the digits that it stands for.  What goes in must
 * come out as a number that is taken again, and not a page long. */
enum {
	SCALED_DIGITS_MAX = 18, /* before the point, with the exponent */
	EXPONENT_MAX = 324,     /* either way; a double ends there */
};

/* --- the words of a JSON text --- */

struct words {
	const char *p;
	size_t n, at;
};

static bool
words_bad(const struct words *w, const char *why, struct err *e)
{
	return err_fail(
	    e, ERR_INVALID, "Invalid JSON: %s at byte %zu.", why, w->at);
}

static bool
is_digit(const struct words *w)
{
	return w->at < w->n && w->p[w->at] >= '0' && w->p[w->at] <= '9';
}

static bool
is_one_of(const struct words *w, const char *set)
{
	return w->at < w->n && w->p[w->at] != '\0' &&
	       strchr(set, w->p[w->at]) != NULL;
}

/* At least one digit. */
static bool
skip_digits(struct words *w)
{
	if (!is_digit(w))
		return false;
	while (is_digit(w))
		w->at++;
	return true;
}

/* The digits behind an 'e' and its sign; ndigits stand before the point. */
static bool
skip_exponent(struct words *w, size_t ndigits)
{
	bool down = is_one_of(w, "-");
	size_t start;
	int64_t value;

	if (is_one_of(w, "+-"))
		w->at++;
	start = w->at;
	return skip_digits(w) &&
	       num_parse(
		   w->p + start, w->at - start, 0, EXPONENT_MAX, &value) &&
	       (down || (int64_t)ndigits + value <= SCALED_DIGITS_MAX);
}

/* A fraction or an exponent, where there is one. */
static bool
skip_number_tail(struct words *w, size_t ndigits, bool *ret_whole)
{
	if (is_one_of(w, ".")) {
		*ret_whole = false;
		w->at++;
		if (!skip_digits(w))
			return false;
	}
	if (is_one_of(w, "eE")) {
		*ret_whole = false;
		w->at++;
		return skip_exponent(w, ndigits);
	}
	return true;
}

static bool
check_number(struct words *w, struct err *e)
{
	bool whole = true;
	size_t start;
	int64_t value;

	if (is_one_of(w, "-"))
		w->at++;
	start = w->at;
	if (!skip_digits(w) || (w->p[start] == '0' && w->at > start + 1) ||
	    !skip_number_tail(
		w, w->p[start] == '0' ? 0 : w->at - start, &whole))
		return words_bad(w, "malformed number, or one too large", e);
	if (whole &&
	    !num_parse(w->p + start, w->at - start, 0, INT64_MAX, &value))
		return words_bad(w, "number beyond 64 bits", e);
	return true;
}

static bool
check_escape(struct words *w, struct err *e)
{
	const char *p = w->p + w->at;

	if (w->n - w->at >= 6 && memcmp(p, "\\u0000", 6) == 0)
		return words_bad(w, "\\u0000 cannot be stored", e);
	/* What may follow the backslash is json-c's to check. */
	w->at += w->n - w->at >= 2 && (unsigned char)p[1] < 0x80 ? 2 : 1;
	return true;
}

static bool
check_string(struct words *w, struct err *e)
{
	w->at++;
	while (w->at < w->n && w->p[w->at] != '"') {
		const char *p = w->p + w->at;
		size_t len = buf_utf8_len(p, w->n - w->at);

		if (len == 0)
			return words_bad(w, "text is not UTF-8", e);
		if ((unsigned char)*p < 0x20)
			return words_bad(w, "control character in text", e);
		if (*p != '\\')
			w->at += len;
		else if (!check_escape(w, e))
			return false;
	}
	if (w->at >= w->n)
		return words_bad(w, "unfinished text", e);
	w->at++;
	return true;
}

static bool
skip_literal(struct words *w)
{
	static const char *const literals[] = { "true", "false", "null" };

	for (size_t i = 0; i < LEN(literals); i++) {
		size_t len = strlen(literals[i]);

		if (w->n - w->at >= len &&
		    memcmp(w->p + w->at, literals[i], len) == 0) {
			w->at += len;
			return true;
		}
	}
	return false;
}

static bool
check_words(const char *p, size_t n, struct err *e)
{
	struct words w = { .p = p, .n = n };

	while (w.at < w.n) {
		if (is_one_of(&w, " \t\r\n{}[],:"))
			w.at++;
		else if (is_one_of(&w, "\"")) {
			if (!check_string(&w, e))
				return false;
		} else if (is_one_of(&w, "-0123456789")) {
			if (!check_number(&w, e))
				return false;
		} else if (!skip_literal(&w))
			return words_bad(&w, "unexpected character", e);
	}
	return true;
}

/* --- parse and print --- */

void
js_free(struct json_object **v)
{
	json_object_put(*v);
	*v = NULL;
}

static struct json_object *
no_null(struct json_object *v)
{
	if (v == NULL)
		abort();
	return v;
}

static bool
parse_checked(struct json_tokener *t, const char *p, size_t n,
    struct json_object **ret, struct err *e)
{
	AUTO_JS *v = json_tokener_parse_ex(t, p, (int)n);
	enum json_tokener_error why = json_tokener_get_error(t);

	/* A number or a literal at top level ends where the text ends. */
	if (why == json_tokener_continue) {
		v = json_tokener_parse_ex(t, "", 1);
		why = json_tokener_get_error(t);
	}
	if (why != json_tokener_success)
		return err_fail(e, ERR_INVALID, "Invalid JSON: %s.",
		    json_tokener_error_desc(why));
	*ret = v;
	v = NULL;
	return true;
}

bool
js_parse(const char *p, size_t n, struct json_object **ret, struct err *e)
{
	struct json_tokener *t;
	bool good;

	if (n >= INT32_MAX)
		return err_fail(e, ERR_TOO_LARGE, "The JSON is too large.");
	if (!check_words(p, n, e))
		return false;
	t = json_tokener_new_ex(JS_DEPTH_MAX);
	if (t == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	good = parse_checked(t, p, n, ret, e);
	json_tokener_free(t);
	return good;
}

bool
js_parse_object(
    const char *p, size_t n, struct json_object **ret, struct err *e)
{
	AUTO_JS *v = NULL;

	if (!js_parse(p, n, &v, e))
		return false;
	if (!js_is_object(v))
		return err_fail(
		    e, ERR_INVALID, "Invalid JSON: an object is expected.");
	*ret = v;
	v = NULL;
	return true;
}

void
js_print(struct json_object *v, struct buf *ret)
{
	size_t n;
	const char *text =
	    json_object_to_json_string_length(v, PRINT_FLAGS, &n);

	if (text == NULL)
		abort();
	buf_add(ret, text, n);
}

/* --- read --- */

bool
js_has(struct json_object *o, const char *key)
{
	return json_object_object_get_ex(o, key, NULL);
}

struct json_object *
js_get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!js_is_object(o))
		return NULL;
	(void)json_object_object_get_ex(o, key, &v);
	return v;
}

bool
js_text(struct json_object *o, const char *key, const char *otherwise,
    const char **ret, struct err *e)
{
	struct json_object *v = js_get(o, key);

	if (v != NULL && !js_is_text(v))
		return err_field(e, key, "\"%s\" must be a text.", key);
	*ret = v == NULL ? otherwise : json_object_get_string(v);
	return true;
}

bool
js_int(struct json_object *o, const char *key, int64_t otherwise, int64_t min,
    int64_t max, int64_t *ret, struct err *e)
{
	struct json_object *v = js_get(o, key);
	int64_t value = v == NULL ? otherwise : js_int_of(v);

	if (v != NULL && (!js_is_int(v) || value < min || value > max))
		return err_field(e, key,
		    "\"%s\" must be a whole number from %" PRId64 " to %" PRId64
		    ".",
		    key, min, max);
	*ret = value;
	return true;
}

bool
js_bool(struct json_object *o, const char *key, bool otherwise, bool *ret,
    struct err *e)
{
	struct json_object *v = js_get(o, key);

	if (v != NULL && !js_is_bool(v))
		return err_field(e, key, "\"%s\" must be true or false.", key);
	*ret = v == NULL ? otherwise : js_bool_of(v);
	return true;
}

bool
js_is_object(struct json_object *v)
{
	return json_object_is_type(v, json_type_object);
}

bool
js_is_array(struct json_object *v)
{
	return json_object_is_type(v, json_type_array);
}

bool
js_is_text(struct json_object *v)
{
	return json_object_is_type(v, json_type_string);
}

bool
js_is_int(struct json_object *v)
{
	return json_object_is_type(v, json_type_int);
}

bool
js_is_number(struct json_object *v)
{
	return js_is_int(v) || json_object_is_type(v, json_type_double);
}

bool
js_is_bool(struct json_object *v)
{
	return json_object_is_type(v, json_type_boolean);
}

const char *
js_text_of(struct json_object *v)
{
	return js_is_text(v) ? json_object_get_string(v) : NULL;
}

int64_t
js_int_of(struct json_object *v)
{
	return js_is_int(v) ? json_object_get_int64(v) : 0;
}

bool
js_bool_of(struct json_object *v)
{
	return js_is_bool(v) && json_object_get_boolean(v);
}

double
js_number_of(struct json_object *v)
{
	return json_object_get_double(v);
}

size_t
js_len(struct json_object *array)
{
	return js_is_array(array) ? json_object_array_length(array) : 0;
}

struct json_object *
js_at(struct json_object *array, size_t i)
{
	return i < js_len(array) ? json_object_array_get_idx(array, i) : NULL;
}

bool
js_each(struct json_object *o,
    bool (*fn)(const char *key, struct json_object *v, void *ctx), void *ctx)
{
	if (!js_is_object(o))
		return true;
	json_object_object_foreach(o, key, v)
	{
		if (!fn(key, v, ctx))
			return false;
	}
	return true;
}

/* --- build --- */

struct json_object *
js_new_object(void)
{
	return no_null(json_object_new_object());
}

struct json_object *
js_new_array(void)
{
	return no_null(json_object_new_array());
}

struct json_object *
js_new_text(const char *v)
{
	return no_null(json_object_new_string(v));
}

static int
print_raw(struct json_object *v, struct printbuf *pb, int level UNUSED,
    int flags UNUSED)
{
	const struct buf *text = json_object_get_userdata(v);

	return printbuf_memappend(pb, text->data, (int)text->len);
}

static void
free_raw(struct json_object *v UNUSED, void *userdata)
{
	buf_release(userdata);
	free(userdata);
}

struct json_object *
js_new_raw(struct buf *text)
{
	struct buf *kept = malloc(sizeof(*kept));
	struct json_object *v;

	if (kept == NULL || text->broken || text->len > INT_MAX) {
		free(kept);
		return NULL;
	}
	*kept = *text;
	*text = (struct buf)BUF_INIT;
	v = no_null(json_object_new_boolean(false));
	json_object_set_serializer(v, print_raw, kept, free_raw);
	return v;
}

struct json_object *
js_new_int(int64_t v)
{
	return no_null(json_object_new_int64(v));
}

struct json_object *
js_ref(struct json_object *v)
{
	return json_object_get(v);
}

void
js_set(struct json_object *o, const char *key, struct json_object *v)
{
	if (json_object_object_add(o, key, v) != 0)
		abort();
}

void
js_set_text(struct json_object *o, const char *key, const char *v)
{
	js_set(o, key, v == NULL ? NULL : js_new_text(v));
}

void
js_set_int(struct json_object *o, const char *key, int64_t v)
{
	js_set(o, key, js_new_int(v));
}

void
js_set_bool(struct json_object *o, const char *key, bool v)
{
	js_set(o, key, no_null(json_object_new_boolean(v)));
}

void
js_set_seconds(struct json_object *o, const char *key, int64_t us)
{
	char text[40];
	size_t n;

	(void)snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64,
	    us / 1000000, us % 1000000);
	n = strlen(text);
	while (text[n - 1] == '0' && text[n - 2] != '.')
		text[--n] = '\0';
	js_set(o, key, json_object_new_double_s((double)us / 1e6, text));
}

void
js_del(struct json_object *o, const char *key)
{
	json_object_object_del(o, key);
}

void
js_add(struct json_object *array, struct json_object *v)
{
	if (json_object_array_add(array, v) != 0)
		abort();
}
