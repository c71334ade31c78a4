#include "common/site/user.h"

#include <stdio.h>
#include <string.h>

#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/db.h"
#include "common/link/js.h"
#include "common/parse/query.h"
#include "common/base/arg.h"

static const struct {
	enum user_role role;
	const char *name;
} roles[] = {
	{ ROLE_EDITOR, "editor" },
	{ ROLE_OPERATOR, "operator" },
	{ ROLE_ADMIN, "admin" },
};

enum user_role
user_role_parse(const char *text)
{
	for (size_t i = 0; text != NULL && i < LEN(roles); i++)
		if (strcmp(text, roles[i].name) == 0)
			return roles[i].role;
	return ROLE_NONE;
}

const char *
user_role_name(enum user_role role)
{
	for (size_t i = 0; i < LEN(roles); i++)
		if (role == roles[i].role)
			return roles[i].name;
	return "none";
}

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
    "FROM site.session_open($1::bigint, $2::text, $3::integer) AS s";

/* Give the user a session of its own and a token that names it. */
static bool
session_open(
    struct db *db, struct user *u, struct buf *ret_token, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	char hash[CRYPT_HASH_HEX];

	crypt_random_hex((CRYPT_ID_HEX - 1) / 2, u->sid);
	crypt_hash_hex(u->sid, strlen(u->sid), hash);
	if (!db_query(db, "session_open", SQL_SESSION_OPEN, 3,
		(const char *const[]){
		    arg_int(u->id).s, hash, arg_int(USER_SESSION_S).s },
		&rows, e))
		return false;
	u->exp = db_int(rows, 0, 1);
	return token_sign(db, u, db_int(rows, 0, 0), ret_token, e);
}

static const char SQL_USER_LOGIN[] =
    "SELECT u.id, u.role, u.email, u.password_hash "
    "FROM site.users u "
    "WHERE u.email = lower($1::text)";

bool
user_login(struct db *db, const char *email, const char *password,
    struct user *ret, struct buf *ret_token, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	struct user u;
	bool known;

	if (!db_query(db, "user_login", SQL_USER_LOGIN, 1,
		(const char *const[]){ email }, &rows, e))
		return false;
	known = db_nrows(rows) == 1;
	if (!crypt_password_check(password, known ? db_text(rows, 0, 3) : NULL))
		return err_fail(e, ERR_AUTH,
		    "The email or password provided is incorrect.");
	user_fill(rows, &u);
	if (!session_open(db, &u, ret_token, e))
		return false;
	*ret = u;
	return true;
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

static const char SQL_USER_DOC[] = "SELECT site.user_doc(u)::text "
				   "FROM site.users u "
				   "WHERE u.id = $1::bigint";

bool
user_doc(struct db *db, int64_t id, struct buf *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "user_doc", SQL_USER_DOC, 1,
		(const char *const[]){ arg_int(id).s }, &rows, e))
		return false;
	if (db_nrows(rows) != 1)
		return nobody(e);
	buf_add(ret, db_text(rows, 0, 0), db_text_len(rows, 0, 0));
	return buf_ok(ret, e);
}

/* ---- the operator's part ---- */

static bool
email_check(const char *email, struct err *e)
{
	size_t n = strlen(email);
	const char *at = strchr(email, '@');

	if (n > USER_EMAIL_MAX || at == NULL || at == email || at[1] == '\0' ||
	    strchr(at + 1, '@') != NULL || !utf8_valid(email, n))
		return err_field(e, "email", "This is not an email address.");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)email[i] <= ' ' || email[i] == 0x7f)
			return err_field(
			    e, "email", "This is not an email address.");
	return true;
}

static bool
password_hash(const char *password, char ret[static CRYPT_PASSWORD_HASH_MAX],
    struct err *e)
{
	size_t n = strlen(password);

