#include "common/site/size.h"

#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/link/js.h"

void
size_source_release(struct size_source *s)
{
	db_rows_free(s->rows);
}

static const char SQL_SIZE_SOURCE[] =
    "SELECT s.filename, s.storage_key, s.mime_type, s.keys "
    "FROM site.size_source($1::bigint) AS s";

bool
size_source(
    struct db *db, int64_t media_id, struct size_source *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "size_source", SQL_SIZE_SOURCE, 1,
		(const char *const[]){ arg_int(media_id).s }, &rows, e))
		return false;
	*ret = (struct size_source){ .rows = NULL };
	if (db_nrows(rows) == 0)
		return true;
	ret->filename = db_text(rows, 0, 0);
	ret->key = db_text(rows, 0, 1);
	ret->mime = db_text(rows, 0, 2);
	ret->keys = db_text(rows, 0, 3);
	ret->rows = rows;
	rows = NULL;
	return true;
}

static const char SQL_SIZE_RECORD[] =
    "SELECT r.recorded, to_json(r.unused) "
    "FROM site.sizes_record($1::bigint, $2::text, $3::jsonb) AS r";

bool
size_record(struct db *db, int64_t media_id, const char *key,
    struct json_object *sizes, bool *ret_recorded,
    struct json_object **ret_unused, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	AUTO_ROWS *rows = NULL;

	js_print(sizes, &text);
	if (!buf_ok(&text, e) ||
	    !db_query(db, "size_record", SQL_SIZE_RECORD, 3,
		(const char *const[]){ arg_int(media_id).s, key, text.data },
		&rows, e))
		return false;
	*ret_recorded = db_bool(rows, 0, 0);
	*ret_unused = NULL;
	return db_null(rows, 0, 1) ||
	       js_parse(
		   db_text(rows, 0, 1), db_text_len(rows, 0, 1), ret_unused, e);
}
