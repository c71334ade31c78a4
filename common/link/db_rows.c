/* Rows of an answer, and array literals. */
#include "common/link/db_impl.h"

#include <errno.h>
#include <inttypes.h>

/* --- rows --- */

/* The rows are libpq's result under another name. */
static const PGresult *
result_of(const struct db_rows *rows)
{
	return (const PGresult *)rows;
}

void
db_rows_free(struct db_rows *rows)
{
	PQclear((PGresult *)rows);
}

void
db_rows_freep(struct db_rows **rows)
{
	db_rows_free(*rows);
	*rows = NULL;
}

int
db_nrows(const struct db_rows *rows)
{
	return PQntuples(result_of(rows));
}

bool
db_null(const struct db_rows *rows, int row, int col)
{
	return PQgetisnull(result_of(rows), row, col) == 1;
}

/* libpq returns NULL for a row or column that is not there: a statement and
 * its reader differ. */
const char *
db_text(const struct db_rows *rows, int row, int col)
{
	const char *text = PQgetvalue(result_of(rows), row, col);

	if (text == NULL)
		abort();
	return text;
}

size_t
db_text_len(const struct db_rows *rows, int row, int col)
{
	return (size_t)PQgetlength(result_of(rows), row, col);
}

int64_t
db_int(const struct db_rows *rows, int row, int col)
{
	const char *text = db_text(rows, row, col);
	long long value;
	char *end;

	if (db_null(rows, row, col))
		return 0;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		abort();
	return value;
}

bool
db_bool(const struct db_rows *rows, int row, int col)
{
	const char *text = db_text(rows, row, col);

	if (db_null(rows, row, col))
		return false;
	if (strcmp(text, "t") != 0 && strcmp(text, "f") != 0)
		abort();
	return text[0] == 't';
}

/* --- arrays --- */

static void
array_next(struct buf *array)
{
	buf_addc(array, array->len == 0 ? '{' : ',');
}

void
db_array_add(struct buf *array, const char *text_or_null)
{
	array_next(array);
	if (text_or_null == NULL) {
		buf_adds(array, "NULL");
		return;
	}
	buf_addc(array, '"');
	for (const char *p = text_or_null; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(array, '\\');
		buf_addc(array, *p);
	}
	buf_addc(array, '"');
}

void
db_array_add_int(struct buf *array, int64_t v)
{
	array_next(array);
	buf_addf(array, "%" PRId64, v);
}

void
db_array_end(struct buf *array)
{
	buf_adds(array, array->len == 0 ? "{}" : "}");
}
