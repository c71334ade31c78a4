#include "common/site/page.h"

#include <stdlib.h>
#include <string.h>

#include "common/link/db.h"
#include "common/link/js.h"
#include "common/base/arg.h"
#include "common/site/layout.h"
#include "common/site/text.h"

/* What a body asks for; texts are borrowed from it. */
struct change {
	const char *title; /* NULL: as it is */
	const char *slug;
	bool has_layout;
	struct buf layout;    /* as JSON text, without galleries */
	struct buf galleries; /* as JSON text; see layout_split() */
};

static void
change_release(struct change *c)
{
	buf_release(&c->layout);
	buf_release(&c->galleries);
}

struct page_change {
	struct change change;
};

#define CHANGE_INIT                                       \
	{                                                 \
		.layout = BUF_INIT, .galleries = BUF_INIT \
	}
#define AUTO_CHANGE CLEANUP(change_release) struct change

static bool
change_texts(struct json_object *body, struct change *c, struct err *e)
{
	if (!js_text(body, "title", NULL, &c->title, e) ||
	    !js_text(body, "slug", NULL, &c->slug, e))
		return false;
	if (c->title != NULL &&
	    (c->title[0] == '\0' || text_chars(c->title) > PAGE_TITLE_MAX))
		return err_field(e, "title", "A title has 1 to %d characters.",
		    PAGE_TITLE_MAX);
	if (c->slug != NULL &&
	    (c->slug[0] == '\0' || strlen(c->slug) > PAGE_SLUG_MAX))
		return err_field(
		    e, "slug", "A slug has 1 to %d bytes.", PAGE_SLUG_MAX);
	return true;
}

static bool
change_read(struct json_object *body, struct change *c, struct err *e)
{
	struct json_object *layout = js_get(body, "layout");
	AUTO_JS *galleries = NULL;

	if (!change_texts(body, c, e))
		return false;
	if (layout == NULL)
		return true;
	if (!layout_split(layout, &galleries, e))
		return false;
	c->has_layout = true;
	js_print(layout, &c->layout);
	js_print(galleries, &c->galleries);
	return buf_ok(&c->layout, e) && buf_ok(&c->galleries, e);
}

static const char SQL_PAGE_SAVE[] =
    "SELECT site.page_save($1::bigint, $2::text, $3::text, $4::jsonb,"
    " $5::jsonb)";

/* id 0: a new page. */
static bool
change_save(struct db *db, int64_t id, const struct change *c, int64_t *ret_id,
    struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "page_save", SQL_PAGE_SAVE, 5,
		(const char *const[]){ id == 0 ? NULL : arg_int(id).s, c->title,
		    c->slug, c->has_layout ? c->layout.data : NULL,
		    c->has_layout ? c->galleries.data : NULL },
		&rows, e)) {
		/* The only unique value of a client's that gets this far. */
		if (e->code == ERR_CONFLICT)
			return err_field(e, "slug", "Value must be unique");
		return false;
	}
	*ret_id = db_int(rows, 0, 0);
	return true;
}

bool
page_create(struct db *db, struct json_object *body,
    const struct page_view *view, struct buf *ret_doc, struct err *e)
{
	AUTO_CHANGE c = CHANGE_INIT;
	int64_t id = 0;

	if (!change_read(body, &c, e))
		return false;
	if (c.title == NULL)
		return err_field(e, "title", "This field is required.");
	if (c.slug == NULL)
		return err_field(e, "slug", "This field is required.");
	return change_save(db, 0, &c, &id, e) &&
	       page_get(db, id, view, ret_doc, e);
}

bool
page_update(struct db *db, int64_t id, struct json_object *body,
    const struct page_view *view, struct buf *ret_doc, struct err *e)
{
	AUTO_CHANGE c = CHANGE_INIT;
	int64_t same = 0;

	return change_read(body, &c, e) && change_save(db, id, &c, &same, e) &&
	       page_get(db, id, view, ret_doc, e);
}

/* A gallery's places are one page's own, but what a body says of them is the
 * same for all: it is read once. */
bool
page_change_open(
    struct json_object *body, struct page_change **ret, struct err *e)
{
	struct page_change *pc = calloc(1, sizeof(*pc));
	struct change c = CHANGE_INIT;

	if (pc == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	pc->change = c;
	if (change_read(body, &pc->change, e)) {
		*ret = pc;
		return true;
	}
	page_change_free(&pc);
	return false;
}

void
page_change_free(struct page_change **pc)
{
	if (*pc != NULL)
		change_release(&(*pc)->change);
	free(*pc);
	*pc = NULL;
}

bool
page_change_apply(struct db *db, int64_t id, const struct page_change *pc,
    const struct page_view *view, struct buf *ret_doc, struct err *e)
{
	int64_t same = 0;

	return change_save(db, id, &pc->change, &same, e) &&
	       page_get(db, id, view, ret_doc, e);
}

static const char SQL_PAGE_DELETE[] = "SELECT site.page_delete($1::bigint)";

bool
page_delete(struct db *db, int64_t id, const struct page_view *view,
    struct buf *ret_doc, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!page_get(db, id, view, ret_doc, e) ||
	    !db_query(db, "page_delete", SQL_PAGE_DELETE, 1,
		(const char *const[]){ arg_int(id).s }, &rows, e))
		return false;
	if (!db_bool(rows, 0, 0))
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	return true;
}
