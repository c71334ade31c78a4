#include "deploy/command/vercel.h"

#include <fnmatch.h>

#include "common/base/path.h"
#include "common/link/js.h"
#include "common/link/jsnode.h"

/* What can stand in a request line as it is. */
static bool
is_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static bool
read_cron(const struct jsnode *at, struct vercel_cron *c, struct err *e)
{
	static const char *const keys[] = { "path", "schedule", NULL };
	struct err why = { 0 };

	if (!jsnode_keys(at, keys, e) ||
	    !jsnode_text(at, "path", 512, NULL, &c->path, e) ||
	    !jsnode_text(at, "schedule", 256, NULL, &c->schedule, e))
		return false;
	if (c->path == NULL)
		return jsnode_bad(at, "path", e, "is required");
	if (c->path[0] != '/')
		return jsnode_bad(at, "path", e, "must begin with '/'");
	if (!is_printable(c->path) || strchr(c->path, '#') != NULL)
		return jsnode_bad(at, "path", e,
		    "must be a path and query of "
		    "printable ASCII, without spaces and '#'");
	if (c->schedule == NULL)
		return jsnode_bad(at, "schedule", e, "is required");
	if (!cronexpr_parse(c->schedule, &c->expr, &why))
		return jsnode_bad(at, "schedule", e,
		    "\"%s\" is no schedule: "
		    "%s",
		    c->schedule, why.msg);
	return true;
}

static bool
read_crons(const struct jsnode *top, struct vercel *v, struct err *e)
{
	struct json_object *list;

	if (!jsnode_list(top, "crons", VERCEL_CRONS_MAX, &list, e))
		return false;
	for (size_t i = 0; i < js_len(list); i++) {
		struct jsnode at;

		if (!jsnode_element(top, "crons", i, &at, e) ||
		    !read_cron(&at, &v->crons[i], e))
			return false;
	}
	v->ncrons = js_len(list);
	return true;
}

struct functions {
	const struct jsnode *at;
	struct vercel *v;
	struct err *e;
};

static bool
read_function(const char *glob, struct json_object *o UNUSED, void *ctx)
{
	struct functions *all = ctx;
	struct vercel *v = all->v;
	struct vercel_function *f = &v->functions[v->nfunctions];
	struct jsnode at;
	const char *word;

	if (v->nfunctions == VERCEL_FUNCTIONS_MAX)
		return jsnode_bad(all->at, "", all->e,
		    "may have at most %d entries", VERCEL_FUNCTIONS_MAX);
	if (!jsnode_child(all->at, glob, &at, all->e))
		return false;
	word = js_text_of(js_get(at.o, "maxDuration"));
	f->glob = glob;
	f->max_duration_s = VERCEL_DURATION_MAX_S;
	if ((word == NULL || strcmp(word, "max") != 0) &&
	    !jsnode_int(&at, "maxDuration", 1, VERCEL_DURATION_MAX_S,
		VERCEL_DURATION_S, &f->max_duration_s, all->e))
		return false;
	v->nfunctions++;
	return true;
}

static bool
read_functions(const struct jsnode *top, struct vercel *v, struct err *e)
{
	struct jsnode at;
	struct functions all = { &at, v, e };

	return jsnode_child(top, "functions", &at, e) &&
	       (at.o == NULL || js_each(at.o, read_function, &all));
}

bool
vercel_parse(const char *p, size_t n, struct vercel *ret, struct err *e)
{
	AUTO_VERCEL v = { .source = NULL };
	struct jsnode top;

	if (!jsnode_parse(p, n, &v.source, &top, e) ||
	    !read_crons(&top, &v, e) || !read_functions(&top, &v, e))
		return false;
	*ret = v;
	v.source = NULL;
	return true;
}

bool
vercel_load(const char *path, struct vercel *ret, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	struct err why = { 0 };

	if (!path_read(path, VERCEL_FILE_MAX, &text, e))
		return false;
	if (!vercel_parse(text.data, text.len, ret, &why))
		return err_fail(e, why.code, "%s: %s", path, why.msg);
	return true;
}

void
vercel_release(struct vercel *v)
{
	js_free(&v->source);
}

int64_t
vercel_duration_s(const struct vercel *v, const char *file)
{
	for (size_t i = 0; i < v->nfunctions; i++)
		if (fnmatch(v->functions[i].glob, file, 0) == 0)
			return v->functions[i].max_duration_s;
	return VERCEL_DURATION_S;
}
