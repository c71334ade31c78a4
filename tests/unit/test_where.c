/* Trees of values from brackets, and what a where says. */
#include "common/parse/where.h"

#include "common/base/buf.h"
#include "common/link/js_tree.h"
#include "tests/unit/tap.h"

/* ---- trees ---- */

static void
show_node(const struct tree_node *node, struct buf *ret)
{
	buf_adds(ret, node->name);
	if (tree_is_scalar(node)) {
		buf_addf(ret, "=%s", node->text);
		return;
	}
	buf_addc(ret, node->kind == TREE_LIST ? '(' : '{');
	for (const struct tree_node *c = node->first; c != NULL; c = c->next) {
		show_node(c, ret);
		if (c->next != NULL)
			buf_addc(ret, ' ');
	}
	buf_addc(ret, node->kind == TREE_LIST ? ')' : '}');
}

static void
show_tree(const char *text, struct buf *ret)
{
	struct query q = { 0 };
	AUTO_TREE t = { 0 };
	struct err e = { 0 };

	buf_clear(ret);
	if (!query_parse(text, strlen(text), &q, &e))
		buf_adds(ret, "no query");
	else if (!tree_query(&q, "w", &t, &e))
		buf_addf(ret, "!%s %s", err_name(e.code), e.field);
	else if (t.root != NULL)
		show_node(t.root, ret);
	query_release(&q);
}

static void
test_brackets(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "x=1&wx=2&[w]=3", "" },
		{ "w=1", "w=1" },
		{ "w=", "w=" },
		{ "w=1&w=2", "w(=1 =2)" },
		{ "w=1&w=2&w=3", "w(=1 =2 =3)" },
		{ "w[]=1&w[]=2", "w{=1 =2}" },
		{ "w[0]=1&w[1]=2", "w{0=1 1=2}" },
		{ "w[a]=1&w[b]=2", "w{a=1 b=2}" },
		{ "w[a][b]=1&w[a][c]=2", "w{a{b=1 c=2}}" },
		{ "w[a]=1&w[a]=2", "w{a(=1 =2)}" },
		{ "w[a][]=1&w[a]=2", "w{a{=1 =2}}" },
		{ "w[or][0][t][x]=1&w[or][1][t][x]=2",
		    "w{or{0{t{x=1}} 1{t{x=2}}}}" },
		{ "w%5Ba%5D=1", "w{a=1}" },
		{ "w[a.b]=1", "w{a.b=1}" },
		{ "w[a]=1&w[a][b]=2", "!invalid w" },
		{ "w[a][b]=1&w[a]=2", "!invalid w" },
		{ "w=1&w[a]=2", "!invalid w" },
		{ "w[a=1", "!invalid w" },
		{ "w[a]b=1", "!invalid w" },
		{ "w[a]]=1", "!invalid w" },
		{ "w[[a]]=1", "!invalid w" },
		{ "w[=1", "!invalid w" },
		{ "w[a][[]=1", "!invalid w" },
	};
	AUTO_BUF got = BUF_INIT;

	for (size_t i = 0; i < LEN(cases); i++) {
		show_tree(cases[i].text, &got);
		is_text(got.data, cases[i].want, "%s", cases[i].text);
	}
}

static void
test_deep_brackets(void)
{
	AUTO_BUF text = BUF_INIT;
	AUTO_BUF got = BUF_INIT;

	buf_adds(&text, "w");
	for (int i = 0; i < TREE_DEPTH_MAX - 1; i++)
		buf_adds(&text, "[a]");
	show_tree(text.data, &got);
	ok(got.data[0] == 'w', "brackets up to the bound");
	buf_adds(&text, "[a]");
	show_tree(text.data, &got);
	is_text(got.data, "!invalid w", "and one more");
}

/* ---- where ---- */

static void
show_where(const struct where_node *node, struct buf *ret)
{
	if (node->kind == WHERE_TEST) {
		buf_addf(ret, "%s %s ", node->field, where_op_name(node->op));
		show_node(node->value, ret);
		return;
	}
	buf_adds(ret, node->kind == WHERE_OR ? "or(" : "and(");
	for (const struct where_node *c = node->first; c != NULL; c = c->next) {
		show_where(c, ret);
		if (c->next != NULL)
			buf_adds(ret, ", ");
	}
	buf_addc(ret, ')');
}

static void
show_json(const char *text, struct buf *ret)
{
	AUTO_TREE t = { 0 };
	struct where w = { 0 };
	struct err e = { 0 };

	buf_clear(ret);
	if (!js_tree("where", text, strlen(text), &t, &e) ||
	    !where_parse(t.root, &w, &e)) {
		buf_addf(ret, "!%s %s", err_name(e.code), e.field);
		return;
	}
	show_where(&w.nodes[0], ret);
	where_release(&w);
}

