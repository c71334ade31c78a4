/*
 * Media: rows that name files in the store.  SQL, no HTTP and no files.
 *
 * Documents come as JSON text made by the database.  server_url goes before
 * the documents' URLs ("" for relative ones).
 *
 * Every change follows one order of locks (schema/site/api/media.sql), so
 * that uploads, syncs, page saves and removals wait for one another but never
 * in a circle.
 */
#ifndef AFTERWORK_SITE_MEDIA_H
#define AFTERWORK_SITE_MEDIA_H

#include "common/base/buf.h"
#include "common/site/store.h"

struct db;
struct db_rows;
struct filter;
struct json_object;

enum { MEDIA_ALT_MAX = 1000 }; /* characters */

/* What a person may set, from a document's JSON; everything else in it is
 * ignored. */
struct media_fields {
	bool has_alt;    /* it is named, if only to take it away */
	const char *alt; /* or NULL; borrowed from the JSON */
};
/* fields NULL: none.  ERR_INVALID with the field: it does not fit. */
bool media_fields(struct json_object *fields, struct media_fields *ret,
    struct err *e) MUSTCHECK;

struct media_new {
	const char *filename; /* made safe; the row's may get a number */
	const char *key;      /* of the store */
	const char *mime;
	int64_t filesize;
	const char *hash;
	struct media_fields fields;
	int width; /* 0: not known */
	int height;
	int64_t user_id; /* 0: nobody */
};

/*
 * Insert the row and enqueue its syncMediaToGalleries job: one statement, so
 * both or neither.  An error without SQLSTATE means that the outcome is not
 * known: the row may exist, and its file must stay.
 */
bool media_create(struct db *db, const struct media_new *m,
    const char *server_url, struct buf *ret_doc, int64_t *ret_job,
    struct err *e) MUSTCHECK;

bool media_get(struct db *db, int64_t id, const char *server_url,
    struct buf *ret_doc, struct err *e) MUSTCHECK;

/* An array of documents, and how many there are in all (site/total.h). */
bool media_list(struct db *db, const struct filter *f, const char *server_url,
    struct buf *ret_docs, int64_t *ret_total, struct err *e) MUSTCHECK;
bool media_count(struct db *db, const struct filter *f, int64_t *ret,
    struct err *e) MUSTCHECK;
/* One document, of which select picks fields. */
bool media_show(struct db *db, int64_t id, const struct filter *select,
    const char *server_url, struct buf *ret_doc, struct err *e) MUSTCHECK;
/* The ids of all that meet the conditions, at most max of them, in order:
 * *ret is given. */
bool media_ids(struct db *db, const struct filter *f, int64_t max,
    struct db_rows **ret, struct err *e) MUSTCHECK;

/* alt NULL: none.  Enqueues nothing. */
bool media_set_alt(struct db *db, int64_t id, const char *alt,
    const char *server_url, struct buf *ret_doc, struct err *e) MUSTCHECK;

enum { MEDIA_KEYS_MAX = 17 };

struct media_keys {
	char key[MEDIA_KEYS_MAX][STORE_KEY_MAX];
	size_t n;
};

/*
 * Change a picture: its fields and, unless m->key is NULL, its file.  The file
 * keeps its name when the new one has the same, else it gets the new one or the
 * first that is free.  Its sizes go.  Enqueues nothing.  The caller then
 * removes the files of ret_keys, which no row names any more.  Outcomes as with
 * media_create().
 */
bool media_change(struct db *db, int64_t id, const struct media_new *m,
    const char *server_url, struct buf *ret_doc, struct media_keys *ret_keys,
    struct err *e) MUSTCHECK;

/* Remove the row, and with it the picture from every gallery.  The caller
 * removes the files, its own and those of its sizes. */
bool media_delete(struct db *db, int64_t id, const char *server_url,
    struct buf *ret_doc, struct media_keys *ret_keys, struct err *e) MUSTCHECK;

struct media_file {
	char key[STORE_KEY_MAX];
	char mime[64];
};
/* What to send for GET /api/media/file/<filename>, a picture or a size. */
bool media_file(struct db *db, const char *filename, struct media_file *ret,
    struct err *e) MUSTCHECK;

/*
 * The work of the job: put the picture into each gallery that takes new ones.
 * One statement; doing it again changes nothing and counts zero.  *ret_found
 * is false when the picture is gone.  Within one transaction several syncs
 * are best called in the order of their ids; two transactions that sync the
 * same pictures in opposite orders could meet in a deadlock, which ends with
 * ERR_UNAVAILABLE for one of them.
 */
bool media_sync(struct db *db, int64_t media_id, int64_t *ret_pages,
    int64_t *ret_galleries, bool *ret_found, struct err *e) MUSTCHECK;

#endif
