/* /api/pages: pages and their galleries (common/site/page.h). */
#include "common/http/app.h"
#include "common/http/list.h"
#include "common/link/conf.h"
#include "common/link/js.h"
#include "common/site/page.h"

enum { DEPTH_DEFAULT = 2 };

static bool
view_of(const struct req *req, struct page_view *ret, struct err *e)
{
	ret->server_url = conf_text("SERVER_URL", "");
	return req_query_int(
	    req, "depth", DEPTH_DEFAULT, 0, PAGE_DEPTH_MAX, &ret->depth, e);
}

/* {"doc": …, "message": …}; doc is taken. */
static bool
answer_doc(struct res *res, int status, struct json_object *doc,
    const char *message, struct err *e)
{
	struct json_object *o = js_new_object();

	js_set(o, "doc", doc);
	js_set_text(o, "message", message);
	return res_json(res, status, o, e);
}

static bool
list_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *docs = NULL;
	AUTO_BUF text = BUF_INIT;
	struct page_view view;
	struct list_query q;
	int64_t total = 0;

	if (!view_of(req, &view, e) || !list_query(req, &q, e) ||
	    !page_list(app->db, &q.range, &view, &docs, &total, e))
		return false;
	js_print(docs, &text);
	return list_page(res, &q, &text, total, e);
}

static bool
list_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	struct json_object *doc = NULL;
	struct page_view view;

	if (!view_of(req, &view, e) || !req_json(req, REQ_BODY_MAX, &body, e) ||
	    !page_create(app->db, body, &view, &doc, e))
		return false;
	return answer_doc(res, 201, doc, "Page successfully created.", e);
}

static bool
count_get(
    struct app *app, struct req *req UNUSED, struct res *res, struct err *e)
{
	int64_t n = 0;

	return page_count(app->db, &n, e) && list_count(res, n, e);
}

static bool
one_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	struct json_object *doc = NULL;
	struct page_view view;
	int64_t id = 0;

	if (!view_of(req, &view, e) || !req_param_id(req, 0, &id, e) ||
	    !page_get(app->db, id, &view, &doc, e))
		return false;
	return res_json(res, 200, doc, e);
}

static bool
one_patch(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	struct json_object *doc = NULL;
	struct page_view view;
	int64_t id = 0;

	if (!view_of(req, &view, e) || !req_param_id(req, 0, &id, e) ||
	    !req_json(req, REQ_BODY_MAX, &body, e) ||
	    !page_update(app->db, id, body, &view, &doc, e))
		return false;
	return answer_doc(res, 200, doc, "Updated successfully.", e);
}

static bool
one_delete(struct app *app, struct req *req, struct res *res, struct err *e)
{
	struct json_object *doc = NULL;
	struct page_view view;
	int64_t id = 0;

	if (!view_of(req, &view, e) || !req_param_id(req, 0, &id, e) ||
	    !page_delete(app->db, id, &view, &doc, e))
		return false;
	return answer_doc(res, 200, doc, "Deleted successfully.", e);
}

int
main(void)
{
	static const struct app_route routes[] = {
		{ "GET", "/api/pages", ACCESS_PUBLIC, list_get },
		{ "POST", "/api/pages", ACCESS_USER, list_post },
		{ "GET", "/api/pages/count", ACCESS_PUBLIC, count_get },
		{ "GET", "/api/pages/:id", ACCESS_PUBLIC, one_get },
		{ "PATCH", "/api/pages/:id", ACCESS_USER, one_patch },
		{ "DELETE", "/api/pages/:id", ACCESS_USER, one_delete },
	};
	static const struct app_fn fn = { "pages", routes, LEN(routes), NULL };

	return app_run(&fn);
}
