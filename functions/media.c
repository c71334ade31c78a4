/*
 * /api/media but for uploads: lists, documents, files, and the sweep.
 *
 * A file is answered as X-Accel-Redirect into nginx's internal location
 * /_media/, which sends the bytes (ranges, If-Range, If-Modified-Since).  Only
 * where If-Match is said are they sent from here.
 * Without an nginx in front, as plain CGI, that answer has no body.
 */
#include <string.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/http/app.h"
#include "common/http/bulk.h"
#include "common/http/cors.h"
#include "common/http/list.h"
#include "common/http/select.h"
#include "common/http/version.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/js.h"
#include "common/parse/duration.h"
#include "common/site/media.h"
#include "common/site/media_type.h"
#include "common/site/store.h"

enum {
	BODY_MAX = 64 * 1024,
	SWEEP_AGE_MS = 60 * 60 * 1000,
	/* A younger file may be one that an upload is about to name: from its
	 * last byte to the commit a minute is plenty. */
	SWEEP_LEAST_MS = 5 * 60 * 1000,
};

static struct {
	struct store store;
	const char *server_url;
} site;

static bool
list_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF docs = BUF_INIT;
	AUTO_LIST q = { 0 };
	int64_t total = 0;

	return list_query(req, &q, e) &&
	       media_list(
		   app->db, &q.filter, site.server_url, &docs, &total, e) &&
	       list_page(res, &q, &docs, total, e);
}

static bool
count_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_FILTER f = { 0 };
	int64_t n = 0;

	return list_where(req, &f, e) && media_count(app->db, &f, &n, e) &&
	       list_count(res, n, e);
}

static bool
one_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF doc = BUF_INIT;
	AUTO_FILTER select = { 0 };
	int64_t id = 0;

	return list_select(req, &select, e) && req_param_id(req, 0, &id, e) &&
	       media_show(app->db, id, &select, site.server_url, &doc, e) &&
	       res_json_text(res, 200, doc.data, doc.len, e);
}

static bool
patch_fields(struct app *app, int64_t id, struct json_object *body,
    struct buf *ret_doc, struct err *e)
{
	struct media_fields fields;

	return media_fields(body, &fields, e) &&
	       (fields.has_alt
		       ? media_set_alt(app->db, id, fields.alt, site.server_url,
			     ret_doc, e)
		       : media_get(app->db, id, site.server_url, ret_doc, e));
}

static bool
one_patch(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_BUF doc = BUF_INIT;
	AUTO_FILTER select = { 0 };
	int64_t id = 0;

	return list_select(req, &select, e) && req_param_id(req, 0, &id, e) &&
	       req_json(req, BODY_MAX, &body, e) &&
	       patch_fields(app, id, body, &doc, e) &&
	       select_doc(&select, &doc, e) &&
	       res_doc(res, 200, doc.data, doc.len, "Updated successfully.", e);
}

/* The row first: a file without a row is swept, a row without its file would
 * be a broken picture. */
static bool
remove_one(struct app *app, int64_t id, struct buf *ret_doc, struct err *e)
{
	struct media_keys keys;
	struct err why;

	if (!media_delete(app->db, id, site.server_url, ret_doc, &keys, e))
		return false;
	for (size_t i = 0; i < keys.n; i++)
		if (!store_remove(&site.store, keys.key[i], &why))
			log_fail(LOG_LEVEL_WARN, &why,
			    "could not remove a media file; the sweep will");
	return true;
}

static bool
one_delete(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF doc = BUF_INIT;
	AUTO_FILTER select = { 0 };
	int64_t id = 0;

	return list_select(req, &select, e) && req_param_id(req, 0, &id, e) &&
	       remove_one(app, id, &doc, e) && select_doc(&select, &doc, e) &&
	       res_doc(res, 200, doc.data, doc.len, "Deleted successfully.", e);
}

/* ---- several at once ---- */

static const struct bulk media_bulk = { "Media", "Media", media_ids };

struct many {
	struct filter select;
	struct json_object *body;
};

static bool
patch_one(
    struct app *app, int64_t id, void *ctx, struct buf *ret_doc, struct err *e)
{
	const struct many *m = ctx;

