#include "common/site/page_images.h"

#include <stdlib.h>

#include "common/link/db.h"
#include "common/link/js.h"

void
page_images_release(struct page_images *p)
{
	if (p->rows != NULL)
		media_docs_keep(p->rows, p->server_url);
	free(p->list);
	db_rows_free(p->rows);
}

static int
by_id(const void *a, const void *b)
{
	const struct media_doc *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* ---- in ---- */

static bool
room_for(struct page_images *p, size_t n)
{
	size_t cap = 2 * (p->n + n);
	struct media_doc *list;

	if (p->n + n <= p->cap)
		return true;
	list = realloc(p->list, cap * sizeof(*list));
	if (list == NULL)
		return false;
	p->list = list;
	p->cap = cap;
	return true;
}

static bool
gather_gallery(const char *block UNUSED, struct json_object *v, void *ctx)
{
	struct page_images *p = ctx;
	struct json_object *images = js_get(v, "images");
	size_t n = js_len(images);

	if (!room_for(p, n))
		return false;
	for (size_t i = 0; i < n; i++)
		p->list[p->n++] =
		    (struct media_doc){ .id = js_int_of(js_at(images, i)) };
	return true;
}

bool
page_images_gather(
    struct page_images *p, struct json_object *galleries, struct err *e)
{
	if (js_each(galleries, gather_gallery, p))
		return true;
	return err_fail(e, ERR_UNAVAILABLE, "out of memory");
}

/* ---- look up ---- */

static void
sort_once(struct page_images *p)
{
	size_t n = 0;

	qsort(p->list, p->n, sizeof(*p->list), by_id);
	for (size_t i = 1; i < p->n; i++)
		if (p->list[i].id != p->list[n].id)
			p->list[++n] = p->list[i];
	p->n = n + 1;
}

bool
page_images_load(
    struct page_images *p, struct db *db, const char *server_url, struct err *e)
{
	if (p->n == 0)
		return true;
	sort_once(p);
	p->server_url = server_url;
	return media_docs(db, p->list, p->n, server_url, &p->rows, e);
}

/* ---- out ---- */

static void
add_image(struct buf *text, const struct page_images *p, int64_t id)
{
	struct media_doc want = { .id = id };
	const struct media_doc *doc =
	    bsearch(&want, p->list, p->n, sizeof(want), by_id);

	if (doc == NULL || doc->text == NULL)
		return;
	if (text->len > 1)
		buf_addc(text, ',');
	buf_add(text, doc->text, doc->n);
}

static bool
fill_gallery(const char *block UNUSED, struct json_object *v, void *ctx)
{
	struct json_object *images = js_get(v, "images"), *docs;
	AUTO_BUF text = BUF_INIT;

	buf_addc(&text, '[');
	for (size_t i = 0; i < js_len(images); i++)
		add_image(&text, ctx, js_int_of(js_at(images, i)));
	buf_addc(&text, ']');
	docs = js_new_raw(&text);
	if (docs == NULL)
		return false;
	js_set(v, "images", docs);
	return true;
}

bool
page_images_fill(
    const struct page_images *p, struct json_object *galleries, struct err *e)
{
	struct page_images view = *p;

	if (js_each(galleries, fill_gallery, &view))
		return true;
	return err_fail(e, ERR_UNAVAILABLE, "out of memory");
}
