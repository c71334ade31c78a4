/* Lists of jobs: what may be asked of them, and where they are looked for. */
#include "common/queue/report.h"

#include <string.h>

#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/link/filter.h"

#define STATES "ready delayed blocked running failed done cancelled"

/* (j).x is a column of the view afterwork.jobs, and of a row j of it. */
static const struct filter_field LIST[] = {
	{ "id", FILTER_INT, .sql = "(j).id" },
	{ "input", FILTER_JSON, .sql = "(j).input" },
	{ "taskStatus", FILTER_JSON,
	    .sql = "(afterwork.job_doc(j) -> 'taskStatus')" },
	{ "meta", FILTER_JSON, .sql = "(j).meta" },
	{ "completedAt", FILTER_TIME,
	    .sql = "(CASE WHEN (j).state = 'done' THEN (j).finished_at END)" },
	{ "totalTried", FILTER_INT, .sql = "(j).attempts" },
	{ "hasError", FILTER_BOOL,
	    .sql = "((j).state IN ('failed', 'cancelled'))" },
	{ "error", FILTER_JSON, .sql = "(afterwork.job_doc(j) -> 'error')" },
	{ "log", FILTER_JSON, .sql = "(afterwork.job_doc(j) -> 'log')" },
	{ "workflowSlug", FILTER_TEXT, .sql = "(NULL::text)" },
	{ "taskSlug", FILTER_TEXT, .sql = "(j).task" },
	{ "queue", FILTER_TEXT, .sql = "(j).queue" },
	{ "waitUntil", FILTER_TIME, .sql = "(j).wait_until" },
	/* Ids come in the order of times, and have the index. */
	{ "createdAt", FILTER_TIME, .sql = "(j).created_at",
	    .order = "(j).id" },
	{ "updatedAt", FILTER_TIME, .sql = "(j).updated_at" },
	{ "processing", FILTER_BOOL, .sql = "((j).state = 'running')" },
	{ "state", FILTER_WORD, .sql = "(j).state", .words = STATES },
	{ "priority", FILTER_INT, .sql = "(j).priority" },
	{ "runAt", FILTER_TIME, .sql = "(j).run_at" },
	{ "attempts", FILTER_INT, .sql = "(j).attempts" },
	{ "crashes", FILTER_INT, .sql = "(j).crashes" },
	{ "leaseNo", FILTER_INT, .sql = "(j).lease_no" },
	{ "uniqueKey", FILTER_TEXT, .sql = "(j).unique_key" },
	{ "concurrencyKey", FILTER_TEXT, .sql = "(j).concurrency_key" },
	{ "tags", FILTER_LIST, .sql = "(j).tags" },
	{ "progress", FILTER_JSON, .sql = "(j).progress" },
	{ "output", FILTER_JSON, .sql = "(j).output" },
};

static const struct filter_fields FIELDS = {
	.list = LIST,
	.n = LEN(LIST),
	.id = "(j).id",
	.order = "-createdAt",
};

/* ---- where jobs of such a state are ---- */

/* Can the condition hold for a job of a state? */
enum can { NO, PERHAPS, YES };

static enum can
can_not(enum can c)
{
	return c == NO ? YES : c == YES ? NO : PERHAPS;
}

/* Is the state in the value: a word, words with commas, or a list? */
static bool
value_has(const struct tree_node *value, const char *state)
{
	size_t n = strlen(state);

	for (const struct tree_node *c = value->first; c != NULL; c = c->next)
		if (strcmp(c->text, state) == 0)
			return true;
	for (const char *p = value->text; (p = strstr(p, state)) != NULL; p++)
		if ((p == value->text || strchr(", ", p[-1]) != NULL) &&
		    (p[n] == '\0' || strchr(", ", p[n]) != NULL))
			return true;
	return false;
}

/* What is neither, such as null, decides nothing. */
static enum can
truth_can(const struct where_node *test, bool is)
{
	bool wanted = strcmp(test->value->text, "true") == 0;

	if (!wanted && strcmp(test->value->text, "false") != 0)
		return PERHAPS;
	return wanted == is ? YES : NO;
}

