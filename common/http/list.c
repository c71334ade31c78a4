#include "common/http/list.h"

#include <string.h>

#include "common/http/res.h"
#include "common/link/js.h"

static const char *const SORTS[LIST_SORTS] = {
	[LIST_NEWEST] = "-createdAt",
	[LIST_OLDEST] = "createdAt",
	[LIST_BY_ID] = "id",
	[LIST_BY_ID_DOWN] = "-id",
};

static const int64_t PAGE_MAX = INT64_C(1000000000);

static bool
sort_parse(const char *text, enum list_sort *ret, struct err *e)
{
	for (int i = 0; i < LIST_SORTS; i++)
		if (strcmp(text, SORTS[i]) == 0) {
			*ret = (enum list_sort)i;
			return true;
		}
	return err_field(
	    e, "sort", "Sort by id or createdAt, downwards with - in front.");
}

bool
list_query(const struct req *r, struct list_query *ret, struct err *e)
{
	struct list_query q = { .limit = LIST_LIMIT_DEFAULT, .page = 1 };
	bool pages = true;

	if (!req_query_int(r, "limit", LIST_LIMIT_DEFAULT, 0, LIST_LIMIT_MAX,
		&q.limit, e) ||
	    !req_query_int(r, "page", 1, 1, PAGE_MAX, &q.page, e) ||
	    !req_query_bool(r, "pagination", true, &pages, e) ||
	    !sort_parse(
		req_query(r, "sort", SORTS[LIST_NEWEST]), &q.range.sort, e))
		return false;
	if (q.limit == 0 || !pages)
		q.limit = LIST_LIMIT_MAX;
	q.range.limit = q.limit;
	q.range.offset = (q.page - 1) * q.limit;
	*ret = q;
	return true;
}

/* What stands around the documents. */
static struct json_object *
page_fields(const struct list_query *q, int64_t total)
{
	struct json_object *o = js_new_object();
	int64_t pages = total == 0 ? 1 : (total + q->limit - 1) / q->limit;
	bool next = pages > q->page;
	bool prev = q->page > 1;

	js_set_bool(o, "hasNextPage", next);
	js_set_bool(o, "hasPrevPage", prev);
	js_set_int(o, "limit", q->limit);
	js_set(o, "nextPage", next ? js_new_int(q->page + 1) : NULL);
	js_set_int(o, "page", q->page);
	js_set_int(o, "pagingCounter", q->range.offset + 1);
	js_set(o, "prevPage", prev ? js_new_int(q->page - 1) : NULL);
	js_set_int(o, "totalDocs", total);
	js_set_int(o, "totalPages", pages);
	return o;
}

/* The documents are put in as they are: what the database holds may be
 * deeper, or have longer numbers, than what is taken from a client. */
bool
list_page(struct res *res, const struct list_query *q, const struct buf *docs,
    int64_t total, struct err *e)
{
	AUTO_JS *fields = page_fields(q, total);
	AUTO_BUF rest = BUF_INIT;

	js_print(fields, &rest);
	if (!buf_ok(docs, e) || !buf_ok(&rest, e) ||
	    !res_json_text(res, 200, "{\"docs\":", 8, e))
		return false;
	buf_add(&res->body, docs->data, docs->len);
	buf_addc(&res->body, ',');
	buf_add(&res->body, rest.data + 1, rest.len - 1);
	return buf_ok(&res->body, e);
}

bool
list_count(struct res *res, int64_t total, struct err *e)
{
	struct json_object *o = js_new_object();

	js_set_int(o, "totalDocs", total);
	return res_json(res, 200, o, e);
}
