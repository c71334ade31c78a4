#include "common/site/media.h"

#include <string.h>

#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/link/js.h"
#include "common/site/text.h"

/* The document in column col of the only row; none: not found. */
static bool
take_doc(
    const struct db_rows *rows, int col, struct buf *ret_doc, struct err *e)
{
	if (db_nrows(rows) != 1)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	buf_add(ret_doc, db_text(rows, 0, col), db_text_len(rows, 0, col));
	return buf_ok(ret_doc, e);
}

/* js_get() cannot tell null, which takes the text away, from absent, which
 * leaves it. */
static bool
is_not_alt(const char *key, struct json_object *v UNUSED, void *ctx)
{
	bool *found = ctx;

	*found = *found || strcmp(key, "alt") == 0;
	return !*found;
}

bool
media_fields(
    struct json_object *fields, struct media_fields *ret, struct err *e)
{
	*ret = (struct media_fields){ .has_alt = false };
	if (fields == NULL)
		return true;
	if (!js_text(fields, "alt", NULL, &ret->alt, e))
		return false;
	if (ret->alt != NULL && text_chars(ret->alt) > MEDIA_ALT_MAX)
		return err_field(e, "alt",
		    "This field is longer than %d characters.", MEDIA_ALT_MAX);
	js_each(fields, is_not_alt, &ret->has_alt);
	return true;
}

static const char SQL_MEDIA_CREATE[] =
    "SELECT c.doc, c.job "
    "FROM site.media_create($1::text, $2::text, $3::text, $4::bigint,"
    " $5::text, $6::text, $7::integer, $8::integer, $9::bigint, $10::text)"
    " AS c";

bool
media_create(struct db *db, const struct media_new *m, const char *server_url,
    struct buf *ret_doc, int64_t *ret_job, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	struct arg filesize = arg_int(m->filesize);
	struct arg width = arg_int(m->width);
	struct arg height = arg_int(m->height);
	struct arg user_id = arg_int(m->user_id);
	const char *const args[] = {
		m->filename,
		m->key,
		m->mime,
		filesize.s,
		m->hash,
		m->fields.alt,
		m->width == 0 ? NULL : width.s,
		m->height == 0 ? NULL : height.s,
		m->user_id == 0 ? NULL : user_id.s,
		server_url,
	};

	if (!db_query(db, "media_create", SQL_MEDIA_CREATE, LEN(args), args,
		&rows, e)) {
		/* The values were checked: a refusal is not the client's
		 * fault, but a task that nobody registered, or the like. */
		if (e->code == ERR_INVALID)
			e->code = ERR_BUG;
		return false;
	}
	*ret_job = db_int(rows, 0, 1);
	return take_doc(rows, 0, ret_doc, e);
}

static const char SQL_MEDIA_GET[] = "SELECT site.media_doc(m, $2::text)::text "
				    "FROM site.media m "
				    "WHERE m.id = $1::bigint";

bool
media_get(struct db *db, int64_t id, const char *server_url,
    struct buf *ret_doc, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	return db_query(db, "media_get", SQL_MEDIA_GET, 2,
		   (const char *const[]){ arg_int(id).s, server_url }, &rows,
		   e) &&
	       take_doc(rows, 0, ret_doc, e);
}

static const char SQL_MEDIA_SET_ALT[] =
    "SELECT site.media_doc(m, $3::text)::text "
    "FROM site.media_set_alt($1::bigint, $2::text) AS m "
    "WHERE m.id IS NOT NULL";

bool
media_set_alt(struct db *db, int64_t id, const char *alt,
    const char *server_url, struct buf *ret_doc, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	return db_query(db, "media_set_alt", SQL_MEDIA_SET_ALT, 3,
		   (const char *const[]){ arg_int(id).s, alt, server_url },
		   &rows, e) &&
	       take_doc(rows, 0, ret_doc, e);
}

/* The document and the keys are as they were before: the function changes
 * nothing that the statement around it sees. */
