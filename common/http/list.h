/*
 * A list over HTTP: where, sort, select, limit and page from the query, and
 * the ten fields around the documents, as Payload has them.
 *
 *	where   in brackets (where[title][equals]=x) or as JSON text
 *	sort    "-createdAt,title", or several times
 *	select  select[title]=true: these fields and the id; =false: all others;
 *		parts of a field are not cut out (link/filter.h)
 *	limit   up to LIST_LIMIT_MAX; 0 as pagination=false: all, on one page
 *
 * Which fields there are is the collection's to say (link/filter.h).
 */
#ifndef AFTERWORK_HTTP_LIST_H
#define AFTERWORK_HTTP_LIST_H

#include "common/base/buf.h"
#include "common/http/req.h"
#include "common/link/filter.h"

enum {
	LIST_LIMIT_DEFAULT = 10,
	LIST_LIMIT_MAX = 1000, /* also what limit=0 and pagination=false mean:
				  all that one answer holds */
	LIST_DEPTH_MAX = 10,
	LIST_DEPTH_DEFAULT = 2,
};

struct list_query {
	int64_t limit; /* as asked; 0: what one answer holds */
	int64_t page;
	int64_t depth;
	bool paged; /* false: pagination=false, or limit=0: one page */
	struct filter filter;
};

void list_query_release(struct list_query *q);
#define AUTO_LIST CLEANUP(list_query_release) struct list_query

/* ERR_INVALID names the parameter, ERR_QUERY the path; parameters of other
 * names are ignored.  *ret borrows from r. */
bool list_query(
    const struct req *r, struct list_query *ret, struct err *e) MUSTCHECK;

/* The where of a count. */
bool list_where(
    const struct req *r, struct filter *ret, struct err *e) MUSTCHECK;
bool list_sort(
    const struct req *r, struct filter *ret, struct err *e) MUSTCHECK;
/* The select of one document. */
bool list_select(
    const struct req *r, struct filter *ret, struct err *e) MUSTCHECK;
bool list_depth(const struct req *r, int64_t *ret, struct err *e) MUSTCHECK;

struct res;

/* The page around docs, which is a JSON array as text: the answer. */
bool list_page(struct res *res, const struct list_query *q,
    const struct buf *docs, int64_t total, struct err *e) MUSTCHECK;

/* {"totalDocs": total}: the answer of a collection's /count. */
bool list_count(struct res *res, int64_t total, struct err *e) MUSTCHECK;

#endif
