/*
 * app: one request through the whole frame, as plain CGI: what goes out, what
 * is logged, and that a runner is woken only after the answer has gone.
 */
#include "tests/unit/tap.h"

#include <poll.h>
#include <sys/wait.h>

#include "common/base/path.h"
#include "common/http/app.h"
#include "common/link/js.h"
#include "common/runner/after.h"
#include "tests/unit/cgi.h"

enum { BIG = 200000, WAKE_FD = 9 };

/* What a case sends and gets. */
struct exchange {
	int exit_status;
	struct buf out; /* what nginx would read */
	struct buf log;
	bool woken;
	bool woken_early; /* before the answer was complete */
};

/* In place of the runner's: slow, so that order can be told. */
bool
after_wake(struct err *e)
{
	usleep(200000);
	return fd_write_all(WAKE_FD, "w", 1, e);
}

/* ------------------------------------------------------- the function */

static bool
get_list(struct app *app UNUSED, struct req *req UNUSED, struct res *res,
    struct err *e)
{
	return res_json_text(res, 200, "[1,2]", 5, e);
}

static bool
get_one(struct app *app UNUSED, struct req *req, struct res *res, struct err *e)
{
	struct json_object *doc = js_new_object();

	js_set_text(doc, "id", req->param[0]);
	return res_json(res, 200, doc, e);
}

static bool
get_count(struct app *app UNUSED, struct req *req UNUSED, struct res *res,
    struct err *e)
{
	return res_json_text(res, 200, "{\"totalDocs\":2}", 15, e);
}

static bool
post_one(
    struct app *app UNUSED, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	const char *name = NULL;

	res->wake = true;
	if (!req_json(req, 100, &body, e) ||
	    !js_text(body, "name", "", &name, e))
		return false;
	return res_text(res, 201, "text/plain", name, strlen(name), e);
}

static bool
get_bug(struct app *app UNUSED, struct req *req UNUSED, struct res *res UNUSED,
    struct err *e)
{
	return err_fail(e, ERR_BUG, "relation \"x\" in /var/lib");
}

static bool
get_down(struct app *app UNUSED, struct req *req UNUSED, struct res *res UNUSED,
    struct err *e)
{
	return err_fail(e, ERR_UNAVAILABLE, "no server on socket /run/pg");
}

static bool
get_split(struct app *app UNUSED, struct req *req UNUSED, struct res *res,
    struct err *e)
{
	return res_header(res, "X-Name", "a\r\nX-Accel-Redirect: /etc", e) &&
	       res_json_text(res, 200, "{}", 2, e);
}

static bool
get_big(struct app *app UNUSED, struct req *req UNUSED, struct res *res,
    struct err *e)
{
	char text[BIG];

	memset(text, 'b', sizeof(text));
	res->store = true;
	return res_header(res, "Cache-Control", "public, max-age=60", e) &&
	       res_text(res, 200, "text/plain", text, sizeof(text), e);
}

static bool
get_empty(struct app *app UNUSED, struct req *req UNUSED, struct res *res,
    struct err *e UNUSED)
{
	res->status = 204;
	return true;
}

static const struct app_route routes[] = {
	{ "GET", "/api/things", ACCESS_HEALTH, get_list },
	{ "POST", "/api/things", ACCESS_HEALTH, post_one },
	{ "GET", "/api/things/count", ACCESS_HEALTH, get_count },
	{ "GET", "/api/things/:id", ACCESS_HEALTH, get_one },
	{ "DELETE", "/api/things/:id", ACCESS_MEDIA_DELETE, get_one },
	{ "GET", "/api/bug", ACCESS_HEALTH, get_bug },
	{ "GET", "/api/down", ACCESS_HEALTH, get_down },
	{ "GET", "/api/split", ACCESS_HEALTH, get_split },
	{ "GET", "/api/big", ACCESS_HEALTH, get_big },
	{ "GET", "/api/empty", ACCESS_HEALTH, get_empty },
	{ "GET", "/api/run", ACCESS_JOBS_RUN, get_list },
	{ "POST", "/api/run", ACCESS_JOBS_RUN, get_list },
	{ "GET", "/api/elsewhere", ACCESS_HEALTH, get_list },
	{ .method = "POST", .path = "/api/elsewhere" },
};

static const struct app_fn fn = {
	.name = "test",
	.routes = routes,
	.nroutes = LEN(routes),
};

/* ------------------------------------------------------- one exchange */

