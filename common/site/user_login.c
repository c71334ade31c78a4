/* Users: who is calling, and sessions. */
#include "common/site/user.h"

#include <stdio.h>
#include <string.h>

#include "common/base/arg.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/db.h"
#include "common/link/js.h"

/* ---- who is calling ---- */

static bool
nobody(struct err *e)
{
	return err_fail(e, ERR_AUTH,
	    "Unauthorized, you must be logged in to make this request.");
}

static const char SQL_USER_SECRET[] = "SELECT value "
				      "FROM site.secret "
				      "WHERE name = 'token'";

/* The key that signs tokens; it lives as long as the process. */
static bool
token_key(struct db *db, const char **ret, struct err *e)
{
	static char kept[CRYPT_TOKEN_MAX];
	const char *set = conf_text("TOKEN_SECRET", NULL);
	AUTO_ROWS *rows = NULL;

	if (set != NULL && strlen(set) < CRYPT_SECRET_MIN)
		return err_fail(e, ERR_UNAVAILABLE,
		    "TOKEN_SECRET is shorter than %d characters",
		    CRYPT_SECRET_MIN);
	if (set == NULL && kept[0] == '\0') {
		if (!db_query(
			db, "user_secret", SQL_USER_SECRET, 0, NULL, &rows, e))
			return false;
		if (db_nrows(rows) != 1 ||
		    db_text_len(rows, 0, 0) >= sizeof(kept))
			return err_fail(e, ERR_UNAVAILABLE,
			    "no token secret: run \"afterwork migrate\"");
		memcpy(kept, db_text(rows, 0, 0), db_text_len(rows, 0, 0) + 1);
	}
	*ret = set != NULL ? set : kept;
	return true;
}

struct claims {
	int64_t id;
	int64_t exp;
	char sid[CRYPT_ID_HEX];
};

/* What a genuine token says; false for any that is not ours. */
static bool
claims_open(const char *key, const char *token, size_t n, struct claims *ret)
{
	AUTO_BUF text = BUF_INIT;
	AUTO_JS *o = NULL;
	const char *collection, *sid;
	struct err e;

	if (n > CRYPT_TOKEN_MAX * 2 || !crypt_jwt_open(key, token, n, &text) ||
	    !buf_ok(&text, &e) ||
	    !js_parse_object(text.data, text.len, &o, &e) ||
	    !js_text(o, "collection", "", &collection, &e) ||
	    !js_text(o, "sid", "", &sid, &e) ||
	    !js_int(o, "id", 0, 0, INT64_MAX, &ret->id, &e) ||
	    !js_int(o, "exp", 0, 0, INT64_MAX, &ret->exp, &e))
		return false;
	if (strcmp(collection, "users") != 0 || strlen(sid) != CRYPT_ID_HEX - 1)
		return false;
	memcpy(ret->sid, sid, CRYPT_ID_HEX);
	return true;
}

/* Columns id, role, email of the one row into *ret. */
static void
user_fill(const struct db_rows *rows, struct user *ret)
{
	*ret = (struct user){
		.id = db_int(rows, 0, 0),
		.role = user_role_parse(db_text(rows, 0, 1)),
	};
	(void)snprintf(
	    ret->email, sizeof(ret->email), "%s", db_text(rows, 0, 2));
}

static const char SQL_USER_BY_TOKEN[] =
    "SELECT u.id, u.role, u.email "
    "FROM site.session s "
    "JOIN site.users u ON u.id = s.user_id "
    "WHERE s.sid_hash = $1::text AND s.user_id = $2::bigint "
    "AND s.expires_at > now() AND to_timestamp($3::float8) > now()";

bool
user_by_token(
    struct db *db, const char *token, size_t n, struct user *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	char hash[CRYPT_HASH_HEX];
	struct claims c;
	const char *key;

	if (!token_key(db, &key, e))
		return false;
	if (!claims_open(key, token, n, &c))
		return nobody(e);
	crypt_hash_hex(c.sid, strlen(c.sid), hash);
	if (!db_query(db, "user_by_token", SQL_USER_BY_TOKEN, 3,
		(const char *const[]){
		    hash, arg_int(c.id).s, arg_int(c.exp).s },
		&rows, e))
		return false;
	if (db_nrows(rows) != 1)
		return nobody(e);
	user_fill(rows, ret);
	memcpy(ret->sid, c.sid, sizeof(ret->sid));
	ret->exp = c.exp;
	return true;
}

static const char SQL_USER_BY_API_KEY[] = "SELECT u.id, u.role, u.email "
					  "FROM site.users u "
					  "WHERE u.api_key_hash = $1::text";

bool
user_by_api_key(
    struct db *db, const char *key, size_t n, struct user *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	char hash[CRYPT_HASH_HEX];

	if (n < CRYPT_SECRET_MIN || n > CRYPT_TOKEN_MAX)
		return nobody(e);
	crypt_hash_hex(key, n, hash);
	if (!db_query(db, "user_by_api_key", SQL_USER_BY_API_KEY, 1,
		(const char *const[]){ hash }, &rows, e))
		return false;
	if (db_nrows(rows) != 1)
		return nobody(e);
	user_fill(rows, ret);
	return true;
}

