/*
 * auth: who may.  Requests are real CGI ones; the two look-ups of a user are
 * this program's own, so that the table needs no database and can count how
 * often one would have been asked.
 */
#include "tests/unit/tap.h"

#include <sys/wait.h>

#include "common/http/auth.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "tests/unit/cgi.h"

#define SECRET   "an-entirely-secret-word-of-40-characters"
#define PREVIOUS "the-secret-that-was-before-40-characters"
#define TEN      "0123456789"
#define HUNDRED  TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static int lookups;

/* "admin.x.y" is an admin, and so on; "down.x.y" meets no database. */
static bool
find(const char *p, struct user *ret, struct err *e)
{
	static const struct {
		const char *word;
		enum user_role role;
	} known[] = {
		{ "admin", ROLE_ADMIN },
		{ "operator", ROLE_OPERATOR },
		{ "editor", ROLE_EDITOR },
		{ "nobody", ROLE_NONE },
	};

	lookups++;
	if (strncmp(p, "down", 4) == 0)
		return err_fail(e, ERR_UNAVAILABLE, "no database");
	for (size_t i = 0; i < LEN(known); i++)
		if (strncmp(p, known[i].word, strlen(known[i].word)) == 0) {
			*ret = (struct user){ .id = 7, .role = known[i].role };
			return true;
		}
	return err_fail(e, ERR_AUTH, "The token has run out.");
}

bool
user_by_token(struct db *db UNUSED, const char *token, size_t n UNUSED,
    struct user *ret, struct err *e)
{
	return find(token, ret, e);
}

bool
user_by_api_key(struct db *db UNUSED, const char *key, size_t n UNUSED,
    struct user *ret, struct err *e)
{
	return find(key, ret, e);
}

/* What came of it, and how many look-ups it cost. */
enum outcome {
	NOBODY,     /* let in, unknown */
	CRON,       /* let in by the secret */
	USER,       /* let in as a user */
	AUTH,       /* 401 without a look-up */
	AUTH_ASKED, /* 401 after one */
	DENIED,     /* 403 without a look-up */
	FORBIDDEN,  /* 403 after one */
	DOWN,       /* 503: the look-up failed */
};

static enum outcome
outcome_of(bool good, const struct caller *c, const struct err *e)
{
	if (good)
		return c->cron ? CRON : c->known ? USER : NOBODY;
	if (e->code == ERR_AUTH)
		return lookups == 0 ? AUTH : AUTH_ASKED;
	if (e->code == ERR_FORBIDDEN)
		return lookups == 0 ? DENIED : FORBIDDEN;
	return DOWN;
}

static enum outcome
check(enum access access, const char *const *env, struct err *e)
{
	struct caller caller = { .known = false };
	struct fcgi *f = cgi_open(env, "");
	struct req r;
	bool good = false;

	if (f == NULL || !req_init(&r, f, e)) {
		printf("Bail out! no CGI request\n");
		exit(1);
	}
	lookups = 0;
	(void)req_match(&r, "/api/users/:id");
	good = auth_check(&r, NULL, access, &caller, e);
	req_release(&r);
	cgi_close(f);
	return outcome_of(good, &caller, e);
}

