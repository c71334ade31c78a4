/* Users: roles, and what there is to read. */
#include "common/site/user.h"

#include <string.h>

#include "common/base/arg.h"
#include "common/link/db.h"

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
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	buf_add(ret, db_text(rows, 0, 0), db_text_len(rows, 0, 0));
	return buf_ok(ret, e);
}

static const char SQL_USER_ANY[] = "SELECT EXISTS (SELECT FROM site.users)";

bool
user_any(struct db *db, bool *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "user_any", SQL_USER_ANY, 0, NULL, &rows, e))
		return false;
	*ret = db_bool(rows, 0, 0);
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