/* ---- sessions ---- */

static bool
wrong_login(struct err *e)
{
	return err_fail(
	    e, ERR_AUTH, "The email or password provided is incorrect.");
}

static bool
token_sign(struct db *db, const struct user *u, int64_t issued, struct buf *ret,
    struct err *e)
{
	AUTO_JS *claims = NULL;
	AUTO_BUF text = BUF_INIT;
	const char *key;

	if (!token_key(db, &key, e))
		return false;
	claims = js_new_object();
	js_set_int(claims, "id", u->id);
	js_set_text(claims, "collection", "users");
	js_set_text(claims, "email", u->email);
	js_set_text(claims, "sid", u->sid);
	js_set_int(claims, "iat", issued);
	js_set_int(claims, "exp", u->exp);
	js_print(claims, &text);
	if (!buf_ok(&text, e))
		return false;
	crypt_jwt_sign(key, text.data, text.len, ret);
	return buf_ok(ret, e);
}

static const char SQL_SESSION_OPEN[] =
    "SELECT s.issued, s.expires "
    "FROM site.session_open($1::bigint, $2::text, $3::text, $4::integer)"
    " AS s";

/* Give the user, whose password was checked against this hash, a session of
 * its own and a token that names it.  The id is always a new one. */
static bool
session_open(struct db *db, struct user *u, const char *checked,
    struct buf *ret_token, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	char hash[CRYPT_HASH_HEX];

	crypt_random_hex((CRYPT_ID_HEX - 1) / 2, u->sid);
	crypt_hash_hex(u->sid, strlen(u->sid), hash);
	if (!db_query(db, "session_open", SQL_SESSION_OPEN, 4,
		(const char *const[]){ arg_int(u->id).s, checked, hash,
		    arg_int(USER_SESSION_S).s },
		&rows, e))
		return false;
	if (db_nrows(rows) != 1)
		return wrong_login(e);
	u->exp = db_int(rows, 0, 1);
	return token_sign(db, u, db_int(rows, 0, 0), ret_token, e);
}

static const char SQL_LOGIN_BEGIN[] =
    "SELECT l.id, l.role, l.email, l.password_hash, l.locked "
    "FROM site.login_begin($1::text) AS l";

/* The try is counted before the password is looked at; whether the address has
 * an account shows in nothing. */
bool
user_login(struct db *db, const char *email, const char *password,
    struct user *ret, struct buf *ret_token, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	const char *hash;
	struct user u;

	if (!db_query(db, "login_begin", SQL_LOGIN_BEGIN, 1,
		(const char *const[]){ email }, &rows, e))
		return false;
	if (db_bool(rows, 0, 4))
		return err_fail(e, ERR_AUTH,
		    "This user is locked due to having too many failed login "
		    "attempts.");
	hash = db_null(rows, 0, 3) ? NULL : db_text(rows, 0, 3);
	if (!crypt_password_check(password, hash))
		return wrong_login(e);
	user_fill(rows, &u);
	if (!session_open(db, &u, hash, ret_token, e))
		return false;
	*ret = u;
	return true;
}

static const char SQL_LOGIN_UNLOCK[] = "SELECT site.login_unlock($1::text)";

bool
user_unlock(struct db *db, const char *email, struct err *e)
{
	return db_query(db, "login_unlock", SQL_LOGIN_UNLOCK, 1,
	    (const char *const[]){ email }, NULL, e);
}

static const char SQL_SESSION_EXTEND[] =
    "SELECT s.issued, s.expires "
    "FROM site.session_extend($1::bigint, $2::text, $3::integer) AS s";

bool
user_refresh(
    struct db *db, struct user *u, struct buf *ret_token, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	char hash[CRYPT_HASH_HEX];

	crypt_hash_hex(u->sid, strlen(u->sid), hash);
	if (!db_query(db, "session_extend", SQL_SESSION_EXTEND, 3,
		(const char *const[]){
		    arg_int(u->id).s, hash, arg_int(USER_SESSION_S).s },
		&rows, e))
		return false;
	if (db_nrows(rows) != 1)
		return nobody(e);
	u->exp = db_int(rows, 0, 1);
	return token_sign(db, u, db_int(rows, 0, 0), ret_token, e);
}

static const char SQL_SESSION_CLOSE[] =
    "SELECT site.session_close($1::bigint, $2::text)";

bool
user_logout(struct db *db, const struct user *u, bool all, struct err *e)
{
	char hash[CRYPT_HASH_HEX];

	crypt_hash_hex(u->sid, strlen(u->sid), hash);
	return db_query(db, "session_close", SQL_SESSION_CLOSE, 2,
	    (const char *const[]){ arg_int(u->id).s, all ? NULL : hash }, NULL,
	    e);
}
