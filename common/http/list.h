/*
 * A list over HTTP: limit, page and sort from the query, and the ten fields
 * around the documents, as Payload has them.
 */
#ifndef AFTERWORK_HTTP_LIST_H
#define AFTERWORK_HTTP_LIST_H

#include "common/base/buf.h"
#include "common/http/req.h"
#include "common/site/list.h"

enum {
	LIST_LIMIT_DEFAULT = 10,
	LIST_LIMIT_MAX = 1000, /* also what limit=0 and pagination=false mean:
				  all that one answer holds */
};

struct list_query {
	int64_t limit;
	int64_t page;
	struct list_range range;
};

/* ERR_INVALID names the parameter: limit 0..1000, page from 1, sort one of
 * id, -id, createdAt, -createdAt; others are unknown here and ignored. */
bool list_query(
    const struct req *r, struct list_query *ret, struct err *e) MUSTCHECK;

struct res;

/* The page around docs, which is a JSON array as text: the answer. */
bool list_page(struct res *res, const struct list_query *q,
    const struct buf *docs, int64_t total, struct err *e) MUSTCHECK;

/* {"totalDocs": total}: the answer of a collection's /count. */
bool list_count(struct res *res, int64_t total, struct err *e) MUSTCHECK;

#endif