static void
test_where(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{}", "and()" },
		{ "{\"a\":{\"equals\":\"x\"}}", "and(a equals equals=x)" },
		{ "{\"a\":{\"equals\":1,\"exists\":true},\"b\":{\"in\":[1,2]}}",
		    "and(a equals equals=1, a exists exists=true, "
		    "b in in(=1 =2))" },
		{ "{\"or\":[{\"a\":{\"like\":\"x\"}},{\"and\":[]}]}",
		    "and(or(and(a like like=x)))" },
		{ "{\"AND\":[{\"a\":{\"near\":\"\"}}],\"or\":{}}",
		    "and(and(and(a near near=)))" },
		{ "{\"or\":[{},{\"a\":{\"like\":\"x\"}},{\"b\":{}}]}",
		    "and(or(and(a like like=x)))" },
		{ "{\"or\":[{\"or\":[{\"and\":[{},{\"b\":{}}]}]},"
		  "{\"a\":{\"like\":\"x\"}},{}]}",
		    "and(or(and(a like like=x)))" },
		{ "{\"or\":[{\"or\":[{},{\"b\":{}}]},{\"and\":[]}]}", "and()" },
		{ "{\"or\":[{\"a\":{\"like\":\"x\"},\"b\":{},\"or\":[{}]}]}",
		    "and(or(and(a like like=x)))" },
		{ "{\"a.b_2\":{\"equals\":null}}",
		    "and(a.b_2 equals equals=)" },
		{ "[]", "!invalid where" },
		{ "1", "!invalid where" },
		{ "{\"a\":1}", "!invalid a" },
		{ "{\"a\":[]}", "!invalid a" },
		{ "{\"or\":\"x\"}", "!invalid where" },
		{ "{\"or\":{\"a\":{\"equals\":1}}}", "!invalid where" },
		{ "{\"or\":[1]}", "!invalid where" },
		{ "{\"a\":{\"equals\":{\"b\":1}}}", "!invalid a" },
		{ "{\"a\":{\"in\":[[1]]}}", "!invalid a" },
		{ "{\"a\":{\"is\":1}}", "!query a.is" },
		{ "{\"a b\":{\"equals\":1}}", "!query a b" },
		{ "{\"a.\":{\"equals\":1}}", "!query a." },
		{ "{\".a\":{\"equals\":1}}", "!query .a" },
		{ "{\"\":{\"equals\":1}}", "!query " },
		{ "{\"a'--\":{\"equals\":1}}", "!query a'--" },
		{ "{\"a\":{\"equals\":1}", "!invalid where" },
		{ "{\"a\":{\"equals\":\"\\u0000\"}}", "!invalid where" },
	};
	AUTO_BUF got = BUF_INIT;

	for (size_t i = 0; i < LEN(cases); i++) {
		show_json(cases[i].text, &got);
		is_text(got.data, cases[i].want, "%s", cases[i].text);
	}
}

/* {"or":[{"or":[…]}]}, so deep. */
static void
deep(int n, struct buf *ret)
{
	buf_clear(ret);
	for (int i = 0; i < n; i++)
		buf_adds(ret, "{\"or\":[");
	buf_adds(ret, "{}");
	for (int i = 0; i < n; i++)
		buf_adds(ret, "]}");
}

/* {"a":{"in":[0,…]}} with so many values, or so many conditions on fields. */
static void
wide(int n, bool values, struct buf *ret)
{
	buf_clear(ret);
	buf_adds(ret, values ? "{\"a\":{\"in\":[" : "{");
	for (int i = 0; i < n; i++)
		buf_addf(ret, values ? "%s%d" : "%s\"a%d\":{\"exists\":true}",
		    i > 0 ? "," : "", i);
	buf_adds(ret, values ? "]}}" : "}");
}

static void
test_bounds(void)
{
	AUTO_BUF text = BUF_INIT;
	AUTO_BUF got = BUF_INIT;

	deep(WHERE_DEPTH_MAX - 1, &text);
	show_json(text.data, &got);
	ok(got.data[0] == 'a', "as deep as it may be");
	deep(WHERE_DEPTH_MAX, &text);
	show_json(text.data, &got);
	is_text(got.data, "!invalid where", "one more");
	deep(500, &text);
	show_json(text.data, &got);
	is_text(got.data, "!invalid where", "far too deep");
	wide(WHERE_VALUES_MAX, true, &text);
	show_json(text.data, &got);
	ok(got.data[0] == 'a', "as many values as there may be");
	wide(WHERE_VALUES_MAX + 1, true, &text);
	show_json(text.data, &got);
	is_text(got.data, "!invalid a", "one more");
	wide(TREE_NODES_MAX, true, &text);
	show_json(text.data, &got);
	is_text(got.data, "!invalid where", "more than a tree holds");
	wide(WHERE_TESTS_MAX, false, &text);
	show_json(text.data, &got);
	ok(got.data[0] == 'a', "as many conditions as there may be");
	wide(WHERE_TESTS_MAX + 1, false, &text);
	show_json(text.data, &got);
	is_text(got.data, "!invalid where", "one more");
}

int
main(void)
{
	test_brackets();
	test_deep_brackets();
	test_where();
	test_bounds();
	return done();
}
