/*
 * httpRequest {"url", "method"?, "headers"?, "body"?, "timeout"?}: one HTTP
 * request to a public address.
 *
 * It carries the headers of Standard Webhooks (standardwebhooks.com):
 * webhook-id, the same at each attempt of a job; webhook-timestamp; and, with
 * WEBHOOK_SECRET, webhook-signature, "v1," and the base64 of the HMAC-SHA256 of
 * "<id>.<timestamp>.<body>".
 *
 * Done with an answer 2xx.  408, 425, 429, 5xx and no answer are tried again,
 * after Retry-After where it says so; any other answer is final.
 */
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/js.h"
#include "common/link/net.h"
#include "common/runner/handler.h"

enum {
	TIMEOUT_DEFAULT_S = 30,
	TIMEOUT_MAX_S = 55,
	ANSWER_MAX = 1024 * 1024, /* read */
	BODY_KEPT = 4096,         /* of that, in the output */
	HEADERS_MAX = 64,
	OWN_HEADERS = 8,
	SECRET_MIN = 24,        /* bytes, as Standard Webhooks has it */
	WAIT_MAX_S = 24 * 3600, /* of Retry-After */
};

struct request {
	struct net_send send;
	struct buf body;
	struct buf lines[HEADERS_MAX + OWN_HEADERS];
	const char *headers[HEADERS_MAX + OWN_HEADERS + 1];
	size_t nheaders;
	bool typed; /* the input has a Content-Type */
	bool is_signed;
	struct err fault; /* in the input's headers */
};

static void
request_release(struct request *r)
{
	buf_release(&r->body);
	for (size_t i = 0; i < r->nheaders; i++)
		buf_release(&r->lines[i]);
}

/* --- headers -------------------------------------------------------------- */

static bool
add_header(
    struct request *r, const char *name, const char *value, struct err *e)
{
	struct buf *line = &r->lines[r->nheaders];

	*line = (struct buf)BUF_INIT;
	buf_adds(line, name);
	/* libcurl takes "name:" as a wish to send none. */
	buf_adds(line, value[0] == '\0' ? ";" : ": ");
	buf_adds(line, value);
	r->nheaders++;
	return buf_ok(line, e);
}