static const char SQL_MEDIA_DELETE[] =
    "SELECT site.media_doc(m, $2::text)::text, m.storage_key ||"
    " coalesce((SELECT string_agg(' ' || s.storage_key, '')"
    " FROM site.media_size s WHERE s.media_id = m.id), '') "
    "FROM site.media_delete($1::bigint) AS m";

/* Keys with a space between. */
static void
take_keys(const char *p, struct media_keys *ret)
{
	ret->n = 0;
	while (*p != '\0' && ret->n < MEDIA_KEYS_MAX) {
		size_t n = strcspn(p, " ");

		(void)snprintf(
		    ret->key[ret->n++], STORE_KEY_MAX, "%.*s", (int)n, p);
		p += p[n] == ' ' ? n + 1 : n;
	}
}

bool
media_delete(struct db *db, int64_t id, const char *server_url,
    struct buf *ret_doc, struct media_keys *ret_keys, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "media_delete", SQL_MEDIA_DELETE, 2,
		(const char *const[]){ arg_int(id).s, server_url }, &rows, e) ||
	    !take_doc(rows, 0, ret_doc, e))
		return false;
	take_keys(db_text(rows, 0, 1), ret_keys);
	return true;
}

static const char SQL_MEDIA_CHANGE[] =
    "SELECT c.doc, coalesce(c.gone, '') "
    "FROM site.media_change($1::bigint, $2::text, $3::text, $4::text,"
    " $5::bigint, $6::text, $7::boolean, $8::text, $9::integer,"
    " $10::integer, $11::text) AS c "
    "WHERE c.doc IS NOT NULL";

bool
media_change(struct db *db, int64_t id, const struct media_new *m,
    const char *server_url, struct buf *ret_doc, struct media_keys *ret_keys,
    struct err *e)
{
	AUTO_ROWS *rows = NULL;
	struct arg media = arg_int(id);
	struct arg filesize = arg_int(m->filesize);
	struct arg width = arg_int(m->width);
	struct arg height = arg_int(m->height);
	const char *const args[] = {
		media.s,
		m->filename,
		m->key,
		m->mime,
		m->key == NULL ? NULL : filesize.s,
		m->hash,
		m->fields.has_alt ? "true" : "false",
		m->fields.alt,
		m->width == 0 ? NULL : width.s,
		m->height == 0 ? NULL : height.s,
		server_url,
	};

	if (!db_query(db, "media_change", SQL_MEDIA_CHANGE, LEN(args), args,
		&rows, e) ||
	    !take_doc(rows, 0, ret_doc, e))
		return false;
	take_keys(db_text(rows, 0, 1), ret_keys);
	return true;
}

static const char SQL_MEDIA_FILE[] =
    "SELECT m.storage_key, m.mime_type FROM site.media m "
    "WHERE m.filename = $1::text "
    "UNION ALL SELECT s.storage_key, s.mime_type FROM site.media_size s "
    "WHERE s.filename = $1::text "
    "LIMIT 1";

bool
media_file(
    struct db *db, const char *filename, struct media_file *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "media_file", SQL_MEDIA_FILE, 1,
		(const char *const[]){ filename }, &rows, e))
		return false;
	if (db_nrows(rows) != 1)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	(void)snprintf(ret->key, sizeof(ret->key), "%s", db_text(rows, 0, 0));
	(void)snprintf(ret->mime, sizeof(ret->mime), "%s", db_text(rows, 0, 1));
	return true;
}

static const char SQL_MEDIA_SYNC[] = "SELECT s.present, s.pages, s.galleries "
				     "FROM site.media_sync($1::bigint) AS s";

bool
media_sync(struct db *db, int64_t media_id, int64_t *ret_pages,
    int64_t *ret_galleries, bool *ret_found, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "media_sync", SQL_MEDIA_SYNC, 1,
		(const char *const[]){ arg_int(media_id).s }, &rows, e))
		return false;
	*ret_found = db_bool(rows, 0, 0);
	*ret_pages = db_int(rows, 0, 1);
	*ret_galleries = db_int(rows, 0, 2);
	return true;
}
