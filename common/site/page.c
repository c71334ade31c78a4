#include "common/site/page.h"

#include <string.h>

#include "common/link/db.h"
#include "common/link/js.h"
#include "common/base/arg.h"
#include "common/site/layout.h"
#include "common/site/text.h"

/* ---- reading ---- */

/*
 * What page_of_row() reads, of a page p.  The snapshot is that of the whole
 * statement: what the document shows and what its reader could have seen are
 * the same.
 */
#define PAGE_COLUMNS                                                     \
	"p.id, p.title, p.slug, p.layout::text, site.iso(p.created_at)," \
	" site.iso(p.updated_at),"                                       \
	" site.page_galleries(p.id, $1::bigint > 0, $2::text)::text,"    \
	" pg_current_snapshot()::text"

/* Stored JSON that does not parse is our fault, not the reader's. */
static bool
parse_stored(const struct db_rows *rows, int row, int col,
    struct json_object **ret, struct err *e)
{
	struct err why;

	if (js_parse(db_text(rows, row, col), db_text_len(rows, row, col), ret,
		&why))
		return true;
	return err_fail(e, ERR_BUG, "stored JSON of a page: %s", why.msg);
}

static bool
page_of_row(const struct db_rows *rows, int row, struct json_object **ret,
    struct err *e)
{
	AUTO_JS *layout = NULL;
	AUTO_JS *galleries = NULL;
	struct json_object *doc;

	if (!parse_stored(rows, row, 3, &layout, e) ||
	    !parse_stored(rows, row, 6, &galleries, e))
		return false;
	layout_join(layout, galleries, db_text(rows, row, 7));
	doc = js_new_object();
	js_set_int(doc, "id", db_int(rows, row, 0));
	js_set_text(doc, "title", db_text(rows, row, 1));
	js_set_text(doc, "slug", db_text(rows, row, 2));
	js_set(doc, "layout", js_ref(layout));
	js_set_text(doc, "createdAt", db_text(rows, row, 4));
	js_set_text(doc, "updatedAt", db_text(rows, row, 5));
	*ret = doc;
	return true;
}

static const char SQL_PAGE_GET[] = "SELECT " PAGE_COLUMNS " "
				   "FROM site.page p "
				   "WHERE p.id = $3::bigint";

bool
page_get(struct db *db, int64_t id, const struct page_view *view,
    struct json_object **ret_doc, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "page_get", SQL_PAGE_GET, 3,
		(const char *const[]){
		    arg_int(view->depth).s, view->server_url, arg_int(id).s },
		&rows, e))
		return false;
	if (db_nrows(rows) != 1)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	return page_of_row(rows, 0, ret_doc, e);
}

#define PAGE_LIST(order)                                              \
	"SELECT " PAGE_COLUMNS " "                                    \
	"FROM (SELECT p.id, p.title, p.slug, p.layout, p.created_at," \
	"  p.updated_at"                                              \
	" FROM site.page p ORDER BY " order " "                       \
	" LIMIT $3::bigint OFFSET $4::bigint) AS p"

static const struct {
	const char *name;
	const char *sql;
} SQL_PAGE_LIST[LIST_SORTS] = {
	[LIST_NEWEST] = { "page_list_newest",
	    PAGE_LIST("p.created_at DESC, p.id DESC") },
	[LIST_OLDEST] = { "page_list_oldest", PAGE_LIST("p.created_at, p.id") },
	[LIST_BY_ID] = { "page_list_id", PAGE_LIST("p.id") },
	[LIST_BY_ID_DOWN] = { "page_list_id_down", PAGE_LIST("p.id DESC") },
};

bool
page_list(struct db *db, const struct list_range *range,
    const struct page_view *view, struct json_object **ret_docs,
    int64_t *ret_total, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	AUTO_JS *docs = js_new_array();
	int64_t total = 0;

	if (!page_count(db, &total, e) ||
	    !db_query(db, SQL_PAGE_LIST[range->sort].name,
		SQL_PAGE_LIST[range->sort].sql, 4,
		(const char *const[]){ arg_int(view->depth).s, view->server_url,
		    arg_int(range->limit).s, arg_int(range->offset).s },
		&rows, e))
		return false;
	for (int i = 0; i < db_nrows(rows); i++) {
		struct json_object *doc = NULL;

		if (!page_of_row(rows, i, &doc, e))
			return false;
		js_add(docs, doc);
	}
	*ret_docs = js_ref(docs);
	*ret_total = total;
	return true;
}

