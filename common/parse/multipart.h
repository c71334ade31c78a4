/*
 * multipart/form-data (RFC 7578, RFC 2046 5.1.1) as a push parser: bytes go
 * in as they come, events come out.  Pure; memory is the struct (at most
 * 16 KiB), time is linear, every byte split gives the same events.
 *
 * Refused with ERR_INVALID: no or bad boundary, bare LF line ends, obs-fold,
 * NUL in a header, a part without form-data and name, a transfer encoding
 * other than 7bit/8bit/binary, more than the limits below, text cut before
 * the closing delimiter, bytes after it that are not epilogue.  filename* is
 * ignored (RFC 7578 4.2).
 */
#ifndef AFTERWORK_PARSE_MULTIPART_H
#define AFTERWORK_PARSE_MULTIPART_H

#include "common/base/err.h"

enum {
	MULTIPART_BOUNDARY_MAX = 70, /* bytes, RFC 2046 */
	MULTIPART_PARTS_MAX = 20,
	MULTIPART_HEADERS_MAX = 8,         /* per part */
	MULTIPART_HEADER_BYTES_MAX = 4096, /* per part, all headers */
	MULTIPART_NAME_MAX = 128,
	MULTIPART_FILENAME_MAX = 1024, /* bytes as sent; names are cut later */
	MULTIPART_TYPE_MAX = 128,
};

struct multipart_part {
	char name[MULTIPART_NAME_MAX + 1];
	char filename[MULTIPART_FILENAME_MAX + 1];
	bool has_filename;
	char type[MULTIPART_TYPE_MAX + 1]; /* Content-Type, lower case,
					      without parameters; or "" */
};

/* Called in order: part, data (0..n times), end; for each part.  A callback
 * that fails ends the parse with its error.  %22 %0D %0A in names and file
 * names are decoded as browsers mean them. */
struct multipart_events {
	bool (*part)(void *ctx, const struct multipart_part *p, struct err *e);
	bool (*data)(void *ctx, const char *p, size_t n, struct err *e);
	bool (*end)(void *ctx, struct err *e);
};

struct multipart {
	/* private: see multipart.c */
	const struct multipart_events *events;
	void *ctx;
	int state;
	size_t boundary_n; /* of "\r\n--boundary" */
	char boundary[MULTIPART_BOUNDARY_MAX + 5];
	size_t matched; /* bytes of a possible delimiter held back */
	size_t unsent;  /* the first of them that never came */
	size_t nparts;
	size_t nheaders;
	size_t header_bytes; /* of all headers of this part so far */
	size_t line_n;
	char line[MULTIPART_HEADER_BYTES_MAX + 1];
	bool has_disposition;
	bool has_type;
	struct multipart_part part;
};

/* content_type: the request's header (NULL allowed: ERR_INVALID).  events and
 * ctx are borrowed until the end. */
bool multipart_init(struct multipart *m, const char *content_type,
    const struct multipart_events *events, void *ctx, struct err *e) MUSTCHECK;
bool multipart_push(
    struct multipart *m, const char *p, size_t n, struct err *e) MUSTCHECK;
/* No more bytes: ERR_INVALID unless the closing delimiter was seen. */
bool multipart_end(struct multipart *m, struct err *e) MUSTCHECK;

#endif
