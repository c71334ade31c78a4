/* task.json: what is taken, with which defaults, and what is refused how. */
#include "common/queue/taskfile.h"

#include "common/link/js.h"
#include "tests/unit/tap.h"

static const struct {
	const char *what;
	const char *text;
	const char *message; /* of the refusal; NULL: taken */
} cases[] = {
	{ "nothing but a slug", "{\"slug\":\"a\"}", NULL },
	{ "null is the default",
	    "{\"slug\":\"a\",\"handler\":null,\"schedule\":null,"
	    "\"retries\":null}",
	    NULL },
	{ "Payload's number of retries", "{\"slug\":\"a\",\"retries\":7}",
	    NULL },
	{ "no slug", "{}", "slug is required" },
	{ "an empty slug", "{\"slug\":\"\"}",
	    "line 1: slug must have 1 to 64 bytes" },
	{ "a slug with a space", "{\n\"slug\":\"a b\"}",
	    "line 2: slug must begin with a letter and hold letters, digits, "
	    "_ and - only" },
	{ "a slug that begins with a digit", "{\"slug\":\"1a\"}",
	    "line 1: slug must begin with a letter and hold letters, digits, "
	    "_ and - only" },
	{ "a slug that is a number", "{\"slug\":1}",
	    "line 1: slug must be a text" },
	{ "not an object", "[]", "Invalid JSON: an object is expected." },
	{ "not JSON", "{\"slug\":\"a\",\n\n}", "line 3: this is not JSON" },
	{ "an unknown key", "{\"slug\":\"a\",\n\"retrys\":1}",
	    "line 2: retrys is an unknown key; known are: slug, label, "
	    "handler, inputSchema, queue, priority, timeout, retries, "
	    "concurrency, schedule, limits, settings" },
	{ "an unknown key further down",
	    "{\"slug\":\"a\",\"retries\":{\"backoff\":{\n\"typ\":\"fixed\"}}}",
	    "line 2: retries.backoff.typ is an unknown key; known are: type, "
	    "delay, max, jitter" },
	{ "a queue with a space", "{\"slug\":\"a\",\"queue\":\"a b\"}",
	    "line 1: queue must begin with a letter or digit and hold "
	    "letters, digits and . _ : - only" },
	{ "a queue that begins with a dot", "{\"slug\":\"a\",\"queue\":\".\"}",
	    "line 1: queue must begin with a letter or digit and hold "
	    "letters, digits and . _ : - only" },
	{ "a priority with a fraction", "{\"slug\":\"a\",\"priority\":1.5}",
	    "line 1: priority must be a whole number from -2147483648 to "
	    "2147483647" },
	{ "a priority beyond 32 bits",
	    "{\"slug\":\"a\",\"priority\":3000000000}",
	    "line 1: priority must be a whole number from -2147483648 to "
	    "2147483647" },
	{ "a timeout of no unit we know", "{\"slug\":\"a\",\"timeout\":\"3w\"}",
	    "line 1: timeout must be a duration as \"500ms\", \"30s\", \"5m\", "
	    "or a whole number of milliseconds" },
	{ "a timeout of nothing", "{\"slug\":\"a\",\"timeout\":0}",
	    "line 1: timeout must be at least 1 ms and at most a year" },
	{ "a negative number of retries", "{\"slug\":\"a\",\"retries\":-1}",
	    "line 1: retries must be a whole number from 0 to 1000" },
	{ "a backoff of another type",
	    "{\"slug\":\"a\",\"retries\":{\"backoff\":{\"type\":\"linear\"}}}",
	    "line 1: retries.backoff.type must be \"exponential\" or "
	    "\"fixed\"" },
	{ "a jitter that is a number",
	    "{\"slug\":\"a\",\"retries\":{\"backoff\":{\"jitter\":1}}}",
	    "line 1: retries.backoff.jitter must be true or false" },
	{ "retries that are a text", "{\"slug\":\"a\",\"retries\":\"3\"}",
	    "line 1: retries must be an object" },
	{ "a concurrency without a key",
	    "{\"slug\":\"a\",\n\"concurrency\":{\"max\":2}}",
	    "line 2: concurrency.key is required" },
	{ "a concurrency of none",
	    "{\"slug\":\"a\",\"concurrency\":{\"key\":\"k\",\"max\":0}}",
	    "line 1: concurrency.max must be a whole number from 1 to "
	    "100000" },
	{ "a schedule that is no list", "{\"slug\":\"a\",\"schedule\":{}}",
	    "line 1: schedule must be a list" },
	{ "a schedule without cron",
	    "{\"slug\":\"a\",\"schedule\":[{\"cron\":\"0 0 * * *\"},\n{}]}",
	    "line 2: schedule.1.cron is required" },
	{ "a schedule that misses another way",
	    "{\"slug\":\"a\",\"schedule\":[{\"cron\":\"0 0 * * *\","
	    "\"missed\":\"run\"}]}",
	    "line 1: schedule.0.missed must be \"skip\", \"one\" or \"all\"" },
	{ "a zone with a quote",
	    "{\"slug\":\"a\",\"schedule\":[{\"cron\":\"0 0 * * *\","
	    "\"timezone\":\"a'b\"}]}",
	    "line 1: schedule.0.timezone must be a name as "
	    "\"Europe/Ljubljana\"" },
	{ "a schedule that never comes",
	    "{\"slug\":\"a\",\"schedule\":[\n{\"cron\":\"0 0 30 2 *\"}]}",
	    "line 2: schedule.0.cron is no schedule: The cron expression "
	    "never comes: no such day of month in these months." },
	{ "a schedule with day of month and weekday",
	    "{\"slug\":\"a\",\"schedule\":[{\"cron\":\"0 0 13 * 5\"}]}", NULL },
	{ "a schedule that is there twice",
	    "{\"slug\":\"a\",\"schedule\":[{\"cron\":\"0 0 * * *\"},"
	    "{\"cron\":\"0 1 * * *\"},\n{\"cron\":\"0 0 * * *\","
	    "\"timezone\":\"UTC\",\"missed\":\"all\"}]}",
	    "line 2: schedule.2.cron is there twice, with the same timezone "
	    "and queue: also as schedule.0" },
	{ "the same schedule for two queues and zones",
	    "{\"slug\":\"a\",\"schedule\":[{\"cron\":\"0 0 * * *\"},"
	    "{\"cron\":\"0 0 * * *\",\"queue\":\"b\"},"
	    "{\"cron\":\"0 0 * * *\",\"timezone\":\"Asia/Tokyo\"}]}",
	    NULL },
	{ "an element that is no object", "{\"slug\":\"a\",\"schedule\":[3]}",
	    "line 1: schedule.0 must be an object" },
	{ "a memory limit too small",
	    "{\"slug\":\"a\",\"limits\":{\"memory\":\"4K\"}}",
	    "line 1: limits.memory must be at least 1M and at most 1024G" },
	{ "a memory limit of no unit we know",
	    "{\"slug\":\"a\",\"limits\":{\"memory\":\"256Q\"}}",
	    "line 1: limits.memory must be a size as \"256M\" or \"1G\", or a "
	    "whole number of bytes" },
	{ "a memory limit beyond 64 bits",
	    "{\"slug\":\"a\",\"limits\":{\"memory\":\"999999999999T\"}}",
	    "line 1: limits.memory must be a size as \"256M\" or \"1G\", or a "
	    "whole number of bytes" },
	{ "a cpu limit under a second",
	    "{\"slug\":\"a\",\"limits\":{\"cpu\":\"10ms\"}}",
	    "line 1: limits.cpu must be at least 1000 ms and at most a year" },
	{ "a setting that is no name",
	    "{\"slug\":\"a\",\"handler\":\"./h\",\"settings\":[\"a b\"]}",
	    "line 1: settings must be names as \"SMTP_URL\", each once" },
	{ "a setting that is no text",
	    "{\"slug\":\"a\",\"handler\":\"./h\",\"settings\":[7]}",
	    "line 1: settings must be names as \"SMTP_URL\", each once" },
	{ "a setting that is there twice",
	    "{\"slug\":\"a\",\"handler\":\"./h\",\n"
	    "\"settings\":[\"X\",\"Y\",\"X\"]}",
	    "line 2: settings must be names as \"SMTP_URL\", each once" },
	{ "settings of what is compiled in",
	    "{\"slug\":\"a\",\"settings\":[\"X\"]}",
	    "line 1: settings are for a task with a handler" },
	{ "a field without a name",
	    "{\"slug\":\"a\",\"inputSchema\":[{\"type\":\"text\"}]}",
	    "line 1: inputSchema.0.name is required" },
	{ "a field without a type",
	    "{\"slug\":\"a\",\"inputSchema\":[{\"name\":\"x\"}]}",
	    "line 1: inputSchema.0.type is required" },
	{ "a field of a type that is not checked",
	    "{\"slug\":\"a\",\"inputSchema\":[{\"name\":\"x\",\n"
	    "\"type\":\"richText\"}]}",
	    "line 2: inputSchema.0.type \"richText\" is not known; known are "
	    "text, textarea, email, code, date, select, radio, number, "
	    "checkbox, json, group, array, blocks, relationship, upload" },
	{ "a field with a min that is a text",
	    "{\"slug\":\"a\",\"inputSchema\":[{\"name\":\"x\","
	    "\"type\":\"number\",\"min\":\"1\"}]}",
	    "line 1: inputSchema.0.min must be a number" },
	{ "a min with a fraction",
	    "{\"slug\":\"a\",\"inputSchema\":[{\"name\":\"x\","
	    "\"type\":\"number\",\"min\":0.5,\"max\":-3}]}",
	    NULL },
	{ "options of both kinds",
	    "{\"slug\":\"a\",\"inputSchema\":[{\"name\":\"x\","
	    "\"type\":\"select\",\"options\":[\"a\","
	    "{\"label\":\"B\",\"value\":\"b\"}]}]}",
	    NULL },
	{ "an option without a value",
	    "{\"slug\":\"a\",\"inputSchema\":[{\"name\":\"x\","
	    "\"type\":\"select\",\"options\":[{\"label\":\"B\"}]}]}",
	    "line 1: inputSchema.0.options.0.value is required" },
	{ "no options",
	    "{\"slug\":\"a\",\"inputSchema\":[{\"name\":\"x\","
	    "\"type\":\"select\",\"options\":[]}]}",
	    "line 1: inputSchema.0.options must not be empty" },
};

