/* Requests: CGI variables into checked values. */
#include "common/http/req.h"

#include <strings.h>

#include "common/base/num.h"
#include "common/base/path.h"
#include "common/http/body.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/fcgi.h"
#include "common/link/js.h"
#include "common/parse/header.h"

static const int64_t ID_MAX = (INT64_C(1) << 53) - 1; /* exact in JSON */

const char *
req_header(const struct req *r, const char *cgi_name)
{
	return fcgi_param(r->fcgi, cgi_name);
}

static const char *
param_or_empty(struct fcgi *f, const char *name)
{
	const char *value = fcgi_param(f, name);

	return value != NULL ? value : "";
}

static bool
id_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/* The web server's id when it is a plain word, else one of our own. */
static void
take_id(struct req *r)
{
	const char *given = param_or_empty(r->fcgi, "REQUEST_ID");
	size_t n = 0;

	while (n < REQ_ID_MAX && id_byte(given[n]))
		n++;
	if (n > 0 && n < REQ_ID_MAX && given[n] == '\0')
		memcpy(r->id, given, n + 1);
	else
		crypt_random_hex(16, r->id);
}

/* Bytes of the request target that are the path: up to the query.  Without
 * REQUEST_URI (a bare CGI server) the path is SCRIPT_NAME and PATH_INFO,
 * which are decoded already. */
static void
add_path(struct fcgi *f, struct buf *text, bool *ret_encoded)
{
	const char *target = fcgi_param(f, "REQUEST_URI");

	*ret_encoded = target != NULL && *target != '\0';
	if (*ret_encoded) {
		buf_add(text, target, strcspn(target, "?#"));
		return;
	}
	buf_adds(text, param_or_empty(f, "SCRIPT_NAME"));
	buf_adds(text, param_or_empty(f, "PATH_INFO"));
}

/* "." and ".." were resolved by the web server before it chose this
 * function, so a path that still has one means something else to it. */
static bool
has_dot_segment(const char *path)
{
	for (const char *p = path; *p != '\0'; p += strcspn(p, "/")) {
		size_t n = strcspn(++p, "/");

		if (n > 0 && n <= 2 && strspn(p, ".") >= n)
			return true;
	}
	return false;
}

static bool
path_usable(const char *path, struct err *e)
{
	if (path[0] != '/' || !utf8_valid(path, strlen(path)) ||
	    has_dot_segment(path))
		return err_fail(e, ERR_INVALID, "The path is not valid.");
	return true;
}

/*
 * One block of memory: method NUL path NUL path-with-NULs-for-slashes NUL.
 * The second copy gives each segment as a text of its own.
 */
static bool
take_target(struct req *r, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	bool encoded = false, decoded = true;
	size_t path_at = 0, n = 0;

	buf_adds(&text, param_or_empty(r->fcgi, "REQUEST_METHOD"));
	buf_addc(&text, '\0');
	path_at = text.len;
	add_path(r->fcgi, &text, &encoded);
	n = text.len - path_at;
	if (!buf_reserve(&text, n + 2) || !buf_ok(&text, e))
		return err_fail(
		    e, ERR_UNAVAILABLE, "could not keep the path: no memory");
	r->text = buf_steal(&text);
	r->method = r->text;
	r->path = r->text + path_at;
	if (encoded)
		decoded = query_decode_path(r->text + path_at, e);
	n = strlen(r->path);
	r->segments = r->text + path_at + n + 1;
	for (size_t i = 0; i <= n; i++)
		r->segments[i] = (char)(r->path[i] == '/' ? '\0' : r->path[i]);
	return decoded && path_usable(r->path, e);
}

static bool
take_length(struct req *r, struct err *e)
{
	const char *length = param_or_empty(r->fcgi, "CONTENT_LENGTH");

	if (*length == '\0')
		return true;
	if (!num_parse_text(length, 0, INT64_MAX, &r->length))
		return err_fail(
		    e, ERR_INVALID, "Content-Length must be a whole number.");
	return true;
}

/* Of two values one server takes the first and another the last: refused.
 * nginx hands repeated headers on as repeated variables. */
static bool
headers_singular(struct fcgi *f, struct err *e)
{
	static const char *const names[][2] = {
		{ "CONTENT_TYPE", "Content-Type" },
		{ "CONTENT_LENGTH", "Content-Length" },
		{ "HTTP_CONTENT_TYPE", "Content-Type" },
		{ "HTTP_COOKIE", "Cookie" },
		{ "HTTP_HOST", "Host" },
		{ "HTTP_ORIGIN", "Origin" },
		{ "HTTP_SEC_FETCH_SITE", "Sec-Fetch-Site" },
		{ "HTTP_X_HTTP_METHOD_OVERRIDE", "X-HTTP-Method-Override" },
		{ "HTTP_X_PAYLOAD_HTTP_METHOD_OVERRIDE",
		    "X-Payload-HTTP-Method-Override" },
	};

	for (size_t i = 0; i < LEN(names); i++)
		if (fcgi_param_count(f, names[i][0]) > 1)
			return err_fail(e, ERR_INVALID,
			    "The header %s was sent twice.", names[i][1]);
	return true;
}

/* The part of an origin or base URL behind its scheme, without a slash. */
static const char *
authority(const char *url, size_t *ret_n)
{
	const char *p = strstr(url, "://");

	p = p != NULL ? p + 3 : url;
	*ret_n = strcspn(p, "/");
	return p;
}

static bool
same_authority(const char *origin, const char *host)
{
	size_t n = 0, m = 0;

	origin = authority(origin, &n);
	host = authority(host, &m);
	return n > 0 && n == m && strncasecmp(origin, host, n) == 0;
}