static void
test_secret(void)
{
	static const struct {
		const char *header;
		enum outcome want;
	} cases[] = {
		{ "Bearer " SECRET, CRON },
		{ "bearer " SECRET, CRON },
		{ "BEARER     " SECRET, CRON },
		{ "Bearer " PREVIOUS, CRON },
		{ "", AUTH },
		{ "Bearer", AUTH },
		{ "Bearer ", AUTH },
		{ "Bearer undefined", AUTH },
		{ "Bearer null", AUTH },
		{ "Bearer " SECRET "x", AUTH },
		{ "Bearer x" SECRET, AUTH },
		{ "Bearer " SECRET "=", AUTH },
		{ "Bearer " SECRET " ", AUTH },
		{ "Bearer " SECRET "\t", AUTH },
		{ "Bearer\t" SECRET, AUTH },
		{ " Bearer " SECRET, AUTH },
		{ "Bearer" SECRET, AUTH },
		{ "Bearer \"" SECRET "\"", AUTH },
		{ "Bearer " SECRET ", Bearer " SECRET, AUTH },
		{ "Bearer " SECRET "," SECRET, AUTH },
		{ "Bearer a b", AUTH },
		{ "Bearer \x01", AUTH },
		{ "Bearer \xff\xfe", AUTH },
		{ "Bearer a\x7f", AUTH },
		{ "Bearer ===", AUTH },
		{ "Basic " SECRET, AUTH },
		{ "JWT " SECRET, AUTH },
		{ "users API-Key", AUTH },
		{ SECRET, AUTH },
		{ "Bearer " HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED,
		    AUTH },
		{ "Bearer an-entirely-secret-word-of-40-character", AUTH },
		{ "Bearer AN-ENTIRELY-SECRET-WORD-OF-40-CHARACTERS", AUTH },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct err e;

		is_int(check(ACCESS_METRICS,
			   ENV("REQUEST_METHOD", "GET", "REQUEST_URI", "/",
			       "HTTP_AUTHORIZATION", cases[i].header),
			   &e),
		    cases[i].want, "secret %zu, scheduler only", i);
		is_int(check(ACCESS_JOBS_RUN,
			   ENV("REQUEST_METHOD", "GET", "REQUEST_URI", "/",
			       "HTTP_AUTHORIZATION", cases[i].header),
			   &e),
		    cases[i].want, "secret %zu, or a user", i);
	}
}

/* Every refusal reads the same. */
static void
test_one_refusal(void)
{
	static const char *const headers[] = { "Bearer undefined",
		"Bearer old.x.y", "Basic x", "Bearer editor.x.y" };

	for (size_t i = 0; i < LEN(headers); i++) {
		struct err e;

		ok(check(ACCESS_JOBS_RUN,
		       ENV("REQUEST_METHOD", "GET", "REQUEST_URI", "/",
			   "HTTP_AUTHORIZATION", headers[i]),
		       &e) >= AUTH,
		    "\"%s\" is refused", headers[i]);
		is_text(e.msg,
		    "Unauthorized, you must be logged in to make this "
		    "request.",
		    "in the same words");
	}
}

static void
test_users(void)
{
	static const struct {
		enum access access;
		const char *header;
		enum outcome want;
	} cases[] = {
		{ ACCESS_MEDIA_READ, "Bearer admin.x.y", NOBODY },
		{ ACCESS_MEDIA_READ, "nonsense", NOBODY },
		{ ACCESS_USERS_ME, "Bearer admin.x.y", USER },
		{ ACCESS_USERS_ME, "Bearer old.x.y", NOBODY },
		{ ACCESS_USERS_ME, "nonsense", NOBODY },
		{ ACCESS_USERS_ME, "Bearer down.x.y", DOWN },
		{ ACCESS_MEDIA_UPDATE, "Bearer editor.x.y", USER },
		{ ACCESS_MEDIA_UPDATE, "bearer  editor.x.y", USER },
		{ ACCESS_MEDIA_UPDATE, "JWT editor.x.y", USER },
		{ ACCESS_MEDIA_UPDATE, "users API-Key editor", USER },
		{ ACCESS_MEDIA_UPDATE, "users API-Key old", FORBIDDEN },
		{ ACCESS_MEDIA_UPDATE, "pages API-Key editor", DENIED },
		{ ACCESS_MEDIA_UPDATE, "JWT old.x.y", FORBIDDEN },
		{ ACCESS_MEDIA_UPDATE, "JWT editor.x", DENIED },
		{ ACCESS_MEDIA_UPDATE, "JWT editor.x.y.z", DENIED },
		{ ACCESS_MEDIA_UPDATE, "JWT editor.x.\xff", DENIED },
		{ ACCESS_MEDIA_UPDATE, "Bearer " SECRET, DENIED },
		{ ACCESS_MEDIA_UPDATE, "JWT down.x.y", DOWN },
		{ ACCESS_JOBS_READ, "JWT admin.x.y", USER },
		{ ACCESS_JOBS_READ, "JWT operator.x.y", USER },
		{ ACCESS_JOBS_READ, "JWT editor.x.y", FORBIDDEN },
		{ ACCESS_JOBS_READ, "JWT nobody.x.y", FORBIDDEN },
		{ ACCESS_JOBS_READ, "JWT old.x.y", FORBIDDEN },
		{ ACCESS_JOBS_READ, "Bearer " SECRET, DENIED },
		{ ACCESS_JOBS_RUN, "Bearer admin.x.y", USER },
		{ ACCESS_JOBS_RUN, "JWT operator.x.y", USER },
		{ ACCESS_JOBS_RUN, "users API-Key operator", USER },
		{ ACCESS_JOBS_RUN, "JWT editor.x.y", AUTH_ASKED },
		{ ACCESS_JOBS_RUN, "JWT down.x.y", DOWN },
		{ ACCESS_METRICS, "JWT admin.x.y", AUTH },
		{ ACCESS_METRICS, "Bearer admin.x.y", AUTH },
		{ ACCESS_METRICS, "users API-Key admin", AUTH },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct err e;

		is_int(check(cases[i].access,
			   ENV("REQUEST_METHOD", "POST", "REQUEST_URI", "/",
			       "HTTP_AUTHORIZATION", cases[i].header),
			   &e),
		    cases[i].want, "user %zu: %s", i, cases[i].header);
	}
}

