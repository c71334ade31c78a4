/* Lists of media: which of them, in what order, how many. */
#include "common/site/media.h"

#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/link/filter.h"
#include "common/site/total.h"

/* URLs are compared without SERVER_URL; "sizes.thumbnail.width" lies below
 * sizes. */
static const struct filter_field LIST[] = {
	{ "id", FILTER_INT, .sql = "m.id" },
	{ "alt", FILTER_TEXT, .sql = "m.alt" },
	{ "filename", FILTER_TEXT, .sql = "m.filename" },
	{ "mimeType", FILTER_TEXT, .sql = "m.mime_type" },
	{ "filesize", FILTER_INT, .sql = "m.filesize" },
	{ "width", FILTER_INT, .sql = "m.width" },
	{ "height", FILTER_INT, .sql = "m.height" },
	{ "url", FILTER_TEXT, .sql = "site.file_url(m.filename, '')" },
	{ "thumbnailURL", FILTER_TEXT,
	    .sql =
		"(CASE WHEN m.sized THEN site.thumbnail_url(m.id, '') END)" },
	{ "focalX", FILTER_INT,
	    .sql = "(CASE WHEN m.mime_type LIKE 'image/%' THEN 50 END)" },
	{ "focalY", FILTER_INT,
	    .sql = "(CASE WHEN m.mime_type LIKE 'image/%' THEN 50 END)" },
	{ "sizes", FILTER_JSON, .unsorted = true,
	    .sql = "(CASE WHEN m.sized THEN site.sizes_doc(m.id, '')::jsonb"
		   " ELSE '{}' END)" },
	{ "createdAt", FILTER_TIME, .sql = "m.created_at" },
	{ "updatedAt", FILTER_TIME, .sql = "m.updated_at" },
};

static const struct filter_fields FIELDS = {
	.list = LIST,
	.n = LEN(LIST),
	.id = "m.id",
	.order = "-createdAt",
};

#define SHOWN FILTER_SHOWN("l.doc", "$4", "$5")

/* Ids first, from the index alone where one has the order; then the documents
 * of those on the page. */
static const char SQL_MEDIA_LIST[] =
    "WITH ids AS MATERIALIZED ("
    " SELECT ARRAY(SELECT m.id FROM site.media m WHERE {where}"
    " ORDER BY {order} LIMIT $1::bigint + $2::bigint"
    " OFFSET $3::bigint) AS a) "
    "SELECT (SELECT coalesce(json_agg(" SHOWN " ORDER BY l.n), '[]')"
    " FROM (SELECT x.n, site.media_doc(m, $6::text) AS doc"
    " FROM unnest(ids.a[1:$1::bigint]) WITH ORDINALITY AS x(id, n)"
    " JOIN site.media m ON m.id = x.id) AS l)::text,"
    " cardinality(ids.a),"
    " (SELECT c.reltuples::bigint FROM pg_catalog.pg_class c"
    " WHERE c.oid = 'site.media'::pg_catalog.regclass) "
    "FROM ids";

bool
media_list(struct db *db, const struct filter *f, const char *server_url,
    struct buf *ret_docs, int64_t *ret_total, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	AUTO_BUF names = BUF_INIT;
	struct arg limit = arg_int(f->limit), skip = arg_int(f->offset);
	struct arg look = arg_int(total_look(f));
	const char *const args[] = { limit.s, look.s, skip.s,
		filter_names(f, &names), filter_stay(f), server_url };
	int64_t total;

	if (!buf_ok(&names, e) ||
	    !filter_query(db, "media_list", SQL_MEDIA_LIST, &FIELDS, f,
		LEN(args), args, &rows, e))
		return false;
	total = total_of(f, db_int(rows, 0, 1), db_int(rows, 0, 2));
	if (total < 0 && !media_count(db, f, &total, e))
		return false;
	buf_add(ret_docs, db_text(rows, 0, 0), db_text_len(rows, 0, 0));
	*ret_total = total;
	return buf_ok(ret_docs, e);
}

static const char SQL_MEDIA_COUNT[] = "SELECT count(*) FROM site.media m "
				      "WHERE {where}";

bool
media_count(struct db *db, const struct filter *f, int64_t *ret, struct err *e)
{
	return filter_count(
	    db, "media_count", SQL_MEDIA_COUNT, &FIELDS, f, 0, NULL, ret, e);
}

static const char SQL_MEDIA_SHOW[] = "SELECT (" FILTER_SHOWN("l.doc", "$3",
    "$4") ")::text "
	  "FROM (SELECT site.media_doc(m, $2::text) AS doc FROM site.media m"
	  " WHERE m.id = $1::bigint) AS l";

bool
media_show(struct db *db, int64_t id, const struct filter *select,
    const char *server_url, struct buf *ret_doc, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	AUTO_BUF names = BUF_INIT;
	struct arg which = arg_int(id);
	const char *const args[] = { which.s, server_url,
		filter_names(select, &names), filter_stay(select) };

	if (!buf_ok(&names, e) || !db_query(db, "media_show", SQL_MEDIA_SHOW,
				      LEN(args), args, &rows, e))
		return false;
	if (db_nrows(rows) == 0)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	buf_add(ret_doc, db_text(rows, 0, 0), db_text_len(rows, 0, 0));
	return buf_ok(ret_doc, e);
}

static const char SQL_MEDIA_IDS[] =
    "SELECT m.id FROM site.media m WHERE {where} ORDER BY {order}"
    " LIMIT $1::bigint";

bool
media_ids(struct db *db, const struct filter *f, int64_t max,
    struct db_rows **ret, struct err *e)
{
	struct arg limit = arg_int(max);

	return filter_query(db, "media_ids", SQL_MEDIA_IDS, &FIELDS, f, 1,
	    (const char *const[]){ limit.s }, ret, e);
}
