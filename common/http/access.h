/*
 * Who may do what: one table, of what is done to which collection and by whom.
 *
 * Every route of every function names the line it falls under.  A line that
 * lets nobody in, and what is not in the table, is refused to all.  The table
 * for people is in functions/README.md; tests/http/access.t holds it against
 * what the functions do.
 */
#ifndef AFTERWORK_HTTP_ACCESS_H
#define AFTERWORK_HTTP_ACCESS_H

#include "common/site/user.h"

enum access {
	ACCESS_NONE, /* a route without a line: nobody */
	ACCESS_HEALTH,
	ACCESS_METRICS,
	ACCESS_MEDIA_READ,
	ACCESS_MEDIA_CREATE,
	ACCESS_MEDIA_UPDATE,
	ACCESS_MEDIA_DELETE,
	ACCESS_MEDIA_SWEEP,
	ACCESS_PAGES_READ,
	ACCESS_PAGES_CREATE,
	ACCESS_PAGES_UPDATE,
	ACCESS_PAGES_DELETE,
	ACCESS_USERS_ENTER, /* log in, be the first */
	ACCESS_USERS_ME,    /* who am I, what may I, log out */
	ACCESS_USERS_REFRESH,
	ACCESS_USERS_LIST,
	ACCESS_USERS_READ,
	ACCESS_USERS_CREATE,
	ACCESS_USERS_UPDATE,
	ACCESS_USERS_DELETE,
	ACCESS_USERS_UNLOCK,
	ACCESS_JOBS_READ,
	ACCESS_JOBS_CREATE,
	ACCESS_JOBS_DECIDE, /* cancel, retry, pause */
	ACCESS_JOBS_RUN,
	ACCESS_JOBS_STATS,
	ACCESS_LINES,
};

/* Does the line let everybody in, with nobody looked up? */
bool access_is_public(enum access line);

/* Does it let everybody in, but is told who it is where somebody is? */
bool access_is_optional(enum access line);

/* Does the scheduler's secret count, and does a user's credential? */
bool access_takes_cron(enum access line);
bool access_takes_users(enum access line);

/* Does even a GET change something? */
bool access_get_changes(enum access line);

/* Does it let this user in?  own: what is asked for is the user's account. */
bool access_allows(enum access line, enum user_role role, bool own);

struct json_object;

/* {"canAccessAdmin": true, "collections": {"media": {"create": true, …,
 * "fields": …}, …}} as Payload has it: what this role may, to users perhaps
 * only the one with this id, and nothing of what it may not.  Given.
 * ROLE_NONE: nobody. */
struct json_object *access_doc(enum user_role role, int64_t id) MUSTCHECK;

#endif
