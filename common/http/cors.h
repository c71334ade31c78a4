/*
 * Which other sites' pages may read answers: CORS_ORIGINS, a list of origins
 * ("https://app.example.com", with the port where it is not the usual one),
 * separated by commas or spaces.  Unset: none, and no header says a word.
 *
 * A listed origin may send credentials.  "*" lets everybody else read what is
 * public, never with credentials.  Whoever a browser lets read is not thereby
 * let in: every call is authenticated as without an Origin, and a cookie still
 * changes things from the same origin only.
 */
#ifndef AFTERWORK_HTTP_CORS_H
#define AFTERWORK_HTTP_CORS_H

#include "common/base/buf.h"

struct req;

/* ERR_INVALID: CORS_ORIGINS holds something that is no origin. */
bool cors_check(struct err *e) MUSTCHECK;

/* Is any other site let in? */
bool cors_enabled(void);

/* Append the header lines that the answer to r needs; those of a preflight,
 * too, when r is one (OPTIONS).  r may be one that req_init() refused. */
void cors_head(const struct req *r, struct buf *ret);

#endif
