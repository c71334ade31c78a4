/*
 * What a client may say of a list: where, sort and select, in brackets and as
 * JSON, made into a statement.
 *
 * - It is refused with a message, or composed within the bounds.
 * - The composed text has words of ours only: nothing of what was said is in
 *   it, whatever the names and values were.
 * - It has as many placeholders as there are arguments.
 * - What says something is no more than that: nothing in it holds by itself.
 */
#include "common/link/filter.h"

#include "common/link/db.h"
#include "common/link/js_tree.h"
#include "tests/fuzz/fuzz.h"

static const struct filter_field LIST[] = {
	{ "a", FILTER_INT, .sql = "Q" },
	{ "b", FILTER_TIME, .sql = "Q" },
	{ "c", FILTER_TEXT, .sql = "Q" },
	{ "d", FILTER_WORD, .sql = "Q", .words = "x y z" },
	{ "e", FILTER_BOOL, .sql = "Q" },
	{ "f", FILTER_LIST, .sql = "Q" },
	{ "g", FILTER_JSON, .sql = "Q" },
	{ "h", FILTER_PRESENT, .sql = "Q" },
};

static const struct filter_fields FIELDS = {
	.list = LIST, .n = LEN(LIST), .id = "Q", .order = "a"
};

/* Every word that a composed text may have. */
static const char *const WORDS[] = { "Q", "true", "false", "AND", "OR", "IS",
	"NOT", "NULL", "ANY", "ALL", "ILIKE", "EXISTS", "SELECT", "FROM",
	"WHERE", "AS", "ARRAY", "DESC", "unnest", "v", "t", "coalesce",
	"cardinality", "interval", "millisecond", "bigint", "timestamptz",
	"text", "boolean" };

static bool
is_ours(const char *p, size_t n)
{
	for (size_t i = 0; i < LEN(WORDS); i++)
		if (strlen(WORDS[i]) == n && strncmp(WORDS[i], p, n) == 0)
			return true;
	return false;
}

static void
check_text(const struct buf *sql)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

	HOLDS(strlen(sql->data) == sql->len);
	for (const char *p = sql->data; *p != '\0';) {
		size_t n = strspn(p, letters);

		HOLDS(n == 0 ? strchr("0123456789 ()[]=<>#&@,.:+$'", *p) != NULL
			     : is_ours(p, n));
		p += n + (n == 0);
	}
}

static void
check_compose(const struct filter *f)
{
	AUTO_BUF sql = BUF_INIT;
	AUTO_BUF args = BUF_INIT;
	AUTO_BUF names = BUF_INIT;
	struct err e = { 0 };
	size_t nargs = 0, at = 0, quotes = 0;

	if (!filter_compose(
		"{where}, {order}", &FIELDS, f, 3, &sql, &args, &nargs, &e)) {
		HOLDS(e.code == ERR_INVALID || e.code == ERR_QUERY);
		HOLDS(e.msg[0] != '\0' && e.field[0] != '\0');
		return;
	}
	check_text(&sql);
	HOLDS(f->where.ntests == 0 || strstr(sql.data, "true") == NULL);
	HOLDS(strstr(sql.data, "()") == NULL);
	HOLDS(nargs + 3 <= DB_ARGS_MAX);
	for (size_t i = 0; i < nargs; i++)
		at += strlen(args.data + at) + 1;
	HOLDS(at == args.len);
	for (const char *p = sql.data; *p != '\0'; p++)
		quotes += *p == '\'';
	HOLDS(quotes % 2 == 0);
	if (f->select_tree.root != NULL && !tree_is_scalar(f->select_tree.root))
		(void)filter_names(f, &names);
}

static void
check_query(const char *p, size_t size)
{
	struct query q = { 0 };
	AUTO_FILTER f = { 0 };
	AUTO_TREE sort = { 0 };
	struct err e = { 0 };

	if (!query_parse(p, size, &q, &e))
		return;
	if (tree_query(&q, "where", &f.where_tree, &e) &&
	    where_parse(f.where_tree.root, &f.where, &e) &&
	    tree_query(&q, "sort", &sort, &e) &&
	    tree_query(&q, "select", &f.select_tree, &e)) {
		HOLDS(f.where.ntests <= WHERE_TESTS_MAX);
		f.select = FILTER_WITHOUT;
		if (sort.root != NULL)
			f.sort = strdup(sort.root->text);
		check_compose(&f);
	} else
		HOLDS(e.code == ERR_INVALID || e.code == ERR_QUERY);
	query_release(&q);
}

static void
check_json(const char *p, size_t size)
{
	AUTO_FILTER f = { 0 };
	struct err e = { 0 };

	if (!js_tree("where", p, size, &f.where_tree, &e) ||
	    !where_parse(f.where_tree.root, &f.where, &e)) {
		HOLDS(e.code == ERR_INVALID || e.code == ERR_QUERY);
		return;
	}
	HOLDS(f.where_tree.n <= TREE_NODES_MAX);
	HOLDS(f.where.ntests <= WHERE_TESTS_MAX);
	check_compose(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == '{')
		check_json((const char *)data, size);
	else
		check_query((const char *)data, size);
	return 0;
}
