#include "common/link/net.h"

#include <sys/socket.h>

#include <curl/curl.h>

enum { CONNECT_MS = 10 * 1000 };

struct call {
	CURL *curl;
	struct curl_slist *headers;
	struct buf *body;
	size_t room;                      /* of the body that is still kept */
	bool ends;                        /* and then the call ends */
	bool cut;                         /* it did */
	const struct net_ranges *allowed; /* NULL: any address */
	int opened, refused;              /* addresses */
	char why[CURL_ERROR_SIZE];
};

static void
call_release(struct call *c)
{
	curl_slist_free_all(c->headers);
	curl_easy_cleanup(c->curl);
}

/* All bytes are taken, so that the connection ends in order; not all are
 * kept. */
static size_t
keep(char *p, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	size_t bytes = size * n, kept = bytes < c->room ? bytes : c->room;

	buf_add(c->body, p, kept);
	c->room -= kept;
	c->cut = kept < bytes;
	return c->cut && c->ends ? 0 : bytes;
}

/* For each address that is tried. */
static curl_socket_t
open_socket(void *ctx, curlsocktype purpose UNUSED, struct curl_sockaddr *a)
{
	struct call *c = ctx;

	if (!net_address_allowed(&a->addr, c->allowed)) {
		c->refused++;
		return CURL_SOCKET_BAD;
	}
	c->opened++;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* A byte below 0x20 would end the line and begin another header. */
static bool
is_sendable(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static bool
add_header(struct call *c, const char *line, struct err *e)
{
	struct curl_slist *more;

	if (!is_sendable(line))
		return err_fail(e, ERR_INVALID,
		    "a header with control bytes cannot be sent");
	more = curl_slist_append(c->headers, line);
	if (more == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	c->headers = more;
	return true;
}

static bool
add_headers(struct call *c, const struct net_get *g, struct err *e)
{
	AUTO_BUF line = BUF_INIT;

	for (size_t i = 0; g->headers != NULL && g->headers[i] != NULL; i++)
		if (!add_header(c, g->headers[i], e))
			return false;
	if (g->bearer == NULL)
		return true;
	buf_adds(&line, "Authorization: Bearer ");
	buf_adds(&line, g->bearer);
	return buf_ok(&line, e) && add_header(c, line.data, e);
}

static bool
set_up(struct call *c, const struct net_get *g)
{
	CURL *h = c->curl;

	return curl_easy_setopt(h, CURLOPT_URL, g->url) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
		   (long)CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)g->timeout_ms) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_USERAGENT, g->user_agent) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HTTPHEADER, c->headers) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, keep) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_WRITEDATA, c) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->why) == CURLE_OK;
}

static bool
set_up_send(struct call *c, const struct net_send *s)
{
	CURL *h = c->curl;
	bool has_body = s->body != NULL;

	return curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, c) == CURLE_OK &&
	       (!has_body || (curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE,
				  (curl_off_t)s->nbody) == CURLE_OK &&
				 curl_easy_setopt(h, CURLOPT_POSTFIELDS,
				     s->body) == CURLE_OK)) &&
	       curl_easy_setopt(h, CURLOPT_NOBODY,
		   (long)(strcmp(s->method, "HEAD") == 0)) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, s->method) ==
		   CURLE_OK;
}

static bool
perform(struct call *c, int *ret_status, struct err *e)
{
	CURLcode code = curl_easy_perform(c->curl);
	long status = 0;

	if (c->opened == 0 && c->refused > 0)
		return err_fail(e, ERR_FORBIDDEN,
		    "the address of that host is not a public one");
	if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && c->cut))
		return err_fail(e,
		    code == CURLE_URL_MALFORMAT ||
			    code == CURLE_UNSUPPORTED_PROTOCOL
			? ERR_INVALID
			: ERR_UNAVAILABLE,
		    "no answer: %s",
		    c->why[0] != '\0' ? c->why : curl_easy_strerror(code));
	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	*ret_status = (int)status;
	return true;
}

static bool
prepare(struct call *c, const struct net_get *g, struct err *e)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_fail(e, ERR_UNAVAILABLE, "could not start libcurl");
	c->curl = curl_easy_init();
	if (c->curl == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	/* No waiting for a "100 Continue" before a long body. */
	if (!add_headers(c, g, e) || !add_header(c, "Expect:", e))
		return false;
	if (!set_up(c, g))
		return err_fail(e, ERR_UNAVAILABLE, "could not set up libcurl");
	return true;
}

bool
net_get(const struct net_get *g, int *ret_status, struct buf *ret_body,
    struct err *e)
{
	CLEANUP(call_release)
	struct call c = { .body = ret_body, .room = g->max_bytes };

	return prepare(&c, g, e) && perform(&c, ret_status, e) &&
	       buf_ok(ret_body, e);
}

void
net_answer_release(struct net_answer *a)
{
	buf_release(&a->body);
}

bool
net_send(const struct net_send *s, struct net_answer *ret, struct err *e)
{
	CLEANUP(call_release)
	struct call c = { .body = &ret->body,
		.room = s->how.max_bytes,
		.ends = true,
		.allowed = s->allowed };
	curl_off_t wait_s = 0;
	char *type = NULL;

	if (!prepare(&c, &s->how, e))
		return false;
	if (!set_up_send(&c, s))
		return err_fail(e, ERR_UNAVAILABLE, "could not set up libcurl");
	if (!perform(&c, &ret->status, e) || !buf_ok(&ret->body, e))
		return false;
	(void)curl_easy_getinfo(c.curl, CURLINFO_RETRY_AFTER, &wait_s);
	(void)curl_easy_getinfo(c.curl, CURLINFO_CONTENT_TYPE, &type);
	ret->retry_after_s = wait_s;
	ret->cut = c.cut;
	(void)snprintf(
	    ret->type, sizeof(ret->type), "%s", type == NULL ? "" : type);
	return true;
}