static bool
is_token(const char *s)
{
	static const char chars[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return s[0] != '\0' && strspn(s, chars) == strlen(s);
}

/* What says where the request ends, or who it is from. */
static bool
is_ours(const char *name)
{
	static const char *const names[] = { "connection", "content-length",
		"expect", "host", "te", "trailer", "transfer-encoding",
		"upgrade", "webhook-id", "webhook-timestamp",
		"webhook-signature" };

	for (size_t i = 0; i < LEN(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

static bool
take_header(const char *name, struct json_object *v, void *ctx)
{
	struct request *r = ctx;

	if (!is_token(name) || is_ours(name) || !js_is_text(v))
		return err_field(&r->fault, "headers",
		    "headers is an object of names and texts, without those "
		    "that are not the caller's to set");
	if (r->nheaders == HEADERS_MAX)
		return err_field(&r->fault, "headers",
		    "at most %d headers are sent", HEADERS_MAX);
	r->typed = r->typed || strcasecmp(name, "content-type") == 0;
	return add_header(r, name, js_text_of(v), &r->fault);
}

static bool
read_headers(struct request *r, struct json_object *input, struct err *e)
{
	struct json_object *v = js_get(input, "headers");

	if (v != NULL && !js_is_object(v))
		return err_field(e, "headers", "headers must be an object");
	if (v != NULL)
		(void)js_each(v, take_header, r);
	if (r->fault.code == ERR_NONE)
		return true;
	*e = r->fault;
	return false;
}

/* --- the request ---------------------------------------------------------- */

/* A text is sent as it is, anything else as JSON. */
static bool
read_body(struct request *r, struct json_object *input, struct err *e)
{
	struct json_object *v = js_get(input, "body");
	bool text = js_is_text(v);

	if (v == NULL)
		return true;
	if (text)
		buf_adds(&r->body, js_text_of(v));
	else
		js_print(v, &r->body);
	r->send.body = r->body.data;
	r->send.nbody = r->body.len;
	return buf_ok(&r->body, e) &&
	       (r->typed ||
		   add_header(r, "Content-Type",
		       text ? "text/plain; charset=utf-8" : "application/json",
		       e));
}

static bool
read_method(struct request *r, struct json_object *input, struct err *e)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT",
		"PATCH", "DELETE" };
	const char *method;

	if (!js_text(input, "method", r->send.body == NULL ? "GET" : "POST",
		&method, e))
		return false;
	for (size_t i = 0; i < LEN(methods); i++)
		if (strcmp(methods[i], method) == 0)
			r->send.method = methods[i];
	if (r->send.method == NULL)
		return err_field(e, "method", "this method is not known");
	if (r->send.body != NULL &&
	    (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0))
		return err_field(e, "body", "a %s has no body", method);
	return true;
}

static bool
read_timeout(struct request *r, const struct handler *h, struct err *e)
{
	int64_t s;

	if (!js_int(h->input, "timeout", TIMEOUT_DEFAULT_S, 1, TIMEOUT_MAX_S,
		&s, e))
		return false;
	r->send.how.timeout_ms = s * 1000 < h->left_ms ? s * 1000 : h->left_ms;
	return true;
}

static bool
read_input(struct request *r, const struct handler *h, struct err *e)
{
	if (!js_text(h->input, "url", NULL, &r->send.how.url, e))
		return false;
	if (r->send.how.url == NULL)
		return err_field(e, "url", "there is no url");
	return read_headers(r, h->input, e) && read_body(r, h->input, e) &&
	       read_method(r, h->input, e) && read_timeout(r, h, e);
}

/* --- the signature -------------------------------------------------------- */

/* "whsec_" and base64, or the bytes themselves. */
static bool
read_secret(struct handler *h, const char *text, struct buf *ret, struct err *e)
{
	static const char prefix[] = "whsec_";

	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
		buf_adds(ret, text);
	else if (!crypt_unbase64(text + sizeof(prefix) - 1, ret))
		return handler_misset(
		    h, e, "WEBHOOK_SECRET: no base64 after whsec_");
	if (ret->len < SECRET_MIN)
		return handler_misset(h, e,
		    "WEBHOOK_SECRET is shorter than %d bytes", SECRET_MIN);
	return buf_ok(ret, e);
}

static bool
sign(struct request *r, struct handler *h, struct err *e)
{
	const char *text = conf_text("WEBHOOK_SECRET", NULL);
	AUTO_BUF secret = BUF_INIT;
	AUTO_BUF content = BUF_INIT;
	AUTO_BUF mac = BUF_INIT;
	char id[40], at[24];

	(void)snprintf(id, sizeof(id), "job_%" PRId64, h->job_id);
	(void)snprintf(at, sizeof(at), "%" PRId64, clock_wall_s());
	if (!add_header(r, "webhook-id", id, e) ||
	    !add_header(r, "webhook-timestamp", at, e))
		return false;
	if (text == NULL)
		return true;
	if (!read_secret(h, text, &secret, e))
		return false;
	buf_addf(&content, "%s.%s.", id, at);
	buf_add(&content, r->body.data, r->body.len);
	buf_adds(&mac, "v1,");
	crypt_hmac_base64(
	    secret.data, secret.len, content.data, content.len, &mac);
	crypt_wipe(secret.data, secret.len);
	r->is_signed = true;
	return buf_ok(&content, e) && buf_ok(&mac, e) &&
	       add_header(r, "webhook-signature", mac.data, e);
}

static bool
trace(struct request *r, struct err *e)
{
	const char *parent = conf_text("TRACEPARENT", NULL);

	return parent == NULL || add_header(r, "traceparent", parent, e);
}

/* --- the answer ----------------------------------------------------------- */

static bool
is_utf8(const char *p, size_t n)
{
	while (n > 0) {
		size_t k = buf_utf8_len(p, n);

		if (k == 0 || *p == '\0')
			return false;
		p += k;
		n -= k;
	}
	return true;
}

/* The beginning of what came, if it is text. */
static void
set_body(struct json_object *o, const struct net_answer *a)
{
	char text[BODY_KEPT + 1];
	size_t n = a->body.len < BODY_KEPT ? a->body.len : BODY_KEPT;

	memcpy(text, a->body.data, n);
	text[n] = '\0';
	if (n < a->body.len)
		buf_utf8_trim(text);
	if (n > 0 && is_utf8(text, strlen(text)) && strlen(text) + 4 > n)
		js_set_text(o, "body", text);
}

static struct json_object *
output(const struct request *r, const struct net_answer *a, int64_t took_ms)
{
	struct json_object *o = js_new_object();

	js_set_int(o, "status", a->status);
	js_set_int(o, "bytes", (int64_t)a->body.len);
	if (a->cut)
		js_set_bool(o, "cut", true);
	js_set_int(o, "durationMs", took_ms);
	js_set_bool(o, "signed", r->is_signed);
	if (is_utf8(a->type, strlen(a->type)))
		js_set_text(o, "contentType", a->type);
	set_body(o, a);
	return o;
}

static bool
judge(struct handler *h, const struct net_answer *a, struct err *e)
{
	if (a->status / 100 == 2)
		return true;
	if (a->status == 408 || a->status == 425 || a->status == 429 ||
	    a->status >= 500) {
		h->retry_after_s = a->retry_after_s < WAIT_MAX_S
				       ? a->retry_after_s
				       : WAIT_MAX_S;
		return err_fail(
		    e, ERR_UNAVAILABLE, "the answer was %d", a->status);
	}
	return err_fail(e, ERR_INVALID, "the answer was %d%s", a->status,
	    a->status / 100 == 3 ? "; redirects are not followed" : "");
}

static bool
handle(struct handler *h, struct err *e)
{
	CLEANUP(request_release) struct request r = { .body = BUF_INIT };
	AUTO_NET_ANSWER answer = { .body = BUF_INIT };
	struct net_ranges allowed;
	int64_t start_ms = clock_mono_ms();
	struct err why = { 0 };

	if (!net_ranges_parse(
		conf_text("HTTP_ALLOW_PRIVATE", NULL), &allowed, &why))
		return handler_misset(h, e, "HTTP_ALLOW_PRIVATE: %s", why.msg);
	if (!crypt_init(e) || !read_input(&r, h, e) || !sign(&r, h, e) ||
	    !trace(&r, e))
		return false;
	r.send.how.user_agent = "afterwork";
	r.send.how.headers = r.headers;
	r.send.how.max_bytes = ANSWER_MAX;
	r.send.allowed = &allowed;
	for (size_t i = 0; i < r.nheaders; i++)
		r.headers[i] = r.lines[i].data;
	if (!net_send(&r.send, &answer, e))
		return false;
	h->output = output(&r, &answer, clock_mono_ms() - start_ms);
	return judge(h, &answer, e);
}

int
main(void)
{
	return handler_main("httpRequest", handle);
}
