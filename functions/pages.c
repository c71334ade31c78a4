/* /api/pages: pages and their galleries (common/site/page.h). */
#include "common/http/app.h"
#include "common/http/bulk.h"
#include "common/http/list.h"
#include "common/http/version.h"
#include "common/link/conf.h"
#include "common/link/js.h"
#include "common/site/page.h"

/* select is filled from the request and borrowed by the view. */
static bool
view_of(const struct req *req, struct filter *select, struct page_view *ret,
    struct err *e)
{
	ret->server_url = conf_text("SERVER_URL", "");
	ret->select = select;
	return list_depth(req, &ret->depth, e) && list_select(req, select, e);
}

static bool
list_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF docs = BUF_INIT;
	AUTO_LIST q = { 0 };
	struct page_view view = { .select = &q.filter };
	int64_t total = 0;

	if (!list_query(req, &q, e))
		return false;
	view.depth = q.depth;
	view.server_url = conf_text("SERVER_URL", "");
	return page_list(app->db, &q.filter, &view, &docs, &total, e) &&
	       list_page(res, &q, &docs, total, e);
}

/* What a change is meant for; tags is filled and borrowed by it. */
static bool
how_of(const struct req *req, struct buf *tags, struct page_how *ret,
    struct err *e)
{
	bool any = false;

	if (!version_wanted(req, tags, &any, e) ||
	    !req_query_bool(req, "backfill", false, &ret->backfill, e))
		return false;
	ret->if_match = any ? NULL : tags->data;
	return true;
}

static bool
list_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_PAGE_CHANGE *change = NULL;
	AUTO_PAGE_DOC doc = PAGE_DOC_INIT;
	AUTO_BUF tags = BUF_INIT;
	AUTO_FILTER select = { 0 };
	struct page_view view;
	struct page_how how;

	return view_of(req, &select, &view, e) && how_of(req, &tags, &how, e) &&
	       req_json(req, REQ_BODY_MAX, &body, e) &&
	       page_change_open(body, &change, e) &&
	       page_create(app->db, change, &how, &view, &doc, e) &&
	       version_show(res, doc.version, e) &&
	       res_doc(res, 201, doc.json.data, doc.json.len,
		   "Page successfully created.", e);
}

static bool
count_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_FILTER f = { 0 };
	int64_t n = 0;

	return list_where(req, &f, e) && page_count(app->db, &f, &n, e) &&
	       list_count(res, n, e);
}

static bool
one_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_PAGE_DOC doc = PAGE_DOC_INIT;
	AUTO_FILTER select = { 0 };
	struct page_view view;
	int64_t id = 0;

	return view_of(req, &select, &view, e) &&
	       req_param_id(req, 0, &id, e) &&
	       page_get(app->db, id, &view, &doc, e) &&
	       version_show(res, doc.version, e) &&
	       res_json_text(res, 200, doc.json.data, doc.json.len, e);
}

static bool
one_patch(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_PAGE_CHANGE *change = NULL;
	AUTO_PAGE_DOC doc = PAGE_DOC_INIT;
	AUTO_BUF tags = BUF_INIT;
	AUTO_FILTER select = { 0 };
	struct page_view view;
	struct page_how how;
	int64_t id = 0;

	return view_of(req, &select, &view, e) && how_of(req, &tags, &how, e) &&
	       req_param_id(req, 0, &id, e) &&
	       req_json(req, REQ_BODY_MAX, &body, e) &&
	       page_change_open(body, &change, e) &&
	       page_update(app->db, id, change, &how, &view, &doc, e) &&
	       version_show(res, doc.version, e) &&
	       res_doc(res, 200, doc.json.data, doc.json.len,
		   "Updated successfully.", e);
}

static bool
one_delete(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_PAGE_DOC doc = PAGE_DOC_INIT;
	AUTO_BUF tags = BUF_INIT;
	AUTO_FILTER select = { 0 };
	struct page_view view;
	struct page_how how;
	int64_t id = 0;

	return view_of(req, &select, &view, e) && how_of(req, &tags, &how, e) &&
	       req_param_id(req, 0, &id, e) &&
	       page_delete(app->db, id, &how, &view, &doc, e) &&
	       res_doc(res, 200, doc.json.data, doc.json.len,
		   "Deleted successfully.", e);
}

/* ---- several at once ---- */

struct many {
	struct page_view view;
	struct page_how how;
	const struct page_change *change;
};

static bool
patch_one(
    struct app *app, int64_t id, void *ctx, struct buf *ret_doc, struct err *e)
{
	const struct many *m = ctx;
	AUTO_PAGE_DOC doc = PAGE_DOC_INIT;

	if (!page_update(app->db, id, m->change, &m->how, &m->view, &doc, e))
		return false;
	buf_add(ret_doc, doc.json.data, doc.json.len);
	return true;
}

static bool
delete_one(
    struct app *app, int64_t id, void *ctx, struct buf *ret_doc, struct err *e)
{
	const struct many *m = ctx;
	AUTO_PAGE_DOC doc = PAGE_DOC_INIT;

	if (!page_delete(app->db, id, &m->how, &m->view, &doc, e))
		return false;
	buf_add(ret_doc, doc.json.data, doc.json.len);
	return true;
}

static const struct bulk pages_bulk = { "Page", "Pages", page_ids };

static bool
list_patch(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_FILTER select = { 0 };
	AUTO_PAGE_CHANGE *change = NULL;
	AUTO_BUF tags = BUF_INIT;
	struct many m;

	if (!view_of(req, &select, &m.view, e) ||
	    !how_of(req, &tags, &m.how, e) ||
	    !bulk_check(req, BULK_UPDATE, e) ||
	    !req_json(req, REQ_BODY_MAX, &body, e) ||
	    !page_change_open(body, &change, e))
		return false;
	m.change = change;
	return bulk_run(
	    app, req, res, &pages_bulk, BULK_UPDATE, patch_one, &m, e);
}

static bool
list_delete(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_FILTER select = { 0 };
	AUTO_BUF tags = BUF_INIT;
	struct many m = { 0 };

	return view_of(req, &select, &m.view, e) &&
	       how_of(req, &tags, &m.how, e) &&
	       bulk_run(
		   app, req, res, &pages_bulk, BULK_DELETE, delete_one, &m, e);
}

int
main(void)
{
	static const struct app_route routes[] = {
		{ "GET", "/api/pages", ACCESS_PAGES_READ, list_get },
		{ "POST", "/api/pages", ACCESS_PAGES_CREATE, list_post },
		{ "PATCH", "/api/pages", ACCESS_PAGES_UPDATE, list_patch },
		{ "DELETE", "/api/pages", ACCESS_PAGES_DELETE, list_delete },
		{ "GET", "/api/pages/count", ACCESS_PAGES_READ, count_get },
		{ "GET", "/api/pages/:id", ACCESS_PAGES_READ, one_get },
		{ "PATCH", "/api/pages/:id", ACCESS_PAGES_UPDATE, one_patch },
		{ "DELETE", "/api/pages/:id", ACCESS_PAGES_DELETE, one_delete },
	};
	static const struct app_fn fn = { "pages", routes, LEN(routes), NULL };

	return app_run(&fn);
}
