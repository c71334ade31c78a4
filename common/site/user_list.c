/* Lists of users: which of them, in what order, how many. */
#include "common/site/user.h"

#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/link/filter.h"

static const struct filter_field LIST[] = {
	{ "id", FILTER_INT, .sql = "u.id" },
	{ "email", FILTER_TEXT, .sql = "u.email" },
	{ "role", FILTER_WORD, .sql = "u.role",
	    .words = " admin operator editor " },
	{ "enableAPIKey", FILTER_BOOL, .sql = "(u.api_key_hash IS NOT NULL)" },
	{ "createdAt", FILTER_TIME, .sql = "u.created_at" },
	{ "updatedAt", FILTER_TIME, .sql = "u.updated_at" },
};

static const struct filter_fields FIELDS = {
	.list = LIST,
	.n = LEN(LIST),
	.id = "u.id",
	.order = "-createdAt",
};

#define SHOWN FILTER_SHOWN("l.doc", "$3", "$4")

static const char SQL_USER_LIST[] =
    "SELECT coalesce(json_agg(" SHOWN " ORDER BY l.n), '[]')::text"
    " FROM (SELECT row_number() OVER () AS n, site.user_doc(p.u) AS doc"
    " FROM (SELECT u FROM site.users u WHERE {where} ORDER BY {order}"
    " LIMIT $1::bigint OFFSET $2::bigint) AS p) AS l";

bool
user_list(struct db *db, const struct filter *f, struct buf *ret_docs,
    int64_t *ret_total, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	AUTO_BUF names = BUF_INIT;
	struct arg limit = arg_int(f->limit), skip = arg_int(f->offset);
	const char *const args[] = { limit.s, skip.s, filter_names(f, &names),
		filter_stay(f) };

	if (!buf_ok(&names, e) || !user_count(db, f, ret_total, e) ||
	    !filter_query(db, "user_list", SQL_USER_LIST, &FIELDS, f, LEN(args),
		args, &rows, e))
		return false;
	buf_add(ret_docs, db_text(rows, 0, 0), db_text_len(rows, 0, 0));
	return buf_ok(ret_docs, e);
}

static const char SQL_USER_COUNT[] = "SELECT count(*) FROM site.users u "
				     "WHERE {where}";

bool
user_count(struct db *db, const struct filter *f, int64_t *ret, struct err *e)
{
	return filter_count(
	    db, "user_count", SQL_USER_COUNT, &FIELDS, f, 0, NULL, ret, e);
}

static const char SQL_USER_IDS[] =
    "SELECT u.id FROM site.users u WHERE {where} ORDER BY {order}"
    " LIMIT $1::bigint";

bool
user_ids(struct db *db, const struct filter *f, int64_t max,
    struct db_rows **ret, struct err *e)
{
	struct arg limit = arg_int(max);

	return filter_query(db, "user_ids", SQL_USER_IDS, &FIELDS, f, 1,
	    (const char *const[]){ limit.s }, ret, e);
}
