/*
 * An answer, built in memory and sent once by http/app after the handler.
 * Headers pass one gate that refuses control bytes.  Errors become statuses
 * here and nowhere else, in Payload's shape: {"errors":[{"message":"…"}]}.
 */
#ifndef AFTERWORK_HTTP_RES_H
#define AFTERWORK_HTTP_RES_H

#include "common/base/buf.h"

struct json_object;
struct req;

struct res {
	int status;
	struct buf head; /* complete header lines */
	struct buf body;
	int file; /* what is sent instead of a body: owned; -1: none */
	int64_t file_bytes;    /* from its beginning */
	bool store;            /* the answer may be cached (media files) */
	bool wake;             /* wake a runner once the answer is out */
	const struct req *req; /* what is answered: borrowed, or NULL */
};

void res_init(struct res *r);
void res_release(struct res *r);
void res_clear(struct res *r); /* as after res_init; req stays */

/* One header line; a byte below 0x20 or 0x7f in either part is ERR_BUG. */
bool res_header(struct res *r, const char *name, const char *value,
    struct err *e) MUSTCHECK;

/* A JSON answer.  v is taken. */
bool res_json(
    struct res *r, int status, struct json_object *v, struct err *e) MUSTCHECK;
/* A JSON answer whose n bytes are JSON already (made by the database). */
bool res_json_text(struct res *r, int status, const char *p, size_t n,
    struct err *e) MUSTCHECK;
/* {"doc":<doc>,"message":"…"} with doc being JSON text. */
bool res_doc(struct res *r, int status, const char *doc, size_t n,
    const char *message, struct err *e) MUSTCHECK;
/* Another type. */
bool res_text(struct res *r, int status, const char *type, const char *p,
    size_t n, struct err *e) MUSTCHECK;

/* The first bytes of a file, which is not held in memory.  fd is taken. */
bool res_file(struct res *r, int status, const char *type, int fd,
    int64_t bytes, struct err *e) MUSTCHECK;

/* Replace the answer by the one for e (never fails).  ERR_INVALID with a
 * field is Payload's ValidationError, which for fields of documents says the
 * collection, their label and, where req is for one document, its id;
 * ERR_QUERY is its QueryError; ERR_BUG and
 * ERR_UNAVAILABLE hide their message, and so does what PostgreSQL says by
 * itself (an sqlstate other than P0001, P0002 and 42704).  401 carries
 * WWW-Authenticate, 503 Retry-After. wake is kept: what was enqueued is
 * committed. */
void res_error(struct res *r, const struct err *e);

/* What a client may be told of e, as the one message of an error: borrowed
 * from it, or good until the next call. */
const char *res_message(const struct err *e);

int res_status_of(enum err_code code);

#endif
