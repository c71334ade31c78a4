#include "common/link/filter.h"

#include <stdlib.h>
#include <string.h>

#include "common/link/db.h"
#include "common/link/filter_value.h"

enum { SORTS_MAX = 8, NAME_MAX_BYTES = ERR_FIELD_MAX };

void
filter_release(struct filter *f)
{
	where_release(&f->where);
	tree_release(&f->where_tree);
	tree_release(&f->select_tree);
	free(f->sort);
	f->sort = NULL;
}

/* ---- fields ---- */

/* A field by its name, or the JSON field that a longer path lies below;
 * *ret_rest is what follows the field's own name, or "". */
static const struct filter_field *
field_of(
    const struct filter_fields *fields, const char *path, const char **ret_rest)
{
	const struct filter_field *below = NULL;
	size_t n = strcspn(path, ".");

	for (size_t i = 0; i < fields->n; i++) {
		const struct filter_field *f = &fields->list[i];

		*ret_rest = "";
		if (strcmp(f->name, path) == 0)
			return f;
		if (f->type == FILTER_JSON && strlen(f->name) == n &&
		    strncmp(f->name, path, n) == 0)
			below = f;
	}
	if (below != NULL && path[n] == '.')
		*ret_rest = path + n + 1;
	return below;
}

/* ---- composing ---- */

struct compose {
	const struct filter_fields *fields;
	struct buf *sql;
	struct buf *args;
	size_t nargs; /* with those of the statement itself */
	struct err *e;
};

/* The "$n" of the argument that is appended next. */
static bool
next_arg(struct compose *c, const char *type)
{
	if (++c->nargs > DB_ARGS_MAX)
		return err_field(
		    c->e, "where", "There are too many conditions.");
	buf_addf(c->sql, "$%zu::%s", c->nargs, type);
	return true;
}

/* One condition at work. */
struct test {
	const struct where_node *node;
	const struct filter_field *field;
	const char *sql; /* the field's value */
};

/* SQL types of single values. */
static const char *
type_of(const struct filter_field *field)
{
	switch (field->type) {
	case FILTER_INT:
		return "bigint";
	case FILTER_TIME:
		return "timestamptz";
	case FILTER_BOOL:
	case FILTER_PRESENT:
		return "boolean";
	case FILTER_TEXT:
	case FILTER_WORD:
	case FILTER_LIST:
	case FILTER_JSON:
		break;
	}
	return "text";
}

static bool
value_arg(struct compose *c, const struct test *t)
{
	return next_arg(c, type_of(t->field)) &&
	       filter_value(t->field, t->node->value, c->args, c->e);
}

static bool
values_arg(struct compose *c, const struct test *t)
{
	if (!next_arg(c, type_of(t->field)))
		return false;
	buf_adds(c->sql, "[]");
	return filter_values(t->field, t->node->value, c->args, c->e);
}

static bool
words_arg(struct compose *c, const struct test *t)
{
	return next_arg(c, "text[]") &&
	       filter_words(t->field, t->node->value, c->args, c->e);
}

static bool
put(struct compose *c, const char *a, const char *b, const char *d)
{
	buf_adds(c->sql, a);
	buf_adds(c->sql, b);
	buf_adds(c->sql, d);
	return true;
}

static bool
compose_exists(struct compose *c, const struct test *t)
{
	bool yes;

	if (!filter_truth(t->field, t->node->value, &yes, c->e))
		return false;
	if (t->field->type == FILTER_LIST)
		return put(c, "coalesce(cardinality(", t->sql,
		    yes ? "), 0) > 0" : "), 0) = 0");
	return put(c, "(", t->sql, yes ? ") IS NOT NULL" : ") IS NULL");
}

static bool
compose_truth(struct compose *c, const struct test *t)
{
	bool yes;

	if (!filter_truth(t->field, t->node->value, &yes, c->e))
		return false;
	if (t->node->op == WHERE_NOT_EQUALS)
		yes = !yes;
	return put(
	    c, "coalesce(", t->sql, yes ? ", false)" : ", false) = false");
}

/* A time of ours has microseconds, what a document shows of it has none: what
 * is compared is the millisecond that the time lies in. */
