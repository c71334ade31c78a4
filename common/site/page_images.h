/*
 * The pictures of pages at hand: gathered from their galleries, looked up
 * together, each once, and put where their ids were as the texts they are.
 *
 * A page's galleries are {"<block id>": {"images": [id, …], …}, …}.
 */
#ifndef AFTERWORK_SITE_PAGE_IMAGES_H
#define AFTERWORK_SITE_PAGE_IMAGES_H

#include "common/site/media_docs.h"

struct json_object;

struct page_images {
	struct media_doc *list; /* once it is loaded: by id, each once */
	size_t n, cap;
	const char *server_url; /* borrowed */
	struct db_rows *rows;   /* what the texts lie in */
};

/* Keeps the documents for the next time (site/media_docs.h). */
void page_images_release(struct page_images *p);
#define AUTO_PAGE_IMAGES CLEANUP(page_images_release) struct page_images

bool page_images_gather(struct page_images *p, struct json_object *galleries,
    struct err *e) MUSTCHECK;

/* One round trip, or none where there are no pictures. */
bool page_images_load(struct page_images *p, struct db *db,
    const char *server_url, struct err *e) MUSTCHECK;

/* Put documents for the ids; a picture that is gone is left out. */
bool page_images_fill(const struct page_images *p,
    struct json_object *galleries, struct err *e) MUSTCHECK;

#endif
