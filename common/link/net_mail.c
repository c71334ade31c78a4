#include "common/link/net_mail.h"

#include <curl/curl.h>

enum { CONNECT_MS = 10 * 1000 };

struct mail {
	CURL *curl;
	struct curl_slist *headers, *to;
	curl_mime *parts;
	char why[CURL_ERROR_SIZE];
};

static void
mail_release(struct mail *m)
{
	curl_easy_cleanup(m->curl);
	curl_mime_free(m->parts);
	curl_slist_free_all(m->headers);
	curl_slist_free_all(m->to);
}

static bool
add(struct curl_slist **list, const char *text)
{
	struct curl_slist *more = curl_slist_append(*list, text);

	if (more != NULL)
		*list = more;
	return more != NULL;
}

static bool
add_all(struct curl_slist **list, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		if (!add(list, *texts))
			return false;
	return true;
}

static bool
add_part(struct mail *m, const char *text, const char *type)
{
	curl_mimepart *part = text == NULL ? NULL : curl_mime_addpart(m->parts);

	return text == NULL ||
	       (part != NULL &&
		   curl_mime_data(part, text, CURL_ZERO_TERMINATED) ==
		       CURLE_OK &&
		   curl_mime_type(part, type) == CURLE_OK &&
		   curl_mime_encoder(part, "quoted-printable") == CURLE_OK);
}

/* Readers show the last part of an alternative that they can. */
static bool
build(struct mail *m, const struct net_mail *want)
{
	m->parts = curl_mime_init(m->curl);
	return m->parts != NULL && add_all(&m->to, want->to) &&
	       add_all(&m->headers, want->headers) &&
	       add(&m->headers, "Content-Type: multipart/alternative") &&
	       add_part(m, want->text, "text/plain; charset=utf-8") &&
	       add_part(m, want->html, "text/html; charset=utf-8");
}

static bool
set_tls(struct mail *m, const struct net_mail *want)
{
	static const long use[] = {
		[NET_STARTTLS_REQUIRED] = (long)CURLUSESSL_ALL,
		[NET_STARTTLS_TRY] = (long)CURLUSESSL_TRY,
		[NET_STARTTLS_OFF] = (long)CURLUSESSL_NONE,
	};
	struct curl_blob ca = { .data = (void *)(uintptr_t)want->ca,
		.len = want->ca == NULL ? 0 : strlen(want->ca),
		.flags = CURL_BLOB_COPY };

	return curl_easy_setopt(
		   m->curl, CURLOPT_USE_SSL, use[want->starttls]) == CURLE_OK &&
	       (want->ca == NULL || curl_easy_setopt(m->curl,
					CURLOPT_CAINFO_BLOB, &ca) == CURLE_OK);
}

static bool
set_up(struct mail *m, const struct net_mail *want)
{
	CURL *h = m->curl;

	return curl_easy_setopt(h, CURLOPT_URL, want->url) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "smtp,smtps") ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
		   (long)CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(
		   h, CURLOPT_TIMEOUT_MS, (long)want->timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_MAIL_FROM, want->from) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_MAIL_RCPT, m->to) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HTTPHEADER, m->headers) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_MIMEPOST, m->parts) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_ERRORBUFFER, m->why) == CURLE_OK &&
	       set_tls(m, want);
}

/* What the last answer and libcurl's own word make of it. */
static enum err_code
blame(CURLcode code, long status)
{
	switch (code) {
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_USE_SSL_FAILED:
		return ERR_AUTH;
	case CURLE_LOGIN_DENIED:
		return status / 100 == 4 ? ERR_UNAVAILABLE : ERR_AUTH;
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PEER_FAILED_VERIFICATION:
		return ERR_UNAVAILABLE;
	default:
		return status / 100 == 5 ? ERR_INVALID : ERR_UNAVAILABLE;
	}
}

static bool
perform(struct mail *m, struct err *e)
{
	CURLcode code = curl_easy_perform(m->curl);
	char said[64];
	long status = 0;

	if (code == CURLE_OK)
		return true;
	(void)curl_easy_getinfo(m->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)snprintf(said, sizeof(said), " (its answer was %ld)", status);
	return err_fail(e, blame(code, status), "the mail was not taken: %s%s",
	    m->why[0] != '\0' ? m->why : curl_easy_strerror(code),
	    status >= 400 ? said : "");
}

bool
net_mail(const struct net_mail *want, struct err *e)
{
	CLEANUP(mail_release) struct mail m = { .curl = NULL };

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_fail(e, ERR_UNAVAILABLE, "could not start libcurl");
	m.curl = curl_easy_init();
	if (m.curl == NULL || !build(&m, want) || !set_up(&m, want))
		return err_fail(e, ERR_UNAVAILABLE, "could not set up libcurl");
	return perform(&m, e);
}
