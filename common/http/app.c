/* The frame of a function: from main() to one answered, logged request. */
#include "common/http/app.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/heap.h"
#include "common/base/log.h"
#include "common/base/proc.h"
#include "common/http/cors.h"
#include "common/http/override.h"
#include "common/http/prefork.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/db.h"
#include "common/link/fcgi.h"
#include "common/link/js.h"
#include "common/runner/after.h"

enum {
	IO_MS = 10000,             /* one read or write on nginx's socket */
	DB_IDLE_MS = 5000,         /* then the link is closed */
	ONE_WRITE_MAX = 64 * 1024, /* head and body leave together */
	EXIT_CONFIG = 78,          /* sysexits.h: a setting is wrong */
};

/* One process of a function. */
struct process {
	struct app app;
	struct fcgi *fcgi;
	int64_t max_requests;
	int64_t idle_exit_ms;  /* -1: never */
	int64_t idle_since_ms; /* end of the last request */
	bool warm;             /* has a link, or memory, from requests */
};

/* One request on its way to an answer. */
struct turn {
	struct req req;
	struct res res;
	bool failed;
	struct err err; /* why, when failed */
	int64_t start_us;
};

/* ------------------------------------------------------------- routing */

static bool
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* HEAD is GET without its body.  Not where a GET runs jobs: who asks with
 * HEAD expects that nothing happens. */
static bool
method_fits(const struct app_route *route, const char *method)
{
	return is(route->method, method) ||
	       (is(method, "HEAD") && is(route->method, "GET") &&
		   !access_get_changes(route->access));
}

/* What has a word where a route has an id is another path: there is no POST to
 * /api/users/forgot-password because there is a PATCH of /api/users/:id. */
static bool
is_word_for_id(const struct app_route *route, const struct req *req)
{
	const char *colon = strchr(route->path, ':');

	return colon != NULL && strncmp(colon, ":id", 3) == 0 &&
	       req->param[0][strspn(req->param[0], "0123456789")] != '\0';
}

/* A word that is no path of its own is an id that there is not: the route's to
 * say. */
static const struct app_route *
route_find(const struct app_fn *fn, struct req *req, bool *ret_path_known)
{
	bool known = false;

	for (size_t i = 0; i < fn->nroutes; i++) {
		const struct app_route *route = &fn->routes[i];
		bool other;

		if (!req_match(req, route->path))
			continue;
		other = is_word_for_id(route, req);
		if (route->handle != NULL && method_fits(route, req->method) &&
		    !(other && known))
			return route;
		known = known || !other;
	}
	*ret_path_known = known;
	return NULL;
}

/* "GET, POST": what the path does take. */
static void
allowed_methods(const struct app_fn *fn, struct req *req, struct buf *ret)
{
	for (size_t i = 0; i < fn->nroutes; i++) {
		const struct app_route *route = &fn->routes[i];

		if (!req_match(req, route->path) || is_word_for_id(route, req))
			continue;
		if (ret->len > 0)
			buf_adds(ret, ", ");
		buf_adds(ret, route->method);
	}
}

/* RFC 9110: a 405 says in Allow what would do. */
static bool
refuse_method(const struct app_fn *fn, struct turn *t)
{
	AUTO_BUF allowed = BUF_INIT;

	t->failed = true;
	allowed_methods(fn, &t->req, &allowed);
	(void)err_fail(&t->err, ERR_METHOD,
	    "This method is not allowed here. Use %s.", allowed.data);
	res_error(&t->res, &t->err);
	return res_header(&t->res, "Allow", allowed.data, &t->err);
}

static bool
answer_no_route(struct turn *t)
{
	AUTO_BUF message = BUF_INIT;
	struct json_object *doc = js_new_object();

	buf_adds(&message, "Route not found \"");
	buf_adds(&message, t->req.path);
	buf_addc(&message, '"');
	js_set_text(doc, "message", message.data);
	return res_json(&t->res, 404, doc, &t->err);
}

static bool
answer(struct app *app, struct turn *t)
{
	const struct app_route *route = NULL;
	bool path_known = false;

	if (is(t->req.method, "OPTIONS"))
		return res_json_text(&t->res, 200, "{}", 2, &t->err);
	route = route_find(app->fn, &t->req, &path_known);
	if (route == NULL)
		return path_known ? refuse_method(app->fn, t)
				  : answer_no_route(t);
	return auth_check(
		   &t->req, app->db, route->access, &app->caller, &t->err) &&
	       route->handle(app, &t->req, &t->res, &t->err);
}

/* ------------------------------------------------------------- sending */

static const char *
reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 416, "Range Not Satisfiable" },
		{ 423, "Locked" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Answer";
}

static bool
bodiless(int status)
{
	return status == 204 || status == 304;
}