static bool
compose_time(struct compose *c, const struct test *t)
{
	static const char next[] = " + interval '1 millisecond'";

	switch (t->node->op) {
	case WHERE_EQUALS:
	case WHERE_NOT_EQUALS:
	case WHERE_IN:
	case WHERE_NOT_IN:
		put(c, "EXISTS (SELECT FROM unnest(", "", "");
		if (t->node->op == WHERE_EQUALS ||
		    t->node->op == WHERE_NOT_EQUALS) {
			put(c, "ARRAY[", "", "");
			if (!value_arg(c, t))
				return false;
			put(c, "]", "", "");
		} else if (!values_arg(c, t))
			return false;
		put(c, ") AS v(t) WHERE ", t->sql, " >= v.t AND ");
		put(c, t->sql, " < v.t", next);
		return put(c, ")", "", "");
	case WHERE_GREATER_THAN:
	case WHERE_GREATER_THAN_EQUAL:
		put(c, t->sql, " >= ", "");
		if (!value_arg(c, t))
			return false;
		return put(
		    c, t->node->op == WHERE_GREATER_THAN ? next : "", "", "");
	default:
		put(c, t->sql, " < ", "");
		if (!value_arg(c, t))
			return false;
		return put(c, t->node->op == WHERE_LESS_THAN_EQUAL ? next : "",
		    "", "");
	}
}

static bool
compose_compare(struct compose *c, const struct test *t, const char *op)
{
	if (t->field->type == FILTER_TIME)
		return compose_time(c, t);
	put(c, t->sql, op, "");
	return value_arg(c, t);
}

static bool
compose_in(struct compose *c, const struct test *t)
{
	if (t->field->type == FILTER_TIME)
		return compose_time(c, t);
	if (t->field->type == FILTER_LIST) {
		put(c, t->sql, " && ", "");
		return values_arg(c, t);
	}
	put(c, t->sql, " = ANY (", "");
	return values_arg(c, t) && put(c, ")", "", "");
}

/* Is the value among the elements? */
static bool
compose_element(struct compose *c, const struct test *t)
{
	return value_arg(c, t) && put(c, " = ANY (", t->sql, ")");
}

static bool
compose_pattern(struct compose *c, const struct test *t)
{
	put(c, t->sql, " ILIKE ", "");
	return next_arg(c, "text") &&
	       filter_pattern(t->field, t->node->value, c->args, c->e);
}

static bool
compose_words(struct compose *c, const struct test *t)
{
	put(c, t->sql, " ILIKE ALL (", "");
	return words_arg(c, t) && put(c, ")", "", "");
}

static bool
compose_equals(struct compose *c, const struct test *t)
{
	if (t->field->type == FILTER_BOOL)
		return compose_truth(c, t);
	if (t->field->type == FILTER_LIST)
		return compose_element(c, t);
	return compose_compare(c, t, " = ");
}

/* A condition as such; those with "not" are put around by their caller. */
static bool
compose_positive(struct compose *c, const struct test *t)
{
	switch (t->node->op) {
	case WHERE_EQUALS:
	case WHERE_NOT_EQUALS:
		return compose_equals(c, t);
	case WHERE_IN:
	case WHERE_NOT_IN:
		return compose_in(c, t);
	case WHERE_ALL:
		put(c, t->sql, " @> ", "");
		return values_arg(c, t);
	case WHERE_GREATER_THAN:
		return compose_compare(c, t, " > ");
	case WHERE_GREATER_THAN_EQUAL:
		return compose_compare(c, t, " >= ");
	case WHERE_LESS_THAN:
		return compose_compare(c, t, " < ");
	case WHERE_LESS_THAN_EQUAL:
		return compose_compare(c, t, " <= ");
	case WHERE_LIKE:
	case WHERE_NOT_LIKE:
		return compose_words(c, t);
	case WHERE_CONTAINS:
		return t->field->type == FILTER_LIST ? compose_element(c, t)
						     : compose_pattern(c, t);
	case WHERE_EXISTS:
	case WHERE_WITHIN:
	case WHERE_INTERSECTS:
	case WHERE_NEAR:
	case WHERE_OPS:
		break;
	}
	return false;
}

#define BIT(op) (1U << WHERE_##op)
enum {
	SAME = BIT(EQUALS) | BIT(NOT_EQUALS) | BIT(EXISTS),
	AMONG = BIT(IN) | BIT(NOT_IN),
	ORDER = BIT(GREATER_THAN) | BIT(GREATER_THAN_EQUAL) | BIT(LESS_THAN) |
		BIT(LESS_THAN_EQUAL),
	WORDS = BIT(LIKE) | BIT(NOT_LIKE) | BIT(CONTAINS),
};

