/* Conditions and orders as SQL: what is composed, and what is refused. */
#include "common/link/filter.h"

#include "common/link/js_tree.h"
#include "tests/unit/tap.h"

static const struct filter_field LIST[] = {
	{ "id", FILTER_INT, .sql = "x.id" },
	{ "at", FILTER_TIME, .sql = "x.t" },
	{ "title", FILTER_TEXT, .sql = "x.title" },
	{ "state", FILTER_WORD, .sql = "x.state", .words = "new old" },
	{ "good", FILTER_BOOL, .sql = "x.good" },
	{ "tags", FILTER_LIST, .sql = "x.tags", .unsorted = true },
	{ "input", FILTER_JSON, .sql = "x.input" },
	{ "layout", FILTER_PRESENT, .sql = "x.layout" },
	{ "made", FILTER_TIME, .sql = "x.made", .order = "x.id" },
};

static const struct filter_fields FIELDS = {
	.list = LIST, .n = LEN(LIST), .id = "x.id", .order = "-at"
};

/* "SQL | argument | …" of a where (JSON; NULL: none) and a sort. */
static void
show(const char *where, const char *sort, const char *sql, struct buf *ret)
{
	AUTO_FILTER f = { 0 };
	AUTO_BUF args = BUF_INIT;
	struct err e = { 0 };
	size_t n = 0, at = 0;

	buf_clear(ret);
	f.sort = sort == NULL ? NULL : strdup(sort);
	if ((where != NULL &&
		!js_tree("where", where, strlen(where), &f.where_tree, &e)) ||
	    !where_parse(f.where_tree.root, &f.where, &e) ||
	    !filter_compose(sql, &FIELDS, &f, 1, ret, &args, &n, &e)) {
		buf_clear(ret);
		buf_addf(ret, "!%s %s", err_name(e.code), e.field);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		buf_addf(ret, " | %s", args.data + at);
		at += strlen(args.data + at) + 1;
	}
	ok(at == args.len, "as many arguments as placeholders");
}

#define MS  " + interval '1 millisecond'"
#define DAY "2026-07-20T00:00:00.000Z"

