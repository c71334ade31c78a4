/*
 * POST /api/media: take a picture, answer, and let its job begin.
 *
 * The body streams through the multipart parser into one buffer.  With the
 * first full buffer, or at the file's end, its head decides whether the file
 * is taken at all; until then nothing is on disk.  Then: hash, write, flush,
 * rename, flush the folder, and one statement that makes the row and the job.
 * Whatever fails before that statement is sent removes the file; once it was
 * sent the file goes only if the database says that there is no row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/app.h"
#include "common/http/body.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/js.h"
#include "common/link/magic.h"
#include "common/parse/filename.h"
#include "common/parse/multipart.h"
#include "common/site/media.h"
#include "common/site/media_type.h"
#include "common/site/store.h"
#include "common/site/text.h"

enum {
	CHUNK_BYTES = MEDIA_HEAD_BYTES, /* looked at and written at a time */
	READ_BYTES = 8 * 1024,          /* what libfcgi has at a time */
	PAYLOAD_MAX = 64 * 1024,        /* bytes of the part _payload */
	OVERHEAD_MAX = 64 * 1024,       /* of a body, around the file */
};

static struct {
	struct store store;
	int64_t max_bytes;
	const char *server_url;
} site;

enum part {
	PART_OTHER, /* ignored */
	PART_FILE,
	PART_PAYLOAD,
};

struct upload {
	enum part part; /* the open one */
	bool has_file;
	bool has_payload;
	struct buf payload;
	struct store_file file;
	struct crypt_hash hash;
	const struct media_type *type; /* NULL until the head was seen */
	char filename[FILENAME_MAX_BYTES + 1];
	char declared[MULTIPART_TYPE_MAX + 1];
	int width; /* 0: not known */
	int height;
	int64_t size;
	size_t filled; /* bytes waiting in chunk */
	char *chunk;   /* CHUNK_BYTES; ours */
};

static void
upload_release(struct upload *u)
{
	store_file_drop(&u->file);
	buf_release(&u->payload);
	free(u->chunk);
}

/* ---- what kind of file ---- */

static bool
refuse_type(struct err *e)
{
	return err_field(e, "file",
	    "This kind of file is not taken. Send a jpeg, png, gif, webp, "
	    "avif, pdf or mp4 file.");
}

/* Content (by two opinions), name and declared type must agree. */
static bool
type_check(struct upload *u, struct err *e)
{
	const struct media_type *named = media_type_of_name(u->filename);
	const struct media_type *found;
	const char *magic;
	size_t n = u->filled < MAGIC_BYTES ? u->filled : MAGIC_BYTES;

	if (named == NULL)
		return refuse_type(e);
	found = media_type_of_bytes(u->chunk, u->filled);
	magic = magic_mime(u->chunk, n);
	if (magic == NULL)
		return err_fail(e, ERR_BUG, "libmagic has no answer");
	if (found != named || strcmp(magic, named->mime) != 0)
		return err_field(e, "file",
		    "The file's name says %s, its content does not.",
		    named->mime);
	if (u->declared[0] != '\0' &&
	    strcmp(u->declared, "application/octet-stream") != 0 &&
	    media_type_of_mime(u->declared) != named)
		return err_field(e, "file",
		    "The file is %s, but was declared as another type.",
		    named->mime);
	u->type = named;
	return true;
}

/* ---- the file ---- */

/* The first chunk is looked at before anything is on disk. */
static bool
file_begin(struct upload *u, struct err *e)
{
	if (!type_check(u, e) || !store_begin(&site.store, &u->file, e))
		return false;
	(void)media_type_size(
	    u->type, u->chunk, u->filled, &u->width, &u->height);
	crypt_hash_init(&u->hash);
	return true;
}

static bool
file_flush(struct upload *u, struct err *e)
{
	if (u->type == NULL && !file_begin(u, e))
		return false;
	crypt_hash_add(&u->hash, u->chunk, u->filled);
	if (!store_write(&u->file, u->chunk, u->filled, e))
		return false;
	u->filled = 0;
	return true;
}

static bool
file_data(struct upload *u, const char *p, size_t n, struct err *e)
{
	u->size += (int64_t)n;
	if (u->size > site.max_bytes)
		return err_fail(e, ERR_TOO_LARGE,
		    "The file is larger than the %lld bytes allowed.",
		    (long long)site.max_bytes);
	while (n > 0) {
		size_t room = CHUNK_BYTES - u->filled;
		size_t take = n < room ? n : room;

		memcpy(u->chunk + u->filled, p, take);
		u->filled += take;
		p += take;
		n -= take;
		if (u->filled == CHUNK_BYTES && !file_flush(u, e))
			return false;
	}
	return true;
}

static bool
file_end(struct upload *u, struct err *e)
{
	if (u->size == 0)
		return err_field(e, "file", "The file is empty.");
	return u->filled == 0 || file_flush(u, e);
}

/* ---- the parts ---- */