static const char SQL_PAGE_COUNT[] = "SELECT count(*) "
				     "FROM site.page";

bool
page_count(struct db *db, int64_t *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "page_count", SQL_PAGE_COUNT, 0, NULL, &rows, e))
		return false;
	*ret = db_int(rows, 0, 0);
	return true;
}

/* ---- writing ---- */

/* What a body asks for; texts are borrowed from it. */
struct change {
	const char *title; /* NULL: as it is */
	const char *slug;
	bool has_layout;
	struct buf layout;    /* as JSON text, without galleries */
	struct buf galleries; /* as JSON text; see layout_split() */
};

static void
change_release(struct change *c)
{
	buf_release(&c->layout);
	buf_release(&c->galleries);
}

#define CHANGE_INIT                                       \
	{                                                 \
		.layout = BUF_INIT, .galleries = BUF_INIT \
	}
#define AUTO_CHANGE CLEANUP(change_release) struct change

static bool
change_texts(struct json_object *body, struct change *c, struct err *e)
{
	if (!js_text(body, "title", NULL, &c->title, e) ||
	    !js_text(body, "slug", NULL, &c->slug, e))
		return false;
	if (c->title != NULL &&
	    (c->title[0] == '\0' || text_chars(c->title) > PAGE_TITLE_MAX))
		return err_field(e, "title", "A title has 1 to %d characters.",
		    PAGE_TITLE_MAX);
	if (c->slug != NULL &&
	    (c->slug[0] == '\0' || strlen(c->slug) > PAGE_SLUG_MAX))
		return err_field(
		    e, "slug", "A slug has 1 to %d bytes.", PAGE_SLUG_MAX);
	return true;
}

static bool
change_read(struct json_object *body, struct change *c, struct err *e)
{
	struct json_object *layout = js_get(body, "layout");
	AUTO_JS *galleries = NULL;

	if (!change_texts(body, c, e))
		return false;
	if (layout == NULL)
		return true;
	if (!layout_split(layout, &galleries, e))
		return false;
	c->has_layout = true;
	js_print(layout, &c->layout);
	js_print(galleries, &c->galleries);
	return buf_ok(&c->layout, e) && buf_ok(&c->galleries, e);
}

static const char SQL_PAGE_SAVE[] =
    "SELECT site.page_save($1::bigint, $2::text, $3::text, $4::jsonb,"
    " $5::jsonb)";

/* id 0: a new page. */
static bool
change_save(struct db *db, int64_t id, const struct change *c, int64_t *ret_id,
    struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "page_save", SQL_PAGE_SAVE, 5,
		(const char *const[]){ id == 0 ? NULL : arg_int(id).s, c->title,
		    c->slug, c->has_layout ? c->layout.data : NULL,
		    c->has_layout ? c->galleries.data : NULL },
		&rows, e)) {
		/* The only unique value of a client's that gets this far. */
		if (e->code == ERR_CONFLICT)
			return err_field(e, "slug", "Value must be unique");
		return false;
	}
	*ret_id = db_int(rows, 0, 0);
	return true;
}

bool
page_create(struct db *db, struct json_object *body,
    const struct page_view *view, struct json_object **ret_doc, struct err *e)
{
	AUTO_CHANGE c = CHANGE_INIT;
	int64_t id = 0;

	if (!change_read(body, &c, e))
		return false;
	if (c.title == NULL)
		return err_field(e, "title", "This field is required.");
	if (c.slug == NULL)
		return err_field(e, "slug", "This field is required.");
	return change_save(db, 0, &c, &id, e) &&
	       page_get(db, id, view, ret_doc, e);
}

bool
page_update(struct db *db, int64_t id, struct json_object *body,
    const struct page_view *view, struct json_object **ret_doc, struct err *e)
{
	AUTO_CHANGE c = CHANGE_INIT;
	int64_t same = 0;

	return change_read(body, &c, e) && change_save(db, id, &c, &same, e) &&
	       page_get(db, id, view, ret_doc, e);
}

static const char SQL_PAGE_DELETE[] = "SELECT site.page_delete($1::bigint)";

bool
page_delete(struct db *db, int64_t id, const struct page_view *view,
    struct json_object **ret_doc, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	AUTO_JS *doc = NULL;

	if (!page_get(db, id, view, &doc, e) ||
	    !db_query(db, "page_delete", SQL_PAGE_DELETE, 1,
		(const char *const[]){ arg_int(id).s }, &rows, e))
		return false;
	if (!db_bool(rows, 0, 0))
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	*ret_doc = js_ref(doc);
	return true;
}