static const unsigned int FITS[] = {
	[FILTER_INT] = SAME | AMONG | ORDER,
	[FILTER_TIME] = SAME | AMONG | ORDER,
	[FILTER_TEXT] = SAME | AMONG | ORDER | WORDS,
	[FILTER_WORD] = SAME | AMONG,
	[FILTER_BOOL] = SAME,
	[FILTER_LIST] = SAME | AMONG | BIT(ALL) | BIT(CONTAINS),
	[FILTER_JSON] = SAME | AMONG | WORDS,
	[FILTER_PRESENT] = BIT(EXISTS),
};

static bool
compose_null(struct compose *c, const struct test *t)
{
	return put(c, "(", t->sql,
	    t->node->op == WHERE_EQUALS ? ") IS NULL" : ") IS NOT NULL");
}

static bool
compose_op(struct compose *c, const struct test *t)
{
	enum where_op op = t->node->op;
	bool equality = op == WHERE_EQUALS || op == WHERE_NOT_EQUALS;
	bool negated = op == WHERE_NOT_EQUALS || op == WHERE_NOT_IN ||
		       op == WHERE_NOT_LIKE;

	if ((FITS[t->field->type] & 1U << op) == 0)
		return err_field(c->e, t->node->field,
		    "The operator %s does not fit this field.",
		    where_op_name(op));
	if (op == WHERE_EXISTS)
		return compose_exists(c, t);
	if (equality && filter_value_null(t->field, t->node->value))
		return compose_null(c, t);
	if (!negated || t->field->type == FILTER_BOOL)
		return compose_positive(c, t);
	put(c, "coalesce(", "", "");
	return compose_positive(c, t) && put(c, ", false) = false", "", "");
}

/* The value below a JSON field: its expression with the path's argument. */
static bool
json_sql(struct compose *c, const struct filter_field *field, const char *path,
    struct buf *ret)
{
	AUTO_BUF names = BUF_INIT;

	if (++c->nargs > DB_ARGS_MAX)
		return err_field(
		    c->e, "where", "There are too many conditions.");
	for (const char *p = path; *p != '\0';) {
		char name[NAME_MAX_BYTES];
		size_t n = strcspn(p, ".");

		(void)snprintf(name, sizeof(name), "%.*s", (int)n, p);
		db_array_add(&names, name);
		p += n + (p[n] == '.');
	}
	db_array_end(&names);
	buf_addf(ret, "((%s) #>> $%zu::text[])", field->sql, c->nargs);
	buf_add(c->args, names.data, names.len + 1);
	return buf_ok(&names, c->e) && buf_ok(ret, c->e);
}

static bool
compose_test(struct compose *c, const struct where_node *node)
{
	AUTO_BUF below = BUF_INIT;
	struct test t = { .node = node };
	const char *rest;

	t.field = field_of(c->fields, node->field, &rest);
	if (t.field == NULL)
		return where_unknown(node->field, c->e);
	t.sql = t.field->sql;
	if (t.field->type == FILTER_JSON) {
		if (!json_sql(c, t.field, rest, &below))
			return false;
		t.sql = below.data;
	}
	return compose_op(c, &t);
}

/* Not of a group without members, which would be no SQL: where.h drops those.
 * Bounded by WHERE_DEPTH_MAX. */
static bool
compose_node(struct compose *c, const struct where_node *node)
{
	bool any = node->kind == WHERE_OR;

	put(c, "(", "", "");
	if (node->kind == WHERE_TEST && !compose_test(c, node))
		return false;
	for (const struct where_node *m = node->first; m != NULL; m = m->next) {
		if (m != node->first)
			put(c, any ? " OR " : " AND ", "", "");
		if (!compose_node(c, m))
			return false;
	}
	return put(c, ")", "", "");
}

/* ---- order ---- */

static const struct filter_field *
sort_field(const struct filter_fields *fields, const char *name, size_t n)
{
	for (size_t i = 0; i < fields->n; i++) {
		const struct filter_field *f = &fields->list[i];

		if (!f->unsorted && f->type != FILTER_PRESENT &&
		    strlen(f->name) == n && strncmp(f->name, name, n) == 0)
			return f;
	}
	return NULL;
}

