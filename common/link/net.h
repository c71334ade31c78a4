/*
 * HTTP and mail to other servers: the only callers of libcurl are this and
 * net_mail.
 *
 * Http and https only, certificates checked, no redirect followed, no proxy,
 * no cookie, no ~/.netrc.  One call at a time; nothing is kept between calls.
 */
#ifndef AFTERWORK_LINK_NET_H
#define AFTERWORK_LINK_NET_H

#include "common/base/buf.h"
#include "common/link/net_address.h"

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

/* A call to an address that somebody else chose. */
struct net_send {
	struct net_get how; /* max_bytes: the call ends there */
	const char *method;
	const void *body; /* NULL: none */
	size_t nbody;
	const struct net_ranges *allowed; /* besides public addresses */
};

struct net_answer {
	int status;
	int64_t retry_after_s; /* 0: it does not say */
	bool cut;              /* there was more than max_bytes of body */
	struct buf body;
	char type[128]; /* Content-Type, or "" */
};
#define AUTO_NET_ANSWER CLEANUP(net_answer_release) struct net_answer
void net_answer_release(struct net_answer *a);

/*
 * The same for any method, to public addresses only: it is looked at the very
 * address that is connected to, after the name was resolved.  ERR_FORBIDDEN:
 * there was no other.  *ret, which is to be all zero but for its body
 * (BUF_INIT), is given.
 */
bool net_send(
    const struct net_send *s, struct net_answer *ret, struct err *e) MUSTCHECK;

#endif
