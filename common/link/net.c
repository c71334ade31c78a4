#include "common/link/net.h"

#include <curl/curl.h>

enum { CONNECT_MS = 10 * 1000 };

struct call {
	CURL *curl;
	struct curl_slist *headers;
	struct buf *body;
	size_t room; /* of the body that is still kept */
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
	return bytes;
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
perform(struct call *c, int *ret_status, struct err *e)
{
	CURLcode code = curl_easy_perform(c->curl);
	long status = 0;

	if (code != CURLE_OK)
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

bool
net_get(const struct net_get *g, int *ret_status, struct buf *ret_body,
    struct err *e)
{
	CLEANUP(call_release)
	struct call c = { .body = ret_body, .room = g->max_bytes };

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_fail(e, ERR_UNAVAILABLE, "could not start libcurl");
	c.curl = curl_easy_init();
	if (c.curl == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	if (!add_headers(&c, g, e))
		return false;
	if (!set_up(&c, g))
		return err_fail(e, ERR_UNAVAILABLE, "could not set up libcurl");
	return perform(&c, ret_status, e) && buf_ok(ret_body, e);
}