static const struct {
	const char *where, *want;
} FITTING[] = {
	{ "{}", "true" },
	{ "{\"or\":[]}", "true" },
	{ "{\"or\":[{}],\"title\":{}}", "true" },
	{ "{\"or\":[{},{\"id\":{\"equals\":7}},{\"title\":{}},{\"and\":[]}]}",
	    "((((x.id = $2::bigint)))) | 7" },
	{ "{\"id\":{\"equals\":7}}", "((x.id = $2::bigint)) | 7" },
	{ "{\"id\":{\"equals\":\"-007\"}}", "((x.id = $2::bigint)) | -7" },
	{ "{\"id\":{\"not_equals\":7}}",
	    "((coalesce(x.id = $2::bigint, false) = false)) | 7" },
	{ "{\"id\":{\"equals\":null}}", "(((x.id) IS NULL))" },
	{ "{\"id\":{\"equals\":\"null\"}}", "(((x.id) IS NULL))" },
	{ "{\"id\":{\"not_equals\":\"\"}}", "(((x.id) IS NOT NULL))" },
	{ "{\"id\":{\"in\":\"1, 2,,3\"}}",
	    "((x.id = ANY ($2::bigint[]))) | {\"1\",\"2\",\"3\"}" },
	{ "{\"id\":{\"not_in\":[4]}}",
	    "((coalesce(x.id = ANY ($2::bigint[]), false) = false))"
	    " | {\"4\"}" },
	{ "{\"id\":{\"in\":[]}}", "((x.id = ANY ($2::bigint[]))) | {}" },
	{ "{\"id\":{\"exists\":true}}", "(((x.id) IS NOT NULL))" },
	{ "{\"id\":{\"exists\":\"false\"}}", "(((x.id) IS NULL))" },
	{ "{\"id\":{\"greater_than\":1,\"less_than_equal\":5}}",
	    "((x.id > $2::bigint) AND (x.id <= $3::bigint))"
	    " | 1 | 5" },
	{ "{\"title\":{\"equals\":\"null\"}}",
	    "((x.title = $2::text)) | null" },
	{ "{\"title\":{\"equals\":\"' OR 1=1 --\"}}",
	    "((x.title = $2::text)) | ' OR 1=1 --" },
	{ "{\"title\":{\"like\":\" a%  b_\\\\ \"}}",
	    "((x.title ILIKE ALL ($2::text[])))"
	    " | {\"%a\\\\%%\",\"%b\\\\_\\\\\\\\%\"}" },
	{ "{\"title\":{\"not_like\":\"a\"}}",
	    "((coalesce(x.title ILIKE ALL ($2::text[]), false)"
	    " = false)) | {\"%a%\"}" },
	{ "{\"title\":{\"contains\":\"a b%\"}}",
	    "((x.title ILIKE $2::text)) | %a b\\%%" },
	{ "{\"title\":{\"in\":[\"a,b\",\"c\\\"d\"]}}",
	    "((x.title = ANY ($2::text[])))"
	    " | {\"a,b\",\"c\\\"d\"}" },
	{ "{\"title\":{\"greater_than_equal\":5}}",
	    "((x.title >= $2::text)) | 5" },
	{ "{\"state\":{\"equals\":\"new\"}}", "((x.state = $2::text)) | new" },
	{ "{\"state\":{\"in\":\"new,old\"}}",
	    "((x.state = ANY ($2::text[]))) | {\"new\",\"old\"}" },
	{ "{\"good\":{\"equals\":true}}", "((coalesce(x.good, false)))" },
	{ "{\"good\":{\"not_equals\":\"true\"}}",
	    "((coalesce(x.good, false) = false))" },
	{ "{\"tags\":{\"contains\":\"a\"}}",
	    "(($2::text = ANY (x.tags))) | a" },
	{ "{\"tags\":{\"all\":\"a,b\"}}",
	    "((x.tags @> $2::text[])) | {\"a\",\"b\"}" },
	{ "{\"tags\":{\"in\":\"a\"}}", "((x.tags && $2::text[])) | {\"a\"}" },
	{ "{\"tags\":{\"exists\":false}}",
	    "((coalesce(cardinality(x.tags), 0) = 0))" },
	{ "{\"input\":{\"exists\":true}}",
	    "(((((x.input) #>> $2::text[])) IS NOT NULL)) | {}" },
	{ "{\"input.a.0\":{\"equals\":5}}",
	    "((((x.input) #>> $2::text[]) = $3::text))"
	    " | {\"a\",\"0\"} | 5" },
	{ "{\"layout\":{\"exists\":true}}", "(((x.layout) IS NOT NULL))" },
	{ "{\"at\":{\"greater_than\":\"2026-07-20\"}}",
	    "((x.t >= $2::timestamptz" MS ")) | " DAY },
	{ "{\"at\":{\"less_than\":\"2026-07-20\"}}",
	    "((x.t < $2::timestamptz)) | " DAY },
	{ "{\"at\":{\"equals\":\"2026-07-20T00:00:00Z\"}}",
	    "((EXISTS (SELECT FROM unnest(ARRAY[$2::timestamptz])"
	    " AS v(t) WHERE x.t >= v.t AND x.t < v.t" MS "))) | " DAY },
	{ "{\"or\":[{\"id\":{\"equals\":1}},{\"id\":{\"equals\":2},"
	  "\"good\":{\"equals\":true}}]}",
	    "((((x.id = $2::bigint)) OR ((x.id = $3::bigint) AND "
	    "(coalesce(x.good, false))))) | 1 | 2" },
};