	return patch_fields(app, id, m->body, ret_doc, e) &&
	       select_doc(&m->select, ret_doc, e);
}

static bool
delete_one(
    struct app *app, int64_t id, void *ctx, struct buf *ret_doc, struct err *e)
{
	const struct many *m = ctx;

	return remove_one(app, id, ret_doc, e) &&
	       select_doc(&m->select, ret_doc, e);
}

static void
many_release(struct many *m)
{
	filter_release(&m->select);
	js_free(&m->body);
}
#define AUTO_MANY CLEANUP(many_release) struct many

static bool
list_patch(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_MANY m = { .body = NULL };

	return list_select(req, &m.select, e) &&
	       bulk_check(req, BULK_UPDATE, e) &&
	       req_json(req, BODY_MAX, &m.body, e) &&
	       bulk_run(
		   app, req, res, &media_bulk, BULK_UPDATE, patch_one, &m, e);
}

static bool
list_delete(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_MANY m = { .body = NULL };

	return list_select(req, &m.select, e) &&
	       bulk_run(
		   app, req, res, &media_bulk, BULK_DELETE, delete_one, &m, e);
}

/* ---- files ---- */

/* The name once for old clients, in ASCII, and once as RFC 8187 has it. */
static void
add_names(struct buf *b, const char *name)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "-._~";

	buf_adds(b, "; filename=\"");
	for (const char *p = name; *p != '\0'; p++)
		buf_addc(b,
		    *p < ' ' || *p > '~' || *p == '"' || *p == '\\' ? '_' : *p);
	buf_adds(b, "\"; filename*=UTF-8''");
	for (const char *p = name; *p != '\0'; p++)
		if (strchr(plain, *p) != NULL)
			buf_addc(b, *p);
		else
			buf_addf(b, "%%%02X", (unsigned int)(unsigned char)*p);
}

/* A file never changes under its key, so the key tells its version.  Hashed,
 * since where a file lies is nobody's business. */
enum { VERSION_DIGITS = 32 };

static void
version_of(const struct media_file *file, char ret[static VERSION_DIGITS + 1])
{
	char hash[CRYPT_HASH_HEX];

	crypt_hash_hex(file->key, strlen(file->key), hash);
	(void)snprintf(ret, VERSION_DIGITS + 1, "%.*s", VERSION_DIGITS, hash);
}

/* Whoever has a copy asks with each use whether it is still the one: a file
 * that is replaced is seen at once. */
static bool
version_headers(const char *version, struct res *res, struct err *e)
{
	res->store = true;
	return version_show(res, version, e) &&
	       res_header(res, "Cache-Control", "public, no-cache", e);
}

/* nginx compares times; versions are ours to compare (RFC 9110, 13.1.1 and
 * 13.1.2). */
static bool
is_known(const struct req *req, const char *version)
{
	const char *list = req_header(req, "HTTP_IF_NONE_MATCH");
	char tag[VERSION_DIGITS + 3];

	(void)snprintf(tag, sizeof(tag), "\"%s\"", version);
	return list != NULL &&
	       (strcmp(list, "*") == 0 || strstr(list, tag) != NULL);
}

static bool
check_wanted(const struct req *req, const char *version, struct err *e)
{
	bool wanted = false;

	if (!version_is_wanted(req, version, &wanted, e))
		return false;
	return wanted ||
	       err_fail(e, ERR_VERSION, "The file has another version by now.");
}

/* Pages of sites that may read answers may show pictures, too. */
static bool
file_headers(const struct media_file *file, const char *name, struct res *res,
    struct err *e)
{
	const struct media_type *type = media_type_of_mime(file->mime);
	AUTO_BUF how = BUF_INIT;

	buf_adds(
	    &how, type != NULL && type->inline_ok ? "inline" : "attachment");
	add_names(&how, name);
	return buf_ok(&how, e) &&
	       res_header(res, "Content-Disposition", how.data, e) &&
	       res_header(res, "Content-Security-Policy",
		   "default-src 'none'; sandbox", e) &&
	       res_header(res, "Cross-Origin-Resource-Policy",
		   cors_enabled() ? "cross-origin" : "same-site", e);
}

