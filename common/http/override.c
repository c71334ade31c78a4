#include "common/http/override.h"

#include "common/http/body.h"
#include "common/link/js.h"
#include "common/parse/header.h"

static bool
asks_for_get(const struct req *r)
{
	static const char *const names[] = {
		"HTTP_X_PAYLOAD_HTTP_METHOD_OVERRIDE",
		"HTTP_X_HTTP_METHOD_OVERRIDE",
	};

	if (strcmp(r->method, "POST") != 0)
		return false;
	for (size_t i = 0; i < LEN(names); i++) {
		const char *value = req_header(r, names[i]);

		if (value != NULL && strcmp(value, "GET") == 0)
			return true;
	}
	return false;
}

/* ---- JSON as the text of a query ---- */

/* A name on its way down: "select" and then "select[title]". */
struct path {
	struct buf *out;
	const char *name;
	bool outermost;
};

static void
add_escaped(struct buf *out, const char *text)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "-._~[]";

	for (; *text != '\0'; text++)
		if (strchr(plain, *text) != NULL)
			buf_addc(out, *text);
		else
			buf_addf(
			    out, "%%%02X", (unsigned int)(unsigned char)*text);
}

/* A long name with many entries must not become far longer than the body:
 * what is too long for a query anyway is refused as one. */
static void
add_pair(struct buf *out, const char *name, const char *value)
{
	if (out->len > QUERY_BYTES_MAX)
		return;
	buf_addc(out, '&');
	add_escaped(out, name);
	buf_addc(out, '=');
	add_escaped(out, value);
}

static void
add_json(struct buf *out, const char *name, struct json_object *v)
{
	AUTO_BUF text = BUF_INIT;

	js_print(v, &text);
	out->broken = out->broken || text.broken;
	add_pair(out, name, text.data);
}

static bool add_member(const char *key, struct json_object *v, void *ctx);

static void
add_value(const struct path *at, struct json_object *v)
{
	struct path below = { .out = at->out, .name = at->name };

	if (v == NULL)
		return;
	if (js_is_object(v) && !(at->outermost && !strcmp(at->name, "where")))
		js_each(v, add_member, &below);
	else if (js_is_array(v))
		for (size_t i = 0; i < js_len(v); i++)
			add_value(&below, js_at(v, i));
	else if (js_is_text(v))
		add_pair(at->out, at->name, js_text_of(v));
	else
		add_json(at->out, at->name, v);
}

static bool
add_member(const char *key, struct json_object *v, void *ctx)
{
	const struct path *at = ctx;
	AUTO_BUF name = BUF_INIT;
	bool outermost = at->name == NULL;

	if (outermost)
		buf_adds(&name, key);
	else
		buf_addf(&name, "%s[%s]", at->name, key);
	at->out->broken = at->out->broken || name.broken;
	add_value(&(struct path){ at->out, name.data, outermost }, v);
	return true;
}

static bool
add_object(const struct buf *body, struct buf *out, struct err *e)
{
	AUTO_JS *o = NULL;
	struct path top = { .out = out };

	if (!req_nodes_bounded(body->data, body->len, QUERY_PAIRS_MAX, e) ||
	    !js_parse_object(body->data, body->len, &o, e))
		return false;
	js_each(o, add_member, &top);
	return true;
}

/* ---- the request ---- */

static bool
add_body(struct req *r, struct buf *out, struct err *e)
{
	const char *type = req_header(r, "CONTENT_TYPE");
	AUTO_BUF text = BUF_INIT;
	char media_type[64] = "";
	struct body body;

	if (type != NULL && *type != '\0' &&
	    !header_media_type(type, media_type, sizeof(media_type)))
		return err_fail(e, ERR_INVALID, "Content-Type is not valid.");
	if (!body_init(&body, r, QUERY_BYTES_MAX, e) ||
	    !body_all(&body, &text, e))
		return false;
	if (text.len == 0)
		return true;
	if (strcmp(media_type, "application/json") == 0)
		return add_object(&text, out, e);
	if (strcmp(media_type, "application/x-www-form-urlencoded") != 0)
		return err_fail(e, ERR_INVALID,
		    "Content-Type must be application/json or "
		    "application/x-www-form-urlencoded.");
	buf_addc(out, '&');
	buf_add(out, text.data, text.len);
	return true;
}

bool
override_apply(struct req *r, struct err *e)
{
	const char *query = req_header(r, "QUERY_STRING");
	AUTO_BUF text = BUF_INIT;
	struct query parsed;

	if (!asks_for_get(r))
		return true;
	buf_adds(&text, query == NULL ? "" : query);
	if (!add_body(r, &text, e) || !buf_ok(&text, e) ||
	    !query_parse(text.data, text.len, &parsed, e))
		return false;
	query_release(&r->query);
	r->query = parsed;
	r->method = "GET";
	return true;
}