static void
test_case(size_t i)
{
	AUTO_TASK_DEF d = { .source = NULL };
	struct err e = { 0 };
	bool good =
	    taskfile_parse(cases[i].text, strlen(cases[i].text), &d, &e);

	is_text(good ? NULL : e.msg, cases[i].message, "%s", cases[i].what);
	if (!good)
		is_int(e.code, ERR_INVALID, "%s: the code", cases[i].what);
}

static void
is_registration(
    const char *what, const char *text, const char *handler, const char *want)
{
	AUTO_TASK_DEF d = { .source = NULL };
	AUTO_JS *o = NULL;
	AUTO_BUF got = BUF_INIT;
	struct err e = { 0 };

	if (!ok(taskfile_parse(text, strlen(text), &d, &e), "%s: is taken (%s)",
		what, e.msg))
		return;
	o = taskfile_registration(&d, handler, "/srv/a");
	js_print(o, &got);
	is_text(got.data, want, "%s: registration", what);
}

/* Which required field a scheduled job would lack, and where a zone is. */
static void
test_schedule_facts(void)
{
	static const struct {
		const char *what, *text, *field;
		int line;
	} facts[] = {
		{ "a required field",
		    "{\"slug\":\"a\",\"schedule\":[{\"cron\":\"0 0 * * *\"}],"
		    "\"inputSchema\":[{\"name\":\"x\",\"type\":\"text\"},"
		    "{\"name\":\"y\",\"type\":\"text\",\"required\":true}]}",
		    "y", 1 },
		{ "no required field",
		    "{\"slug\":\"a\",\"schedule\":[{\"cron\":\"0 0 * * *\",\n"
		    "\"timezone\":\"Asia/Tokyo\"}],\"inputSchema\":["
		    "{\"name\":\"x\",\"type\":\"text\"}]}",
		    NULL, 2 },
		{ "no inputSchema",
		    "{\"slug\":\"a\",\n\"schedule\":[{\n\"cron\":"
		    "\"0 0 * * *\",\n\n\"timezone\":\"UTC\"}]}",
		    NULL, 5 },
	};

	for (size_t i = 0; i < LEN(facts); i++) {
		AUTO_TASK_DEF d = { .source = NULL };
		struct err e = { 0 };

		if (!ok(taskfile_parse(
			    facts[i].text, strlen(facts[i].text), &d, &e),
			"%s: is taken%s", facts[i].what, e.msg))
			continue;
		is_text(taskfile_unfed(&d), facts[i].field, "%s: the field",
		    facts[i].what);
		is_int(d.schedules[0].timezone_line, facts[i].line,
		    "%s: the zone's line", facts[i].what);
	}
}