/* nginx sends it. */
static bool
hand_over(const struct media_file *file, struct res *res, struct err *e)
{
	AUTO_BUF where = BUF_INIT;

	buf_adds(&where, "/_media/");
	buf_adds(&where, file->key);
	return buf_ok(&where, e) &&
	       res_header(res, "X-Accel-Redirect", where.data, e) &&
	       res_text(res, 200, file->mime, "", 0, e);
}

/* We send it; nginx cuts the part out that is wanted. */
static bool
send_self(const struct media_file *file, struct res *res, struct err *e)
{
	AUTO_FD fd = -1;
	struct stat st;
	char time[CLOCK_HTTP_MAX];
	int taken;

	if (!store_read(&site.store, file->key, &fd, e))
		return false;
	if (fstat(fd, &st) != 0)
		return err_fail(e, ERR_BUG, "cannot look at a file");
	clock_http(st.st_mtime, time);
	taken = fd;
	fd = -1;
	return res_file(res, 200, file->mime, taken, st.st_size, e) &&
	       res_header(res, "Last-Modified", time, e);
}

/* nginx, which does not know our versions, refuses whatever If-Match it is to
 * send a file for but a star: such a request we answer ourselves. */
static bool
file_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	const char *match = req_header(req, "HTTP_IF_MATCH");
	struct media_file file;
	char version[VERSION_DIGITS + 1];

	if (!media_file(app->db, req->param[0], &file, e))
		return false;
	version_of(&file, version);
	if (!check_wanted(req, version, e) || !version_headers(version, res, e))
		return false;
	if (is_known(req, version)) {
		res->status = 304;
		return true;
	}
	return file_headers(&file, req->param[0], res, e) &&
	       (match == NULL ? hand_over(&file, res, e)
			      : send_self(&file, res, e));
}

/* ---- the sweep ---- */

static bool
sweep_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	const char *older = req_query(req, "olderThan", NULL);
	int64_t age_ms = SWEEP_AGE_MS, removed = 0, kept = 0;
	struct json_object *o;

	if (older != NULL && !duration_parse(older, &age_ms))
		return err_field(
		    e, "olderThan", "This is not a duration such as 5m or 1h.");
	if (age_ms < SWEEP_LEAST_MS)
		return err_field(e, "olderThan",
		    "Files younger than 5m may be an upload's at work.");
	if (!store_sweep(&site.store, app->db, age_ms, &removed, &kept, e))
		return false;
	o = js_new_object();
	js_set_int(o, "removed", removed);
	js_set_int(o, "kept", kept);
	return res_json(res, 200, o, e);
}

static bool
media_init(struct app *app UNUSED, struct err *e)
{
	site.server_url = conf_text("SERVER_URL", "");
	return store_open(
	    &site.store, conf_text("MEDIA_STORE", "file:.run/media"), e);
}

int
main(void)
{
	static const struct app_route routes[] = {
		{ "GET", "/api/media", ACCESS_MEDIA_READ, list_get },
		{ .method = "POST", .path = "/api/media" }, /* upload.c */
		{ "PATCH", "/api/media", ACCESS_MEDIA_UPDATE, list_patch },
		{ "DELETE", "/api/media", ACCESS_MEDIA_DELETE, list_delete },
		{ "GET", "/api/media/count", ACCESS_MEDIA_READ, count_get },
		{ "GET", "/api/media/sweep", ACCESS_MEDIA_SWEEP, sweep_get },
		{ "GET", "/api/media/file/:filename", ACCESS_MEDIA_READ,
		    file_get },
		{ "GET", "/api/media/:id", ACCESS_MEDIA_READ, one_get },
		{ "PATCH", "/api/media/:id", ACCESS_MEDIA_UPDATE, one_patch },
		{ "DELETE", "/api/media/:id", ACCESS_MEDIA_DELETE, one_delete },
	};
	static const struct app_fn fn = { "media", routes, LEN(routes),
		media_init };

	return app_run(&fn);
}
