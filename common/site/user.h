/*
 * Users of the site: accounts, sessions, API keys.  SQL, no HTTP.
 *
 * A login opens a session (a row) and is shown as a JSON Web Token that names
 * it: {"id", "collection": "users", "email", "sid", "iat", "exp"}.  A token
 * is good while its signature holds and its session is there and not over;
 * logging out removes the session, and with it every copy of the token.
 * Session ids and API keys are stored as hashes only.
 *
 * Whatever hashes a password (user_login, user_create, user_first, and
 * user_update with one) takes 46 MiB: see common/site/gate.h.
 */
#ifndef AFTERWORK_SITE_USER_H
#define AFTERWORK_SITE_USER_H

#include "common/base/buf.h"

struct db;
struct db_rows;
struct filter;
struct json_object;

enum user_role {
	ROLE_NONE,     /* nobody, or a role we do not know */
	ROLE_EDITOR,   /* media and pages */
	ROLE_OPERATOR, /* and jobs */
	ROLE_ADMIN,    /* everything */
};

enum {
	USER_EMAIL_MAX = 254,
	USER_PASSWORD_MIN = 8,
	USER_SESSION_S = 7200,
	USER_API_KEY_MAX = 512,
};

struct user {
	int64_t id;
	enum user_role role;
	char email[USER_EMAIL_MAX + 1];
	char sid[33]; /* session id, "" when by API key */
	int64_t exp;  /* of the token, seconds since 1970; 0 none */
};

/* "editor", …; ROLE_NONE when unknown. */
enum user_role user_role_parse(const char *text);
const char *user_role_name(enum user_role role);

/* ---- who is calling, and sessions (user_login.c) ---- */

/* The user of a login token (JWT) whose session still lives; ERR_AUTH else.
 * The token's key is TOKEN_SECRET, or is read from the database once per
 * process. */
bool user_by_token(struct db *db, const char *token, size_t n, struct user *ret,
    struct err *e) MUSTCHECK;

/* The user of an API key; ERR_AUTH else. */
bool user_by_api_key(struct db *db, const char *key, size_t n, struct user *ret,
    struct err *e) MUSTCHECK;

/*
 * Check a password and open a session: *ret is the user with sid and exp, and
 * the token is appended to ret_token.  ERR_AUTH with one message for an
 * unknown address and a wrong password, after the same time; with another for
 * an address at which five tries were not good, known or not, for ten minutes.
 */
bool user_login(struct db *db, const char *email, const char *password,
    struct user *ret, struct buf *ret_token, struct err *e) MUSTCHECK;

/* Forget the bad tries at an address, whether it has an account or not. */
bool user_unlock(struct db *db, const char *email, struct err *e) MUSTCHECK;

/* Let the user's session last on: u->exp is the new end, and a token for it
 * is appended to ret_token.  ERR_AUTH when there is no such session. */
bool user_refresh(struct db *db, struct user *u, struct buf *ret_token,
    struct err *e) MUSTCHECK;

/* End the session of u, or all of the user's. */
bool user_logout(
    struct db *db, const struct user *u, bool all, struct err *e) MUSTCHECK;

/* ---- reading (user.c) ---- */

/* The user's document as the API shows it, appended as JSON text;
 * ERR_NOT_FOUND. */
bool user_doc(
    struct db *db, int64_t id, struct buf *ret, struct err *e) MUSTCHECK;

/* Is there any account? */
bool user_any(struct db *db, bool *ret, struct err *e) MUSTCHECK;

/* By address, whatever its case; ERR_NOT_FOUND. */
bool user_find(
    struct db *db, const char *email, int64_t *ret_id, struct err *e) MUSTCHECK;

/* ---- lists (user_list.c) ---- */

/* Documents as a JSON array, appended, and how many users the where matches. */
bool user_list(struct db *db, const struct filter *f, struct buf *ret_docs,
    int64_t *ret_total, struct err *e) MUSTCHECK;
bool user_count(struct db *db, const struct filter *f, int64_t *ret,
    struct err *e) MUSTCHECK;

/* The first max ids of those that the where matches, one a row: given. */
bool user_ids(struct db *db, const struct filter *f, int64_t max,
    struct db_rows **ret, struct err *e) MUSTCHECK;

/* ---- writing (user_save.c) ---- */

enum user_key {
	USER_KEY_KEEP,
	USER_KEY_NONE,  /* take it away */
	USER_KEY_FIRST, /* api_key, unless there is one */
	USER_KEY_NEW,   /* api_key, and the old one no longer counts */
};

/* What is to become of an account.  Texts are borrowed. */
struct user_change {
	const char *email;    /* NULL: as it is */
	const char *password; /* NULL: as it is */
	enum user_role role;  /* ROLE_NONE: as it is */
	enum user_key key;
	char api_key[USER_API_KEY_MAX + 1];
	const char *kept_sid; /* session that a new password leaves, or NULL */
};

/* Make up an API key, which key says what to do with. */
void user_make_key(struct user_change *c, enum user_key key);

/* Is api_key to become the account's, perhaps only if it has none? */
bool user_change_sets_key(const struct user_change *c);

/*
 * Read a body: email, password, enableAPIKey, apiKey and, where it may be
 * given, role; whatever else it holds is ignored.  {"enableAPIKey": true}
 * makes a key where there is none; with {"apiKey": ""} beside it another, with
 * a text that text.  ERR_INVALID names the field.
 */
bool user_change_read(struct json_object *body, bool with_role,
    struct user_change *ret, struct err *e) MUSTCHECK;

/*
 * All of these check what they are given: ERR_INVALID names the field (email,
 * password, role, apiKey; an address that has an account is such a one).
 * user_create needs email, password and role.  user_update: ERR_NOT_FOUND;
 * ERR_CONFLICT when the last admin would be none any more; *ret_new_key: the
 * change's api_key has become the account's.  user_delete: the same errors.
 * user_first makes an admin; ERR_FORBIDDEN when there is any account.
 */
bool user_create(struct db *db, const struct user_change *c, int64_t *ret_id,
    struct err *e) MUSTCHECK;
bool user_first(struct db *db, const char *email, const char *password,
    struct err *e) MUSTCHECK;
bool user_update(struct db *db, int64_t id, const struct user_change *c,
    bool *ret_new_key, struct err *e) MUSTCHECK;
bool user_delete(struct db *db, int64_t id, struct err *e) MUSTCHECK;

#endif
