/*
 * A page's layout: taken apart before it is stored, put together when it is
 * read.  Pure: trees in, trees out.
 *
 * A layout is an array of blocks, objects with a text "blockType"; blocks may
 * hold further blocks at any depth.  Blocks of unknown types are kept as they
 * were sent.  Each block gets an "id" of 24 hex digits where it has none.  A
 * gallery block gives up its autoSyncMedia, images and imagesAsOf, which are
 * rows in the database.
 */
#ifndef AFTERWORK_SITE_LAYOUT_H
#define AFTERWORK_SITE_LAYOUT_H

#include "common/base/err.h"

struct json_object;

/*
 * Check the layout and take its galleries out, in place.  *ret_galleries is
 * given: [{"block": id, "path": "layout.0", "auto": bool or null, "images":
 * [ids] or null, "asOf": text or null}], null for what the block did not say.
 * ERR_INVALID names the path, such as layout.2.columns.0.images.5; after it
 * the layout is in no defined state.
 */
bool layout_split(struct json_object *layout,
    struct json_object **ret_galleries, struct err *e) MUSTCHECK;

/* Put the galleries back: {"<block id>": {"autoSyncMedia": bool, "images":
 * […]}}.  as_of becomes imagesAsOf of each. */
void layout_join(struct json_object *layout, struct json_object *galleries,
    const char *as_of);

#endif