static enum can
test_can(const struct where_node *test, const char *state)
{
	bool is_state = strcmp(test->field, "state") == 0;
	enum can c = PERHAPS;

	if (test->op != WHERE_EQUALS && test->op != WHERE_NOT_EQUALS &&
	    !(is_state && (test->op == WHERE_IN || test->op == WHERE_NOT_IN)))
		return PERHAPS;
	if (is_state)
		c = value_has(test->value, state) ? YES : NO;
	else if (strcmp(test->field, "processing") == 0)
		c = truth_can(test, strcmp(state, "running") == 0);
	else if (strcmp(test->field, "hasError") == 0)
		c = truth_can(test, strcmp(state, "failed") == 0 ||
					strcmp(state, "cancelled") == 0);
	if (test->op == WHERE_NOT_EQUALS || test->op == WHERE_NOT_IN)
		c = can_not(c);
	return c;
}

/* Bounded by WHERE_DEPTH_MAX. */
static enum can
node_can(const struct where_node *node, const char *state)
{
	bool any = node->kind == WHERE_OR && node->first != NULL;
	enum can c = any ? NO : YES;

	if (node->kind == WHERE_TEST)
		return test_can(node, state);
	for (const struct where_node *m = node->first; m != NULL; m = m->next) {
		enum can one = node_can(m, state);

		if (any ? one > c : one < c)
			c = one;
	}
	return c;
}

void
report_stores(const struct filter *f, struct buf *ret)
{
	static const struct {
		const char *state;
		const char *store;
	} all[] = { { "ready", "live" }, { "delayed", "live" },
		{ "blocked", "live" }, { "running", "live" },
		{ "failed", "failed" }, { "done", "history" },
		{ "cancelled", "history" } };
	const char *last = "";

	for (size_t i = 0; i < LEN(all); i++) {
		if (strcmp(all[i].store, last) == 0 ||
		    (f->where.ntests > 0 &&
			node_can(&f->where.nodes[0], all[i].state) == NO))
			continue;
		last = all[i].store;
		db_array_add(ret, last);
	}
	db_array_end(ret);
}

/* ---- reading ---- */

#define SHOWN FILTER_SHOWN("p.doc", "$4", "$5")
#define LOOK  "10001" /* rows that are counted, and one */

/* A total that is no count must not end the pages before the rows do. */
static const char SQL_REPORT_PAGE[] =
    "WITH p AS MATERIALIZED (\n"
    "    SELECT afterwork.job_doc(j)::json AS doc\n"
    "    FROM afterwork.job_page($1::boolean, $2::bigint, $3::bigint) j\n"
    "), n AS (\n"
    "    SELECT count(*) AS n,\n"
    "        coalesce(json_agg(" SHOWN "), '[]') AS docs\n"
    "    FROM p\n"
    ")\n"
    "SELECT n.docs, CASE WHEN t.exact OR n.n = 0 THEN t.total\n"
    "    ELSE greatest(t.total, $3::bigint + n.n\n"
    "        + (n.n = $2::bigint)::integer) END\n"
    "FROM n, afterwork.job_total() t";

static bool
page_all(struct db *db, const struct filter *f, bool newest_first,
    struct db_rows **ret, struct err *e)
{
	AUTO_BUF names = BUF_INIT;
	struct arg limit = arg_int(f->limit), skip = arg_int(f->offset);
	const char *const args[] = {
		newest_first ? "true" : "false",
		limit.s,
		skip.s,
		filter_names(f, &names),
		filter_stay(f),
	};

	return buf_ok(&names, e) && db_query(db, "report_page", SQL_REPORT_PAGE,
					LEN(args), args, ret, e);
}

/* A whole row j travels, so that the same expressions name its columns inside
 * and outside. */
