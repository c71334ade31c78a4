/*
 * Reading pages, alone and in lists.
 *
 * A page's row has the layout without its galleries, and these with the ids of
 * their pictures, which are looked up for all pages together.
 */
#include "common/site/page.h"

#include <stdlib.h>

#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/link/js.h"
#include "common/site/layout.h"
#include "common/site/page_images.h"
#include "common/site/total.h"

/* The ids or types of a layout's blocks, those inside others too.  What has a
 * type that is a text is a block; strict, or elements of lists came twice. */
#define SQL_BLOCKS(path)                                              \
	"ARRAY(SELECT b #>> '{}' FROM jsonb_path_query(p.layout,"     \
	" 'strict $.** ? (@.blockType.type() == \"string\")" path "'" \
	", '{}', true) AS b)"

static const struct filter_field LIST[] = {
	{ "id", FILTER_INT, .sql = "p.id" },
	{ "title", FILTER_TEXT, .sql = "p.title" },
	{ "slug", FILTER_TEXT, .sql = "p.slug" },
	{ "layout", FILTER_PRESENT, .sql = "p.layout" },
	{ "layout.blockType", FILTER_LIST, .unsorted = true,
	    .sql = SQL_BLOCKS(".blockType") },
	{ "layout.id", FILTER_LIST, .unsorted = true,
	    .sql = SQL_BLOCKS(".id") },
	{ "layout.autoSyncMedia", FILTER_LIST, .unsorted = true,
	    .sql = "ARRAY(SELECT g.auto_sync::text FROM site.gallery g"
		   " WHERE g.page_id = p.id)" },
	{ "layout.images", FILTER_LIST, .unsorted = true,
	    .sql = "ARRAY(SELECT i.media_id::text FROM site.gallery g"
		   " JOIN site.gallery_image i ON i.gallery_id = g.id"
		   " WHERE g.page_id = p.id)" },
	{ "createdAt", FILTER_TIME, .sql = "p.created_at" },
	{ "updatedAt", FILTER_TIME, .sql = "p.updated_at" },
};

static const struct filter_fields FIELDS = {
	.list = LIST,
	.n = LEN(LIST),
	.id = "p.id",
	.order = "-createdAt",
};

/* ---- rows ---- */

enum column {
	COL_ID,
	COL_TITLE,
	COL_SLUG,
	COL_CREATED,
	COL_UPDATED,
	COL_SNAPSHOT,
	COL_LAYOUT,
	COL_GALLERIES,
	COL_FITS,
	COL_IDS,      /* lists only */
	COL_EXPECTED, /* lists only */
};

#define PAGE_COLUMNS                                                     \
	"d.id, d.title, d.slug, d.created_at, d.updated_at, d.snapshot," \
	" d.layout, d.galleries, d.fits"
#define BYTES STR(PAGE_LIST_BYTES)

static bool
shows(const struct page_view *view, const char *field)
{
	return view->select == NULL || filter_shows(view->select, field);
}

static const char *
with_layout(const struct page_view *view)
{
	return shows(view, "layout") ? "true" : "false";
}

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

/* Pages at work. */
struct reading {
	const struct page_view *view;
	struct db_rows *rows;
	struct json_object **galleries; /* of each row; NULL: not shown */
	struct page_images images;
};

static void
reading_release(struct reading *r)
{
	for (int i = 0; r->galleries != NULL && i < db_nrows(r->rows); i++)
		js_free(&r->galleries[i]);
	free(r->galleries);
	page_images_release(&r->images);
	db_rows_free(r->rows);
}
#define AUTO_READING CLEANUP(reading_release) struct reading

static bool
too_large(struct err *e)
{
	return err_field(e, "limit",
	    "These pages are too large for one answer. Ask for fewer of them, "
	    "for depth=0, or without their layout.");
}

