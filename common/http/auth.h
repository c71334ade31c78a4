/*
 * Who is calling.  Either the scheduler's shared secret (Authorization:
 * Bearer CRON_SECRET or CRON_SECRET_PREVIOUS, compared in constant time, no
 * database), or a user: "Authorization: JWT t", "Bearer t", "users API-Key
 * k", or the cookie payload-token (only same-origin for calls that change
 * state).  x-vercel-cron and user agents never count.
 */
#ifndef AFTERWORK_HTTP_AUTH_H
#define AFTERWORK_HTTP_AUTH_H

#include "common/http/req.h"
#include "common/site/user.h"

struct db;

enum access {
	ACCESS_PUBLIC,       /* nobody is looked up */
	ACCESS_OPTIONAL,     /* a user if there is one (users/me) */
	ACCESS_USER,         /* any signed-in user */
	ACCESS_JOBS,         /* role admin or operator */
	ACCESS_JOBS_OR_CRON, /* those, or the cron secret */
	ACCESS_CRON,         /* the cron secret only */
};

struct caller {
	bool cron;  /* showed the cron secret */
	bool known; /* user is set */
	struct user user;
};

/*
 * Decide.  ERR_AUTH when nobody valid is shown (the same for every wrong or
 * malformed secret), ERR_FORBIDDEN when the user lacks the role.  db is used
 * only when a user credential must be looked up; a wrong secret costs no
 * connection unless it has the shape of a user's token.
 */
bool auth_check(const struct req *r, struct db *db, enum access access,
    struct caller *ret, struct err *e) MUSTCHECK;

/* Log each reason why the configured secrets do not count (at start). */
void auth_log_secrets(void);

#endif