static void
test_fits(void)
{
	AUTO_BUF got = BUF_INIT;

	for (size_t i = 0; i < LEN(FITTING); i++) {
		show(FITTING[i].where, NULL, "{where}", &got);
		is_text(got.data, FITTING[i].want, "%s", FITTING[i].where);
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *where, *want;
	} cases[] = {
		{ "{\"nope\":{\"equals\":1}}", "!query nope" },
		{ "{\"id.x\":{\"equals\":1}}", "!query id.x" },
		{ "{\"ID\":{\"equals\":1}}", "!query ID" },
		{ "{\"id\":{\"equals\":\"1x\"}}", "!invalid id" },
		{ "{\"id\":{\"equals\":1.5}}", "!invalid id" },
		{ "{\"id\":{\"equals\":\"9223372036854775808\"}}",
		    "!invalid id" },
		{ "{\"id\":{\"equals\":true}}", "!invalid id" },
		{ "{\"id\":{\"equals\":[1]}}", "!invalid id" },
		{ "{\"id\":{\"in\":\"1,x\"}}", "!invalid id" },
		{ "{\"id\":{\"in\":null}}", "!invalid id" },
		{ "{\"id\":{\"greater_than\":null}}", "!invalid id" },
		{ "{\"id\":{\"exists\":1}}", "!invalid id" },
		{ "{\"id\":{\"like\":\"1\"}}", "!invalid id" },
		{ "{\"id\":{\"all\":\"1\"}}", "!invalid id" },
		{ "{\"id\":{\"near\":\"1\"}}", "!invalid id" },
		{ "{\"title\":{\"within\":\"1\"}}", "!invalid title" },
		{ "{\"title\":{\"intersects\":\"1\"}}", "!invalid title" },
		{ "{\"title\":{\"like\":[\"a\"]}}", "!invalid title" },
		{ "{\"state\":{\"equals\":\"new old\"}}", "!invalid state" },
		{ "{\"state\":{\"equals\":\"ne\"}}", "!invalid state" },
		{ "{\"state\":{\"like\":\"new\"}}", "!invalid state" },
		{ "{\"good\":{\"equals\":1}}", "!invalid good" },
		{ "{\"good\":{\"in\":\"true\"}}", "!invalid good" },
		{ "{\"tags\":{\"like\":\"a\"}}", "!invalid tags" },
		{ "{\"input\":{\"greater_than\":1}}", "!invalid input" },
		{ "{\"layout\":{\"equals\":\"\"}}", "!invalid layout" },
		{ "{\"at\":{\"equals\":\"yesterday\"}}", "!invalid at" },
		{ "{\"at\":{\"equals\":\"2026-02-29\"}}", "!invalid at" },
		{ "{\"at\":{\"equals\":\"2026-13-01\"}}", "!invalid at" },
		{ "{\"at\":{\"equals\":\"0000-01-01\"}}", "!invalid at" },
		{ "{\"at\":{\"equals\":\"2026-01-01T24:00Z\"}}",
		    "!invalid at" },
		{ "{\"at\":{\"equals\":\"2026-01-01T10:00:00+15:00\"}}",
		    "!invalid at" },
		{ "{\"at\":{\"equals\":\"2026-01-01T10:00:00.Z\"}}",
		    "!invalid at" },
		{ "{\"at\":{\"equals\":\"infinity\"}}", "!invalid at" },
		{ "{\"at\":{\"like\":\"2026\"}}", "!invalid at" },
	};
	AUTO_BUF got = BUF_INIT;

	for (size_t i = 0; i < LEN(cases); i++) {
		show(cases[i].where, NULL, "{where}", &got);
		is_text(got.data, cases[i].want, "%s", cases[i].where);
	}
}

static void
test_times(void)
{
	static const struct {
		const char *said, *want;
	} cases[] = {
		{ "2024-02-29", "2024-02-29T00:00:00.000Z" },
		{ "2026-07-20T12:34", "2026-07-20T12:34:00.000Z" },
		{ "2026-07-20T12:34:56.7Z", "2026-07-20T12:34:56.700Z" },
		{ "2026-07-20T12:34:56.123999", "2026-07-20T12:34:56.123Z" },
		{ "2026-07-20 12:34:56+02:00",
		    "2026-07-20T12:34:56.000+02:00" },
		{ "2026-07-20T12:34:56 02:00",
		    "2026-07-20T12:34:56.000+02:00" },
		{ "2026-07-20t12:34:56-0530", "2026-07-20T12:34:56.000-05:30" },
	};
	AUTO_BUF got = BUF_INIT;
	AUTO_BUF where = BUF_INIT;
	AUTO_BUF want = BUF_INIT;

	for (size_t i = 0; i < LEN(cases); i++) {
		buf_clear(&where);
		buf_clear(&want);
		buf_addf(
		    &where, "{\"at\":{\"less_than\":\"%s\"}}", cases[i].said);
		buf_addf(
		    &want, "((x.t < $2::timestamptz)) | %s", cases[i].want);
		show(where.data, NULL, "{where}", &got);
		is_text(got.data, want.data, "%s", cases[i].said);
	}
}

