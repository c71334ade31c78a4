/* Lines of a JSON text. */
#include "common/parse/jsonpos.h"

#include "tests/unit/tap.h"

static const char text[] = "{\n"
			   "  \"slug\": \"x\",\n"
			   "  \"retries\": {\n"
			   "    \"attempts\": 3,\n"
			   "    \"back\\u006fff\": { \"max\": 1e9 }\n"
			   "  },\n"
			   "  \"schedule\": [\n"
			   "    { \"cron\": \"* * * * *\" },\n"
			   "    { \"cron\":\n"
			   "      \"0 0 * * *\" }, 7, null,\n"
			   "    \"a\\\"}]\" ],\n"
			   "  \"slug\": true, \"a.b\": [[],\n"
			   "    [-0.5]]\n"
			   "}\n";

static const struct {
	const char *path;
	int line;
} lines[] = {
	{ "retries", 3 },
	{ "retries.attempts", 4 },
	{ "schedule.0", 8 },
	{ "schedule.0.cron", 8 },
	{ "schedule.1", 9 },
	{ "schedule.1.cron", 9 },
	{ "schedule.2", 10 },
	{ "schedule.4", 11 },
	{ "schedule.5", 0 },
	{ "slug", 12 }, /* the last of two counts */
	{ "a.b.1.0", 13 },
	{ "attempts", 0 },
	{ "retries.backoff", 0 }, /* keys are compared as written */
	{ "retries.back\\u006fff.max", 5 },
	{ "", 0 },
};

static const struct {
	const char *what;
	const char *text;
	int fault;
} faults[] = {
	{ "an object", "{}", 0 },
	{ "a number alone", "12", 0 },
	{ "a number with all parts", "[-0.50e+7]", 0 },
	{ "space around", " \t\r\n [ ] \n", 0 },
	{ "escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", 0 },
	{ "nothing", "", 1 },
	{ "only space", "\n\n ", 3 },
	{ "a trailing comma in a list", "[1,\n2,\n]", 3 },
	{ "a trailing comma in an object", "{\"a\":1,\n}", 2 },
	{ "a comma left out", "{\"a\":1\n\"b\":2}", 2 },
	{ "a colon left out", "{\"a\"\n 1}", 2 },
	{ "a bare key", "{\na:1}", 2 },
	{ "single quotes", "{'a':1}", 1 },
	{ "a leading zero", "[01]", 1 },
	{ "a plus sign", "[+1]", 1 },
	{ "a dot without digits", "[1.]", 1 },
	{ "an exponent without digits", "[1e]", 1 },
	{ "a minus alone", "[-]", 1 },
	{ "a newline in a text", "[\n\"a\nb\"]", 2 },
	{ "a bad escape", "[\"\\x\"]", 1 },
	{ "a short \\u", "[\"\\u12\"]", 1 },
	{ "a backslash at the end", "[\"\\", 1 },
	{ "a text without an end", "[\n\n\"abc", 3 },
	{ "two values", "1\n2", 2 },
	{ "a comment", "{\n// no\n}", 2 },
	{ "a word", "[nul]", 1 },
	{ "brackets that do not match", "[}", 1 },
};

static void
test_depth(void)
{
	char deep[200];

	memset(deep, '[', sizeof(deep));
	ok(jsonpos_fault(deep, sizeof(deep)) == 1, "200 levels are refused");
	memset(deep, '[', 64);
	memset(deep + 64, ']', 64);
	is_int(jsonpos_fault(deep, 128), 0, "64 levels are fine");
}

static void
test_long_path(void)
{
	char long_text[2048];
	int n;

	n = snprintf(long_text, sizeof(long_text),
	    "{\"%0600d\":{\n\"a\":1},\n\"b\":2}", 7);
	is_int(jsonpos_line(long_text, (size_t)n, "b"), 3,
	    "a path that is too long does no harm to the next");
	is_int(
	    jsonpos_line(long_text, (size_t)n, "a"), 0, "and matches nothing");
}

int
main(void)
{
	for (size_t i = 0; i < LEN(lines); i++)
		is_int(jsonpos_line(text, sizeof(text) - 1, lines[i].path),
		    lines[i].line, "line of \"%s\"", lines[i].path);
	for (size_t i = 0; i < LEN(faults); i++)
		is_int(jsonpos_fault(faults[i].text, strlen(faults[i].text)),
		    faults[i].fault, "%s", faults[i].what);
	is_int(jsonpos_fault(text, sizeof(text) - 1), 0, "the long text");
	for (size_t n = 1; n < sizeof(text) - 2; n++)
		if (!jsonpos_fault(text, n))
			ok(false, "cut after %zu bytes", n);
	ok(true, "every cut of the long text is a fault");
	test_depth();
	test_long_path();
	return done();
}
