/* Where a list looks for jobs. */
#include "common/queue/report.h"

#include "common/link/filter.h"
#include "common/link/js_tree.h"
#include "tests/unit/tap.h"

static const struct {
	const char *where, *want;
} CASES[] = {
	{ "{}", "live failed history" },
	{ "{\"id\":{\"equals\":1}}", "live failed history" },
	{ "{\"state\":{\"equals\":\"ready\"}}", "live" },
	{ "{\"state\":{\"equals\":\"failed\"}}", "failed" },
	{ "{\"state\":{\"equals\":\"done\"}}", "history" },
	{ "{\"state\":{\"equals\":\"cancelled\"}}", "history" },
	{ "{\"state\":{\"in\":\"running, failed\"}}", "live failed" },
	{ "{\"state\":{\"in\":[\"delayed\",\"done\"]}}", "live history" },
	{ "{\"state\":{\"not_in\":\"done,cancelled\"}}", "live failed" },
	{ "{\"state\":{\"not_equals\":\"failed\"}}", "live history" },
	{ "{\"state\":{\"exists\":true}}", "live failed history" },
	{ "{\"state\":{\"equals\":null}}", "" },
	{ "{\"processing\":{\"equals\":true}}", "live" },
	{ "{\"processing\":{\"equals\":false}}", "live failed history" },
	{ "{\"hasError\":{\"equals\":\"true\"}}", "failed history" },
	{ "{\"hasError\":{\"not_equals\":true}}", "live history" },
	{ "{\"hasError\":{\"equals\":null}}", "live failed history" },
	{ "{\"hasError\":{\"not_equals\":null}}", "live failed history" },
	{ "{\"hasError\":{\"not_equals\":\"\"}}", "live failed history" },
	{ "{\"processing\":{\"not_equals\":\"null\"}}", "live failed history" },
	{ "{\"id\":{\"equals\":1},\"state\":{\"equals\":\"done\"}}",
	    "history" },
	{ "{\"or\":[{\"state\":{\"equals\":\"failed\"}},"
	  "{\"processing\":{\"equals\":true}}]}",
	    "live failed" },
	{ "{\"or\":[{\"state\":{\"equals\":\"failed\"}},"
	  "{\"id\":{\"equals\":1}}]}",
	    "live failed history" },
	{ "{\"and\":[{\"state\":{\"equals\":\"failed\"}},"
	  "{\"state\":{\"equals\":\"done\"}}]}",
	    "" },
	{ "{\"or\":[],\"state\":{\"equals\":\"done\"}}", "history" },
};

int
main(void)
{
	for (size_t i = 0; i < LEN(CASES); i++) {
		AUTO_FILTER f = { 0 };
		AUTO_BUF got = BUF_INIT;
		AUTO_BUF plain = BUF_INIT;
		const char *where = CASES[i].where;
		struct err e = { 0 };

		if (!js_tree(
			"where", where, strlen(where), &f.where_tree, &e) ||
		    !where_parse(f.where_tree.root, &f.where, &e))
			ok(false, "%s: %s", where, e.msg);
		report_stores(&f, &got);
		for (const char *p = got.data; *p != '\0'; p++)
			if (strchr("{}\"", *p) == NULL)
				buf_addc(&plain, *p == ',' ? ' ' : *p);
		is_text(plain.data, CASES[i].want, "%s", where);
	}
	return done();
}