/* The galleries of all rows, with pictures where the depth wants them. */
static bool
read_galleries(struct reading *r, struct db *db, struct err *e)
{
	int n = db_nrows(r->rows);

	r->galleries = calloc((size_t)n + 1, sizeof(*r->galleries));
	if (r->galleries == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	for (int i = 0; i < n; i++) {
		if (db_null(r->rows, i, COL_GALLERIES))
			continue;
		if (!parse_stored(
			r->rows, i, COL_GALLERIES, &r->galleries[i], e) ||
		    !page_images_gather(&r->images, r->galleries[i], e))
			return false;
		if (n > 1 && r->images.n > PAGE_IMAGES_MAX)
			return too_large(e);
	}
	return r->view->depth == 0 ||
	       page_images_load(&r->images, db, r->view->server_url, e);
}

static bool
set_layout(struct reading *r, int row, struct json_object *doc, struct err *e)
{
	AUTO_JS *layout = NULL;

	if (!parse_stored(r->rows, row, COL_LAYOUT, &layout, e) ||
	    (r->view->depth > 0 &&
		!page_images_fill(&r->images, r->galleries[row], e)))
		return false;
	layout_join(
	    layout, r->galleries[row], db_text(r->rows, row, COL_SNAPSHOT));
	js_set(doc, "layout", js_ref(layout));
	return true;
}

static void
set_text(const struct reading *r, int row, int col, struct json_object *doc,
    const char *field)
{
	if (shows(r->view, field))
		js_set_text(doc, field, db_text(r->rows, row, col));
}

static bool
add_page(struct reading *r, int row, struct buf *ret, struct err *e)
{
	AUTO_JS *doc = js_new_object();

	js_set_int(doc, "id", db_int(r->rows, row, COL_ID));
	set_text(r, row, COL_TITLE, doc, "title");
	set_text(r, row, COL_SLUG, doc, "slug");
	if (r->galleries[row] != NULL && !set_layout(r, row, doc, e))
		return false;
	set_text(r, row, COL_CREATED, doc, "createdAt");
	set_text(r, row, COL_UPDATED, doc, "updatedAt");
	js_print(doc, ret);
	js_free(&r->galleries[row]);
	return buf_ok(ret, e);
}

/* ---- one ---- */

static const char SQL_PAGE_GET[] =
    "SELECT " PAGE_COLUMNS
    " FROM site.page_docs(ARRAY[$1::bigint], $2::boolean, " BYTES ") d";

bool
page_get(struct db *db, int64_t id, const struct page_view *view,
    struct page_doc *ret, struct err *e)
{
	AUTO_READING r = { .view = view };

	if (!db_query(db, "page_get", SQL_PAGE_GET, 2,
		(const char *const[]){ arg_int(id).s, with_layout(view) },
		&r.rows, e))
		return false;
	if (db_nrows(r.rows) != 1)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	(void)snprintf(ret->version, sizeof(ret->version), "%s",
	    db_text(r.rows, 0, COL_UPDATED));
	return read_galleries(&r, db, e) && add_page(&r, 0, &ret->json, e);
}

/* ---- many ---- */

/* Ids first, from the index alone where one has the order; then the documents
 * of those on the page. */
static const char SQL_PAGE_LIST[] =
    "SELECT " PAGE_COLUMNS ", cardinality(l.a),"
    " (SELECT c.reltuples::bigint FROM pg_catalog.pg_class c"
    " WHERE c.oid = 'site.page'::pg_catalog.regclass) "
    "FROM (SELECT ARRAY(SELECT p.id FROM site.page p WHERE {where}"
    " ORDER BY {order} LIMIT $1::bigint + $2::bigint"
    " OFFSET $3::bigint) AS a OFFSET 0) AS l,"
    " site.page_docs(l.a[1:$1::bigint], $4::boolean, " BYTES ") AS d "
    "ORDER BY d.n";

static bool
add_pages(struct reading *r, struct buf *ret, struct err *e)
{
	buf_addc(ret, '[');
	for (int i = 0; i < db_nrows(r->rows); i++) {
		if (i > 0)
			buf_addc(ret, ',');
		if (!add_page(r, i, ret, e))
			return false;
		if (i > 0 && ret->len > PAGE_ANSWER_BYTES)
			return too_large(e);
	}
	buf_addc(ret, ']');
	return buf_ok(ret, e);
}

/* No rows: they are to be counted, unless there are none. */
static bool
total_rows(struct db *db, const struct filter *f, const struct db_rows *rows,
    int64_t *ret, struct err *e)
{
	int64_t n = 0, expected = 0;

	if (db_nrows(rows) > 0) {
		n = db_int(rows, 0, COL_IDS);
		expected = db_int(rows, 0, COL_EXPECTED);
	}
	*ret = total_of(f, n, expected);
	return *ret >= 0 || page_count(db, f, ret, e);
}

bool
page_list(struct db *db, const struct filter *f, const struct page_view *view,
    struct buf *ret_docs, int64_t *ret_total, struct err *e)
{
	AUTO_READING r = { .view = view };
	struct arg limit = arg_int(f->limit), skip = arg_int(f->offset);
	struct arg look = arg_int(total_look(f));
	const char *const args[] = { limit.s, look.s, skip.s,
		with_layout(view) };

	if (!filter_query(db, "page_list", SQL_PAGE_LIST, &FIELDS, f, LEN(args),
		args, &r.rows, e) ||
	    !total_rows(db, f, r.rows, ret_total, e))
		return false;
	for (int i = 0; i < db_nrows(r.rows); i++)
		if (!db_bool(r.rows, i, COL_FITS))
			return too_large(e);
	return read_galleries(&r, db, e) && add_pages(&r, ret_docs, e);
}

static const char SQL_PAGE_COUNT[] = "SELECT count(*) FROM site.page p "
				     "WHERE {where}";

bool
page_count(struct db *db, const struct filter *f, int64_t *ret, struct err *e)
{
	return filter_count(
	    db, "page_count", SQL_PAGE_COUNT, &FIELDS, f, 0, NULL, ret, e);
}

static const char SQL_PAGE_IDS[] =
    "SELECT p.id FROM site.page p WHERE {where} ORDER BY {order}"
    " LIMIT $1::bigint";

bool
page_ids(struct db *db, const struct filter *f, int64_t max,
    struct db_rows **ret, struct err *e)
{
	struct arg limit = arg_int(max);

	return filter_query(db, "page_ids", SQL_PAGE_IDS, &FIELDS, f, 1,
	    (const char *const[]){ limit.s }, ret, e);
}