static void
test_unscheduled(void)
{
	static const char text[] =
	    "{\"slug\":\"a\",\"inputSchema\":[{\"name\":\"x\","
	    "\"type\":\"text\",\"required\":true}]}";
	AUTO_TASK_DEF d = { .source = NULL };
	struct err e = { 0 };

	ok(taskfile_parse(text, strlen(text), &d, &e), "no schedule");
	is_text(taskfile_unfed(&d), NULL, "so nothing is lacking");
}

static const char full[] =
    "{ \"slug\": \"send-Invoice_2\", \"label\": \"Send\","
    "\"handler\": \"./h\", \"inputSchema\": [ { \"name\": \"invoiceId\","
    "\"type\": \"number\", \"required\": true } ], \"queue\": \"mail:1\","
    "\"priority\": -5, \"timeout\": \"2m\", \"retries\": { \"attempts\": 5,"
    "\"backoff\": { \"type\": \"fixed\", \"delay\": \"2s\", \"max\": 60000,"
    "\"jitter\": false } }, \"concurrency\": { \"key\":"
    "\"invoice:{invoiceId}\", \"max\": 4, \"supersedes\": true },"
    "\"schedule\": [ { \"cron\": \"0 7 * * *\", \"timezone\":"
    "\"Europe/Ljubljana\", \"queue\": \"q\", \"missed\": \"all\" },"
    "{ \"cron\": \"*/5 * * * *\" } ],"
    "\"limits\": { \"memory\": \"256M\", \"cpu\": \"10s\" } }";

