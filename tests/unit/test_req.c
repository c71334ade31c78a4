/* req and body: CGI variables and bytes into checked values. */
#include "tests/unit/tap.h"

#include "common/http/body.h"
#include "common/http/req.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/js.h"
#include "tests/unit/cgi.h"

#define ID_16 "0123456789abcdef"
#define ID_64 ID_16 ID_16 ID_16 ID_16

/* One request while a case looks at it. */
struct open_req {
	struct fcgi *fcgi;
	struct req req;
	struct err err;
	bool good;
};

static void
req_open(struct open_req *o, const char *const *env, const char *body)
{
	*o = (struct open_req){ .fcgi = cgi_open(env, body) };
	if (o->fcgi == NULL) {
		printf("Bail out! no CGI request\n");
		exit(1);
	}
	o->good = req_init(&o->req, o->fcgi, &o->err);
}

static void
req_close(struct open_req *o)
{
	req_release(&o->req);
	cgi_close(o->fcgi);
}

static void
test_paths(void)
{
	static const struct {
		const char *uri;
		const char *path; /* NULL: refused */
	} cases[] = {
		{ "/", "/" },
		{ "/api/media", "/api/media" },
		{ "/api/media?limit=1", "/api/media" },
		{ "/api/media?a=/../", "/api/media" },
		{ "/api/a%20b+c", "/api/a b+c" },
		{ "/api/%C3%A9", "/api/\xc3\xa9" },
		{ "/api/.hidden/...", "/api/.hidden/..." },
		{ "/api//media", "/api//media" },
		{ "/api/../pages", NULL },
		{ "/api/%2e%2E/pages", NULL },
		{ "/api/./pages", NULL },
		{ "/api/..", NULL },
		{ "/api/a%2Fb", NULL },
		{ "/api/a%00b", NULL },
		{ "/api/a%zz", NULL },
		{ "/api/%ff", NULL },
		{ "/api/\xff", NULL },
		{ "api", NULL },
		{ "*", NULL },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct open_req o;

		req_open(&o,
		    ENV("REQUEST_METHOD", "GET", "REQUEST_URI", cases[i].uri),
		    "");
		if (cases[i].path != NULL && ok(o.good, "path %zu", i))
			is_text(o.req.path, cases[i].path, "path %zu is %s", i,
			    cases[i].path);
		if (cases[i].path == NULL)
			ok(!o.good && o.err.code == ERR_INVALID,
			    "path %zu is refused", i);
		req_close(&o);
	}
}

static void
test_bare_server(void)
{
	struct open_req o;

	req_open(&o,
	    ENV("REQUEST_METHOD", "POST", "SCRIPT_NAME", "/api", "PATH_INFO",
		"/a%b"),
	    "");
	ok(o.good, "a server without REQUEST_URI will do");
	is_text(o.req.path, "/api/a%b", "its path is decoded already");
	is_text(o.req.method, "POST", "and it says the method");
	req_close(&o);
	req_open(&o, ENV("SCRIPT_NAME", "/api", "PATH_INFO", "/\xff"), "");
	ok(!o.good && o.err.code == ERR_INVALID,
	    "and checked for UTF-8 all the same");
	req_close(&o);
	req_open(&o, ENV("SERVER_NAME", "x"), "");
	ok(!o.good && o.req.method != NULL && o.req.path != NULL,
	    "no path at all is refused, and can be logged");
	req_close(&o);
}

