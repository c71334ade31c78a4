/*
 * Pages: {"id", "title", "slug", "layout": [block, …], "createdAt",
 * "updatedAt"}.  SQL, no HTTP.
 *
 * A gallery block reads {"id", "blockType": "gallery", …, "autoSyncMedia":
 * bool, "images": […], "imagesAsOf": text}; images are ids at depth 0 and
 * media documents from depth 1.  It is written with ids or documents.
 *
 * What a write means.  title, slug and layout each stay as they are when not
 * sent.  A layout replaces the old one.  A gallery block without images (or
 * with null) keeps the pictures it has, one without autoSyncMedia its switch
 * (false when new).  With images, the list is the truth, except:
 *
 * No lost update.  imagesAsOf is the database snapshot of the read that the
 * block came from.  A block that is sent back with it removes a picture only
 * if that read could have shown it.  A picture that an upload's job put in
 * since then stays, behind the list.  Without imagesAsOf nothing is known of
 * what the writer saw, and every picture that is not in the list goes.  A
 * value that is no snapshot is ERR_INVALID.
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
};

struct page_view {
	int64_t depth;
	const char *server_url;      /* borrowed; before the URLs of media */
	const struct filter *select; /* borrowed; NULL: whole documents */
};

/* Documents are JSON text, appended to *ret_doc.  body is changed (its layout
 * is taken apart). */
bool page_create(struct db *db, struct json_object *body,
    const struct page_view *view, struct buf *ret_doc, struct err *e) MUSTCHECK;
bool page_update(struct db *db, int64_t id, struct json_object *body,
    const struct page_view *view, struct buf *ret_doc, struct err *e) MUSTCHECK;

/* The same change for several pages.  *ret is given; texts are borrowed from
 * body, which is changed. */
struct page_change;
bool page_change_open(struct json_object *body, struct page_change **ret,
    struct err *e) MUSTCHECK;
bool page_change_apply(struct db *db, int64_t id, const struct page_change *pc,
    const struct page_view *view, struct buf *ret_doc, struct err *e) MUSTCHECK;
void page_change_free(struct page_change **pc);
#define AUTO_PAGE_CHANGE CLEANUP(page_change_free) struct page_change

bool page_get(struct db *db, int64_t id, const struct page_view *view,
    struct buf *ret_doc, struct err *e) MUSTCHECK;

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

/* The page as it was. */
bool page_delete(struct db *db, int64_t id, const struct page_view *view,
    struct buf *ret_doc, struct err *e) MUSTCHECK;

#endif