static bool
file_part(struct upload *u, const struct multipart_part *p, struct err *e)
{
	/* A form's file field that nobody filled in. */
	if (p->filename[0] == '\0')
		return true;
	if (u->has_file)
		return err_field(e, "file", "Send one file at a time.");
	u->has_file = true;
	u->part = PART_FILE;
	filename_clean(p->filename, strlen(p->filename), u->filename);
	(void)snprintf(u->declared, sizeof(u->declared), "%s", p->type);
	return true;
}

static bool
on_part(void *ctx, const struct multipart_part *p, struct err *e)
{
	struct upload *u = ctx;

	u->part = PART_OTHER;
	if (strcmp(p->name, "file") == 0 && p->has_filename)
		return file_part(u, p, e);
	if (strcmp(p->name, "_payload") != 0)
		return true;
	if (u->has_payload)
		return err_field(e, "_payload", "Send this part once.");
	u->has_payload = true;
	u->part = PART_PAYLOAD;
	return true;
}

static bool
on_data(void *ctx, const char *p, size_t n, struct err *e)
{
	struct upload *u = ctx;

	if (u->part == PART_FILE)
		return file_data(u, p, n, e);
	if (u->part != PART_PAYLOAD)
		return true;
	if (u->payload.len + n > PAYLOAD_MAX)
		return err_field(e, "_payload",
		    "This part is longer than %d bytes.", PAYLOAD_MAX);
	buf_add(&u->payload, p, n);
	return buf_ok(&u->payload, e);
}

static bool
on_end(void *ctx, struct err *e)
{
	struct upload *u = ctx;

	return u->part != PART_FILE || file_end(u, e);
}

static bool
upload_receive(struct upload *u, struct req *req, struct err *e)
{
	static const struct multipart_events events = { on_part, on_data,
		on_end };
	char in[READ_BYTES];
	struct multipart m;
	struct body body;
	size_t n = 0;

	if (!body_init(&body, req, site.max_bytes + OVERHEAD_MAX, e) ||
	    !multipart_init(&m, req_header(req, "CONTENT_TYPE"), &events, u, e))
		return false;
	do {
		if (!body_read(&body, in, sizeof(in), &n, e) ||
		    (n > 0 && !multipart_push(&m, in, n, e)))
			return false;
	} while (n > 0);
	if (!multipart_end(&m, e))
		return false;
	if (!u->has_file)
		return err_fail(e, ERR_INVALID, "No files were uploaded.");
	return true;
}

/* ---- the row, the job, the answer ---- */

/* The fields of the document; *ret_alt is borrowed from *ret_fields. */
static bool
upload_fields(const struct upload *u, struct json_object **ret_fields,
    const char **ret_alt, struct err *e)
{
	const char *alt = NULL;

	if (!u->has_payload)
		return true;
	if (!js_parse_object(u->payload.data, u->payload.len, ret_fields, e) ||
	    !js_text(*ret_fields, "alt", NULL, &alt, e))
		return false;
	if (alt != NULL && text_chars(alt) > MEDIA_ALT_MAX)
		return err_field(e, "alt",
		    "This field is longer than %d characters.", MEDIA_ALT_MAX);
	*ret_alt = alt;
	return true;
}

/* Did the statement fail in a way that leaves its outcome open?  The link
 * was lost (no SQLSTATE), or the server went down (08, 57P). */
static bool
outcome_unknown(const struct err *e)
{
	return e->sqlstate[0] == '\0' || strncmp(e->sqlstate, "08", 2) == 0 ||
	       strncmp(e->sqlstate, "57P", 3) == 0;
}

static bool
upload_record(struct app *app, struct upload *u, const char *alt,
    struct res *res, struct buf *ret_doc, int64_t *ret_job, struct err *e)
{
	char hash[CRYPT_HASH_HEX];
	struct media_new m = {
		.filename = u->filename,
		.key = u->file.key,
		.mime = u->type->mime,
		.filesize = u->size,
		.hash = hash,
		.alt = alt,
		.width = u->width,
		.height = u->height,
		.user_id = app->caller.user.id,
	};
	bool made;

	crypt_hash_end(&u->hash, hash);
	made = media_create(app->db, &m, site.server_url, ret_doc, ret_job, e);
	if (made || outcome_unknown(e)) {
		store_file_leave(&u->file);
		res->wake = true;
	}
	return made;
}

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
upload_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	CLEANUP(upload_release)
	struct upload u = {
		.payload = BUF_INIT,
		.file = STORE_FILE_INIT,
		.chunk = malloc(CHUNK_BYTES), /* given back while idle */
	};
	AUTO_JS *fields = NULL;
	AUTO_BUF doc = BUF_INIT;
	const char *alt = NULL;
	int64_t job = 0;

	if (u.chunk == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	return upload_receive(&u, req, e) &&
	       upload_fields(&u, &fields, &alt, e) && store_keep(&u.file, e) &&
	       upload_record(app, &u, alt, res, &doc, &job, e) &&
	       upload_answer(res, &doc, job, e);
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
		{ "POST", "/api/media", ACCESS_USER, upload_post },
	};
	static const struct app_fn fn = { "upload", routes, LEN(routes),
		upload_init };

	return app_run(&fn);
}