static NORETURN void
run_function(const char *method, const char *uri, const char *body,
    const int out[2], const int log[2], const int wake[2])
{
	char length[24] = "";

	if (*body != '\0')
		snprintf(length, sizeof(length), "%zu", strlen(body));
	clearenv();
	setenv("REQUEST_METHOD", method, 1);
	setenv("REQUEST_URI", uri, 1);
	setenv("QUERY_STRING", strchr(uri, '?') ? strchr(uri, '?') + 1 : "", 1);
	setenv("CONTENT_LENGTH", length, 1);
	setenv("REQUEST_ID", "the-id", 1);
	setenv("HTTP_AUTHORIZATION", "Bearer a-wrong-secret", 1);
	dup2(wake[1], WAKE_FD);
	dup2(log[1], 2);
	dup2(out[1], 1);
	for (int i = 0; i < 2; i++) {
		close(out[i]);
		close(log[i]);
		close(wake[i]);
	}
	if (!cgi_body(body, strlen(body)))
		_exit(99);
	exit(app_run(&fn));
}

static void
read_all(int fd, struct buf *ret)
{
	char chunk[4096];
	ssize_t n = 0;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(ret, chunk, (size_t)n);
	close(fd);
}

static struct exchange
exchange(const char *method, const char *uri, const char *body)
{
	struct exchange x = { .out = BUF_INIT, .log = BUF_INIT };
	int out[2], log[2], wake[2], status = 0;
	struct pollfd woken = { .events = POLLIN };
	char byte = 0;
	pid_t pid = 0;

	if (pipe(out) != 0 || pipe(log) != 0 || pipe(wake) != 0)
		exit(1);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_function(method, uri, body, out, log, wake);
	close(out[1]);
	close(log[1]);
	close(wake[1]);
	read_all(out[0], &x.out);
	woken.fd = wake[0];
	x.woken_early =
	    poll(&woken, 1, 0) == 1 && (woken.revents & POLLIN) != 0;
	read_all(log[0], &x.log);
	x.woken = read(wake[0], &byte, 1) == 1;
	close(wake[0]);
	waitpid(pid, &status, 0);
	x.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return x;
}

static void
exchange_release(struct exchange *x)
{
	buf_release(&x->out);
	buf_release(&x->log);
}

static const char *
body_of(const struct exchange *x)
{
	const char *end = strstr(x->out.data, "\r\n\r\n");

	return end != NULL ? end + 4 : "(no end of the head)";
}

/* ------------------------------------------------------------ the cases */

static void
test_answers(void)
{
	static const struct {
		const char *method, *uri, *send;
		const char *status, *body;
	} cases[] = {
		{ "GET", "/api/things", "", "200 OK", "[1,2]" },
		{ "GET", "/api/things?x=1", "", "200 OK", "[1,2]" },
		{ "HEAD", "/api/things", "", "200 OK", "" },
		{ "GET", "/api/things/7", "", "200 OK", "{\"id\":\"7\"}" },
		{ "GET", "/api/things/count", "", "200 OK",
		    "{\"totalDocs\":2}" },
		{ "OPTIONS", "/api/things", "", "200 OK", "{}" },
		{ "GET", "/api/empty", "", "204 No Content", "" },
		{ "POST", "/api/things", "{\"name\":\"n\"}", "201 Created",
		    "n" },
		{ "POST", "/api/things", "{\"name\":1}", "400 Bad Request",
		    NULL },
		{ "POST", "/api/things", "{", "400 Bad Request", NULL },
		{ "GET", "/api/none/\"<x>", "", "404 Not Found",
		    "{\"message\":\"Route not found "
		    "\\\"/api/none/\\\"<x>\\\"\"}" },
		{ "GET", "/api/things/", "", "404 Not Found", NULL },
		{ "PATCH", "/api/things/7", "", "405 Method Not Allowed",
		    NULL },
		{ "PATCH", "/api/things/7up", "", "404 Not Found",
		    "{\"message\":\"Route not found "
		    "\\\"/api/things/7up\\\"\"}" },
		{ "GET", "/api/%zz", "", "400 Bad Request", NULL },
		{ "GET", "/api/things?%zz", "", "400 Bad Request", NULL },
		{ "DELETE", "/api/things/7", "", "403 Forbidden",
		    "{\"errors\":[{\"message\":\"You are not allowed to "
		    "perform this action.\"}]}" },
		{ "GET", "/api/run", "", "401 Unauthorized", NULL },
		{ "GET", "/api/bug", "", "500 Internal Server Error",
		    "{\"errors\":[{\"message\":\"Something went wrong.\"}]}" },
		{ "GET", "/api/split", "", "500 Internal Server Error",
		    "{\"errors\":[{\"message\":\"Something went wrong.\"}]}" },
		{ "GET", "/api/down", "", "503 Service Unavailable",
		    "{\"errors\":[{\"message\":\"The service is briefly "
		    "unavailable. Try again.\"}]}" },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct exchange x =
		    exchange(cases[i].method, cases[i].uri, cases[i].send);
		AUTO_BUF want = BUF_INIT;

		buf_addf(&want, "Status: %s\r\n", cases[i].status);
		ok(strncmp(x.out.data, want.data, want.len) == 0, "%s %s: %s",
		    cases[i].method, cases[i].uri, cases[i].status);
		if (cases[i].body != NULL)
			is_text(body_of(&x), cases[i].body, "%s %s: its body",
			    cases[i].method, cases[i].uri);
		is_int(x.exit_status, 0, "%s %s: the process ends well",
		    cases[i].method, cases[i].uri);
		exchange_release(&x);
	}
}

