/*
 * The life of a function under FastCGI: what a web server meets while its
 * processes serve, end, are told to end, and are replaced.
 */
#include "tests/unit/tap.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/http/app.h"
#include "common/http/body.h"
#include "common/link/js.h"
#include "common/runner/after.h"
#include "tests/unit/fastcgi.h"

#define SECRET      "a-secret-that-is-long-enough-to-count"
#define ENV(...)    ((const char *const[]){ __VA_ARGS__, NULL })
#define GET(uri)    ENV("REQUEST_METHOD", "GET", "REQUEST_URI", uri)
#define MANY_STARTS 40

static char folder[] = "/tmp/afterwork-frame-XXXXXX";
static char socket_path[sizeof(folder) + 8];

/* In place of the runner's: slow, so that an answer held back by it shows. */
bool
after_wake(struct err *e UNUSED)
{
	usleep(500000);
	return true;
}

static bool
get_pid(struct app *app UNUSED, struct req *req, struct res *res, struct err *e)
{
	struct json_object *doc = js_new_object();

	res->wake = strcmp(req->path, "/wake") == 0;
	js_set_int(doc, "pid", getpid());
	return res_json(res, 200, doc, e);
}

static bool
get_slow(struct app *app UNUSED, struct req *req UNUSED, struct res *res,
    struct err *e)
{
	/* The clock, not usleep(): a signal must not shorten it. */
	for (int64_t until = clock_mono_ms() + 400; clock_mono_ms() < until;)
		usleep(10000);
	return res_json_text(res, 200, "\"slow\"", 6, e);
}

static bool
post_length(
    struct app *app UNUSED, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	struct body body;

	return body_init(&body, req, 100, e) && body_all(&body, &text, e) &&
	       res_json_text(res, 200, text.data, text.len, e);
}

static int
serve(void)
{
	static const struct app_route routes[] = {
		{ "GET", "/pid", ACCESS_HEALTH, get_pid },
		{ "GET", "/wake", ACCESS_HEALTH, get_pid },
		{ "GET", "/slow", ACCESS_HEALTH, get_slow },
		{ "POST", "/length", ACCESS_HEALTH, post_length },
		{ "GET", "/cron", ACCESS_METRICS, get_pid },
	};
	static const struct app_fn fn = {
		.name = "frame",
		.routes = routes,
		.nroutes = LEN(routes),
	};

	return app_run(&fn);
}