static void
build_head(const struct turn *t, struct buf *ret)
{
	const struct res *res = &t->res;

	buf_addf(ret, "Status: %d %s\r\n", res->status, reason(res->status));
	buf_add(ret, res->head.data, res->head.len);
	if (!bodiless(res->status))
		buf_addf(ret, "Content-Length: %lld\r\n",
		    res->file >= 0 ? (long long)res->file_bytes
				   : (long long)res->body.len);
	buf_addf(ret, "X-Request-Id: %s\r\n", t->req.id);
	cors_head(&t->req, ret);
	if (!res->store)
		buf_adds(ret, "Cache-Control: no-store\r\n");
	buf_adds(ret, "X-Content-Type-Options: nosniff\r\n\r\n");
}

/* Memory ran out while the answer was built: this needs none. */
static bool
send_plain(struct turn *t, struct fcgi *f, struct err *e)
{
	static const char body[] = "{\"errors\":[{\"message\":\"The service "
				   "is briefly unavailable. Try again.\"}]}";
	char text[512];
	int n = snprintf(text, sizeof(text),
	    "Status: 503 %s\r\nContent-Type: application/json\r\n"
	    "X-Request-Id: %s\r\nCache-Control: no-store\r\n"
	    "X-Content-Type-Options: nosniff\r\nRetry-After: 2\r\n\r\n%s",
	    reason(503), t->req.id, body);

	t->res.status = 503;
	return fcgi_write(f, text, (size_t)n, e);
}

/* One that is shorter than was said ends the answer early: the web server then
 * cuts the client off, who so learns of it. */
