/*
 * What a client asks of a list - where, sort, select, limit - and the
 * statement that answers it.
 *
 * This is the one place that composes SQL.  It is safe because what it
 * composes has no byte of a client's in it: a statement is a constant text
 * with the marks {where} and {order}, and what replaces them is made of
 * constants of this file, of the field table's expressions (constants of
 * ours), and of placeholders "$n".  A client's field name only ever selects a
 * row of that table; a client's value is checked by the field's type and
 * becomes an argument.  tests/unit/test_filter.c and tests/fuzz/fuzz_where.c
 * take the composed text apart word by word; tests/lint/sql.sh proves that
 * nobody else composes any.
 *
 * What fits a field (else ERR_INVALID with the field):
 *
 *	type         operators                         a value is
 *	INT          equals not_equals in not_in       a whole number
 *	             exists greater_than(_equal) less_than(_equal)
 *	TIME         the same                          an ISO 8601 date or time;
 *	             compared by the millisecond, as documents show them
 *	TEXT         the same, like not_like contains  any text
 *	WORD         equals not_equals in not_in exists   one of the field's
 *	BOOL         equals not_equals exists          true or false
 *	LIST         equals not_equals in not_in all   a text; one element
 *	             contains exists                   that fits is enough
 *	JSON         equals not_equals in not_in like  a text, compared with
 *	             not_like contains exists          the scalar at a path
 *	PRESENT      exists                            true or false
 *
 * within, intersects and near fit none.  "like" wants all words, in any
 * order; it and "contains" ignore case.  "in" takes a list, or texts with
 * commas between.  null (in a query string of a type that is no text also ""
 * and "null", which is what clients make of it) fits equals and not_equals.
 * A field without a value equals nothing, so not_equals, not_in and not_like
 * hold for it.
 */
#ifndef AFTERWORK_LINK_FILTER_H
#define AFTERWORK_LINK_FILTER_H

#include "common/base/buf.h"
#include "common/parse/where.h"

struct db;
struct db_rows;

/* How long a statement with conditions or an order of its own may take. */
enum { FILTER_DEADLINE_MS = 5000 };

enum filter_type {
	FILTER_INT,
	FILTER_TIME,
	FILTER_TEXT,
	FILTER_WORD,
	FILTER_BOOL,
	FILTER_LIST, /* text[] */
	FILTER_JSON, /* jsonb; "name.a.0" asks below it */
	FILTER_PRESENT,
};

struct filter_field {
	const char *name; /* as documents have it */
	enum filter_type type;
	const char *sql;   /* an expression */
	const char *words; /* of a FILTER_WORD: " a b c " */
	const char *order; /* another expression to sort by; NULL: sql */
	bool unsorted;
};

/* A collection's fields. */
struct filter_fields {
	const struct filter_field *list;
	size_t n;
	const char *id;    /* the expression of what ends each order */
	const char *order; /* the default sort, "-createdAt" */
};

enum filter_select {
	FILTER_WHOLE,
	FILTER_ONLY,   /* the named fields, and the id */
	FILTER_WITHOUT /* the named ones */
};

/* What is asked; {0} with a limit is everything, in the default order. */
struct filter {
	struct tree where_tree;
	struct where where; /* borrows where_tree */
	char *sort;         /* "-createdAt,title"; NULL: the default */
	enum filter_select select;
	struct tree select_tree;
	int64_t limit;
	int64_t offset;
};

void filter_release(struct filter *f);
#define AUTO_FILTER CLEANUP(filter_release) struct filter

/*
 * select (filter_select.c).  Take what select_tree says: whether fields are
 * shown or left out is decided by the first true or false in it, however deep,
 * as in Payload.  Parts of a field are not cut out: one of which parts are
 * shown, or left out, is shown whole.  ERR_INVALID with "select": what is
 * neither true nor false, or both of them.
 */
bool filter_select(struct filter *f, struct err *e) MUSTCHECK;

/* Is the field to be shown? */
bool filter_shows(const struct filter *f, const char *name);

/*
 * Two arguments of a statement with FILTER_SHOWN: the names as an array (NULL:
 * whole documents), and whether they are what stays.  names is filled.
 */
const char *filter_names(const struct filter *f, struct buf *names);
const char *filter_stay(const struct filter *f);
/* The JSON doc as the arguments $names and $stay have it. */
#define FILTER_SHOWN(doc, names, stay)                             \
	"CASE WHEN " names "::text[] IS NULL THEN " doc " ELSE"    \
	" (SELECT coalesce(json_object_agg(d.key, d.value), '{}')" \
	" FROM json_each(" doc ") AS d"                            \
	" WHERE (d.key = ANY (" names "::text[])) = " stay "::boolean) END"

/*
 * db_query() of a statement with {where} and {order}, which may stand in it
 * more than once; f may be NULL (everything).  Its own arguments are the
 * first; the filter's come behind.  Prepared under its name when f has
 * neither conditions nor an order of its own.
 */
bool filter_query(struct db *db, const char *name, const char *sql,
    const struct filter_fields *fields, const struct filter *f, size_t nargs,
    const char *const args[], struct db_rows **ret, struct err *e) MUSTCHECK;

/* The same of a statement whose answer is one number. */
bool filter_count(struct db *db, const char *name, const char *sql,
    const struct filter_fields *fields, const struct filter *f, size_t nargs,
    const char *const args[], int64_t *ret, struct err *e) MUSTCHECK;

/* The composed statement and the filter's arguments, each NUL-terminated in
 * *ret_args (an SQL NULL never is one); for filter_query() and its tests. */
bool filter_compose(const char *sql, const struct filter_fields *fields,
    const struct filter *f, size_t nargs, struct buf *ret_sql,
    struct buf *ret_args, size_t *ret_nargs, struct err *e) MUSTCHECK;

#endif