/* Start the function with these settings; the pid of its first process. */
static pid_t
start(const char *const *settings)
{
	int fd = -1;
	pid_t pid = 0;

	unlink(socket_path);
	fd = fastcgi_listen(socket_path);
	if (fd < 0) {
		printf("Bail out! no socket\n");
		exit(1);
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		/* A test that fails leaves nothing behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		clearenv();
		for (size_t i = 0; settings[i] != NULL; i += 2)
			setenv(settings[i], settings[i + 1], 1);
		setenv("LOG_LEVEL", "error", 1);
		setenv("CRON_SECRET", SECRET, 1);
		dup2(fd, 0);
		exit(serve());
	}
	close(fd);
	return pid;
}

/* The exit status within 3 s, or -1. */
static int
ended(pid_t pid)
{
	int64_t until = clock_mono_ms() + 3000;
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (clock_mono_ms() > until)
			return -1;
		usleep(2000);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What a request is answered; "" unless the answer was complete. */
static void
ask(const char *const *params, const char *body, struct buf *ret)
{
	int fd = fastcgi_send(socket_path, params, body);

	buf_clear(ret);
	if (fd < 0 || !fastcgi_receive(fd, ret))
		buf_clear(ret);
}

static const char *
body_of(const struct buf *answer)
{
	const char *end = strstr(answer->data, "\r\n\r\n");

	return end != NULL ? end + 4 : "";
}

static bool
stop(pid_t pid)
{
	kill(pid, SIGTERM);
	return ended(pid) == 0;
}

static void
test_requests(void)
{
	static const struct {
		const char *name;
		const char *params[9];
		const char *body, *status;
	} cases[] = {
		{ "the secret once",
		    { "REQUEST_URI", "/cron", "HTTP_AUTHORIZATION",
			"Bearer " SECRET },
		    "", "200" },
		{ "the secret twice",
		    { "REQUEST_URI", "/cron", "HTTP_AUTHORIZATION",
			"Bearer " SECRET, "HTTP_AUTHORIZATION",
			"Bearer " SECRET },
		    "", "401" },
		{ "two cookies",
		    { "REQUEST_URI", "/pid", "HTTP_COOKIE", "a=1",
			"HTTP_COOKIE", "a=2" },
		    "", "400" },
		{ "two lengths",
		    { "REQUEST_URI", "/pid", "CONTENT_LENGTH", "0",
			"CONTENT_LENGTH", "0" },
		    "", "400" },
		{ "no parameters", { NULL }, "", "400" },
	};
	pid_t pid = start(ENV("FCGI_CHILDREN", "1"));

	for (size_t i = 0; i < LEN(cases); i++) {
		AUTO_BUF answer = BUF_INIT, want = BUF_INIT;
		const char *params[11] = { "REQUEST_METHOD", "GET" };

		memcpy(params + 2, cases[i].params, sizeof(cases[i].params));
		ask(cases[i].params[0] == NULL ? cases[i].params : params,
		    cases[i].body, &answer);
		buf_addf(&want, "Status: %s ", cases[i].status);
		ok(strncmp(answer.data, want.data, want.len) == 0, "%s: %s",
		    cases[i].name, cases[i].status);
	}
	ok(stop(pid), "and it stops");
}

static void
test_bodies(void)
{
	static const struct {
		const char *name, *length, *body, *status;
	} cases[] = {
		{ "as long as announced", "3", "123", "200" },
		{ "without a length", "", "123", "200" },
		{ "longer than announced", "2", "123", "400" },
		{ "shorter than announced", "4", "123", "400" },
		{ "announced and never sent", "3", "", "400" },
		{ "announced over the cap", "101", "123", "413" },
	};
	pid_t pid = start(ENV("FCGI_CHILDREN", "1"));

	for (size_t i = 0; i < LEN(cases); i++) {
		AUTO_BUF answer = BUF_INIT, want = BUF_INIT;

		ask(ENV("REQUEST_METHOD", "POST", "REQUEST_URI", "/length",
			"CONTENT_LENGTH", cases[i].length),
		    cases[i].body, &answer);
		buf_addf(&want, "Status: %s ", cases[i].status);
		ok(strncmp(answer.data, want.data, want.len) == 0,
		    "a body %s: %s", cases[i].name, cases[i].status);
	}
	ok(stop(pid), "and it stops");
}

/* At most 8 requests a process, less a share that differs between them. */
static void
test_max_requests(void)
{
	AUTO_BUF answer = BUF_INIT, before = BUF_INIT;
	pid_t pid = start(ENV("MAX_REQUESTS", "8", "FCGI_CHILDREN", "2"));
	int answered = 0, changes = 0;

	for (int i = 0; i < MANY_STARTS; i++) {
		ask(GET("/pid"), "", &answer);
		answered += *body_of(&answer) != '\0';
		changes += strcmp(body_of(&answer), before.data) != 0;
		buf_clear(&before);
		buf_adds(&before, body_of(&answer));
	}
	is_int(answered, MANY_STARTS, "each request is answered");
	ok(changes >= MANY_STARTS / 8, "by %d or more processes",
	    MANY_STARTS / 8);
	ok(stop(pid), "and it stops");
	pid = start(ENV("MAX_REQUESTS", "1"));
	ask(GET("/pid"), "", &answer);
	ok(*body_of(&answer) != '\0', "a process for one request answers it");
	is_int(ended(pid), 0, "and ends");
}

static void
test_drain(const char *children)
{
	const char *const settings[] = { children, "2", NULL };
	pid_t pid = start(children != NULL ? settings : ENV(NULL));
	int fd = fastcgi_send(socket_path, GET("/slow"), "");
	AUTO_BUF answer = BUF_INIT;
	int64_t begun = clock_mono_ms();

	usleep(100000);
	kill(pid, SIGTERM);
	ok(fd >= 0 && fastcgi_receive(fd, &answer),
	    "%s: the open request is finished", children ? children : "alone");
	is_text(body_of(&answer), "\"slow\"", "with its whole answer");
	is_int(ended(pid), 0, "then it ends");
	ok(clock_mono_ms() - begun < 1500, "without delay");
}

static void
test_idle_exit(void)
{
	int64_t begun = clock_mono_ms();
	pid_t alone = start(ENV("IDLE_EXIT", "1"));
	AUTO_BUF answer = BUF_INIT;
	pid_t family = 0;

	usleep(500000);
	ask(GET("/pid"), "", &answer);
	ok(*body_of(&answer) != '\0', "an idle process answers");
	is_int(ended(alone), 0, "and ends by itself");
	ok(clock_mono_ms() - begun >= 1500, "a second after the request");
	family = start(ENV("IDLE_EXIT", "1", "FCGI_CHILDREN", "2"));
	is_int(ended(family), 0, "so do children and their master");
}

static void
test_wake(void)
{
	pid_t pid = start(ENV(NULL));
	AUTO_BUF answer = BUF_INIT;
	int64_t begun = 0;

	ask(GET("/pid"), "", &answer); /* the start is not what is timed */
	begun = clock_mono_ms();
	ask(GET("/wake"), "", &answer);
	ok(clock_mono_ms() - begun < 250 && *body_of(&answer) != '\0',
	    "the answer does not wait for the wake-up of a runner");
	ok(stop(pid), "and it stops");
}

static void
test_settings(void)
{
	static const char *const settings[][2] = {
		{ "MAX_REQUESTS", "0" },
		{ "MAX_REQUESTS", "many" },
		{ "IDLE_EXIT", "-1" },
		{ "FCGI_CHILDREN", "257" },
		{ "DATABASE_POOLED", "yes" },
	};

	for (size_t i = 0; i < LEN(settings); i++)
		is_int(ended(start(ENV(settings[i][0], settings[i][1]))), 78,
		    "%s=%s is refused at the start", settings[i][0],
		    settings[i][1]);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(socket_path, sizeof(socket_path), "%s/s", folder);
	test_requests();
	test_bodies();
	test_max_requests();
	test_drain(NULL);
	test_drain("FCGI_CHILDREN");
	test_idle_exit();
	test_wake();
	test_settings();
	unlink(socket_path);
	rmdir(folder);
	return done();
}
