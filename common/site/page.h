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
#include "common/site/list.h"

struct db;
struct json_object;

enum {
	PAGE_TITLE_MAX = 200, /* characters */
	PAGE_SLUG_MAX = 200,  /* bytes */
	PAGE_DEPTH_MAX = 10,
};

struct page_view {
	int64_t depth;
	const char *server_url; /* borrowed; before the URLs of media */
};

/* body is changed (its layout is taken apart).  *ret_doc is given. */
bool page_create(struct db *db, struct json_object *body,
    const struct page_view *view, struct json_object **ret_doc,
    struct err *e) MUSTCHECK;
bool page_update(struct db *db, int64_t id, struct json_object *body,
    const struct page_view *view, struct json_object **ret_doc,
    struct err *e) MUSTCHECK;

bool page_get(struct db *db, int64_t id, const struct page_view *view,
    struct json_object **ret_doc, struct err *e) MUSTCHECK;
/* *ret_docs: an array, given; *ret_total: how many there are in all. */
bool page_list(struct db *db, const struct list_range *range,
    const struct page_view *view, struct json_object **ret_docs,
    int64_t *ret_total, struct err *e) MUSTCHECK;
bool page_count(struct db *db, int64_t *ret, struct err *e) MUSTCHECK;

/* The page as it was is given. */
bool page_delete(struct db *db, int64_t id, const struct page_view *view,
    struct json_object **ret_doc, struct err *e) MUSTCHECK;

#endif
