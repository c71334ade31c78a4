/*
 * Versions of documents over HTTP (RFC 9110 8.8.3, 13.1.1): ETag tells one,
 * If-Match says which ones a change is meant for, so that of two who edit the
 * same document the second learns of the first.
 *
 * A version here is of what people edit.  It is no validator of the bytes of
 * an answer, which no cache may keep anyway.
 */
#ifndef AFTERWORK_HTTP_VERSION_H
#define AFTERWORK_HTTP_VERSION_H

#include "common/base/buf.h"
#include "common/http/req.h"
#include "common/http/res.h"

/*
 * The versions of If-Match as an array literal, appended to ret; *ret_any when
 * any will do: there is no such header, or it is a star.  A weak tag matches
 * nothing.  ERR_INVALID: it is no list of entity tags.
 */
bool version_wanted(const struct req *r, struct buf *ret, bool *ret_any,
    struct err *e) MUSTCHECK;

/* Does If-Match want this version?  True, too, when any will do.  The same
 * errors. */
bool version_is_wanted(const struct req *r, const char *version, bool *ret,
    struct err *e) MUSTCHECK;

/* ETag: "version". */
bool version_show(
    struct res *res, const char *version, struct err *e) MUSTCHECK;

#endif
