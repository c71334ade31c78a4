/*
 * The documents of many pictures by their ids, in one round trip.
 *
 * To make a document costs the database ten times what it costs to find its
 * row.  So a process keeps the documents that it was given, with the version
 * of the row that they were made from, and asks for those only whose row has
 * another one.  Each look asks the database about each row: what is shown is
 * what the row says now.
 *
 * The version is the row's xmin: the number of the transaction that wrote it,
 * which does not come again while a document is kept.  Whatever changes a
 * picture's sizes changes its row, too (schema/site/api/size.sql).  A document
 * is kept for MEDIA_DOC_KEPT_MS at most, for what no row tells: a new form of
 * documents after a migrate.  There are MEDIA_DOCS_KEPT places of up to
 * MEDIA_DOC_BYTES each; an id has one, and takes it from who was there.
 */
#ifndef AFTERWORK_SITE_MEDIA_DOCS_H
#define AFTERWORK_SITE_MEDIA_DOCS_H

#include "common/base/err.h"

struct db;
struct db_rows;

enum {
	MEDIA_DOCS_KEPT = 2048,
	MEDIA_DOC_BYTES = 2048,
	MEDIA_DOC_KEPT_MS = 60 * 1000,
};

/* One picture's document as JSON text: borrowed until media_docs_keep(). */
struct media_doc {
	int64_t id;
	const char *text; /* NULL: there is no such picture (any more) */
	size_t n;
};

/* docs: n ids, ascending, each once; their texts are filled in.  *ret_rows is
 * given: what some of the texts lie in. */
bool media_docs(struct db *db, struct media_doc docs[], size_t n,
    const char *server_url, struct db_rows **ret_rows, struct err *e) MUSTCHECK;

/* Keep the rows' documents for the next time, when the texts of docs are no
 * longer needed. */
void media_docs_keep(const struct db_rows *rows, const char *server_url);

#endif
