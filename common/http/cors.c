#include "common/http/cors.h"

#include <strings.h>

#include "common/http/req.h"
#include "common/link/conf.h"

static const char SEPARATORS[] = ", \t\r\n";

/* One entry of the list. */
struct entry {
	const char *p;
	size_t n;
};

static const char *
setting(void)
{
	return conf_text("CORS_ORIGINS", "");
}

/* The next entry of the list at *at; false: there is none. */
static bool
entry_next(const char **at, struct entry *ret)
{
	ret->p = *at + strspn(*at, SEPARATORS);
	ret->n = strcspn(ret->p, SEPARATORS);
	*at = ret->p + ret->n;
	return ret->n > 0;
}

static bool
is_any(struct entry x)
{
	return x.n == 1 && *x.p == '*';
}

/* "http" or "https", "://", and a host with or without a port. */
static bool
is_origin(struct entry x)
{
	static const char host[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "-._:[]";
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < LEN(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (x.n > n && strncasecmp(x.p, schemes[i], n) == 0 &&
		    strspn(x.p + n, host) >= x.n - n)
			return true;
	}
	return false;
}

bool
cors_check(struct err *e)
{
	const char *at = setting();
	struct entry x;

	while (entry_next(&at, &x))
		if (!is_any(x) && !is_origin(x))
			return err_fail(e, ERR_INVALID,
			    "CORS_ORIGINS: \"%.*s\" is neither * nor an origin "
			    "such as https://app.example.com",
			    (int)x.n, x.p);
	return true;
}

bool
cors_enabled(void)
{
	return *setting() != '\0';
}

/* What the list says of an origin. */
struct verdict {
	struct entry listed; /* n 0: it is not */
	bool any;            /* the list has a "*" */
	bool some;           /* and something else */
};

static struct verdict
judge(const char *origin)
{
	struct verdict v = { .any = false };
	const char *at = setting();
	size_t n = strlen(origin);
	struct entry x;

	while (entry_next(&at, &x)) {
		v.any = v.any || is_any(x);
		v.some = v.some || !is_any(x);
		if (!is_any(x) && x.n == n && strncasecmp(x.p, origin, n) == 0)
			v.listed = x;
	}
	return v;
}

static void
add_preflight(struct buf *ret)
{
	buf_adds(ret,
	    "Access-Control-Allow-Methods: PUT, PATCH, POST, GET, DELETE, "
	    "OPTIONS\r\n"
	    "Access-Control-Allow-Headers: Origin, X-Requested-With, "
	    "Content-Type, Accept, Authorization, Content-Encoding, Range, "
	    "If-Match, If-None-Match, X-Payload-HTTP-Method-Override, "
	    "X-HTTP-Method-Override\r\n"
	    "Access-Control-Max-Age: 600\r\n");
}

/* An answer that differs by origin says so, to those who are let in and to
 * those who are not: a cache in between would hand one the other's. */
void
cors_head(const struct req *r, struct buf *ret)
{
	const char *origin = req_header(r, "HTTP_ORIGIN");
	struct verdict v = judge(origin == NULL ? "" : origin);

	if (v.some)
		buf_adds(ret, "Vary: Origin\r\n");
	if (v.listed.n > 0) {
		/* The setting's own bytes, never the request's. */
		buf_adds(ret, "Access-Control-Allow-Origin: ");
		buf_add(ret, v.listed.p, v.listed.n);
		buf_adds(ret, "\r\nAccess-Control-Allow-Credentials: true\r\n");
	} else if (v.any) {
		buf_adds(ret, "Access-Control-Allow-Origin: *\r\n");
	} else {
		return;
	}
	buf_adds(ret, "Access-Control-Expose-Headers: X-Request-Id, ETag, "
		      "Content-Disposition, Retry-After\r\n");
	if (strcmp(r->method, "OPTIONS") == 0)
		add_preflight(ret);
}