static const char SQL_REPORT_LIST[] =
    "WITH p AS MATERIALIZED (\n"
    "    SELECT afterwork.job_doc(y.j)::json AS doc,\n"
    "        row_number() OVER () AS n\n"
    "    FROM (SELECT x.j FROM afterwork.queue q, LATERAL (\n"
    "            SELECT j FROM afterwork.jobs j\n"
    "            WHERE j.queue = q.name AND j.store = ANY ($3::text[])\n"
    "            AND {where}\n"
    "            ORDER BY {order} LIMIT $1::bigint + $2::bigint) x\n"
    "        ORDER BY {order}\n"
    "        LIMIT $1::bigint OFFSET $2::bigint) y\n"
    "), n AS (\n"
    "    SELECT count(*) AS n,\n"
    "        coalesce(json_agg(" SHOWN " ORDER BY p.n), '[]') AS docs\n"
    "    FROM p\n"
    "), t AS (\n"
    "    SELECT count(*) AS total FROM (\n"
    "        SELECT FROM afterwork.queue q, LATERAL (\n"
    "            SELECT FROM afterwork.jobs j\n"
    "            WHERE j.queue = q.name\n"
    "            AND j.store = ANY ($3::text[]) AND {where}\n"
    "            LIMIT " LOOK ") x\n"
    "        LIMIT " LOOK ") y\n"
    ")\n"
    "SELECT n.docs, CASE WHEN t.total < " LOOK " OR n.n = 0\n"
    "    THEN t.total ELSE greatest(t.total, $2::bigint + n.n\n"
    "        + (n.n = $1::bigint)::integer) END\n"
    "FROM n, t";

static bool
page_filtered(
    struct db *db, const struct filter *f, struct db_rows **ret, struct err *e)
{
	AUTO_BUF stores = BUF_INIT;
	AUTO_BUF names = BUF_INIT;
	struct arg limit = arg_int(f->limit), skip = arg_int(f->offset);
	const char *args[5] = { limit.s, skip.s };

	report_stores(f, &stores);
	args[2] = stores.data;
	args[3] = filter_names(f, &names);
	args[4] = filter_stay(f);
	return buf_ok(&stores, e) && buf_ok(&names, e) &&
	       filter_query(db, "report_list", SQL_REPORT_LIST, &FIELDS, f,
		   LEN(args), args, ret, e);
}

/* Nothing but the order of ids is asked for. */
static bool
is_plain(const struct filter *f, bool *ret_newest_first)
{
	static const struct {
		const char *sort;
		bool newest_first;
	} orders[] = { { "-createdAt", true }, { "-id", true },
		{ "createdAt", false }, { "id", false } };
	const char *sort = f->sort != NULL ? f->sort : FIELDS.order;

	for (size_t i = 0; i < LEN(orders); i++)
		if (strcmp(orders[i].sort, sort) == 0) {
			*ret_newest_first = orders[i].newest_first;
			return f->where.ntests == 0;
		}
	return false;
}

bool
report_list(struct db *db, const struct filter *f, struct buf *ret_docs,
    int64_t *ret_total, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	bool newest_first;

	if (is_plain(f, &newest_first)
		? !page_all(db, f, newest_first, &rows, e)
		: !page_filtered(db, f, &rows, e))
		return false;
	buf_add(ret_docs, db_text(rows, 0, 0), db_text_len(rows, 0, 0));
	*ret_total = db_int(rows, 0, 1);
	return buf_ok(ret_docs, e);
}

static const char SQL_REPORT_TOTAL[] =
    "SELECT total FROM afterwork.job_total()";

static bool
count_all(struct db *db, int64_t *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "report_total", SQL_REPORT_TOTAL, 0, NULL, &rows, e))
		return false;
	*ret = db_int(rows, 0, 0);
	return true;
}

static const char SQL_REPORT_COUNT[] =
    "SELECT count(*) FROM (\n"
    "    SELECT FROM afterwork.queue q, LATERAL (\n"
    "        SELECT FROM afterwork.jobs j\n"
    "        WHERE j.queue = q.name AND j.store = ANY ($1::text[])\n"
    "        AND {where}) x) y";

bool
report_count(struct db *db, const struct filter *f, int64_t *ret, struct err *e)
{
	AUTO_BUF stores = BUF_INIT;

	if (f->where.ntests == 0)
		return count_all(db, ret, e);
	report_stores(f, &stores);
	return buf_ok(&stores, e) &&
	       filter_count(db, "report_count", SQL_REPORT_COUNT, &FIELDS, f, 1,
		   (const char *const[]){ stores.data }, ret, e);
}
