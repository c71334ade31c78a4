/*
 * Sizes of a picture, as Payload has them: SQL, no pictures.
 */
#ifndef AFTERWORK_SITE_SIZE_H
#define AFTERWORK_SITE_SIZE_H

#include "common/base/buf.h"
#include "common/site/store.h"

struct db;
struct json_object;

/* The picture; all of it borrowed from rows. */
struct size_source {
	struct db_rows *rows; /* NULL: there is no such picture */
	const char *filename, *key, *mime;
	/* {"thumbnail": "ab/…", "card": null}; "" before sizes were made. */
	const char *keys;
};
#define AUTO_SIZE_SOURCE CLEANUP(size_source_release) struct size_source
void size_source_release(struct size_source *s);

/* *ret is given, also when there is no such picture. */
bool size_source(struct db *db, int64_t media_id, struct size_source *ret,
    struct err *e) MUSTCHECK;

/*
 * Record sizes (a list as site.sizes_record() takes it) of the picture whose
 * bytes are under key.  *ret_recorded is false when it is gone.  ret_unused: an
 * array of the keys that no row names any more, given, or NULL.  An error
 * without SQLSTATE means that the outcome is not known.
 */
bool size_record(struct db *db, int64_t media_id, const char *key,
    struct json_object *sizes, bool *ret_recorded,
    struct json_object **ret_unused, struct err *e) MUSTCHECK;

#endif