static bool
send_file(const struct res *res, struct fcgi *f, struct err *e)
{
	char part[32 * 1024];

	for (int64_t at = 0; at < res->file_bytes;) {
		int64_t left = res->file_bytes - at;
		size_t want =
		    left < (int64_t)sizeof(part) ? (size_t)left : sizeof(part);
		ssize_t n = pread(res->file, part, want, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_fail(e, ERR_BUG, "a file ends early");
		if (!fcgi_write(f, part, (size_t)n, e))
			return false;
		at += n;
	}
	return true;
}

static bool
send_answer(struct turn *t, struct fcgi *f, struct err *e)
{
	AUTO_BUF head = BUF_INIT;
	const struct buf *body = &t->res.body;
	bool may = !is(t->req.method, "HEAD") && !bodiless(t->res.status);
	bool with_body = may && body->len > 0;
	bool together = with_body && body->len <= ONE_WRITE_MAX;

	build_head(t, &head);
	if (together)
		buf_add(&head, body->data, body->len);
	if (!buf_ok(&t->res.head, e) || !buf_ok(body, e) || !buf_ok(&head, e))
		return send_plain(t, f, e);
	return fcgi_write(f, head.data, head.len, e) &&
	       (!with_body || together ||
		   fcgi_write(f, body->data, body->len, e)) &&
	       (!may || t->res.file < 0 || send_file(&t->res, f, e));
}

/* ------------------------------------------------------- one request */

static enum log_level
level_of(int status)
{
	if (status == 503 || status == 507)
		return LOG_LEVEL_WARN;
	return status >= 500 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
}

/* A wrong secret must not reach the log, in whatever words. */
static void
log_failure(struct log_line *line, const struct err *e)
{
	if (e->code == ERR_AUTH)
		log_text(line, "err", err_name(e->code));
	else
		log_err(line, e);
}

static void
log_request(const struct app *app, const struct turn *t, bool client_gone)
{
	struct log_line line;

	log_begin(&line, level_of(t->res.status), "request");
	log_text(&line, "method", t->req.method);
	log_text(&line, "path", t->req.path);
	log_int(&line, "status", t->res.status);
	log_int(&line, "ms", (clock_mono_us() - t->start_us) / 1000);
	log_text(&line, "request", t->req.id);
	if (t->failed)
		log_failure(&line, &t->err);
	if (app->caller.known)
		log_int(&line, "user", app->caller.user.id);
	if (app->caller.cron)
		log_text(&line, "caller", "cron");
	if (client_gone)
		log_text(&line, "client", "gone");
	log_end(&line);
}

static void
wake_runner(void)
{
	struct err e;

	/* The next ping of the run endpoint finds the job all the same. */
	if (!after_wake(&e))
		log_fail(LOG_LEVEL_WARN, &e, "could not wake a runner");
}

static void
request_run(struct app *app, struct fcgi *f)
{
	struct turn t = { .start_us = clock_mono_us() };
	struct err gone;
	bool sent = false;

	app->caller = (struct caller){ .known = false };
	res_init(&t.res);
	t.res.req = &t.req;
	if (!req_init(&t.req, f, &t.err) || !override_apply(&t.req, &t.err) ||
	    !answer(app, &t)) {
		t.failed = true;
		res_error(&t.res, &t.err);
	}
	sent = send_answer(&t, f, &gone);
	if (fcgi_is_cgi(f)) /* finishing closes its standard error */
		log_request(app, &t, !sent);
	fcgi_finish(f);
	if (t.res.wake)
		wake_runner();
	if (!fcgi_is_cgi(f))
		log_request(app, &t, !sent);
	req_release(&t.req);
	res_release(&t.res);
}

/* --------------------------------------------------------- the process */

/* When the process must look up from waiting, though no request came. */
static int
wait_ms(const struct process *p)
{
	int64_t idle_ms = clock_mono_ms() - p->idle_since_ms;
	int64_t due_ms = p->idle_exit_ms;

	if (p->warm && (due_ms < 0 || due_ms > DB_IDLE_MS))
		due_ms = DB_IDLE_MS;
	if (due_ms < 0)
		return -1;
	return due_ms > idle_ms ? (int)(due_ms - idle_ms) : 0;
}

/* False: idle for so long that the process ends. */
static bool
stay_idle(struct process *p)
{
	int64_t idle_ms = clock_mono_ms() - p->idle_since_ms;

	/* What an idle process keeps, each of its kind keeps. */
	if (p->warm && idle_ms >= DB_IDLE_MS) {
		db_close(p->app.db);
		heap_rest();
		p->warm = false;
	}
	return p->idle_exit_ms < 0 || idle_ms < p->idle_exit_ms;
}

/* Processes that started together should not end together. */
static int64_t
request_limit(const struct process *p)
{
	uint32_t mixed = (uint32_t)getpid() * UINT32_C(2654435761);
	int64_t spread = p->max_requests / 8 + 1;

	return p->max_requests - (int64_t)(mixed >> 8) % spread;
}

static int
serve_loop(struct process *p)
{
	int64_t left = request_limit(p);
	struct err e;

	p->idle_since_ms = clock_mono_ms();
	while (left > 0) {
		switch (fcgi_accept(p->fcgi, wait_ms(p), &e)) {
		case FCGI_REQUEST:
			request_run(&p->app, p->fcgi);
			p->warm = true;
			p->idle_since_ms = clock_mono_ms();
			left--;
			break;
		case FCGI_IDLE:
			if (!stay_idle(p))
				return PREFORK_IDLE;
			break;
		case FCGI_DONE:
			return 0;
		case FCGI_BROKEN:
			log_fail(LOG_LEVEL_ERROR, &e, "cannot accept");
			return 1;
		}
	}
	return 0;
}

static int
serve(void *ctx)
{
	struct process *p = ctx;
	int status = serve_loop(p);

	db_close(p->app.db);
	return status;
}

static bool
has_cron_route(const struct app_fn *fn)
{
	for (size_t i = 0; i < fn->nroutes; i++)
		if (fn->routes[i].handle != NULL &&
		    access_takes_cron(fn->routes[i].access))
			return true;
	return false;
}

static bool
read_settings(
    struct process *p, int64_t *ret_children, bool *ret_pooled, struct err *e)
{
	int64_t idle_s = 0, pooled = 0;

	if (!conf_int(
		"MAX_REQUESTS", 1000, 1, INT32_MAX, &p->max_requests, e) ||
	    !conf_int("IDLE_EXIT", 0, 0, 86400, &idle_s, e) ||
	    !conf_int(
		"FCGI_CHILDREN", 0, 0, PREFORK_CHILDREN_MAX, ret_children, e) ||
	    !conf_int("DATABASE_POOLED", 0, 0, 1, &pooled, e))
		return false;
	p->idle_exit_ms = idle_s > 0 ? idle_s * 1000 : -1;
	*ret_pooled = pooled == 1;
	return true;
}

/* Everything that may go wrong before the first request. */
static bool
process_open(struct process *p, int64_t *ret_children, struct err *e)
{
	const struct app_fn *fn = p->app.fn;
	bool pooled = false;

	if (!read_settings(p, ret_children, &pooled, e) || !cors_check(e) ||
	    !crypt_init(e) || !fcgi_open(IO_MS, &p->fcgi, e))
		return false;
	p->app.db = db_new(conf_database_url(fn->name), pooled, fn->name);
	if (fn->init != NULL && !fn->init(&p->app, e))
		return false;
	/* A link must not be shared with the children. */
	db_close(p->app.db);
	heap_keep();
	return true;
}

static int
process_run(struct process *p)
{
	int64_t children = 0;
	struct err e;

	if (!process_open(p, &children, &e)) {
		log_fail(LOG_LEVEL_ERROR, &e, "could not start");
		return e.code == ERR_INVALID ? EXIT_CONFIG : 1;
	}
	if (has_cron_route(p->app.fn))
		auth_log_secrets();
	if (children > 0 && !fcgi_is_cgi(p->fcgi))
		return prefork_run((int)children, serve, p);
	return serve(p);
}

int
app_run(const struct app_fn *fn)
{
	struct process p = { .app = { .fn = fn } };
	int status = 0;

	log_init(fn->name, conf_text("LOG_LEVEL", "info"));
	proc_cloexec_from(3);
	umask(027); /* the web server's group reads media files */
	status = process_run(&p);
	db_free(p.app.db);
	fcgi_free(p.fcgi);
	return status == PREFORK_IDLE ? 0 : status;
}
