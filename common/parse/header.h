/* Header values: pure functions of bytes. */
#ifndef AFTERWORK_PARSE_HEADER_H
#define AFTERWORK_PARSE_HEADER_H

#include "common/base/err.h"

/* Bytes of the token (RFC 9110 5.6.2) that s begins with; 0 when none. */
size_t header_token(const char *s);

/*
 * Authorization (RFC 9110 11.4): scheme, one or more spaces, then the rest.
 * On true *ret_rest/_n borrow the rest, which is not empty.  scheme is
 * compared without case.  value may be NULL here and below: false.
 */
bool header_scheme(const char *value, const char *scheme, const char **ret_rest,
    size_t *ret_n);

/* token68: 1..max bytes of ALPHA DIGIT -._~+/ and trailing '='. */
bool header_token68(const char *p, size_t n, size_t max);

/* Value of one cookie of a Cookie header: borrowed; false when absent or
 * there twice. */
bool header_cookie(
    const char *value, const char *name, const char **ret, size_t *ret_n);

/*
 * A parameter of "type/subtype; a=b; c=\"d\"" (RFC 2045 quoting), copied to
 * ret (max bytes with the NUL).  false: absent, there twice, longer than
 * max - 1, or the value is not well-formed.
 */
bool header_parameter(
    const char *value, const char *name, char *ret, size_t max);

enum header_found {
	HEADER_ABSENT, /* well-formed, without the parameter */
	HEADER_FOUND,
	HEADER_BAD, /* there twice, too long or not well-formed */
};

/*
 * The same as forms write it: a backslash escapes a quote and a backslash
 * and is itself before all else, as browsers send "C:\dir\name" unescaped.
 */
enum header_found header_form_parameter(
    const char *value, const char *name, char *ret, size_t max);

/*
 * The next entity tag of a list (RFC 9110 8.8.3: "a", W/"b"), from *at, which
 * moves behind it; *ret borrows what its quotes hold.  HEADER_ABSENT: the list
 * is over.  HEADER_BAD: what is there is no list of entity tags.
 */
enum header_found header_etag(
    const char **at, bool *ret_weak, const char **ret, size_t *ret_n);

/* The media type in front of the parameters, lower case; false when it is
 * longer than max-1 or has no slash. */
bool header_media_type(const char *value, char *ret, size_t max);

#endif
