/*
 * application/x-www-form-urlencoded text and percent-decoding (WHATWG URL
 * form parsing, strict): pure, no I/O.
 */
#ifndef AFTERWORK_PARSE_QUERY_H
#define AFTERWORK_PARSE_QUERY_H

#include "common/base/err.h"

enum { QUERY_PAIRS_MAX = 1000, QUERY_BYTES_MAX = 64 * 1024 };

struct query_pair {
	const char *name;
	const char *value;
}; /* decoded */

struct query {
	char *text;               /* owned: what the pairs point into */
	struct query_pair *pairs; /* owned, in the order sent */
	size_t npairs;
};

/* Parse n bytes ("a=1&b=%20").  ERR_INVALID: a bad percent escape, a NUL,
 * invalid UTF-8, too many pairs or bytes. */
bool query_parse(
    const char *p, size_t n, struct query *ret, struct err *e) MUSTCHECK;
void query_release(struct query *q);
/* The first value of name, or NULL. */
const char *query_get(const struct query *q, const char *name);

/* Decode a path in place ("%2F" stays an error: ERR_INVALID), NUL-terminated;
 * '+' is a plus here. */
bool query_decode_path(char *path, struct err *e) MUSTCHECK;

/* Is it well-formed UTF-8 (no surrogates, no overlong forms)? */
bool utf8_valid(const char *p, size_t n);

#endif
