/*
 * Who is calling.  Either the scheduler's shared secret (Authorization:
 * Bearer CRON_SECRET or CRON_SECRET_PREVIOUS, compared in constant time, no
 * database), or a user: "Authorization: JWT t", "Bearer t", "users API-Key
 * k", or the cookie payload-token (for calls that change state only from a
 * page of our own origin).  x-vercel-cron and user agents never count.  What
 * each may is common/http/access.h's.
 */
#ifndef AFTERWORK_HTTP_AUTH_H
#define AFTERWORK_HTTP_AUTH_H

#include "common/http/access.h"
#include "common/http/req.h"

struct db;

struct caller {
	bool cron;  /* showed the cron secret */
	bool known; /* user is set */
	struct user user;
	const char *token; /* the login token of its header, borrowed from the
			      request; NULL for a cookie and an API key */
	size_t token_n;
};

/*
 * Decide.  A refusal is ERR_FORBIDDEN in Payload's words, whoever is refused
 * and however wrong the credential; where the scheduler's secret counts it is
 * ERR_AUTH, always the same.  ":id" of a users' route, the first parameter, is
 * the account asked for.  db is used only when a user credential must be
 * looked up; a wrong secret costs no connection unless it has the shape of a
 * user's token.
 */
bool auth_check(const struct req *r, struct db *db, enum access access,
    struct caller *ret, struct err *e) MUSTCHECK;

/* Does a browser say that a page of another origin makes this call? */
bool auth_is_foreign(const struct req *r);

/* Log each reason why the configured secrets do not count (at start). */
void auth_log_secrets(void);

#endif