static void
test_cookies(void)
{
	static const struct {
		enum access access;
		const char *method, *site, *cookie;
		enum outcome want;
	} cases[] = {
		{ ACCESS_MEDIA_UPDATE, "GET", "cross-site",
		    "payload-token=admin.x.y", USER },
		{ ACCESS_MEDIA_UPDATE, "HEAD", "", "payload-token=admin.x.y",
		    USER },
		{ ACCESS_MEDIA_UPDATE, "POST", "same-origin",
		    "a=1; payload-token=admin.x.y; b=2", USER },
		{ ACCESS_MEDIA_UPDATE, "POST", "cross-site",
		    "payload-token=admin.x.y", DENIED },
		{ ACCESS_MEDIA_UPDATE, "POST", "same-site",
		    "payload-token=admin.x.y", DENIED },
		{ ACCESS_MEDIA_UPDATE, "POST", "", "payload-token=admin.x.y",
		    DENIED },
		{ ACCESS_MEDIA_UPDATE, "DELETE", "cross-site",
		    "payload-token=admin.x.y", DENIED },
		{ ACCESS_USERS_ME, "POST", "cross-site",
		    "payload-token=admin.x.y", NOBODY },
		{ ACCESS_MEDIA_UPDATE, "GET", "",
		    "payload-token=admin.x.y; payload-token=b.c.d", DENIED },
		{ ACCESS_MEDIA_UPDATE, "GET", "", "payload-token=", DENIED },
		{ ACCESS_MEDIA_UPDATE, "GET", "", "payload-token=admin",
		    DENIED },
		{ ACCESS_MEDIA_UPDATE, "GET", "", "xpayload-token=admin.x.y",
		    DENIED },
		{ ACCESS_JOBS_RUN, "GET", "cross-site",
		    "payload-token=admin.x.y", AUTH },
		{ ACCESS_JOBS_RUN, "GET", "same-origin",
		    "payload-token=admin.x.y", USER },
		{ ACCESS_JOBS_RUN, "GET", "same-origin",
		    "payload-token=" SECRET, AUTH },
		{ ACCESS_METRICS, "GET", "same-origin", "payload-token=" SECRET,
		    AUTH },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct err e;

		is_int(check(cases[i].access,
			   ENV("REQUEST_METHOD", cases[i].method, "REQUEST_URI",
			       "/", "HTTP_SEC_FETCH_SITE", cases[i].site,
			       "HTTP_COOKIE", cases[i].cookie),
			   &e),
		    cases[i].want, "cookie %zu: %s, %s, site \"%s\"", i,
		    cases[i].cookie, cases[i].method, cases[i].site);
	}
}

