/*
 * A form with a file (multipart/form-data, parts "file" and "_payload"), as
 * it streams in: the body goes through one buffer into the media store, so
 * memory does not grow with the file.
 *
 * Its head decides whether the file is taken at all: content (by two
 * opinions), name and declared type must agree.  Until then nothing is on
 * disk.  At its end a picture's structure is looked at (parse/picture.h):
 * what is too large to be decoded is refused before anything decodes it.
 */
#ifndef AFTERWORK_HTTP_FORM_H
#define AFTERWORK_HTTP_FORM_H

#include "common/http/req.h"
#include "common/link/crypt.h"
#include "common/parse/filename.h"
#include "common/parse/multipart.h"
#include "common/parse/picture.h"
#include "common/site/store.h"

struct media_type;

struct form {
	bool has_file;
	bool has_payload;
	struct buf payload;            /* the text of _payload */
	struct store_file file;        /* written; not kept yet */
	const struct media_type *type; /* NULL until the head was seen */
	struct picture picture;        /* all 0: the file is none */
	int64_t size;                  /* bytes of the file */
	char filename[FILENAME_MAX_BYTES + 1]; /* made safe */

	/* private */
	struct store *store;
	int64_t max_bytes;
	struct crypt_hash hash;
	int part;      /* the open one */
	size_t filled; /* bytes waiting in chunk */
	char *chunk;   /* and behind it what was just read */
	char declared[MULTIPART_TYPE_MAX + 1];
};

#define FORM_INIT                                             \
	{                                                     \
		.payload = BUF_INIT, .file = STORE_FILE_INIT, \
	}
/* Removes the file unless store_file_leave() was called. */
#define AUTO_FORM CLEANUP(form_release) struct form
void form_release(struct form *f);

/*
 * Take in the whole body.  store is borrowed.  Parts of other names, and a
 * file field that nobody filled in, are ignored.  ERR_INVALID of the field
 * "file" or "_payload", ERR_TOO_LARGE, or what the store says.  f is FORM_INIT
 * before, and needs form_release() whatever comes of it.
 */
bool form_receive(struct form *f, struct req *req, struct store *store,
    int64_t max_bytes, struct err *e) MUSTCHECK;

/* _payload as an object; none: *ret is NULL.  *ret is given. */
bool form_fields(
    const struct form *f, struct json_object **ret, struct err *e) MUSTCHECK;

/* The file's BLAKE2b-256.  Once, at the end. */
void form_hash(struct form *f, char ret[static CRYPT_HASH_HEX]);

#endif
