#include "common/http/list.h"

#include <string.h>

#include "common/http/res.h"
#include "common/link/js.h"
#include "common/link/js_tree.h"

static const int64_t PAGE_MAX = INT64_C(1000000000);

void
list_query_release(struct list_query *q)
{
	filter_release(&q->filter);
}

/* ---- where ---- */

static bool
where_tree(const struct req *r, struct tree *ret, struct err *e)
{
	AUTO_TREE said = { 0 };

	if (!tree_query(&r->query, "where", &said, e))
		return false;
	if (said.root != NULL && said.root->kind == TREE_TEXT &&
	    said.root->text[0] != '\0')
		return js_tree(
		    "where", said.root->text, strlen(said.root->text), ret, e);
	*ret = said;
	said = (struct tree){ 0 };
	return true;
}

bool
list_where(const struct req *r, struct filter *ret, struct err *e)
{
	return where_tree(r, &ret->where_tree, e) &&
	       where_parse(ret->where_tree.root, &ret->where, e);
}

/* ---- sort ---- */

static bool
bad_sort(struct err *e)
{
	return err_field(e, "sort",
	    "Sort by names of fields, such as "
	    "-createdAt,title.");
}

static bool
add_sort(const struct tree_node *node, struct buf *text)
{
	if (!tree_is_scalar(node) || node->text[0] == '\0')
		return false;
	if (text->len > 0)
		buf_addc(text, ',');
	buf_adds(text, node->text);
	return true;
}

bool
list_sort(const struct req *r, struct filter *ret, struct err *e)
{
	AUTO_TREE said = { 0 };
	AUTO_BUF text = BUF_INIT;
	const struct tree_node *one;

	if (!tree_query(&r->query, "sort", &said, e))
		return false;
	if (said.root == NULL)
		return true;
	if (tree_is_scalar(said.root)) {
		if (!add_sort(said.root, &text))
			return bad_sort(e);
	} else {
		for (one = said.root->first; one != NULL; one = one->next)
			if (!tree_is_list(said.root) || !add_sort(one, &text))
				return bad_sort(e);
	}
	if (!buf_ok(&text, e))
		return false;
	ret->sort = buf_steal(&text);
	return true;
}

/* ---- select ---- */

bool
list_select(const struct req *r, struct filter *ret, struct err *e)
{
	return tree_query(&r->query, "select", &ret->select_tree, e) &&
	       filter_select(ret, e);
}

/* ---- the page ---- */

bool
list_depth(const struct req *r, int64_t *ret, struct err *e)
{
	return req_query_int(
	    r, "depth", LIST_DEPTH_DEFAULT, 0, LIST_DEPTH_MAX, ret, e);
}

static bool
take_page(const struct req *r, struct list_query *q, struct err *e)
{
	bool pages = true;

	if (!req_query_bool(r, "pagination", true, &pages, e) ||
	    !req_query_int(r, "limit", pages ? LIST_LIMIT_DEFAULT : 0, 0,
		LIST_LIMIT_MAX, &q->limit, e) ||
	    !req_query_int(r, "page", 1, 1, PAGE_MAX, &q->page, e))
		return false;
	q->paged = pages && q->limit > 0;
	if (!q->paged)
		q->page = 1;
	q->filter.limit = q->limit > 0 ? q->limit : LIST_LIMIT_MAX;
	q->filter.offset = (q->page - 1) * q->filter.limit;
	return true;
}

bool
list_query(const struct req *r, struct list_query *ret, struct err *e)
{
	AUTO_LIST q = { 0 };

	if (!take_page(r, &q, e) || !list_depth(r, &q.depth, e) ||
	    !list_where(r, &q.filter, e) || !list_sort(r, &q.filter, e) ||
	    !list_select(r, &q.filter, e))
		return false;
	*ret = q;
	q = (struct list_query){ 0 };
	return true;
}

/* What stands around the documents.  Where no pages were asked for there is no
 * next one, or who follows them would read the same again and again; totalDocs
 * then tells of documents beyond what one answer holds, but not, as in Payload,
 * beyond a limit that was asked for. */
static struct json_object *
page_fields(const struct list_query *q, int64_t total)
{
	struct json_object *o = js_new_object();
	int64_t pages = 1;
	bool next;
	bool prev = q->page > 1;

	if (!q->paged && q->limit > 0 && total > q->limit)
		total = q->limit;
	if (q->paged && total > 0)
		pages = (total + q->limit - 1) / q->limit;
	next = pages > q->page;
	js_set_bool(o, "hasNextPage", next);
	js_set_bool(o, "hasPrevPage", prev);
	js_set_int(o, "limit", q->limit);
	js_set(o, "nextPage", next ? js_new_int(q->page + 1) : NULL);
	js_set_int(o, "page", q->page);
	js_set_int(o, "pagingCounter", q->filter.offset + 1);
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
