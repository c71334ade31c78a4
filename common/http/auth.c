/*
 * Who is calling: one credential is taken from the request, its form is
 * checked, and only then is it compared or looked up.
 */
#include "common/http/auth.h"

#include <string.h>
#include <strings.h>

#include "common/base/log.h"
#include "common/base/num.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/db.h"
#include "common/link/fcgi.h"
#include "common/parse/header.h"

/* A login token holds an address of up to 254 bytes, twice encoded. */
enum { AUTH_TOKEN_MAX = 2048 };

enum kind {
	KIND_NONE,   /* nothing shown, or nothing that could be valid */
	KIND_BEARER, /* a secret of the scheduler's, or a login token */
	KIND_JWT,    /* a login token */
	KIND_API_KEY,
	KIND_COOKIE, /* a login token that a browser adds by itself */
};

struct credential {
	enum kind kind;
	const char *p; /* borrowed from the request */
	size_t n;
};

static const char *const SECRETS[] = { "CRON_SECRET", "CRON_SECRET_PREVIOUS" };

/* The one refusal of a line: it tells nothing about what was wrong. */
static bool
refuse(enum access access, struct err *e)
{
	if (access_takes_cron(access))
		return err_fail(e, ERR_AUTH,
		    "Unauthorized, you must be logged in to make this "
		    "request.");
	return err_fail(
	    e, ERR_FORBIDDEN, "You are not allowed to perform this action.");
}

static struct credential
credential_of(enum kind kind, const char *p, size_t n, size_t max)
{
	if (!header_token68(p, n, max))
		return (struct credential){ .kind = KIND_NONE };
	return (struct credential){ .kind = kind, .p = p, .n = n };
}

static struct credential
from_authorization(const char *value)
{
	const char *p = NULL, *key = NULL;
	size_t n = 0, key_n = 0;

	if (header_scheme(value, "Bearer", &p, &n))
		return credential_of(KIND_BEARER, p, n, AUTH_TOKEN_MAX);
	if (header_scheme(value, "JWT", &p, &n))
		return credential_of(KIND_JWT, p, n, AUTH_TOKEN_MAX);
	if (header_scheme(value, "users", &p, &n) &&
	    header_scheme(p, "API-Key", &key, &key_n))
		return credential_of(KIND_API_KEY, key, key_n, CRYPT_TOKEN_MAX);
	return (struct credential){ .kind = KIND_NONE };
}

static struct credential
from_cookie(const char *value)
{
	const char *p = NULL;
	size_t n = 0;

	if (value == NULL || !header_cookie(value, "payload-token", &p, &n))
		return (struct credential){ .kind = KIND_NONE };
	return credential_of(KIND_COOKIE, p, n, AUTH_TOKEN_MAX);
}

/* An Authorization header decides alone: one that is wrong is not made good
 * by a cookie, and two are none. */
static struct credential
credential_find(const struct req *r)
{
	const char *authorization = req_header(r, "HTTP_AUTHORIZATION");

	if (fcgi_param_count(r->fcgi, "HTTP_AUTHORIZATION") > 1)
		return (struct credential){ .kind = KIND_NONE };
	if (authorization != NULL)
		return from_authorization(authorization);
	return from_cookie(req_header(r, "HTTP_COOKIE"));
}

static bool
shows_cron_secret(const struct credential *c)
{
	return c->kind == KIND_BEARER &&
	       crypt_secret_matches(c->p, c->n, conf_text(SECRETS[0], NULL),
		   conf_text(SECRETS[1], NULL));
}

/* Three parts with dots between: the shape of a login token.  Whatever has
 * another shape is refused without asking the database. */
static bool
looks_like_token(const struct credential *c)
{
	size_t dots = 0;

	for (size_t i = 0; i < c->n; i++)
		dots += c->p[i] == '.';
	return dots == 2;
}

static bool
nobody(struct err *e)
{
	return err_fail(e, ERR_AUTH, "nobody that is known");
}

