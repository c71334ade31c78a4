#include "common/http/bulk.h"

#include <inttypes.h>

#include "common/http/list.h"
#include "common/link/db.h"
#include "common/link/js.h"

static const char *const DONE[] = { "Updated", "Deleted" };
static const char *const DO[] = { "update", "delete" };

static bool
missing(enum bulk_verb verb, struct err *e)
{
	return err_fail(e, ERR_INVALID,
	    "Missing 'where' query of documents to %s.", DO[verb]);
}

bool
bulk_check(const struct req *req, enum bulk_verb verb, struct err *e)
{
	AUTO_FILTER f = { 0 };

	if (!list_where(req, &f, e))
		return false;
	return f.where.ntests > 0 || missing(verb, e);
}

/* ---- the answer ---- */

struct answer {
	struct buf docs;
	struct json_object *errors;
	int64_t ndocs, nerrors;
};

static void
answer_release(struct answer *a)
{
	buf_release(&a->docs);
	js_free(&a->errors);
}

static void
add_doc(struct answer *a, int64_t id, const struct buf *doc)
{
	if (a->ndocs++ > 0)
		buf_addc(&a->docs, ',');
	if (a->docs.len + doc->len <= BULK_ANSWER_BYTES)
		buf_add(&a->docs, doc->data, doc->len);
	else
		buf_addf(&a->docs, "{\"id\":%" PRId64 "}", id);
}

static void
add_error(struct answer *a, int64_t id, const struct err *why)
{
	struct json_object *o = js_new_object();

	js_set_int(o, "id", id);
	js_set_text(o, "message", res_message(why));
	js_set_bool(o, "isPublic",
	    why->code != ERR_BUG && why->code != ERR_UNAVAILABLE);
	js_add(a->errors, o);
	a->nerrors++;
}

static void
add_message(struct buf *b, const struct answer *a, const struct bulk *what,
    enum bulk_verb verb)
{
	int64_t total = a->ndocs + a->nerrors;

	if (a->nerrors == 0)
		buf_addf(b, "%s %" PRId64 " %s successfully.", DONE[verb],
		    a->ndocs, a->ndocs == 1 ? what->singular : what->plural);
	else
		buf_addf(b, "Unable to %s %" PRId64 " out of %" PRId64 " %s.",
		    DO[verb], a->nerrors, total,
		    total == 1 ? what->singular : what->plural);
}

static bool
answer_send(struct res *res, struct answer *a, const struct bulk *what,
    enum bulk_verb verb, struct err *e)
{
	AUTO_BUF message = BUF_INIT;
	struct json_object *rest = js_new_object();
	AUTO_BUF text = BUF_INIT;

	add_message(&message, a, what, verb);
	js_set(rest, "errors", js_ref(a->errors));
	js_set_text(rest, "message", message.data);
	js_print(rest, &text);
	js_free(&rest);
	if (!buf_ok(&message, e) || !buf_ok(&text, e) || !buf_ok(&a->docs, e) ||
	    !res_json_text(
		res, a->nerrors > 0 ? 400 : 200, "{\"docs\":[", 9, e))
		return false;
	buf_add(&res->body, a->docs.data, a->docs.len);
	buf_adds(&res->body, "],");
	buf_add(&res->body, text.data + 1, text.len - 1);
	return buf_ok(&res->body, e);
}

/* ---- the work ---- */

/* Once the database is away, it is away for the rest as well. */
static void
run_all(struct app *app, const struct db_rows *ids, bulk_one *one, void *ctx,
    struct answer *a)
{
	struct err why = { 0 };
	bool away = false;

	for (int i = 0; i < db_nrows(ids); i++) {
		AUTO_BUF doc = BUF_INIT;
		int64_t id = db_int(ids, i, 0);

		if (!away && one(app, id, ctx, &doc, &why) &&
		    buf_ok(&doc, &why)) {
			add_doc(a, id, &doc);
			continue;
		}
		add_error(a, id, &why);
		away = away || (why.code == ERR_UNAVAILABLE &&
				   (why.sqlstate[0] == '\0' ||
				       strcmp(why.sqlstate, DB_NO_LINK) == 0));
	}
}

static bool
choose(struct app *app, const struct req *req, const struct bulk *b,
    enum bulk_verb verb, struct db_rows **ret, struct err *e)
{
	AUTO_FILTER f = { 0 };
	AUTO_ROWS *rows = NULL;
	int64_t limit;

	if (!list_where(req, &f, e) || !list_sort(req, &f, e) ||
	    !req_query_int(req, "limit", 0, 0, BULK_MAX, &limit, e))
		return false;
	if (f.where.ntests == 0)
		return missing(verb, e);
	if (!b->ids(app->db, &f, limit > 0 ? limit : BULK_MAX + 1, &rows, e))
		return false;
	if (db_nrows(rows) > BULK_MAX)
		return err_fail(e, ERR_INVALID,
		    "More than %d documents match. Narrow the where, or set "
		    "a limit.",
		    BULK_MAX);
	*ret = rows;
	rows = NULL;
	return true;
}

bool
bulk_run(struct app *app, const struct req *req, struct res *res,
    const struct bulk *b, enum bulk_verb verb, bulk_one *one, void *ctx,
    struct err *e)
{
	AUTO_ROWS *ids = NULL;
	CLEANUP(answer_release)
	struct answer a = { .docs = BUF_INIT, .errors = js_new_array() };

	if (!choose(app, req, b, verb, &ids, e))
		return false;
	run_all(app, ids, one, ctx, &a);
	return answer_send(res, &a, b, verb, e);
}
