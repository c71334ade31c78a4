/*
 * Pages: {"id", "title", "slug", "layout": [block, …], "createdAt",
 * "updatedAt"}.  SQL, no HTTP.
 *
 * A gallery block reads {"id", "blockType": "gallery", …, "autoSyncMedia":
 * bool, "images": […], "imagesAsOf": text}; images are ids at depth 0 and
 * media documents from depth 1.  It is written with ids or documents.
 *
 * What a write means.  title, slug and layout each stay as they are when not
 * sent; a layout of null is an empty one.  A layout replaces the old one.  A
 * gallery block without images (or with null) keeps the pictures it has, one
 * without autoSyncMedia its switch (false when new).  With images, the list is
 * the truth, except:
 *
 * No lost update.  imagesAsOf is the database snapshot of the read that the
 * block came from.  A block that is sent back with it removes a picture only
 * if that read could have shown it.  A picture that an upload's job put in
 * since then stays, behind the list.  Without imagesAsOf nothing is known of
 * what the writer saw, and every picture that is not in the list goes.  A
 * value that is no snapshot is ERR_INVALID.
 *
 * Versions.  updatedAt is the version of what people edit: it grows with each
 * write, by a millisecond at least, and stands still when a job adds a picture.
 * A write may say which version it is meant for: updatedAt in its body
 * (ERR_CONFLICT when it is another one), or a list of them (if_match,
 * ERR_VERSION).  Then nothing is changed.
 *
 * Back-fill.  A gallery takes pictures that come after autoSyncMedia is on.
 * With backfill one that is switched on by this write gets all that are there,
 * too, behind those that it has, the oldest first; and none is missed in
 * between.
 *
 * ERR_INVALID names the field: an unknown picture, the same picture twice in
 * a gallery, the same block id twice, a slug in use, a wrong type.
 */
#ifndef AFTERWORK_SITE_PAGE_H
#define AFTERWORK_SITE_PAGE_H

#include "common/base/buf.h"
#include "common/link/filter.h"

struct db;
struct json_object;

#define PAGE_LIST_BYTES 16777216 /* a number for SQL, too */

enum {
	PAGE_TITLE_MAX = 200, /* characters */
	PAGE_SLUG_MAX = 200,  /* bytes */
	PAGE_IMAGES_MAX = 20000,
	PAGE_ANSWER_BYTES = 32 * 1024 * 1024,
	PAGE_VERSION_MAX = 32, /* bytes of a version as text, with its end */
};

struct page_view {
	int64_t depth;
	const char *server_url;      /* borrowed; before the URLs of media */
	const struct filter *select; /* borrowed; NULL: whole documents */
};

/* How a change is meant. */
struct page_how {
	const char
	    *if_match; /* borrowed, an array literal; NULL: any version */
	bool backfill;
};

/* One document: JSON text, and the version that it shows. */
struct page_doc {
	struct buf json;
	char version[PAGE_VERSION_MAX];
};
#define PAGE_DOC_INIT            \
	{                        \
		.json = BUF_INIT \
	}
void page_doc_release(struct page_doc *doc);
#define AUTO_PAGE_DOC CLEANUP(page_doc_release) struct page_doc

/* A change as it was sent, which may be made to several pages.  *ret is given;
 * texts are borrowed from body, whose layout is taken apart. */
struct page_change;
bool page_change_open(struct json_object *body, struct page_change **ret,
    struct err *e) MUSTCHECK;
void page_change_free(struct page_change **pc);
#define AUTO_PAGE_CHANGE CLEANUP(page_change_free) struct page_change

/* A document is appended to ret->json. */
bool page_create(struct db *db, const struct page_change *pc,
    const struct page_how *how, const struct page_view *view,
    struct page_doc *ret, struct err *e) MUSTCHECK;
bool page_update(struct db *db, int64_t id, const struct page_change *pc,
    const struct page_how *how, const struct page_view *view,
    struct page_doc *ret, struct err *e) MUSTCHECK;
bool page_get(struct db *db, int64_t id, const struct page_view *view,
    struct page_doc *ret, struct err *e) MUSTCHECK;
/* The page as it was. */
bool page_delete(struct db *db, int64_t id, const struct page_how *how,
    const struct page_view *view, struct page_doc *ret,
    struct err *e) MUSTCHECK;

/*
 * An array of documents, and how many there are in all (site/total.h).  One
 * round trip for the pages, and with a depth one for their media.  Of several
 * pages together at most PAGE_LIST_BYTES are read and PAGE_IMAGES_MAX
 * pictures looked up, and the answer ends at PAGE_ANSWER_BYTES: beyond, it is
 * ERR_INVALID that names "limit".
 */
bool page_list(struct db *db, const struct filter *f,
    const struct page_view *view, struct buf *ret_docs, int64_t *ret_total,
    struct err *e) MUSTCHECK;
bool page_count(struct db *db, const struct filter *f, int64_t *ret,
    struct err *e) MUSTCHECK;
/* The ids of all that meet the conditions, at most max of them, in order:
 * *ret is given. */
bool page_ids(struct db *db, const struct filter *f, int64_t max,
    struct db_rows **ret, struct err *e) MUSTCHECK;

#endif