static void
test_headers(void)
{
	static const struct {
		const char *method, *uri, *line;
		bool there;
	} cases[] = {
		{ "GET", "/api/things", "Content-Type: application/json",
		    true },
		{ "GET", "/api/things", "Content-Length: 5", true },
		{ "HEAD", "/api/things", "Content-Length: 5", true },
		{ "GET", "/api/things", "X-Request-Id: the-id", true },
		{ "GET", "/api/things", "Cache-Control: no-store", true },
		{ "GET", "/api/things", "X-Content-Type-Options: nosniff",
		    true },
		{ "GET", "/api/%zz", "X-Request-Id: the-id", true },
		{ "GET", "/api/%zz", "Cache-Control: no-store", true },
		{ "GET", "/api/big", "Cache-Control: public, max-age=60",
		    true },
		{ "GET", "/api/big", "Cache-Control: no-store", false },
		{ "GET", "/api/empty", "Content-Length: 0", false },
		{ "GET", "/api/split", "X-Accel-Redirect: /etc", false },
		{ "PUT", "/api/things", "Allow: GET, POST", true },
		{ "PUT", "/api/things/count", "Allow: GET", true },
		{ "DELETE", "/api/things/count", "Allow: GET", true },
		{ "PUT", "/api/things/7", "Allow: GET, DELETE", true },
		{ "POST", "/api/elsewhere", "Allow: GET, POST", true },
		{ "PUT", "/api/elsewhere", "Allow: GET, POST", true },
		{ "HEAD", "/api/run", "Allow: GET, POST", true },
		{ "DELETE", "/api/things/7", "WWW-Authenticate: Bearer",
		    false },
		{ "GET", "/api/run", "WWW-Authenticate: Bearer", true },
		{ "GET", "/api/down", "Retry-After: 2", true },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct exchange x = exchange(cases[i].method, cases[i].uri, "");
		AUTO_BUF line = BUF_INIT;

		buf_addf(&line, "\r\n%s\r\n", cases[i].line);
		is_int(strstr(x.out.data, line.data) != NULL, cases[i].there,
		    "%s %s: %s \"%s\"", cases[i].method, cases[i].uri,
		    cases[i].there ? "has" : "has no", cases[i].line);
		exchange_release(&x);
	}
}

static void
test_big(void)
{
	struct exchange x = exchange("GET", "/api/big", "");

	is_int((int64_t)strlen(body_of(&x)), BIG, "a large body is whole");
	is_int((int64_t)strspn(body_of(&x), "b"), BIG, "and unharmed");
	exchange_release(&x);
}

static void
test_log(void)
{
	static const struct {
		const char *uri, *text;
		bool there;
	} cases[] = {
		{ "/api/things?token=t0k", "\"path\":\"/api/things\"", true },
		{ "/api/things?token=t0k", "t0k", false },
		{ "/api/things", "\"status\":200", true },
		{ "/api/things", "\"request\":\"the-id\"", true },
		{ "/api/things", "\"err\"", false },
		{ "/api/bug", "relation \\\"x\\\" in /var/lib", true },
		{ "/api/bug", "\"err\":\"bug\"", true },
		{ "/api/down", "\"level\":\"warn\"", true },
		{ "/api/run", "\"err\":\"auth\"", true },
		{ "/api/run", "\"detail\"", false },
		{ "/api/run", "a-wrong-secret", false },
		{ "/api/run", "CRON_SECRET is not set", true },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct exchange x = exchange("GET", cases[i].uri, "");

		is_int(strstr(x.log.data, cases[i].text) != NULL,
		    cases[i].there, "the log of %s %s: %s", cases[i].uri,
		    cases[i].there ? "says" : "is silent about", cases[i].text);
		exchange_release(&x);
	}
}

static void
test_wake(void)
{
	struct exchange x = exchange("POST", "/api/things", "{\"name\":\"n\"}");

	ok(x.woken, "a runner is woken");
	ok(!x.woken_early, "after the answer is out");
	exchange_release(&x);
	x = exchange("POST", "/api/things", "{\"name\":1}");
	ok(x.woken, "also when the handler failed after it enqueued");
	exchange_release(&x);
	x = exchange("GET", "/api/things", "");
	ok(!x.woken, "and not without a reason");
	exchange_release(&x);
}

int
main(void)
{
	test_answers();
	test_headers();
	test_big();
	test_log();
	test_wake();
	return done();
}