static bool
compose_order(struct compose *c, const char *sort)
{
	bool down = false;
	int n = 0;

	for (const char *p = sort; *p != '\0';) {
		size_t len = strcspn(p, ",");
		const struct filter_field *f;

		down = *p == '-';
		f = sort_field(c->fields, p + down, len - down);
		if (f == NULL || ++n > SORTS_MAX)
			return err_field(c->e, "sort",
			    "Sort by up to %d fields, such as "
			    "-createdAt,id; downwards with - in front.",
			    SORTS_MAX);
		put(c, f->order != NULL ? f->order : f->sql,
		    down ? " DESC" : "", ", ");
		p += len + (p[len] == ',');
	}
	return put(c, c->fields->id, down ? " DESC" : "", "");
}

/* ---- the statement ---- */

/* Replace the marks of a constant text. */
static void
fill_in(struct buf *ret, const char *sql, const struct buf *where,
    const struct buf *order)
{
	static const char w[] = "{where}", o[] = "{order}";

	while (*sql != '\0') {
		size_t n = strcspn(sql, "{");

		buf_add(ret, sql, n);
		sql += n;
		if (strncmp(sql, w, sizeof(w) - 1) == 0) {
			buf_add(ret, where->data, where->len);
			sql += sizeof(w) - 1;
		} else if (strncmp(sql, o, sizeof(o) - 1) == 0) {
			buf_add(ret, order->data, order->len);
			sql += sizeof(o) - 1;
		} else if (*sql != '\0') {
			buf_addc(ret, *sql++);
		}
	}
}

static bool
has_order(const struct filter *f)
{
	return f != NULL && f->sort != NULL && f->sort[0] != '\0';
}

bool
filter_compose(const char *sql, const struct filter_fields *fields,
    const struct filter *f, size_t nargs, struct buf *ret_sql,
    struct buf *ret_args, size_t *ret_nargs, struct err *e)
{
	AUTO_BUF where = BUF_INIT;
	AUTO_BUF order = BUF_INIT;
	struct compose c = { .fields = fields,
		.sql = &where,
		.args = ret_args,
		.nargs = nargs,
		.e = e };

	if (f == NULL || f->where.ntests == 0)
		buf_adds(&where, "true");
	else if (!compose_node(&c, &f->where.nodes[0]))
		return false;
	c.sql = &order;
	if (!compose_order(&c, has_order(f) ? f->sort : fields->order) ||
	    !buf_ok(&where, e) || !buf_ok(&order, e))
		return false;
	fill_in(ret_sql, sql, &where, &order);
	*ret_nargs = c.nargs - nargs;
	return buf_ok(ret_sql, e) && buf_ok(ret_args, e);
}

static bool
run(struct db *db, const char *name, const char *sql,
    const struct filter_fields *fields, const struct filter *f, size_t nargs,
    const char *const args[], struct db_rows **ret, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	AUTO_BUF more = BUF_INIT;
	const char *all[DB_ARGS_MAX];
	struct db_call call = { .name = name, .args = all };
	size_t n;
	bool good;

	if (!filter_compose(sql, fields, f, nargs, &text, &more, &n, e))
		return false;
	for (size_t i = 0; i < nargs; i++)
		all[i] = args[i];
	for (size_t i = 0, at = 0; i < n; i++) {
		all[nargs + i] = more.data + at;
		at += strlen(more.data + at) + 1;
	}
	call.sql = text.data;
	call.nargs = nargs + n;
	call.once = has_order(f) || (f != NULL && f->where.ntests > 0);
	db_deadline(db, call.once ? FILTER_DEADLINE_MS : 0);
	good = db_calls(db, &call, 1, NULL, e);
	db_deadline(db, 0);
	if (good)
		*ret = call.rows;
	return good;
}

bool
filter_query(struct db *db, const char *name, const char *sql,
    const struct filter_fields *fields, const struct filter *f, size_t nargs,
    const char *const args[], struct db_rows **ret, struct err *e)
{
	return run(db, name, sql, fields, f, nargs, args, ret, e);
}

bool
filter_count(struct db *db, const char *name, const char *sql,
    const struct filter_fields *fields, const struct filter *f, size_t nargs,
    const char *const args[], int64_t *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!run(db, name, sql, fields, f, nargs, args, &rows, e))
		return false;
	*ret = db_int(rows, 0, 0);
	return true;
}