static void
test_lengths(void)
{
	static const struct {
		const char *text;
		int64_t length; /* -2: refused */
	} cases[] = {
		{ "", -1 },
		{ "0", 0 },
		{ "12", 12 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", -2 },
		{ "-1", -2 },
		{ "+1", -2 },
		{ " 1", -2 },
		{ "1 ", -2 },
		{ "0x10", -2 },
		{ "1,1", -2 },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct open_req o;
		bool refuse = cases[i].length == -2;

		req_open(&o,
		    ENV("REQUEST_URI", "/", "CONTENT_LENGTH", cases[i].text),
		    "");
		ok(o.good != refuse, "length \"%s\" is %s", cases[i].text,
		    refuse ? "refused" : "taken");
		if (!refuse)
			is_int(o.req.length, cases[i].length, "length \"%s\"",
			    cases[i].text);
		req_close(&o);
	}
}

static void
test_ids(void)
{
	static const struct {
		const char *given;
		bool taken;
	} cases[] = {
		{ "abc-1_Z", true },
		{ ID_64, true },
		{ ID_64 "0", false },
		{ "", false },
		{ "a b", false },
		{ "a\r\nX: y", false },
	};
	char last[REQ_ID_MAX] = "";

	for (size_t i = 0; i < LEN(cases); i++) {
		struct open_req o;

		req_open(&o,
		    ENV("REQUEST_URI", "/", "REQUEST_ID", cases[i].given), "");
		if (cases[i].taken)
			is_text(o.req.id, cases[i].given, "id %zu is kept", i);
		else
			ok(strlen(o.req.id) == 32 &&
				strspn(o.req.id, "0123456789abcdef") == 32 &&
				strcmp(o.req.id, last) != 0,
			    "id %zu becomes one of our own", i);
		memcpy(last, o.req.id, sizeof(last));
		req_close(&o);
	}
}

static void
test_same_origin(void)
{
	static const struct {
		const char *site, *origin, *host, *request_host;
		bool same;
	} cases[] = {
		{ "same-origin", "", "a.example", "", true },
		{ "none", "", "a.example", "", true },
		{ "same-site", "https://a.example", "a.example", "", false },
		{ "cross-site", "https://a.example", "a.example", "", false },
		{ "nonsense", "", "a.example", "", false },
		{ "", "https://a.example", "a.example", "", true },
		{ "", "http://A.Example:8080", "a.example:8080", "", true },
		{ "", "https://a.example", "b.example", "", false },
		{ "", "https://a.example.evil", "a.example", "", false },
		{ "", "https://evil/a.example", "a.example", "", false },
		{ "", "https://site.example", "inner:8080", "", true },
		{ "", "null", "a.example", "", false },
		{ "", "", "a.example", "", false },
		{ "", "", "", "", false },
		{ "", "http://a.example:8080", "a.example", "a.example:8080",
		    true },
		{ "", "http://a.example", "a.example", "a.example:8080",
		    false },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct open_req o;

		req_open(&o,
		    ENV("REQUEST_URI", "/", "HTTP_SEC_FETCH_SITE",
			cases[i].site, "HTTP_ORIGIN", cases[i].origin,
			"HTTP_HOST", cases[i].host, "REQUEST_HOST",
			cases[i].request_host),
		    "");
		is_int(o.req.same_origin, cases[i].same,
		    "site \"%s\", origin \"%s\", host \"%s\"", cases[i].site,
		    cases[i].origin, cases[i].host);
		req_close(&o);
	}
}

static void
test_match(void)
{
	static const struct {
		const char *pattern, *uri;
		bool fits;
		const char *param[2];
	} cases[] = {
		{ "/api/media", "/api/media", true, { NULL, NULL } },
		{ "/api/media", "/api/medi", false, { NULL, NULL } },
		{ "/api/media", "/api/media/", false, { NULL, NULL } },
		{ "/api/media", "/api/mediaa", false, { NULL, NULL } },
		{ "/api/media/:id", "/api/media/7", true, { "7", NULL } },
		{ "/api/media/:id", "/api/media/a b", true, { "a b", NULL } },
		{ "/api/media/:id", "/api/media/", false, { NULL, NULL } },
		{ "/api/media/:id", "/api/media", false, { NULL, NULL } },
		{ "/api/media/:id", "/api/media/7/x", false, { NULL, NULL } },
		{ "/a/:x/b/:y", "/a/1/b/2", true, { "1", "2" } },
		{ "/a/:x/b/:y", "/a/1/c/2", false, { NULL, NULL } },
		{ "/a/:x/b", "/a/1/b", true, { "1", NULL } },
		{ "/a/:x", "/a/:x", true, { ":x", NULL } },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct open_req o;

		req_open(&o, ENV("REQUEST_URI", cases[i].uri), "");
		is_int(req_match(&o.req, cases[i].pattern), cases[i].fits,
		    "%s, %s", cases[i].pattern, cases[i].uri);
		for (int k = 0; k < 2 && cases[i].param[k] != NULL; k++)
			is_text(o.req.param[k], cases[i].param[k],
			    "%s, %s: parameter %d", cases[i].pattern,
			    cases[i].uri, k);
		req_close(&o);
	}
}

static void
test_query_int(void)
{
	static const struct {
		const char *query;
		int64_t want; /* -1: refused */
	} cases[] = {
		{ "", 10 },
		{ "other=1", 10 },
		{ "limit=1", 1 },
		{ "limit=1000", 1000 },
		{ "limit=0", -1 },
		{ "limit=1001", -1 },
		{ "limit=", -1 },
		{ "limit", -1 },
		{ "limit=-1", -1 },
		{ "limit=+5", -1 },
		{ "limit=%205", -1 },
		{ "limit=1e2", -1 },
		{ "limit=5.0", -1 },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct open_req o;
		int64_t got = -1;
		bool good = false;

		req_open(&o,
		    ENV("REQUEST_URI", "/", "QUERY_STRING", cases[i].query),
		    "");
		good =
		    req_query_int(&o.req, "limit", 10, 1, 1000, &got, &o.err);
		is_int(got, cases[i].want, "number in \"%s\"", cases[i].query);
		if (!good)
			ok(o.err.code == ERR_INVALID &&
				strcmp(o.err.field, "limit") == 0,
			    "\"%s\" is refused by its name", cases[i].query);
		req_close(&o);
	}
}

static void
test_query_bool(void)
{
	static const struct {
		const char *query;
		int want; /* -1: refused */
	} cases[] = {
		{ "", 1 },
		{ "silent=true", 1 },
		{ "silent=1", 1 },
		{ "silent=false", 0 },
		{ "silent=0", 0 },
		{ "silent=", -1 },
		{ "silent=yes", -1 },
		{ "silent=TRUE", -1 },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct open_req o;
		bool got = false, good = false;

		req_open(&o,
		    ENV("REQUEST_URI", "/", "QUERY_STRING", cases[i].query),
		    "");
		good = req_query_bool(&o.req, "silent", true, &got, &o.err);
		is_int(good ? got : -1, cases[i].want, "truth in \"%s\"",
		    cases[i].query);
		req_close(&o);
	}
}

static void
test_bad_query(void)
{
	static const char *const queries[] = { "a=%", "a=%zz", "a=%00",
		"a=%ff" };

	for (size_t i = 0; i < LEN(queries); i++) {
		struct open_req o;

		req_open(&o,
		    ENV("REQUEST_URI", "/", "QUERY_STRING", queries[i]), "");
		ok(!o.good && o.err.code == ERR_INVALID,
		    "the query \"%s\" is refused", queries[i]);
		req_close(&o);
	}
}

static void
test_param_id(void)
{
	static const struct {
		const char *uri;
		int64_t want; /* -1: not found */
	} cases[] = {
		{ "/j/1", 1 },
		{ "/j/9007199254740991", INT64_C(9007199254740991) },
		{ "/j/9007199254740992", -1 },
		{ "/j/0", -1 },
		{ "/j/-1", -1 },
		{ "/j/1a", -1 },
		{ "/j/abc", -1 },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct open_req o;
		int64_t got = -1;
		bool good = false;

		req_open(&o, ENV("REQUEST_URI", cases[i].uri), "");
		ok(req_match(&o.req, "/j/:id"), "%s fits", cases[i].uri);
		good = req_param_id(&o.req, 0, &got, &o.err);
		is_int(got, cases[i].want, "id in %s", cases[i].uri);
		if (!good)
			is_int(o.err.code, ERR_NOT_FOUND, "%s: not found",
			    cases[i].uri);
		req_close(&o);
	}
}

static void
test_json(void)
{
	static const struct {
		const char *name, *type, *length, *body;
		enum err_code object, any;
	} cases[] = {
		{ "an object", "application/json", "7", "{\"a\":1}", ERR_NONE,
		    ERR_NONE },
		{ "its type in capitals, with a parameter",
		    "Application/JSON; charset=utf-8", "7", "{\"a\":1}",
		    ERR_NONE, ERR_NONE },
		{ "no type", "", "7", "{\"a\":1}", ERR_NONE, ERR_NONE },
		{ "no length", "", "", "{\"a\":1}", ERR_NONE, ERR_NONE },
		{ "exactly the cap", "", "16", "{\"a\":1234567890}", ERR_NONE,
		    ERR_NONE },
		{ "an array", "", "3", "[1]", ERR_INVALID, ERR_NONE },
		{ "a number", "", "1", "1", ERR_INVALID, ERR_INVALID },
		{ "nothing", "", "0", "", ERR_NONE, ERR_INVALID },
		{ "half an object", "", "4", "{\"a\"", ERR_INVALID,
		    ERR_INVALID },
		{ "a form", "application/x-www-form-urlencoded", "7",
		    "{\"a\":1}", ERR_INVALID, ERR_INVALID },
		{ "cut off", "", "9", "{\"a\":1}", ERR_INVALID, ERR_INVALID },
		{ "announced as too large", "", "17", "{}", ERR_TOO_LARGE,
		    ERR_TOO_LARGE },
		{ "too large unannounced", "", "", "{\"a\":\"0123456789\"}",
		    ERR_TOO_LARGE, ERR_TOO_LARGE },
	};

	for (size_t i = 0; i < LEN(cases) * 2; i++) {
		const bool any = i % 2 == 1;
		const size_t k = i / 2;
		AUTO_JS *got = NULL;
		struct open_req o;
		bool good = false;

		req_open(&o,
		    ENV("REQUEST_URI", "/", "CONTENT_TYPE", cases[k].type,
			"CONTENT_LENGTH", cases[k].length),
		    cases[k].body);
		good = any ? req_json_any(&o.req, 16, &got, &o.err)
			   : req_json(&o.req, 16, &got, &o.err);
		is_int(good ? ERR_NONE : (int)o.err.code,
		    any ? cases[k].any : cases[k].object, "%s, as %s",
		    cases[k].name, any ? "either" : "an object");
		ok(good == (got != NULL), "%s: a value or an error",
		    cases[k].name);
		req_close(&o);
	}
}

static void
test_body(void)
{
	char big[20001];
	AUTO_BUF text = BUF_INIT;
	struct open_req o;
	struct body b;
	size_t n = 99;
	char one = 0;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	req_open(&o, ENV("REQUEST_URI", "/", "CONTENT_LENGTH", "20000"), big);
	ok(body_init(&b, &o.req, 20000, &o.err) &&
		body_read(&b, &one, 1, &n, &o.err),
	    "a body is read byte by byte");
	is_int((int64_t)n, 1, "as it is asked for");
	ok(body_all(&b, &text, &o.err), "then the rest at once");
	is_int((int64_t)text.len, 19999, "all of it");
	ok(body_read(&b, &one, 1, &n, &o.err) && n == 0, "then the end");
	ok(body_read(&b, &one, 1, &n, &o.err) && n == 0, "which stays");
	req_close(&o);
	req_open(&o, ENV("REQUEST_URI", "/"), big);
	ok(body_init(&b, &o.req, 10000, &o.err), "an unknown length begins");
	buf_clear(&text);
	ok(!body_all(&b, &text, &o.err) && o.err.code == ERR_TOO_LARGE,
	    "and is stopped at the cap");
	ok(text.len <= 10000, "with no byte more handed out");
	req_close(&o);
}

/* The body in a file that nginx names: what is in the socket is not read. */
static void
test_body_file(void)
{
	static const struct {
		const char *what, *text, *length;
		size_t max;
		enum err_code code; /* ERR_NONE: it is read */
	} cases[] = {
		{ "as long as it says", "0123456789", "10", 10, ERR_NONE },
		{ "of a length that is not told", "0123456789", "", 10,
		    ERR_NONE },
		{ "cut short", "012345678", "10", 10, ERR_INVALID },
		{ "longer than it says", "0123456789a", "10", 20, ERR_INVALID },
		{ "over the cap", "0123456789a", "", 10, ERR_TOO_LARGE },
	};
	char name[] = "/tmp/afterwork-req-XXXXXX", link[64];
	int fd = mkstemp(name);

	for (size_t i = 0; i < LEN(cases); i++) {
		AUTO_BUF text = BUF_INIT;
		struct open_req o;
		struct body b;
		bool good = fd != -1 && ftruncate(fd, 0) == 0 &&
			    pwrite(fd, cases[i].text, strlen(cases[i].text),
				0) == (ssize_t)strlen(cases[i].text);

		ok(good, "a file is there");
		req_open(&o,
		    ENV("REQUEST_URI", "/", "CONTENT_LENGTH", cases[i].length,
			"REQUEST_BODY_FILE", name),
		    "socket");
		o.err.code = ERR_NONE;
		ok(body_init(&b, &o.req, (int64_t)cases[i].max, &o.err) ==
			    true &&
			body_all(&b, &text, &o.err) ==
			    (cases[i].code == ERR_NONE),
		    "a body in a file, %s", cases[i].what);
		is_int(o.err.code, cases[i].code, "as it must be");
		if (cases[i].code == ERR_NONE)
			is_text(text.data, cases[i].text, "is the file's");
		req_close(&o);
	}
	(void)snprintf(link, sizeof(link), "%s.link", name);
	for (int gone = 0; gone <= 1; gone++) {
		struct open_req o;
		struct body b;

		ok(gone == 1 || symlink(name, link) == 0, "another name");
		req_open(
		    &o, ENV("REQUEST_URI", "/", "REQUEST_BODY_FILE", link), "");
		ok(!body_init(&b, &o.req, 10, &o.err) && o.err.code == ERR_BUG,
		    gone ? "a file that is not there is a fault of ours"
			 : "no link is followed");
		req_close(&o);
		(void)unlink(link);
	}
	(void)unlink(name);
	close(fd);
}

int
main(void)
{
	struct err e;

	/* Settings are read once: this is the site's own address. */
	setenv("SERVER_URL", "https://site.example/", 1);
	ok(strcmp(conf_text("SERVER_URL", ""), "https://site.example/") == 0 &&
		crypt_init(&e),
	    "the site's address is set");
	test_paths();
	test_bare_server();
	test_lengths();
	test_ids();
	test_same_origin();
	test_match();
	test_query_int();
	test_query_bool();
	test_bad_query();
	test_param_id();
	test_json();
	test_body();
	test_body_file();
	return done();
}
