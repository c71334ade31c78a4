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
	return e->code == ERR_FORBIDDEN ? FORBIDDEN : DOWN;
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

		is_int(check(ACCESS_CRON,
			   ENV("REQUEST_METHOD", "GET", "REQUEST_URI", "/",
			       "HTTP_AUTHORIZATION", cases[i].header),
			   &e),
		    cases[i].want, "secret %zu, scheduler only", i);
		is_int(check(ACCESS_JOBS_OR_CRON,
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

		ok(check(ACCESS_JOBS_OR_CRON,
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
		{ ACCESS_PUBLIC, "Bearer admin.x.y", NOBODY },
		{ ACCESS_PUBLIC, "nonsense", NOBODY },
		{ ACCESS_OPTIONAL, "Bearer admin.x.y", USER },
		{ ACCESS_OPTIONAL, "Bearer old.x.y", NOBODY },
		{ ACCESS_OPTIONAL, "nonsense", NOBODY },
		{ ACCESS_OPTIONAL, "Bearer down.x.y", DOWN },
		{ ACCESS_USER, "Bearer editor.x.y", USER },
		{ ACCESS_USER, "bearer  editor.x.y", USER },
		{ ACCESS_USER, "JWT editor.x.y", USER },
		{ ACCESS_USER, "users API-Key editor", USER },
		{ ACCESS_USER, "users API-Key old", AUTH_ASKED },
		{ ACCESS_USER, "pages API-Key editor", AUTH },
		{ ACCESS_USER, "JWT old.x.y", AUTH_ASKED },
		{ ACCESS_USER, "JWT editor.x", AUTH },
		{ ACCESS_USER, "JWT editor.x.y.z", AUTH },
		{ ACCESS_USER, "JWT editor.x.\xff", AUTH },
		{ ACCESS_USER, "Bearer " SECRET, AUTH },
		{ ACCESS_USER, "JWT down.x.y", DOWN },
		{ ACCESS_JOBS, "JWT admin.x.y", USER },
		{ ACCESS_JOBS, "JWT operator.x.y", USER },
		{ ACCESS_JOBS, "JWT editor.x.y", FORBIDDEN },
		{ ACCESS_JOBS, "JWT nobody.x.y", FORBIDDEN },
		{ ACCESS_JOBS, "JWT old.x.y", AUTH_ASKED },
		{ ACCESS_JOBS, "Bearer " SECRET, AUTH },
		{ ACCESS_JOBS_OR_CRON, "Bearer admin.x.y", USER },
		{ ACCESS_JOBS_OR_CRON, "JWT operator.x.y", USER },
		{ ACCESS_JOBS_OR_CRON, "users API-Key operator", USER },
		{ ACCESS_JOBS_OR_CRON, "JWT editor.x.y", AUTH_ASKED },
		{ ACCESS_JOBS_OR_CRON, "JWT down.x.y", DOWN },
		{ ACCESS_CRON, "JWT admin.x.y", AUTH },
		{ ACCESS_CRON, "Bearer admin.x.y", AUTH },
		{ ACCESS_CRON, "users API-Key admin", AUTH },
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
		{ ACCESS_USER, "GET", "cross-site", "payload-token=admin.x.y",
		    USER },
		{ ACCESS_USER, "HEAD", "", "payload-token=admin.x.y", USER },
		{ ACCESS_USER, "POST", "same-origin",
		    "a=1; payload-token=admin.x.y; b=2", USER },
		{ ACCESS_USER, "POST", "cross-site", "payload-token=admin.x.y",
		    AUTH },
		{ ACCESS_USER, "POST", "same-site", "payload-token=admin.x.y",
		    AUTH },
		{ ACCESS_USER, "POST", "", "payload-token=admin.x.y", AUTH },
		{ ACCESS_USER, "DELETE", "cross-site",
		    "payload-token=admin.x.y", AUTH },
		{ ACCESS_OPTIONAL, "POST", "cross-site",
		    "payload-token=admin.x.y", NOBODY },
		{ ACCESS_USER, "GET", "",
		    "payload-token=admin.x.y; payload-token=b.c.d", AUTH },
		{ ACCESS_USER, "GET", "", "payload-token=", AUTH },
		{ ACCESS_USER, "GET", "", "payload-token=admin", AUTH },
		{ ACCESS_USER, "GET", "", "xpayload-token=admin.x.y", AUTH },
		{ ACCESS_JOBS_OR_CRON, "GET", "cross-site",
		    "payload-token=admin.x.y", AUTH },
		{ ACCESS_JOBS_OR_CRON, "GET", "same-origin",
		    "payload-token=admin.x.y", USER },
		{ ACCESS_JOBS_OR_CRON, "GET", "same-origin",
		    "payload-token=" SECRET, AUTH },
		{ ACCESS_CRON, "GET", "same-origin", "payload-token=" SECRET,
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

static void
test_header_beats_cookie(void)
{
	static const char *const headers[] = { "Bearer undefined", "Basic x",
		"" };
	struct err e;

	for (size_t i = 0; i < LEN(headers); i++)
		is_int(check(ACCESS_USER,
			   ENV("REQUEST_METHOD", "GET", "REQUEST_URI", "/",
			       "HTTP_COOKIE", "payload-token=admin.x.y",
			       "HTTP_AUTHORIZATION", headers[i]),
			   &e),
		    AUTH, "a good cookie does not mend \"%s\"", headers[i]);
}

static void
test_what_never_counts(void)
{
	struct err e;

	is_int(check(ACCESS_JOBS_OR_CRON,
		   ENV("REQUEST_METHOD", "GET", "REQUEST_URI", "/",
		       "HTTP_X_VERCEL_CRON", "1", "HTTP_X_VERCEL_CRON_SCHEDULE",
		       "* * * * *", "HTTP_USER_AGENT", "vercel-cron/1.0"),
		   &e),
	    AUTH, "a scheduler's headers prove nothing");
	is_int(check(ACCESS_CRON,
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
		_exit(check(ACCESS_CRON,
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
	ok(conf_text("CRON_SECRET", NULL) != NULL &&
		conf_text("CRON_SECRET_PREVIOUS", NULL) != NULL,
	    "two secrets are set");
	test_secret();
	test_one_refusal();
	test_users();
	test_cookies();
	test_header_beats_cookie();
	test_what_never_counts();
	return done();
}
