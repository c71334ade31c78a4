#include "common/http/form.h"

#include "common/http/body.h"
#include "common/link/js.h"
#include "common/link/magic.h"
#include "common/site/media_type.h"

enum {
	CHUNK_BYTES = 64 * 1024,  /* looked at, hashed and written at a time */
	READ_BYTES = 256 * 1024,  /* read at a time */
	PAYLOAD_MAX = 64 * 1024,  /* bytes of the part _payload */
	PAYLOAD_NODES_MAX = 1000, /* objects and lists in it */
	OVERHEAD_MAX = 64 * 1024, /* of a body, around the file */
};

enum part {
	PART_OTHER, /* ignored */
	PART_FILE,
	PART_PAYLOAD,
};

void
form_release(struct form *f)
{
	store_file_drop(&f->file);
	buf_release(&f->payload);
	free(f->chunk);
	f->chunk = NULL;
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
type_check(struct form *f, struct err *e)
{
	const struct media_type *named = media_type_of_name(f->filename);
	const struct media_type *found;
	const char *magic;
	size_t n = f->filled < MAGIC_BYTES ? f->filled : MAGIC_BYTES;

	if (named == NULL)
		return refuse_type(e);
	found = media_type_of_bytes(f->chunk, f->filled);
	magic = magic_mime(f->chunk, n);
	if (magic == NULL)
		return err_fail(e, ERR_BUG, "libmagic has no answer");
	if (found != named || strcmp(magic, named->mime) != 0)
		return err_field(e, "file",
		    "The file's name says %s, its content does not.",
		    named->mime);
	if (f->declared[0] != '\0' &&
	    strcmp(f->declared, "application/octet-stream") != 0 &&
	    media_type_of_mime(f->declared) != named)
		return err_field(e, "file",
		    "The file is %s, but was declared as another type.",
		    named->mime);
	f->type = named;
	return true;
}

/* ---- the file ---- */

/* The first chunk is looked at before anything is on disk. */
static bool
file_begin(struct form *f, struct err *e)
{
	if (!type_check(f, e) || !store_begin(f->store, &f->file, e))
		return false;
	crypt_hash_init(&f->hash);
	return true;
}

static bool
file_write(struct form *f, const char *p, size_t n, struct err *e)
{
	crypt_hash_add(&f->hash, p, n);
	return store_write(&f->file, p, n, e);
}

static bool
file_flush(struct form *f, struct err *e)
{
	size_t n = f->filled;

	if (f->type == NULL && !file_begin(f, e))
		return false;
	f->filled = 0;
	return file_write(f, f->chunk, n, e);
}

static bool
file_data(struct form *f, const char *p, size_t n, struct err *e)
{
	f->size += (int64_t)n;
	if (f->size > f->max_bytes)
		return err_fail(e, ERR_TOO_LARGE,
		    "The file is larger than the %lld bytes allowed.",
		    (long long)f->max_bytes);
	while (n > 0) {
		size_t room = CHUNK_BYTES - f->filled;
		size_t take = n < room ? n : room;

		/* Behind the head, what comes in bulk is not moved about. */
		if (f->type != NULL && f->filled == 0 && n >= CHUNK_BYTES)
			return file_write(f, p, n, e);
		memcpy(f->chunk + f->filled, p, take);
		f->filled += take;
		p += take;
		n -= take;
		if (f->filled == CHUNK_BYTES && !file_flush(f, e))
			return false;
	}
	return true;
}

static bool
file_end(struct form *f, struct err *e)
{
	if (f->size == 0)
		return err_field(e, "file", "The file is empty.");
	if (f->filled > 0 && !file_flush(f, e))
		return false;
	return f->type->picture == PICTURE_NONE ||
	       (picture_look(f->type->picture, store_read_at, &f->file.fd,
		    &f->picture, e) &&
		   picture_bounded(&f->picture, e));
}

/* ---- the parts ---- */

static bool
file_part(struct form *f, const struct multipart_part *p, struct err *e)
{
	/* A form's file field that nobody filled in. */
	if (p->filename[0] == '\0')
		return true;
	if (f->has_file)
		return err_field(e, "file", "Send one file at a time.");
	f->has_file = true;
	f->part = PART_FILE;
	filename_clean(p->filename, strlen(p->filename), f->filename);
	(void)snprintf(f->declared, sizeof(f->declared), "%s", p->type);
	return true;
}

static bool
on_part(void *ctx, const struct multipart_part *p, struct err *e)
{
	struct form *f = ctx;

	f->part = PART_OTHER;
	if (strcmp(p->name, "file") == 0 && p->has_filename)
		return file_part(f, p, e);
	if (strcmp(p->name, "_payload") != 0)
		return true;
	if (f->has_payload)
		return err_field(e, "_payload", "Send this part once.");
	f->has_payload = true;
	f->part = PART_PAYLOAD;
	return true;
}

static bool
on_data(void *ctx, const char *p, size_t n, struct err *e)
{
	struct form *f = ctx;

	if (f->part == PART_FILE)
		return file_data(f, p, n, e);
	if (f->part != PART_PAYLOAD)
		return true;
	if (f->payload.len + n > PAYLOAD_MAX)
		return err_field(e, "_payload",
		    "This part is longer than %d bytes.", PAYLOAD_MAX);
	buf_add(&f->payload, p, n);
	return buf_ok(&f->payload, e);
}

static bool
on_end(void *ctx, struct err *e)
{
	struct form *f = ctx;

	return f->part != PART_FILE || file_end(f, e);
}

static bool
receive(struct form *f, struct req *req, struct err *e)
{
	static const struct multipart_events events = { on_part, on_data,
		on_end };
	char *in = f->chunk + CHUNK_BYTES;
	struct multipart m;
	struct body body;
	size_t n = 0;

	if (!body_init(&body, req, f->max_bytes + OVERHEAD_MAX, e) ||
	    !multipart_init(&m, req_header(req, "CONTENT_TYPE"), &events, f, e))
		return false;
	do {
		if (!body_read(&body, in, READ_BYTES, &n, e) ||
		    (n > 0 && !multipart_push(&m, in, n, e)))
			return false;
	} while (n > 0);
	return multipart_end(&m, e);
}

bool
form_receive(struct form *f, struct req *req, struct store *store,
    int64_t max_bytes, struct err *e)
{
	f->store = store;
	f->max_bytes = max_bytes;
	/* given back while idle */
	f->chunk = malloc(CHUNK_BYTES + READ_BYTES);
	if (f->chunk == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	return receive(f, req, e);
}

bool
form_fields(const struct form *f, struct json_object **ret, struct err *e)
{
	const struct buf *text = &f->payload;

	*ret = NULL;
	return !f->has_payload ||
	       (req_nodes_bounded(
		    text->data, text->len, PAYLOAD_NODES_MAX, e) &&
		   js_parse_object(text->data, text->len, ret, e));
}

void
form_hash(struct form *f, char ret[static CRYPT_HASH_HEX])
{
	crypt_hash_end(&f->hash, ret);
}
