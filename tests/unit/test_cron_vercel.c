/* vercel.json: what Vercel's own validator takes, and errors with a place. */
#include "deploy/command/vercel.h"

#include "common/base/buf.h"

#include "tests/unit/tap.h"

#define CRON(path, schedule) \
	"{\"crons\":[{\"path\":" path ",\"schedule\":" schedule "}]}"

static const struct {
	const char *what;
	const char *text;
	const char *message; /* how the refusal begins; NULL: taken */
} cases[] = {
	{ "nothing of ours", "{}", NULL },
	{ "keys of Vercel's own",
	    "{\"$schema\":\"https://openapi.vercel.sh/vercel.json\","
	    "\"rewrites\":[],\"functions\":{\"api/*.js\":{\"memory\":1024}}}",
	    NULL },
	{ "a cron", CRON("\"/api/x?a=%20b\"", "\"* * * * *\""), NULL },
	{ "a path without a slash", CRON("\"api\"", "\"* * * * *\""),
	    "line 1: crons.0.path must begin with '/'" },
	{ "an empty path", CRON("\"\"", "\"* * * * *\""),
	    "line 1: crons.0.path must have 1 to 512 bytes" },
	{ "a path with a space", CRON("\"/a b\"", "\"* * * * *\""),
	    "line 1: crons.0.path must be a path and query" },
	{ "a path with a line feed", CRON("\"/a\\nb\"", "\"* * * * *\""),
	    "line 1: crons.0.path must be a path and query" },
	{ "a path with a fragment", CRON("\"/a#b\"", "\"* * * * *\""),
	    "line 1: crons.0.path must be a path and query" },
	{ "a path beyond ASCII", CRON("\"/\xc3\xa9\"", "\"* * * * *\""),
	    "line 1: crons.0.path must be a path and query" },
	{ "six fields", CRON("\"/a\"", "\"0 * * * * *\""),
	    "line 1: crons.0.schedule \"0 * * * * *\" is no schedule: " },
	{ "a name of a day", CRON("\"/a\"", "\"0 0 * * MON\""),
	    "line 1: crons.0.schedule \"0 0 * * MON\" is no schedule: " },
	{ "day and weekday both", CRON("\"/a\"", "\"0 0 1 * 1\""),
	    "line 1: crons.0.schedule \"0 0 1 * 1\" is no schedule: " },
	{ "no schedule", "{\"crons\":[{\"path\":\"/a\"}]}",
	    "line 1: crons.0.schedule is required" },
	{ "no path", "{\"crons\":[\n{\"schedule\":\"* * * * *\"}]}",
	    "line 2: crons.0.path is required" },
	{ "another key in a cron",
	    "{\"crons\":[{\"path\":\"/a\",\"schedule\":\"* * * * *\","
	    "\"method\":\"GET\"}]}",
	    "line 1: crons.0.method is an unknown key; known are: path, "
	    "schedule" },
	{ "crons that are an object", "{\"crons\":{}}",
	    "line 1: crons must be a list" },
	{ "a cron that is a text", "{\"crons\":[\n\"x\"]}",
	    "line 2: crons.0 must be an object" },
	{ "a duration of 0", "{\"functions\":{\"a.c\":{\n\"maxDuration\":0}}}",
	    "line 2: functions.a.c.maxDuration must be a whole number from 1 "
	    "to 1800" },
	{ "a duration of 1801",
	    "{\"functions\":{\"a.c\":{\"maxDuration\":1801}}}",
	    "line 1: functions.a.c.maxDuration must be a whole number from 1 "
	    "to 1800" },
	{ "a duration that is a text",
	    "{\"functions\":{\"a.c\":{\"maxDuration\":\"long\"}}}",
	    "line 1: functions.a.c.maxDuration must be a whole number from 1 "
	    "to 1800" },
	{ "a function that is a number", "{\"functions\":{\"a\":3}}",
	    "line 1: functions.a must be an object" },
	{ "not JSON", "{\n\"crons\": [\n}", "line 3: this is not JSON" },
};

static void
test_case(size_t i)
{
	AUTO_VERCEL v = { .source = NULL };
	const char *want = cases[i].message;
	struct err e = { 0 };
	bool good = vercel_parse(cases[i].text, strlen(cases[i].text), &v, &e);

	if (want == NULL)
		ok(good, "%s is taken %s", cases[i].what, e.msg);
	else if (!ok(!good && strncmp(e.msg, want, strlen(want)) == 0,
		     "%s is refused", cases[i].what))
		diag("got: %s", good ? "(taken)" : e.msg);
}

static void
test_many(int ncrons, int nfunctions, bool want)
{
	AUTO_BUF text = BUF_INIT;
	AUTO_VERCEL v = { .source = NULL };
	struct err e = { 0 };

	buf_adds(&text, "{\"crons\":[");
	for (int i = 0; i < ncrons; i++)
		buf_addf(&text,
		    "%s{\"path\":\"/%d\",\"schedule\":\"%d 0 * * *\"}",
		    i > 0 ? "," : "", i, i % 60);
	buf_adds(&text, "],\"functions\":{");
	for (int i = 0; i < nfunctions; i++)
		buf_addf(&text, "%s\"f%d\":{\"maxDuration\":%d}",
		    i > 0 ? "," : "", i, i + 1);
	buf_adds(&text, "}}");
	ok(vercel_parse(text.data, text.len, &v, &e) == want,
	    "%d crons and %d functions are %s", ncrons, nfunctions,
	    want ? "taken" : "refused");
	if (want)
		is_int((int64_t)(v.ncrons + v.nfunctions), ncrons + nfunctions,
		    "and all are there");
}

static void
test_durations(void)
{
	static const char text[] =
	    "{\"functions\":{\"api/*.js\":{\"maxDuration\":5},"
	    "\"functions/run.c\":{\"maxDuration\":60},"
	    "\"functions/*.c\":{\"maxDuration\":\"max\"},"
	    "\"lib/x.c\":{}}}";
	AUTO_VERCEL v = { .source = NULL };
	struct err e = { 0 };

	if (!ok(vercel_parse(text, sizeof(text) - 1, &v, &e), "durations %s",
		e.msg))
		return;
	is_int(vercel_duration_s(&v, "functions/run.c"), 60, "by its name");
	is_int(vercel_duration_s(&v, "functions/jobs.c"), 1800, "by a glob");
	is_int(vercel_duration_s(&v, "lib/x.c"), 300, "not said for it");
	is_int(vercel_duration_s(&v, "other.c"), 300, "not named at all");
}

static void
test_files(void)
{
	AUTO_VERCEL v = { .source = NULL };
	struct err e = { 0 };

	ok(!vercel_load("/nonexistent/vercel.json", &v, &e) &&
		e.code == ERR_NOT_FOUND,
	    "a missing file is told: %s", e.msg);
}

int
main(void)
{
	for (size_t i = 0; i < LEN(cases); i++)
		test_case(i);
	test_many(100, 50, true);
	test_many(101, 1, false);
	test_many(1, 51, false);
	test_durations();
	test_files();
	return done();
}
