/* Users: making, changing and removing accounts. */
#include "common/site/user.h"

#include <stdio.h>
#include <string.h>

#include "common/base/arg.h"
#include "common/link/crypt.h"
#include "common/link/db.h"
#include "common/link/js.h"
#include "common/parse/header.h"
#include "common/parse/query.h"

enum { KEY_BYTES = 32 }; /* of an API key that we make */

_Static_assert((int)USER_API_KEY_MAX == (int)CRYPT_TOKEN_MAX,
    "no key is longer than what is looked at");

/* ---- what is asked for ---- */

static bool
is_email(const char *email)
{
	size_t n = strlen(email);
	const char *at = strchr(email, '@');

	if (n > USER_EMAIL_MAX || at == NULL || at == email || at[1] == '\0' ||
	    strchr(at + 1, '@') != NULL || !utf8_valid(email, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)email[i] <= ' ' || email[i] == 0x7f)
			return false;
	return true;
}

static bool
email_check(const char *email, struct err *e)
{
	return is_email(email) ||
	       err_field(e, "email", "Please enter a valid email address.");
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

static bool
role_check(enum user_role role, struct err *e)
{
	return role != ROLE_NONE ||
	       err_field(
		   e, "role", "A role is one of admin, operator, editor.");
}

void
user_make_key(struct user_change *c, enum user_key key)
{
	c->key = key;
	crypt_random_hex(KEY_BYTES, c->api_key);
}

/* A key that the client made: Payload's own pages do so. */
static bool
take_key(const char *text, struct user_change *c, struct err *e)
{
	size_t n = strlen(text);

	if (n < CRYPT_SECRET_MIN || !header_token68(text, n, USER_API_KEY_MAX))
		return err_field(e, "apiKey",
		    "An API key has %d to %d letters, digits and -._~+/.",
		    CRYPT_SECRET_MIN, USER_API_KEY_MAX);
	c->key = USER_KEY_NEW;
	memcpy(c->api_key, text, n + 1);
	return true;
}

static bool
read_key(struct json_object *body, struct user_change *c, struct err *e)
{
	const char *text = NULL;
	bool on = false;

	if (js_get(body, "enableAPIKey") == NULL)
		return true;
	if (!js_bool(body, "enableAPIKey", false, &on, e) ||
	    !js_text(body, "apiKey", NULL, &text, e))
		return false;
	if (!on)
		c->key = USER_KEY_NONE;
	else if (text == NULL)
		user_make_key(c, USER_KEY_FIRST);
	else if (text[0] == '\0')
		user_make_key(c, USER_KEY_NEW);
	else
		return take_key(text, c, e);
	return true;
}

bool
user_change_read(struct json_object *body, bool with_role,
    struct user_change *ret, struct err *e)
{
	struct user_change c = { .key = USER_KEY_KEEP };
	const char *role = NULL;

	if (!js_text(body, "email", NULL, &c.email, e) ||
	    !js_text(body, "password", NULL, &c.password, e) ||
	    (with_role && !js_text(body, "role", NULL, &role, e)) ||
	    !read_key(body, &c, e))
		return false;
	c.role = user_role_parse(role);
	if (role != NULL && !role_check(c.role, e))
		return false;
	*ret = c;
	return true;
}

/* ---- what becomes of it ---- */

/* What the functions in schema/site/api/user.sql say came of it. */
static bool
outcome_ok(const char *outcome, struct err *e)
{
	if (strcmp(outcome, "ok") == 0)
		return true;
	if (strcmp(outcome, "missing") == 0)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	if (strcmp(outcome, "last admin") == 0)
		return err_fail(e, ERR_CONFLICT,
		    "This is the last admin. Make another one first.");
	if (strcmp(outcome, "email taken") == 0)
		return err_field(e, "email",
		    "A user with the given email is already registered.");
	return err_field(e, "apiKey", "Value must be unique");
}

/* The hashes that are stored; texts for a statement, NULL where none. */
struct hashes {
	char password[CRYPT_PASSWORD_HASH_MAX];
	char key[CRYPT_HASH_HEX];
	char kept_sid[CRYPT_HASH_HEX];
};

static bool
hash_change(const struct user_change *c, struct hashes *h, struct err *e)
{
	if (c->email != NULL && !email_check(c->email, e))
		return false;
	crypt_hash_hex(c->api_key, strlen(c->api_key), h->key);
	if (c->kept_sid != NULL)
		crypt_hash_hex(c->kept_sid, strlen(c->kept_sid), h->kept_sid);
	return c->password == NULL ||
	       password_hash(c->password, h->password, e);
}

bool
user_change_sets_key(const struct user_change *c)
{
	return c->key == USER_KEY_FIRST || c->key == USER_KEY_NEW;
}

static bool
need(const char *text, const char *field, struct err *e)
{
	return (text != NULL && text[0] != '\0') ||
	       err_field(e, field, "This field is required.");
}

static const char SQL_USER_CREATE[] =
    "SELECT c.outcome, c.account "
    "FROM site.user_create($1::text, $2::text, $3::text, $4::text) AS c";

bool
user_create(
    struct db *db, const struct user_change *c, int64_t *ret_id, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	struct hashes h;

	if (!email_check(c->email == NULL ? "" : c->email, e) ||
	    !need(c->password, "password", e) || !role_check(c->role, e) ||
	    !hash_change(c, &h, e))
		return false;
	if (!db_query(db, "user_create", SQL_USER_CREATE, 4,
		(const char *const[]){ c->email, h.password,
		    user_role_name(c->role),
		    user_change_sets_key(c) ? h.key : NULL },
		&rows, e) ||
	    !outcome_ok(db_text(rows, 0, 0), e))
		return false;
	*ret_id = db_int(rows, 0, 1);
	return true;
}

static const char SQL_USER_FIRST[] =
    "SELECT site.user_first($1::text, $2::text)";

bool
user_first(
    struct db *db, const char *email, const char *password, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	char hash[CRYPT_PASSWORD_HASH_MAX];

	if (!email_check(email, e) || !password_hash(password, hash, e) ||
	    !db_query(db, "user_first", SQL_USER_FIRST, 2,
		(const char *const[]){ email, hash }, &rows, e))
		return false;
	if (db_null(rows, 0, 0))
		return err_fail(e, ERR_FORBIDDEN,
		    "You are not allowed to perform this action.");
	return true;
}

static const char *const KEY_WORDS[] = {
	[USER_KEY_KEEP] = "keep",
	[USER_KEY_NONE] = "none",
	[USER_KEY_FIRST] = "first",
	[USER_KEY_NEW] = "new",
};

static const char SQL_USER_UPDATE[] =
    "SELECT u.outcome, u.new_key "
    "FROM site.user_update($1::bigint, $2::text, $3::text, $4::text, $5::text,"
    " $6::text, $7::text) AS u";

bool
user_update(struct db *db, int64_t id, const struct user_change *c,
    bool *ret_new_key, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	struct hashes h;

	if (!hash_change(c, &h, e) ||
	    !db_query(db, "user_update", SQL_USER_UPDATE, 7,
		(const char *const[]){ arg_int(id).s, c->email,
		    c->password == NULL ? NULL : h.password,
		    c->role == ROLE_NONE ? NULL : user_role_name(c->role),
		    KEY_WORDS[c->key], user_change_sets_key(c) ? h.key : NULL,
		    c->kept_sid == NULL ? NULL : h.kept_sid },
		&rows, e) ||
	    !outcome_ok(db_text(rows, 0, 0), e))
		return false;
	*ret_new_key = db_bool(rows, 0, 1);
	return true;
}

static const char SQL_USER_DELETE[] = "SELECT site.user_delete($1::bigint)";

bool
user_delete(struct db *db, int64_t id, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	return db_query(db, "user_delete", SQL_USER_DELETE, 1,
		   (const char *const[]){ arg_int(id).s }, &rows, e) &&
	       outcome_ok(db_text(rows, 0, 0), e);
}
