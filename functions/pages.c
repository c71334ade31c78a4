/* /api/pages: pages and their galleries (common/site/page.h). */
#include "common/http/app.h"
#include "common/http/bulk.h"
#include "common/http/list.h"
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

static bool
list_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_BUF doc = BUF_INIT;
	AUTO_FILTER select = { 0 };
	struct page_view view;

	return view_of(req, &select, &view, e) &&
	       req_json(req, REQ_BODY_MAX, &body, e) &&
	       page_create(app->db, body, &view, &doc, e) &&
	       res_doc(res, 201, doc.data, doc.len,
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
	AUTO_BUF doc = BUF_INIT;
	AUTO_FILTER select = { 0 };
	struct page_view view;
	int64_t id = 0;

	return view_of(req, &select, &view, e) &&
	       req_param_id(req, 0, &id, e) &&
	       page_get(app->db, id, &view, &doc, e) &&
	       res_json_text(res, 200, doc.data, doc.len, e);
}

static bool
one_patch(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_BUF doc = BUF_INIT;
	AUTO_FILTER select = { 0 };
	struct page_view view;
	int64_t id = 0;

	return view_of(req, &select, &view, e) &&
	       req_param_id(req, 0, &id, e) &&
	       req_json(req, REQ_BODY_MAX, &body, e) &&
	       page_update(app->db, id, body, &view, &doc, e) &&
	       res_doc(res, 200, doc.data, doc.len, "Updated successfully.", e);
}

static bool
one_delete(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF doc = BUF_INIT;
	AUTO_FILTER select = { 0 };
	struct page_view view;
	int64_t id = 0;

	return view_of(req, &select, &view, e) &&
	       req_param_id(req, 0, &id, e) &&
	       page_delete(app->db, id, &view, &doc, e) &&
	       res_doc(res, 200, doc.data, doc.len, "Deleted successfully.", e);
}

/* ---- several at once ---- */

struct many {
	struct page_view view;
	const struct page_change *change;
};

static bool
patch_one(
    struct app *app, int64_t id, void *ctx, struct buf *ret_doc, struct err *e)
{
	const struct many *m = ctx;

	return page_change_apply(app->db, id, m->change, &m->view, ret_doc, e);
}

static bool
delete_one(
    struct app *app, int64_t id, void *ctx, struct buf *ret_doc, struct err *e)
{
	const struct many *m = ctx;

	return page_delete(app->db, id, &m->view, ret_doc, e);
}

static const struct bulk pages_bulk = { "Page", "Pages", page_ids };

static bool
list_patch(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_FILTER select = { 0 };
	AUTO_PAGE_CHANGE *change = NULL;
	struct many m;

	if (!view_of(req, &select, &m.view, e) ||
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
	struct many m = { 0 };

	return view_of(req, &select, &m.view, e) &&
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