/* The host that the client named, with its port.  Our nginx files tell it
 * apart, since the HTTP_HOST of nginx's own fastcgi_params has no port. */
static const char *
host_of(struct fcgi *f)
{
	const char *host = param_or_empty(f, "REQUEST_HOST");

	return *host != '\0' ? host : param_or_empty(f, "HTTP_HOST");
}

/* Browsers of today say it themselves; older ones send Origin.  Who says
 * neither (or "null") is not the site's own page.  Schemes are not compared:
 * TLS often ends in front of us, where we cannot see it. */
static bool
is_same_origin(struct fcgi *f)
{
	const char *site = fcgi_param(f, "HTTP_SEC_FETCH_SITE");
	const char *origin = param_or_empty(f, "HTTP_ORIGIN");

	if (site != NULL && *site != '\0')
		return strcmp(site, "same-origin") == 0 ||
		       strcmp(site, "none") == 0;
	return same_authority(origin, host_of(f)) ||
	       same_authority(origin, conf_text("SERVER_URL", ""));
}

bool
req_init(struct req *r, struct fcgi *f, struct err *e)
{
	const char *query = param_or_empty(f, "QUERY_STRING");

	*r = (struct req){
		.fcgi = f,
		.method = "",
		.path = "",
		.length = -1,
		.body_fd = -1,
	};
	take_id(r);
	if (!take_target(r, e) || !take_length(r, e) ||
	    !headers_singular(f, e) ||
	    !query_parse(query, strlen(query), &r->query, e))
		return false;
	r->same_origin = is_same_origin(f);
	return true;
}

void
req_release(struct req *r)
{
	query_release(&r->query);
	fd_close(&r->body_fd);
	free(r->text);
	r->text = r->segments = NULL;
	r->method = r->path = "";
}

bool
req_match(struct req *r, const char *pattern)
{
	const char *p = r->path;
	int n = 0;

	for (; *pattern == ':' || *pattern == *p; pattern++, p++) {
		size_t segment = strcspn(p, "/");

		if (*pattern == ':') {
			if (segment == 0 || n == REQ_PARAMS_MAX)
				return false;
			r->param[n++] = r->segments + (p - r->path);
			p += segment;
			pattern += strcspn(pattern, "/");
		}
		if (*pattern != *p)
			return false;
		if (*p == '\0')
			return true;
	}
	return false;
}

const char *
req_query(const struct req *r, const char *name, const char *otherwise)
{
	const char *value = query_get(&r->query, name);

	return value != NULL ? value : otherwise;
}

bool
req_query_int(const struct req *r, const char *name, int64_t otherwise,
    int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	const char *value = query_get(&r->query, name);

	if (value == NULL) {
		*ret = otherwise;
		return true;
	}
	if (!num_parse_text(value, min, max, ret))
		return err_field(e, name,
		    "This must be a whole number from %lld to %lld.",
		    (long long)min, (long long)max);
	return true;
}

bool
req_query_bool(const struct req *r, const char *name, bool otherwise, bool *ret,
    struct err *e)
{
	const char *value = query_get(&r->query, name);

	if (value == NULL)
		*ret = otherwise;
	else if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*ret = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*ret = false;
	else
		return err_field(e, name, "This must be true or false.");
	return true;
}

bool
req_param_id(const struct req *r, int i, int64_t *ret, struct err *e)
{
	if (!num_parse_text(r->param[i], 1, ID_MAX, ret))
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	return true;
}

static bool
type_is_json(const struct req *r, struct err *e)
{
	const char *type = req_header(r, "CONTENT_TYPE");
	char media_type[64];

	if (type == NULL || *type == '\0')
		return true;
	if (!header_media_type(type, media_type, sizeof(media_type)) ||
	    strcmp(media_type, "application/json") != 0)
		return err_fail(
		    e, ERR_INVALID, "Content-Type must be application/json.");
	return true;
}

/* Those inside texts are counted too: a cap need not be exact. */
bool
req_nodes_bounded(const char *p, size_t n, size_t max, struct err *e)
{
	size_t nodes = 0;

	for (size_t i = 0; i < n; i++)
		nodes += p[i] == '{' || p[i] == '[';
	if (nodes > max)
		return err_fail(e, ERR_TOO_LARGE,
		    "The JSON has more than %zu objects and lists.", max);
	return true;
}

static bool
read_json_text(struct req *r, size_t max_bytes, struct buf *text, struct err *e)
{
	struct body body;

	return type_is_json(r, e) &&
	       body_init(&body, r, (int64_t)max_bytes, e) &&
	       body_all(&body, text, e) &&
	       req_nodes_bounded(text->data, text->len, REQ_NODES_MAX, e);
}

bool
req_json(
    struct req *r, size_t max_bytes, struct json_object **ret, struct err *e)
{
	AUTO_BUF text = BUF_INIT;

	if (!read_json_text(r, max_bytes, &text, e))
		return false;
	if (text.len == 0)
		buf_adds(&text, "{}");
	return buf_ok(&text, e) && js_parse_object(text.data, text.len, ret, e);
}

bool
req_json_any(
    struct req *r, size_t max_bytes, struct json_object **ret, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	AUTO_JS *value = NULL;

	if (!read_json_text(r, max_bytes, &text, e) ||
	    !js_parse(text.data, text.len, &value, e))
		return false;
	if (!js_is_object(value) && !js_is_array(value))
		return err_fail(
		    e, ERR_INVALID, "The body must be an object or an array.");
	*ret = js_ref(value);
	return true;
}
