/*
 * POST /api/media: take a picture, answer, and let its job begin.
 * PATCH /api/media/:id with a form: another file, other fields, no job.
 *
 * The file streams into the store (http/form): hash, write, flush, rename,
 * flush the folder, and then one statement that makes the row and the job, or
 * changes the row.  Whatever fails before that statement is sent removes the
 * file; once it was sent the file goes only if the database says that no row
 * names it.  A file that was replaced goes after the commit; what a crash
 * leaves behind at any of these steps has no row, and is swept.
 */
#include <string.h>

#include "common/base/log.h"
#include "common/http/app.h"
#include "common/http/form.h"
#include "common/http/list.h"
#include "common/http/select.h"
#include "common/link/conf.h"
#include "common/link/db.h"
#include "common/link/js.h"
#include "common/link/magic.h"
#include "common/parse/header.h"
#include "common/site/media.h"
#include "common/site/media_type.h"

static struct {
	struct store store;
	int64_t max_bytes;
	const char *server_url;
} site;

/* Did the statement fail in a way that leaves its outcome open?  The link
 * was lost (no SQLSTATE), or the server went down (08, 57P).  That there is no
 * such row is an answer, and without a link nothing was sent. */
static bool
outcome_unknown(const struct err *e)
{
	if (e->code == ERR_NOT_FOUND || strcmp(e->sqlstate, DB_NO_LINK) == 0)
		return false;
	return e->sqlstate[0] == '\0' || strncmp(e->sqlstate, "08", 2) == 0 ||
	       strncmp(e->sqlstate, "57P", 3) == 0;
}

/* What the row is to say of the file; hash is the caller's, filled here. */
static void
describe(
    struct form *f, char hash[static CRYPT_HASH_HEX], struct media_new *ret)
{
	form_hash(f, hash);
	ret->filename = f->filename;
	ret->key = f->file.key;
	ret->mime = f->type->mime;
	ret->filesize = f->size;
	ret->hash = hash;
	ret->width = (int)f->picture.width;
	ret->height = (int)f->picture.height;
}

/* A row names the file, or may: it stays. */
static bool
settle_file(struct form *f, bool made, const struct err *e)
{
	if (made || outcome_unknown(e))
		store_file_leave(&f->file);
	return made;
}

/* ---- a new one ---- */

static bool
upload_answer(
    struct res *res, const struct buf *doc, int64_t job, struct err *e)
{
	struct json_object *answer, *ran, *parsed = NULL;

	if (!js_parse(doc->data, doc->len, &parsed, e))
		return false;
	answer = js_new_object();
	ran = js_new_object();
	js_set(answer, "doc", parsed);
	js_set_text(answer, "message", "Media successfully created.");
	js_set_int(ran, "id", job);
	js_set(answer, "job", ran);
	return res_json(res, 201, answer, e);
}

static bool
upload_create(struct app *app, struct form *f, const struct filter *select,
    struct res *res, struct err *e)
{
	AUTO_JS *fields = NULL;
	AUTO_BUF doc = BUF_INIT;
	char hash[CRYPT_HASH_HEX];
	struct media_new m = { .user_id = app->caller.user.id };
	int64_t job = 0;
	bool made;

	if (!form_fields(f, &fields, e) ||
	    !media_fields(fields, &m.fields, e) || !store_keep(&f->file, e))
		return false;
	describe(f, hash, &m);
	made = media_create(app->db, &m, site.server_url, &doc, &job, e);
	res->wake = made || outcome_unknown(e);
	return settle_file(f, made, e) && select_doc(select, &doc, e) &&
	       upload_answer(res, &doc, job, e);
}

static bool
is_form(const struct req *req)
{
	char type[sizeof("multipart/form-data")];

	return header_media_type(
		   req_header(req, "CONTENT_TYPE"), type, sizeof(type)) &&
	       strcmp(type, "multipart/form-data") == 0;
}

static bool
upload_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_FORM f = FORM_INIT;
	AUTO_FILTER select = { 0 };

	if (!list_select(req, &select, e))
		return false;
	if (is_form(req) &&
	    !form_receive(&f, req, &site.store, site.max_bytes, e))
		return false;
	if (!f.has_file)
		return err_fail(e, ERR_INVALID, "No files were uploaded.");
	return upload_create(app, &f, &select, res, e);
}

/* ---- one that is there ---- */

static void
remove_files(const struct media_keys *keys)
{
	struct err why;

	for (size_t i = 0; i < keys->n; i++)
		if (!store_remove(&site.store, keys->key[i], &why))
			log_fail(LOG_LEVEL_WARN, &why,
			    "could not remove a media file; the sweep will");
}

static bool
upload_change(struct app *app, struct form *f, int64_t id,
    const struct filter *select, struct res *res, struct err *e)
{
	AUTO_JS *fields = NULL;
	AUTO_BUF doc = BUF_INIT;
	char hash[CRYPT_HASH_HEX];
	struct media_new m = { .key = NULL };
	struct media_keys gone = { .n = 0 };
	bool made;

	if (!form_fields(f, &fields, e) ||
	    !media_fields(fields, &m.fields, e) ||
	    (f->has_file && !store_keep(&f->file, e)))
		return false;
	if (f->has_file)
		describe(f, hash, &m);
	made = media_change(app->db, id, &m, site.server_url, &doc, &gone, e);
	if (!settle_file(f, made, e))
		return false;
	remove_files(&gone);
	return select_doc(select, &doc, e) &&
	       res_doc(res, 200, doc.data, doc.len, "Updated successfully.", e);
}

static bool
upload_patch(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_FORM f = FORM_INIT;
	AUTO_FILTER select = { 0 };
	int64_t id = 0;

	return list_select(req, &select, e) && req_param_id(req, 0, &id, e) &&
	       form_receive(&f, req, &site.store, site.max_bytes, e) &&
	       upload_change(app, &f, id, &select, res, e);
}

static bool
upload_init(struct app *app UNUSED, struct err *e)
{
	site.server_url = conf_text("SERVER_URL", "");
	return conf_int("MAX_UPLOAD_BYTES", 50 * 1024 * 1024, 1,
		   INT64_C(1) << 40, &site.max_bytes, e) &&
	       magic_init(e) &&
	       store_open(
		   &site.store, conf_text("MEDIA_STORE", "file:.run/media"), e);
}

int
main(void)
{
	static const struct app_route routes[] = {
		{ "POST", "/api/media", ACCESS_MEDIA_CREATE, upload_post },
		{ "PATCH", "/api/media/:id", ACCESS_MEDIA_UPDATE,
		    upload_patch },
	};
	static const struct app_fn fn = { "upload", routes, LEN(routes),
		upload_init };

	return app_run(&fn);
}
