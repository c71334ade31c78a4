/*
 * The frame of a function: processes, accept loop, routing, access, errors,
 * log line, after().  A function is a table of routes; app_run() is its main.
 *
 * Life: connects to PostgreSQL at the first use, closes the link after 5 idle
 * seconds, ends after MAX_REQUESTS requests or IDLE_EXIT idle seconds, drains
 * on SIGTERM, answers 503 while the database is away.  FCGI_CHILDREN=n (the
 * name is PHP's) forks n processes that share one start's memory and replaces
 * those that end; without it the process itself serves.
 */
#ifndef AFTERWORK_HTTP_APP_H
#define AFTERWORK_HTTP_APP_H

#include "common/http/auth.h"
#include "common/http/req.h"
#include "common/http/res.h"

struct app {
	const struct app_fn *fn;
	struct db *db;        /* the function's own login, lazily connected */
	struct caller caller; /* of the open request */
};

/*
 * Answer one request.  On false the answer becomes the one for *e.  Set
 * res->wake when something was enqueued: a runner is woken after the answer
 * is out (never before, and never at the answer's cost).
 */
typedef bool app_handle(
    struct app *app, struct req *req, struct res *res, struct err *e);

struct app_route {
	const char *method; /* GET also answers HEAD, but not where a
			       GET changes something (access_get_changes) */
	const char *path;   /* "/api/media/:id"; ':x' takes one segment;
			       literal routes before ':' ones */
	enum access access;
	app_handle *handle; /* NULL: nginx asks another function for this; it
			       is in this one's table for Allow and 405 only */
};

struct app_fn {
	const char *name; /* "upload": log name and DATABASE_URL_UPLOAD */
	const struct app_route *routes;
	size_t nroutes;
	/* Once per start, before children are forked; may be NULL. */
	bool (*init)(struct app *app, struct err *e);
};

/* main() of a function.  Returns the exit status. */
int app_run(const struct app_fn *fn);

#endif