	if (n < USER_PASSWORD_MIN || n > CRYPT_PASSWORD_MAX)
		return err_field(e, "password",
		    "A password has %d to %d characters.", USER_PASSWORD_MIN,
		    CRYPT_PASSWORD_MAX);
	return crypt_password_hash(password, ret, e);
}

static const char SQL_USER_ADD[] =
    "INSERT INTO site.users (email, password_hash, role) "
    "VALUES (lower($1::text), $2::text, $3::text) "
    "RETURNING id";

bool
user_add(struct db *db, const char *email, const char *password,
    enum user_role role, int64_t *ret_id, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	char hash[CRYPT_PASSWORD_HASH_MAX];

	if (role == ROLE_NONE)
		return err_field(
		    e, "role", "A role is one of admin, operator, editor.");
	if (!email_check(email, e) || !password_hash(password, hash, e))
		return false;
	if (!db_query(db, "user_add", SQL_USER_ADD, 3,
		(const char *const[]){ email, hash, user_role_name(role) },
		&rows, e)) {
		if (e->code == ERR_CONFLICT)
			return err_fail(e, ERR_CONFLICT,
			    "There is a user with this address already.");
		return false;
	}
	*ret_id = db_int(rows, 0, 0);
	return true;
}

static const char SQL_USER_FIND[] = "SELECT u.id "
				    "FROM site.users u "
				    "WHERE u.email = lower($1::text)";

bool
user_find(struct db *db, const char *email, int64_t *ret_id, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "user_find", SQL_USER_FIND, 1,
		(const char *const[]){ email }, &rows, e))
		return false;
	if (db_nrows(rows) != 1)
		return err_fail(
		    e, ERR_NOT_FOUND, "There is no user with this address.");
	*ret_id = db_int(rows, 0, 0);
	return true;
}

static const char SQL_USER_UPDATE[] =
    "WITH ended AS ("
    " DELETE FROM site.session s"
    " WHERE s.user_id = $1::bigint AND $2::text IS NOT NULL"
    ") "
    "UPDATE site.users u "
    "SET password_hash = coalesce($2::text, u.password_hash),"
    " role = $3::text, updated_at = now() "
    "WHERE u.id = $1::bigint "
    "RETURNING u.id";

bool
user_update(struct db *db, int64_t id, const char *password,
    enum user_role role, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	char hash[CRYPT_PASSWORD_HASH_MAX];

	if (role == ROLE_NONE)
		return err_field(
		    e, "role", "A role is one of admin, operator, editor.");
	if (password != NULL && !password_hash(password, hash, e))
		return false;
	if (!db_query(db, "user_update", SQL_USER_UPDATE, 3,
		(const char *const[]){ arg_int(id).s,
		    password == NULL ? NULL : hash, user_role_name(role) },
		&rows, e))
		return false;
	if (db_nrows(rows) != 1)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	return true;
}

static const char SQL_USER_SET_API_KEY[] =
    "UPDATE site.users u "
    "SET api_key_hash = $2::text, updated_at = now() "
    "WHERE u.id = $1::bigint "
    "RETURNING u.id";

bool
user_set_api_key(struct db *db, int64_t id, const char *key_hex, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	char hash[CRYPT_HASH_HEX];

	if (key_hex != NULL && (strlen(key_hex) < CRYPT_SECRET_MIN ||
				   strlen(key_hex) > CRYPT_TOKEN_MAX))
		return err_field(e, "apiKey",
		    "An API key has %d to %d characters.", CRYPT_SECRET_MIN,
		    CRYPT_TOKEN_MAX);
	if (key_hex != NULL)
		crypt_hash_hex(key_hex, strlen(key_hex), hash);
	if (!db_query(db, "user_set_api_key", SQL_USER_SET_API_KEY, 2,
		(const char *const[]){
		    arg_int(id).s, key_hex == NULL ? NULL : hash },
		&rows, e))
		return false;
	if (db_nrows(rows) != 1)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	return true;
}
