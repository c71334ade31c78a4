/*
 * One mail by SMTP, through libcurl.
 *
 * The certificate of the server is checked, and without STARTTLS nothing is
 * sent, unless the caller says otherwise.  One transaction for all recipients:
 * either the server took the mail for each of them, or for none.
 */
#ifndef AFTERWORK_LINK_NET_MAIL_H
#define AFTERWORK_LINK_NET_MAIL_H

#include "common/base/err.h"

enum net_starttls {
	NET_STARTTLS_REQUIRED,
	NET_STARTTLS_TRY, /* whoever is in between can forbid it */
	NET_STARTTLS_OFF,
};

/* All texts are borrowed, lists end with NULL. */
struct net_mail {
	const char *url; /* smtp:// or smtps://, with user and password */
	enum net_starttls starttls; /* of smtp:// */
	const char *ca; /* certificates in PEM instead of the host's; NULL */
	const char *from;
	const char *const *to;
	/* Complete ones, "\r\n " where they are folded; without those that say
	 * what kind the body is. */
	const char *const *headers;
	const char *text, *html; /* either may be NULL; line ends CRLF */
	int64_t timeout_ms;
};

/*
 * ERR_AUTH: the settings are wrong (URL, login, no STARTTLS).  ERR_INVALID: the
 * server refused it for good (5xx).  ERR_UNAVAILABLE: it did so this time
 * (4xx), or there was no answer; it may have taken the mail nonetheless.
 */
bool net_mail(const struct net_mail *m, struct err *e) MUSTCHECK;

#endif
