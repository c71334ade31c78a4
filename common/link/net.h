/*
 * HTTP to other servers: the only caller of libcurl.
 *
 * Http and https only, certificates checked, no redirect followed, no proxy,
 * no cookie, no ~/.netrc.  One call at a time; nothing is kept between calls.
 */
#ifndef AFTERWORK_LINK_NET_H
#define AFTERWORK_LINK_NET_H

#include "common/base/buf.h"

/* All texts are borrowed; NULL ones are not sent. */
struct net_get {
	const char *url;
	const char *user_agent;
	const char *bearer;         /* Authorization: Bearer <bearer> */
	const char *const *headers; /* "name: value", ends with NULL */
	int64_t timeout_ms;         /* of the whole call */
	size_t max_bytes;           /* of the answer that are kept */
};

/*
 * Send one GET.  Any complete answer is success: *ret_status is its status,
 * and the first max_bytes of its body are appended to ret_body.
 * ERR_INVALID: the URL, a header or the bearer cannot be sent.
 * ERR_UNAVAILABLE: no answer; the message says why, and never holds the
 * bearer.
 */
bool net_get(const struct net_get *g, int *ret_status, struct buf *ret_body,
    struct err *e) MUSTCHECK;

#endif