/* The account is number 7; what a path names is the route's business. */
static void
test_own_account(void)
{
	static const struct {
		enum access access;
		const char *role, *path;
		enum outcome want;
	} cases[] = {
		{ ACCESS_USERS_READ, "editor", "/api/users/7", USER },
		{ ACCESS_USERS_UPDATE, "operator", "/api/users/7", USER },
		{ ACCESS_USERS_READ, "editor", "/api/users/8", FORBIDDEN },
		{ ACCESS_USERS_READ, "editor", "/api/users/07x", FORBIDDEN },
		{ ACCESS_USERS_READ, "editor", "/api/users/-7", FORBIDDEN },
		{ ACCESS_USERS_READ, "editor", "/api/users/77", FORBIDDEN },
		{ ACCESS_USERS_READ, "nobody", "/api/users/7", FORBIDDEN },
		{ ACCESS_USERS_READ, "admin", "/api/users/8", USER },
		{ ACCESS_USERS_DELETE, "editor", "/api/users/7", FORBIDDEN },
		{ ACCESS_USERS_DELETE, "admin", "/api/users/7", USER },
		{ ACCESS_MEDIA_READ, "editor", "/api/users/8", NOBODY },
		{ ACCESS_NONE, "admin", "/api/users/7", DENIED },
		{ ACCESS_LINES, "admin", "/api/users/7", DENIED },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		char header[64];
		struct err e;

		(void)snprintf(
		    header, sizeof(header), "JWT %s.x.y", cases[i].role);
		is_int(check(cases[i].access,
			   ENV("REQUEST_METHOD", "GET", "REQUEST_URI",
			       cases[i].path, "HTTP_AUTHORIZATION", header),
			   &e),
		    cases[i].want, "%s by %s, line %d", cases[i].path,
		    cases[i].role, (int)cases[i].access);
	}
}

/* Which pages may send the cookie along with a change. */
static void
test_origins(void)
{
	static const struct {
		const char *site, *origin;
		bool ours, foreign;
	} cases[] = {
		{ "", "", false, false },
		{ "same-origin", "", true, false },
		{ "none", "", true, false },
		{ "cross-site", "", false, true },
		{ "same-site", "http://evil.example", false, true },
		{ "same-site", "https://pages.example", false, true },
		{ "", "https://pages.example", false, true },
		{ "", "http://localhost:3000", false, true },
		{ "", "null", false, true },
		{ "", "*", false, true },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		const char *const *env = ENV("REQUEST_METHOD", "PATCH",
		    "REQUEST_URI", "/", "HTTP_SEC_FETCH_SITE", cases[i].site,
		    "HTTP_ORIGIN", cases[i].origin, "HTTP_COOKIE",
		    "payload-token=admin.x.y");
		struct fcgi *f = cgi_open(env, "");
		struct req r;
		struct err e;

		is_int(check(ACCESS_PAGES_UPDATE, env, &e),
		    cases[i].ours ? USER : DENIED, "site %s, origin %s",
		    cases[i].site, cases[i].origin);
		ok(f != NULL && req_init(&r, f, &e) &&
			auth_is_foreign(&r) == cases[i].foreign,
		    "is %sanother site's page", cases[i].foreign ? "" : "not ");
		req_release(&r);
		cgi_close(f);
	}
}

static void
test_header_beats_cookie(void)
{
	static const char *const headers[] = { "Bearer undefined", "Basic x",
		"" };
	struct err e;

	for (size_t i = 0; i < LEN(headers); i++)
		is_int(check(ACCESS_MEDIA_UPDATE,
			   ENV("REQUEST_METHOD", "GET", "REQUEST_URI", "/",
			       "HTTP_COOKIE", "payload-token=admin.x.y",
			       "HTTP_AUTHORIZATION", headers[i]),
			   &e),
		    DENIED, "a good cookie does not mend \"%s\"", headers[i]);
}

