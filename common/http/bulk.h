/*
 * The same change to all documents that a where chooses: PATCH and DELETE of a
 * collection, as Payload answers them.
 *
 * Each document is changed by itself, in a transaction of its own: one that
 * cannot be changed is told in "errors", the others stay changed.  A where is
 * required, and one that leaves nothing out is refused as a missing one is.
 * limit and sort choose among what it matches; without a limit a call takes
 * at most BULK_MAX documents, and more is ERR_INVALID before any is changed.
 */
#ifndef AFTERWORK_HTTP_BULK_H
#define AFTERWORK_HTTP_BULK_H

#include "common/http/app.h"
#include "common/link/filter.h"

struct db_rows;

enum {
	BULK_MAX = 1000,
	/* Beyond so much of an answer documents are shown by their id alone. */
	BULK_ANSWER_BYTES = 8 * 1024 * 1024,
};

enum bulk_verb { BULK_UPDATE, BULK_DELETE };

struct bulk {
	const char *singular; /* "Page" */
	const char *plural;
	/* The first max ids of those that meet the conditions. */
	bool (*ids)(struct db *db, const struct filter *f, int64_t max,
	    struct db_rows **ret, struct err *e);
};

/* Change one; appends its document. */
typedef bool bulk_one(
    struct app *app, int64_t id, void *ctx, struct buf *ret_doc, struct err *e);

/* Is there a where?  For those who read a body before bulk_run(). */
bool bulk_check(
    const struct req *req, enum bulk_verb verb, struct err *e) MUSTCHECK;

/* The whole call: *res is the answer, 400 where any document has failed. */
bool bulk_run(struct app *app, const struct req *req, struct res *res,
    const struct bulk *b, enum bulk_verb verb, bulk_one *one, void *ctx,
    struct err *e) MUSTCHECK;

#endif
