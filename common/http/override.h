/*
 * A GET whose query does not fit into a URL, sent as a POST: with the header
 * X-Payload-HTTP-Method-Override: GET (or X-HTTP-Method-Override) the body is
 * the query, as application/x-www-form-urlencoded or as JSON.  In JSON "where"
 * is the filter itself, other objects are what brackets mean in a query
 * ({"select":{"title":true}} is select[title]=true), a list is the name again
 * for each entry, null is left out.
 *
 * Only GET can be asked for: no header turns a harmless method into another.
 */
#ifndef AFTERWORK_HTTP_OVERRIDE_H
#define AFTERWORK_HTTP_OVERRIDE_H

#include "common/http/req.h"

/* Turn r into the GET that it stands for; any other request stays as it is.
 * ERR_INVALID or ERR_TOO_LARGE: the body is no query. */
bool override_apply(struct req *r, struct err *e) MUSTCHECK;

#endif