static bool
user_lookup(
    const struct credential *c, struct db *db, struct user *ret, struct err *e)
{
	if (c->kind == KIND_NONE)
		return nobody(e);
	if (c->kind == KIND_API_KEY)
		return user_by_api_key(db, c->p, c->n, ret, e);
	return looks_like_token(c) ? user_by_token(db, c->p, c->n, ret, e)
				   : nobody(e);
}

static bool
is_said(const char *header)
{
	return header != NULL && *header != '\0';
}

bool
auth_is_foreign(const struct req *r)
{
	return !r->same_origin &&
	       (is_said(req_header(r, "HTTP_ORIGIN")) ||
		   is_said(req_header(r, "HTTP_SEC_FETCH_SITE")));
}

/* A browser sends the cookie with requests that other sites start, so there
 * it counts only where nothing changes, or where the page is our own.  That of
 * an origin in CORS_ORIGINS is none: it can send a token. */
static bool
cookie_counts(const struct req *r, enum access access)
{
	bool reads =
	    strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;

	return (reads && !access_get_changes(access)) || r->same_origin;
}

static bool
caller_find(const struct req *r, struct db *db, enum access access,
    const struct credential *c, struct caller *ret, struct err *e)
{
	struct caller caller = { .known = true };

	if (c->kind == KIND_COOKIE && !cookie_counts(r, access))
		return nobody(e);
	if (!user_lookup(c, db, &caller.user, e))
		return false;
	if (c->kind == KIND_BEARER || c->kind == KIND_JWT) {
		caller.token = c->p;
		caller.token_n = c->n;
	}
	*ret = caller;
	return true;
}

/* Is the account that the path names the caller's? */
static bool
is_own(const struct req *r, const struct user *u)
{
	int64_t id = 0;

	return r->param[0] != NULL &&
	       num_parse_text(r->param[0], 1, INT64_MAX, &id) && id == u->id;
}

/* A user who may, or where one is optional nobody. */
static bool
user_check(const struct req *r, struct db *db, enum access access,
    const struct credential *c, struct caller *ret, struct err *e)
{
	struct err why;

	if (!caller_find(r, db, access, c, ret, &why)) {
		if (why.code != ERR_AUTH) {
			*e = why;
			return false;
		}
		return access_is_optional(access) || refuse(access, e);
	}
	return access_allows(access, ret->user.role, is_own(r, &ret->user)) ||
	       refuse(access, e);
}

bool
auth_check(const struct req *r, struct db *db, enum access access,
    struct caller *ret, struct err *e)
{
	struct caller caller = { .known = false };
	struct credential c;

	if (!access_is_public(access)) {
		c = credential_find(r);
		if (access_takes_cron(access))
			caller.cron = shows_cron_secret(&c);
		if (!caller.cron && !access_takes_users(access))
			return refuse(access, e);
		if (!caller.cron && !user_check(r, db, access, &c, &caller, e))
			return false;
	}
	*ret = caller;
	return true;
}

static void
log_secret(const char *name)
{
	const char *secret = conf_text(name, NULL);
	size_t n = secret != NULL ? strlen(secret) : 0;

	if (n == 0)
		return;
	if (n < CRYPT_SECRET_MIN)
		log_say(LOG_LEVEL_WARN,
		    "%s is shorter than %d characters and counts as none", name,
		    CRYPT_SECRET_MIN);
	else if (!header_token68(secret, n, CRYPT_TOKEN_MAX))
		log_say(LOG_LEVEL_WARN,
		    "%s is longer than %d characters or has one that a "
		    "bearer token cannot have, and counts as none",
		    name, CRYPT_TOKEN_MAX);
}

void
auth_log_secrets(void)
{
	if (conf_text(SECRETS[0], NULL) == NULL)
		log_say(LOG_LEVEL_INFO,
		    "CRON_SECRET is not set: only users may call");
	for (size_t i = 0; i < LEN(SECRETS); i++)
		log_secret(SECRETS[i]);
}
