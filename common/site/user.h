/*
 * Users of the site: accounts, sessions, API keys.  SQL, no HTTP.
 *
 * A login opens a session (a row) and is shown as a JSON Web Token that names
 * it: {"id", "collection": "users", "email", "sid", "iat", "exp"}.  A token
 * is good while its signature holds and its session is there and not over;
 * logging out removes the session, and with it every copy of the token.
 * Session ids and API keys are stored as hashes only.
 */
#ifndef AFTERWORK_SITE_USER_H
#define AFTERWORK_SITE_USER_H

#include "common/base/buf.h"

struct db;

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
 * unknown address and a wrong password, after the same time.
 */
bool user_login(struct db *db, const char *email, const char *password,
    struct user *ret, struct buf *ret_token, struct err *e) MUSTCHECK;

/* Let the user's session last on: u->exp is the new end, and a token for it
 * is appended to ret_token.  ERR_AUTH when there is no such session. */
bool user_refresh(struct db *db, struct user *u, struct buf *ret_token,
    struct err *e) MUSTCHECK;

/* End the session of u, or all of the user's. */
bool user_logout(
    struct db *db, const struct user *u, bool all, struct err *e) MUSTCHECK;

/* The user's document as the API shows it, appended as JSON text. */
bool user_doc(
    struct db *db, int64_t id, struct buf *ret, struct err *e) MUSTCHECK;

/*
 * For the operator's command; the login must own the schema.
 *
 * user_add: ERR_INVALID names the field (email, password, role), ERR_CONFLICT
 * when the address has an account.  user_find: by address, whatever its case;
 * ERR_NOT_FOUND.  user_update: password NULL keeps the old one; ends all
 * sessions of the account when it is new.  user_set_api_key: key is what the
 * user will send, at least CRYPT_SECRET_MIN bytes; NULL takes it away.
 */
bool user_add(struct db *db, const char *email, const char *password,
    enum user_role role, int64_t *ret_id, struct err *e) MUSTCHECK;
bool user_find(
    struct db *db, const char *email, int64_t *ret_id, struct err *e) MUSTCHECK;
bool user_update(struct db *db, int64_t id, const char *password,
    enum user_role role, struct err *e) MUSTCHECK;
bool user_set_api_key(
    struct db *db, int64_t id, const char *key_hex, struct err *e) MUSTCHECK;

#endif
