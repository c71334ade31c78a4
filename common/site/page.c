#include "common/site/page.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/link/js.h"
#include "common/site/layout.h"
#include "common/site/text.h"

struct page_change {
	const char *title; /* NULL: as it is; borrowed, as all texts */
	const char *slug;
	const char *known; /* the version that was edited; NULL: not said */
	bool has_layout;
	struct buf layout;    /* as JSON text, without galleries */
	struct buf galleries; /* as JSON text; see layout_split() */
};

void
page_change_free(struct page_change **pc)
{
	if (*pc != NULL) {
		buf_release(&(*pc)->layout);
		buf_release(&(*pc)->galleries);
	}
	free(*pc);
	*pc = NULL;
}

void
page_doc_release(struct page_doc *doc)
{
	buf_release(&doc->json);
}

/* ---- read ---- */

/* A text that may be left out, but is not to be nothing. */
static bool
read_text(
    struct json_object *body, const char *key, const char **ret, struct err *e)
{
	if (!js_text(body, key, NULL, ret, e))
		return false;
	if (js_has(body, key) && (*ret == NULL || (*ret)[0] == '\0'))
		return err_field(e, key, "This field is required.");
	return true;
}

static bool
read_texts(struct json_object *body, struct page_change *c, struct err *e)
{
	if (!read_text(body, "title", &c->title, e) ||
	    !read_text(body, "slug", &c->slug, e))
		return false;
	if (c->title != NULL && text_chars(c->title) > PAGE_TITLE_MAX)
		return err_field(e, "title", "A title has 1 to %d characters.",
		    PAGE_TITLE_MAX);
	if (c->slug != NULL && strlen(c->slug) > PAGE_SLUG_MAX)
		return err_field(
		    e, "slug", "A slug has 1 to %d bytes.", PAGE_SLUG_MAX);
	return true;
}

/* 2026-07-20T12:34:56.789Z, as every document shows it. */
static bool
is_version(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	size_t i = 0;

	while (s[i] != '\0' && form[i] != '\0' &&
	       (form[i] == 'd' ? s[i] >= '0' && s[i] <= '9' : s[i] == form[i]))
		i++;
	return s[i] == '\0' && form[i] == '\0';
}

static bool
read_known(struct json_object *body, struct page_change *c, struct err *e)
{
	if (!js_text(body, "updatedAt", NULL, &c->known, e))
		return false;
	if (c->known != NULL && !is_version(c->known))
		return err_field(e, "updatedAt",
		    "This is not a time that a page was read with.");
	return true;
}

static bool
read_layout(struct json_object *body, struct page_change *c, struct err *e)
{
	AUTO_JS *none = js_new_array();
	AUTO_JS *galleries = NULL;
	struct json_object *layout = js_get(body, "layout");

	c->has_layout = js_has(body, "layout");
	if (!c->has_layout)
		return true;
	if (layout == NULL)
		layout = none;
	if (!layout_split(layout, &galleries, e))
		return false;
	js_print(layout, &c->layout);
	js_print(galleries, &c->galleries);
	return buf_ok(&c->layout, e) && buf_ok(&c->galleries, e);
}

bool
page_change_open(
    struct json_object *body, struct page_change **ret, struct err *e)
{
	AUTO_PAGE_CHANGE *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	c->layout = c->galleries = (struct buf)BUF_INIT;
	if (!read_texts(body, c, e) || !read_known(body, c, e) ||
	    !read_layout(body, c, e))
		return false;
	*ret = c;
	c = NULL;
	return true;
}

/* ---- stored ---- */

/* What the functions in schema/site/api/page.sql say came of it. */
static bool
outcome_ok(const char *outcome, struct err *e)
{
	if (strcmp(outcome, "ok") == 0)
		return true;
	if (strcmp(outcome, "missing") == 0)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	if (strcmp(outcome, "unmatched") == 0)
		return err_fail(e, ERR_VERSION,
		    "The page is not in the version that If-Match names. Read "
		    "it again.");
	return err_fail(e, ERR_CONFLICT,
	    "The page was changed since it was read. Read it again.");
}

static const char SQL_PAGE_SAVE[] =
    "SELECT s.outcome, s.saved FROM site.page_save($1::bigint, $2::text,"
    " $3::text, $4::jsonb, $5::jsonb, $6::text[], $7::text, $8::boolean) AS s";

/* id 0: a new page. */
static bool
save(struct db *db, int64_t id, const struct page_change *c,
    const struct page_how *how, int64_t *ret_id, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "page_save", SQL_PAGE_SAVE, 8,
		(const char *const[]){ id == 0 ? NULL : arg_int(id).s, c->title,
		    c->slug, c->has_layout ? c->layout.data : NULL,
		    c->has_layout ? c->galleries.data : NULL, how->if_match,
		    c->known, how->backfill ? "true" : "false" },
		&rows, e)) {
		/* The only unique value of a client's that gets this far. */
		if (e->code == ERR_CONFLICT)
			return err_field(e, "slug", "Value must be unique");
		return false;
	}
	if (!outcome_ok(db_text(rows, 0, 0), e))
		return false;
	*ret_id = db_int(rows, 0, 1);
	return true;
}

bool
page_create(struct db *db, const struct page_change *pc,
    const struct page_how *how, const struct page_view *view,
    struct page_doc *ret, struct err *e)
{
	int64_t id = 0;

	if (pc->title == NULL)
		return err_field(e, "title", "This field is required.");
	if (pc->slug == NULL)
		return err_field(e, "slug", "This field is required.");
	return save(db, 0, pc, how, &id, e) && page_get(db, id, view, ret, e);
}

bool
page_update(struct db *db, int64_t id, const struct page_change *pc,
    const struct page_how *how, const struct page_view *view,
    struct page_doc *ret, struct err *e)
{
	int64_t same = 0;

	return save(db, id, pc, how, &same, e) &&
	       page_get(db, id, view, ret, e);
}

static const char SQL_PAGE_DELETE[] =
    "SELECT site.page_delete($1::bigint, $2::text[])";

bool
page_delete(struct db *db, int64_t id, const struct page_how *how,
    const struct page_view *view, struct page_doc *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	return page_get(db, id, view, ret, e) &&
	       db_query(db, "page_delete", SQL_PAGE_DELETE, 2,
		   (const char *const[]){ arg_int(id).s, how->if_match }, &rows,
		   e) &&
	       outcome_ok(db_text(rows, 0, 0), e);
}
