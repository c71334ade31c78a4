/*
 * A request, parsed once and checked: method, path, query, headers, who.
 *
 * Everything is borrowed from the request and gone when the handler returns.
 */
#ifndef AFTERWORK_HTTP_REQ_H
#define AFTERWORK_HTTP_REQ_H

#include "common/base/err.h"
#include "common/parse/query.h"

struct fcgi;
struct json_object;

enum {
	REQ_PARAMS_MAX = 4,
	REQ_ID_MAX = 65,
	REQ_BODY_MAX = 1024 * 1024,
	/* Parsed, each takes 1.5 KiB: a full body of nothing but "{}" would
	 * take half a gigabyte. */
	REQ_NODES_MAX = 20000,
};

struct req {
	struct fcgi *fcgi;
	char id[REQ_ID_MAX]; /* X-Request-Id: REQUEST_ID or our own */
	const char *method;  /* "GET", …: never NULL */
	const char *path;    /* decoded, no query, starts with '/' */
	const char *param[REQ_PARAMS_MAX]; /* what ':name's in the route took */
	struct query query;                /* parsed QUERY_STRING */
	int64_t length;                    /* CONTENT_LENGTH; -1 unknown */
	bool same_origin;                  /* Sec-Fetch-Site / Origin say so */
	int body_fd;    /* private to http/body: the body's file, or -1 */
	char *text;     /* private: method, path, the path cut at each '/' */
	char *segments; /* private: the last of these, inside text */
};

/* Fill r from the open request.  ERR_INVALID: a bad query, length, path, or
 * a singular header sent twice (Content-Type, Cookie, …; Authorization sent
 * twice is http/auth's to refuse).  On false r is fit for a log line and for
 * req_release() all the same. */
bool req_init(struct req *r, struct fcgi *f, struct err *e) MUSTCHECK;
void req_release(struct req *r);

/* Does the path fit a route's ("/api/media/:id")?  Then param[] is set. */
bool req_match(struct req *r, const char *pattern);

/* Header by its CGI name ("HTTP_ORIGIN", "CONTENT_TYPE"); NULL when absent. */
const char *req_header(const struct req *r, const char *cgi_name);

/* Query parameters.  Absent: otherwise.  Wrong: ERR_INVALID with the name. */
const char *req_query(
    const struct req *r, const char *name, const char *otherwise);
/* Decimal digits in [min, max]; empty, signs, spaces, letters: ERR_INVALID. */
bool req_query_int(const struct req *r, const char *name, int64_t otherwise,
    int64_t min, int64_t max, int64_t *ret, struct err *e) MUSTCHECK;
/* "true" / "false" (also "1" / "0"); another value: ERR_INVALID. */
bool req_query_bool(const struct req *r, const char *name, bool otherwise,
    bool *ret, struct err *e) MUSTCHECK;

/* param[i] as an id (1 .. 2^53-1); what is none: ERR_NOT_FOUND "Not Found". */
bool req_param_id(
    const struct req *r, int i, int64_t *ret, struct err *e) MUSTCHECK;

/* The whole body as a JSON object: at most max_bytes, and REQ_NODES_MAX
 * objects and lists (ERR_TOO_LARGE).  Content-Type must be application/json or
 * absent.  No body is {}, as in Payload.  *ret is given. */
bool req_json(struct req *r, size_t max_bytes, struct json_object **ret,
    struct err *e) MUSTCHECK;
/* The same, but an array passes too, and no body does not. */
bool req_json_any(struct req *r, size_t max_bytes, struct json_object **ret,
    struct err *e) MUSTCHECK;
/* ERR_TOO_LARGE: the JSON in n bytes has more than max objects and lists. */
bool req_nodes_bounded(
    const char *p, size_t n, size_t max, struct err *e) MUSTCHECK;

#endif
