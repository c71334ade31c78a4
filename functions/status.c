/*
 * status: what is going on.  Reads only.
 *
 * GET /healthz                      anyone
 * GET /metrics                      the cron secret; Prometheus text
 * GET /api/payload-jobs             admin, operator: the list
 * GET /api/payload-jobs/count
 * GET /api/payload-jobs/:id         one job with its attempts
 * GET /api/payload-jobs/stats       also the cron secret
 */
#include "common/http/app.h"
#include "common/http/list.h"
#include "common/link/db.h"
#include "common/link/js.h"
#include "common/queue/report.h"

static const char SQL_HANDLE_HEALTH[] = "SELECT 1";

static bool
handle_health(
    struct app *app, struct req *req UNUSED, struct res *res, struct err *e)
{
	static const char ok[] = "{\"status\":\"ok\"}";
	static const char down[] = "{\"status\":\"unavailable\"}";
	struct err why;

	if (!db_query(
		app->db, "health", SQL_HANDLE_HEALTH, 0, NULL, NULL, &why))
		return res_json_text(res, 503, down, sizeof(down) - 1, e);
	return res_json_text(res, 200, ok, sizeof(ok) - 1, e);
}

static bool
handle_metrics(
    struct app *app, struct req *req UNUSED, struct res *res, struct err *e)
{
	AUTO_BUF text = BUF_INIT;

	return report_metrics(app->db, &text, e) && buf_ok(&text, e) &&
	       res_text(res, 200, "text/plain; version=0.0.4", text.data,
		   text.len, e);
}

static bool
handle_list(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF docs = BUF_INIT;
	AUTO_LIST q = { 0 };
	int64_t total;

	return list_query(req, &q, e) &&
	       report_list(app->db, &q.filter, &docs, &total, e) &&
	       list_page(res, &q, &docs, total, e);
}

static bool
handle_count(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_FILTER f = { 0 };
	int64_t n = 0;

	return list_where(req, &f, e) && report_count(app->db, &f, &n, e) &&
	       list_count(res, n, e);
}

static bool
handle_job(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF doc = BUF_INIT;
	AUTO_FILTER select = { 0 };
	int64_t id;

	return list_select(req, &select, e) && req_param_id(req, 0, &id, e) &&
	       report_job(app->db, id, &select, &doc, e) && buf_ok(&doc, e) &&
	       res_json_text(res, 200, doc.data, doc.len, e);
}

static bool
handle_stats(
    struct app *app, struct req *req UNUSED, struct res *res, struct err *e)
{
	AUTO_BUF doc = BUF_INIT;

	return report_stats(app->db, &doc, e) && buf_ok(&doc, e) &&
	       res_json_text(res, 200, doc.data, doc.len, e);
}

int
main(void)
{
	static const struct app_route routes[] = {
		{ "GET", "/healthz", ACCESS_HEALTH, handle_health },
		{ "GET", "/metrics", ACCESS_METRICS, handle_metrics },
		{ "GET", "/api/payload-jobs", ACCESS_JOBS_READ, handle_list },
		{ "GET", "/api/payload-jobs/count", ACCESS_JOBS_READ,
		    handle_count },
		{ "GET", "/api/payload-jobs/stats", ACCESS_JOBS_STATS,
		    handle_stats },
		{ "GET", "/api/payload-jobs/:id", ACCESS_JOBS_READ,
		    handle_job },
		/* jobs.c */
		{ .method = "POST", .path = "/api/payload-jobs" },
		{ .method = "POST", .path = "/api/payload-jobs/:id/cancel" },
		{ .method = "POST", .path = "/api/payload-jobs/:id/retry" },
		{ .method = "POST", .path = "/api/payload-jobs/:id/run" },
		{ .method = "POST",
		    .path = "/api/payload-jobs/queues/:queue/pause" },
		{ .method = "POST",
		    .path = "/api/payload-jobs/queues/:queue/resume" },
	};
	static const struct app_fn fn = {
		.name = "status", .routes = routes, .nroutes = LEN(routes)
	};

	return app_run(&fn);
}