int
main(void)
{
	for (size_t i = 0; i < LEN(cases); i++)
		test_case(i);
	test_schedule_facts();
	test_unscheduled();
	is_registration("defaults", "{\"slug\":\"a\"}", NULL,
	    "{\"slug\":\"a\",\"label\":\"a\",\"handler\":null,"
	    "\"folder\":\"/srv/a\",\"inputSchema\":[],\"queue\":\"default\","
	    "\"priority\":100,\"timeoutMs\":30000,\"retries\":{\"attempts\":3,"
	    "\"backoffType\":\"exponential\",\"delayMs\":1000,"
	    "\"maxMs\":3600000,\"jitter\":true},\"concurrency\":null,"
	    "\"schedule\":null,\"limits\":null}");
	is_registration("a handler called builtin",
	    "{\"slug\":\"a\",\"handler\":\"builtin\",\"retries\":0}", NULL,
	    "{\"slug\":\"a\",\"label\":\"a\",\"handler\":null,"
	    "\"folder\":\"/srv/a\",\"inputSchema\":[],\"queue\":\"default\","
	    "\"priority\":100,\"timeoutMs\":30000,\"retries\":{\"attempts\":0,"
	    "\"backoffType\":\"exponential\",\"delayMs\":1000,"
	    "\"maxMs\":3600000,\"jitter\":true},\"concurrency\":null,"
	    "\"schedule\":null,\"limits\":null}");
	is_registration("every key", full, "/srv/a/h",
	    "{\"slug\":\"send-Invoice_2\",\"label\":\"Send\","
	    "\"handler\":\"/srv/a/h\",\"folder\":\"/srv/a\",\"inputSchema\":["
	    "{\"name\":\"invoiceId\",\"type\":\"number\",\"required\":true}],"
	    "\"queue\":\"mail:1\",\"priority\":-5,\"timeoutMs\":120000,"
	    "\"retries\":{\"attempts\":5,\"backoffType\":\"fixed\","
	    "\"delayMs\":2000,\"maxMs\":60000,\"jitter\":false},"
	    "\"concurrency\":{\"key\":\"invoice:{invoiceId}\",\"max\":4,"
	    "\"supersedes\":true},\"schedule\":[{\"cron\":\"0 7 * * *\","
	    "\"timezone\":\"Europe/Ljubljana\",\"queue\":\"q\","
	    "\"missed\":\"all\"},{\"cron\":\"*/5 * * * *\","
	    "\"timezone\":\"UTC\",\"queue\":\"mail:1\",\"missed\":\"skip\"}],"
	    "\"limits\":{\"memoryBytes\":268435456,\"cpuMs\":10000}}");
	return done();
}