static void
test_order(void)
{
	static const struct {
		const char *sort, *want;
	} cases[] = {
		{ NULL, "x.t DESC, x.id DESC" },
		{ "", "x.t DESC, x.id DESC" },
		{ "at", "x.t, x.id" },
		{ "-id", "x.id DESC, x.id DESC" },
		{ "title,-at", "x.title, x.t DESC, x.id DESC" },
		{ "made", "x.id, x.id" },
		{ "input", "x.input, x.id" },
		{ "nope", "!invalid sort" },
		{ "title;", "!invalid sort" },
		{ "titl", "!invalid sort" },
		{ "--id", "!invalid sort" },
		{ "id,,at", "!invalid sort" },
		{ "id at", "!invalid sort" },
		{ "x.id", "!invalid sort" },
		{ "tags", "!invalid sort" },
		{ "layout", "!invalid sort" },
		{ "input.a", "!invalid sort" },
		{ "id,id,id,id,id,id,id,id,id", "!invalid sort" },
	};
	AUTO_BUF got = BUF_INIT;

	for (size_t i = 0; i < LEN(cases); i++) {
		show(NULL, cases[i].sort, "{order}", &got);
		is_text(got.data, cases[i].want, "sort %s",
		    cases[i].sort == NULL ? "" : cases[i].sort);
	}
}

static void
test_statement(void)
{
	AUTO_BUF got = BUF_INIT;

	show("{\"id\":{\"equals\":1}}", "id",
	    "a '{}' {where} b {where {order} {where}", &got);
	is_text(got.data,
	    "a '{}' ((x.id = $2::bigint)) b {where x.id, x.id "
	    "((x.id = $2::bigint)) | 1",
	    "marks are replaced wherever they stand, and nothing else is");
}

/* "names, stay: shown fields" of a select. */
static void
selected(const char *text, struct buf *ret)
{
	static const char *const fields[] = { "id", "title", "sizes", "at" };
	AUTO_FILTER f = { 0 };
	AUTO_BUF names = BUF_INIT;
	struct query q = { 0 };
	struct err e = { 0 };
	const char *array;

	buf_clear(ret);
	if (!query_parse(text, strlen(text), &q, &e) ||
	    !tree_query(&q, "select", &f.select_tree, &e) ||
	    !filter_select(&f, &e)) {
		buf_addf(ret, "!%s %s", err_name(e.code), e.field);
		query_release(&q);
		return;
	}
	array = filter_names(&f, &names);
	buf_addf(ret, "%s %s:", array == NULL ? "-" : array, filter_stay(&f));
	for (size_t i = 0; i < LEN(fields); i++)
		if (filter_shows(&f, fields[i]))
			buf_addf(ret, " %s", fields[i]);
	query_release(&q);
}

static const struct {
	const char *select, *want;
} SELECTS[] = {
	{ "", "- true: id title sizes at" },
	{ "select=", "- true: id title sizes at" },
	{ "select[title]=true&select[at]=true",
	    "{\"id\",\"title\",\"at\"} true: id title at" },
	{ "select[title]=false&select[at]=false",
	    "{\"title\",\"at\"} false: id sizes" },
	{ "select[id]=false", "{} false: id title sizes at" },
	{ "select[sizes][thumbnail]=true",
	    "{\"id\",\"sizes\"} true: id sizes" },
	{ "select[sizes][thumbnail][width]=true&select[at]=true",
	    "{\"id\",\"sizes\",\"at\"} true: id sizes at" },
	{ "select[sizes][thumbnail]=false", "{} false: id title sizes at" },
	{ "select[sizes][thumbnail][width]=false&select[at]=false",
	    "{\"at\"} false: id title sizes" },
	{ "select[at]=false&select[sizes][thumbnail]=false",
	    "{\"at\"} false: id title sizes" },
	{ "select[title]=maybe", "!invalid select" },
	{ "select[title]=true&select[at]=false", "!invalid select" },
	{ "select[sizes][thumbnail]=maybe", "!invalid select" },
	{ "select[sizes][a]=false&select[sizes][b]=true", "!invalid select" },
	{ "select[sizes][thumbnail]=false&select[at]=true", "!invalid select" },
	{ "select[at]=true&select[sizes][thumbnail]=false", "!invalid select" },
};

static void
test_select(void)
{
	AUTO_BUF got = BUF_INIT;

	for (size_t i = 0; i < LEN(SELECTS); i++) {
		selected(SELECTS[i].select, &got);
		is_text(got.data, SELECTS[i].want, "%s", SELECTS[i].select);
	}
}

int
main(void)
{
	test_fits();
	test_refused();
	test_times();
	test_order();
	test_statement();
	test_select();
	return done();
}