static void
test_what_never_counts(void)
{
	struct err e;

	is_int(check(ACCESS_JOBS_RUN,
		   ENV("REQUEST_METHOD", "GET", "REQUEST_URI", "/",
		       "HTTP_X_VERCEL_CRON", "1", "HTTP_X_VERCEL_CRON_SCHEDULE",
		       "* * * * *", "HTTP_USER_AGENT", "vercel-cron/1.0"),
		   &e),
	    AUTH, "a scheduler's headers prove nothing");
	is_int(check(ACCESS_METRICS,
		   ENV("REQUEST_METHOD", "GET", "REQUEST_URI", "/",
		       "QUERY_STRING", "secret=" SECRET),
		   &e),
	    AUTH, "nor does a secret in the query");
}

/*
 * Settings are read once a process, so each configuration is tried in one of
 * its own: bit 0: the header let the scheduler in; then how the start log
 * reads.
 */
static int
try_config(const char *secret, const char *header, char *log, size_t max)
{
	int out[2], status = 0;
	ssize_t n = 0;
	pid_t pid = 0;

	if (pipe(out) != 0)
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct err e;

		dup2(out[1], 2);
		clearenv();
		if (secret != NULL)
			setenv("CRON_SECRET", secret, 1);
		auth_log_secrets();
		_exit(check(ACCESS_METRICS,
			  ENV("REQUEST_METHOD", "GET", "REQUEST_URI", "/",
			      "HTTP_AUTHORIZATION", header),
			  &e) == CRON);
	}
	close(out[1]);
	waitpid(pid, &status, 0);
	n = read(out[0], log, max - 1);
	log[n > 0 ? n : 0] = '\0';
	close(out[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_configurations(void)
{
	static const struct {
		const char *name, *secret, *header;
		int counts;
		const char *logged; /* NULL: nothing */
	} cases[] = {
		{ "none", NULL, "Bearer undefined", 0, "is not set" },
		{ "empty", "", "Bearer undefined", 0, "is not set" },
		{ "31 long", "0123456789012345678901234567890",
		    "Bearer 0123456789012345678901234567890", 0, "shorter" },
		{ "32 long", "01234567890123456789012345678901",
		    "Bearer 01234567890123456789012345678901", 1, NULL },
		{ "with a space", "0123456789 0123456789 0123456789 01",
		    "Bearer 0123456789 0123456789 0123456789 01", 0,
		    "bearer token cannot have" },
		{ "too long to be looked at",
		    HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED,
		    "Bearer " HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED,
		    0, "longer" },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		char log[2048];

		is_int(try_config(
			   cases[i].secret, cases[i].header, log, sizeof(log)),
		    cases[i].counts, "a secret %s %s", cases[i].name,
		    cases[i].counts ? "counts" : "does not count");
		if (cases[i].logged == NULL)
			is_text(log, "", "and the log is quiet");
		else
			ok(strstr(log, cases[i].logged) != NULL,
			    "and the log says \"%s\"", cases[i].logged);
		ok(cases[i].secret == NULL || *cases[i].secret == '\0' ||
			strstr(log, cases[i].secret) == NULL,
		    "without the secret");
	}
}

int
main(void)
{
	struct err e;

	ok(crypt_init(&e), "keys are made");
	test_configurations(); /* first: in children, before settings stick */
	setenv("CRON_SECRET", SECRET, 1);
	setenv("CRON_SECRET_PREVIOUS", PREVIOUS, 1);
	setenv("CORS_ORIGINS",
	    "https://pages.example/, http://localhost:3000 *", 1);
	ok(conf_text("CRON_SECRET", NULL) != NULL &&
		conf_text("CRON_SECRET_PREVIOUS", NULL) != NULL &&
		conf_text("CORS_ORIGINS", NULL) != NULL,
	    "two secrets and the origins are set");
	test_secret();
	test_one_refusal();
	test_users();
	test_cookies();
	test_own_account();
	test_origins();
	test_header_beats_cookie();
	test_what_never_counts();
	return done();
}
