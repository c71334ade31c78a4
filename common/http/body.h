/*
 * The body as it streams in: length and cap enforced by counting, never by
 * trusting CONTENT_LENGTH.
 *
 * A large one can be read from the file in which nginx has it anyway, rather
 * than through a socket once more: REQUEST_BODY_FILE names it.  A client cannot
 * set that: its own headers all begin with HTTP_.
 */
#ifndef AFTERWORK_HTTP_BODY_H
#define AFTERWORK_HTTP_BODY_H

#include "common/base/buf.h"
#include "common/http/req.h"

struct body {
	struct req *req;
	int64_t max_bytes;
	int64_t seen;
	bool ended;
};

/* ERR_TOO_LARGE at once when CONTENT_LENGTH is over max_bytes.  ERR_BUG: the
 * body's file cannot be opened. */
bool body_init(
    struct body *b, struct req *r, int64_t max_bytes, struct err *e) MUSTCHECK;

/* Up to max bytes; *ret_n 0 at the end.  A body shorter or longer than its
 * CONTENT_LENGTH is ERR_INVALID, one over the cap ERR_TOO_LARGE. */
bool body_read(struct body *b, void *p, size_t max, size_t *ret_n,
    struct err *e) MUSTCHECK;

/* Everything that is left, appended to ret. */
bool body_all(struct body *b, struct buf *ret, struct err *e) MUSTCHECK;

#endif
