#include "common/queue/taskfile.h"

#include "common/base/num.h"
#include "common/link/js.h"
#include "common/link/jsnode.h"
#include "common/parse/cronexpr.h"
#include "common/parse/duration.h"

enum {
	DEFAULT_TIMEOUT_MS = 30 * 1000,
	DEFAULT_ATTEMPTS = 3,
	DEFAULT_DELAY_MS = 1000,
	DEFAULT_MAX_DELAY_MS = 3600 * 1000,
	DEFAULT_PRIORITY = 100,
	ATTEMPTS_MAX = 1000,
	CONCURRENCY_MAX = 100000,
	LABEL_MAX = 200,
	FIELDS_MAX = 200,
	OPTIONS_MAX = 1000,
};

#define YEAR_MS  (INT64_C(366) * 24 * 3600 * 1000)
#define TERABYTE (INT64_C(1) << 40)
#define LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* "30s", or a whole number of milliseconds. */
static bool
get_duration(const struct jsnode *at, const char *key, int64_t min_ms,
    int64_t otherwise, int64_t *ret, struct err *e)
{
	struct json_object *v = js_get(at->o, key);
	int64_t ms = v == NULL ? otherwise : js_int_of(v);

	if (v != NULL && !js_is_int(v) && !duration_parse(js_text_of(v), &ms))
		return jsnode_bad(at, key, e,
		    "must be a duration as \"500ms\", \"30s\", "
		    "\"5m\", or a whole number of milliseconds");
	if (v != NULL && (ms < min_ms || ms > YEAR_MS))
		return jsnode_bad(at, key, e,
		    "must be at least %lld ms and at most a "
		    "year",
		    (long long)min_ms);
	*ret = ms;
	return true;
}

/* "256M" (of 1024), or a whole number of bytes. */
static bool
parse_size(const char *text, int64_t *ret)
{
	static const char units[] = "KMGT";
	size_t n = text == NULL ? 0 : strspn(text, DIGITS);
	int64_t size;

	if (text == NULL || !num_parse(text, n, 0, TERABYTE, &size))
		return false;
	if (text[n] != '\0') {
		const char *unit = strchr(units, text[n]);

		if (unit == NULL || text[n + 1] != '\0' ||
		    __builtin_mul_overflow(
			size, INT64_C(1) << (10 * (unit - units + 1)), &size))
			return false;
	}
	*ret = size;
	return true;
}

static bool
get_size(const struct jsnode *at, const char *key, int64_t *ret, struct err *e)
{
	struct json_object *v = js_get(at->o, key);
	int64_t size = js_int_of(v);

	if (v != NULL && !js_is_int(v) && !parse_size(js_text_of(v), &size))
		return jsnode_bad(at, key, e,
		    "must be a size as \"256M\" or \"1G\", or "
		    "a whole number of bytes");
	if (v != NULL && (size < 1024 * 1024 || size > TERABYTE))
		return jsnode_bad(
		    at, key, e, "must be at least 1M and at most 1024G");
	*ret = size;
	return true;
}

/* --- the parts ------------------------------------------------------------ */

static bool
is_slug(const char *s)
{
	return strspn(s, LETTERS) > 0 &&
	       strspn(s, LETTERS DIGITS "_-") == strlen(s) &&
	       strlen(s) <= TASK_SLUG_MAX;
}

static bool
read_slug(const struct jsnode *at, struct task_def *d, struct err *e)
{
	if (!jsnode_text(at, "slug", TASK_SLUG_MAX, NULL, &d->slug, e))
		return false;
	if (d->slug == NULL)
		return jsnode_bad(at, "slug", e, "is required");
	if (!is_slug(d->slug))
		return jsnode_bad(at, "slug", e,
		    "must begin with a letter and hold "
		    "letters, digits, _ and - only");
	return true;
}

static bool
get_queue(const struct jsnode *at, const char *otherwise, const char **ret,
    struct err *e)
{
	const char *q;

	if (!jsnode_text(at, "queue", TASK_QUEUE_MAX, otherwise, &q, e))
		return false;
	if (strspn(q, LETTERS DIGITS "._:-") != strlen(q) ||
	    strspn(q, LETTERS DIGITS) == 0)
		return jsnode_bad(at, "queue", e,
		    "must begin with a letter or digit and "
		    "hold letters, digits and . _ : - only");
	*ret = q;
	return true;
}

static bool
read_handler(const struct jsnode *at, struct task_def *d, struct err *e)
{
	if (!jsnode_text(at, "handler", 4096, NULL, &d->handler, e))
		return false;
	d->handler_line = jsnode_line(at, "handler");
	if (d->handler != NULL && strcmp(d->handler, "builtin") == 0)
		d->handler = NULL;
	return true;
}

static bool
read_backoff(const struct jsnode *retries, struct task_def *d, struct err *e)
{
	static const char *const keys[] = { "type", "delay", "max", "jitter",
		NULL };
	struct jsnode at;
	const char *type;

	if (!jsnode_child(retries, "backoff", &at, e) ||
	    !jsnode_keys(&at, keys, e) ||
	    !jsnode_text(&at, "type", 16, "exponential", &type, e))
		return false;
	d->exponential = strcmp(type, "exponential") == 0;
	if (!d->exponential && strcmp(type, "fixed") != 0)
		return jsnode_bad(
		    &at, "type", e, "must be \"exponential\" or \"fixed\"");
	return get_duration(
		   &at, "delay", 0, DEFAULT_DELAY_MS, &d->delay_ms, e) &&
	       get_duration(
		   &at, "max", 0, DEFAULT_MAX_DELAY_MS, &d->max_delay_ms, e) &&
	       jsnode_bool(&at, "jitter", true, &d->jitter, e);
}

/* An object, or as Payload has it a number: the attempts. */
static bool
read_retries(const struct jsnode *top, struct task_def *d, struct err *e)
{
	static const char *const keys[] = { "attempts", "backoff", NULL };
	struct jsnode at = *top;

	if (js_is_int(js_get(top->o, "retries"))) {
		at.o = NULL;
		return read_backoff(&at, d, e) &&
		       jsnode_int(
			   top, "retries", 0, ATTEMPTS_MAX, 0, &d->attempts, e);
	}
	return jsnode_child(top, "retries", &at, e) &&
	       jsnode_keys(&at, keys, e) &&
	       jsnode_int(&at, "attempts", 0, ATTEMPTS_MAX, DEFAULT_ATTEMPTS,
		   &d->attempts, e) &&
	       read_backoff(&at, d, e);
}

static bool
read_concurrency(const struct jsnode *top, struct task_def *d, struct err *e)
{
	static const char *const keys[] = { "key", "max", "supersedes", NULL };
	struct jsnode at;

	if (!jsnode_child(top, "concurrency", &at, e) ||
	    !jsnode_keys(&at, keys, e) ||
	    !jsnode_text(
		&at, "key", TASK_KEY_MAX, NULL, &d->concurrency_key, e) ||
	    !jsnode_int(
		&at, "max", 1, CONCURRENCY_MAX, 1, &d->concurrency_max, e) ||
	    !jsnode_bool(&at, "supersedes", false, &d->supersedes, e))
		return false;
	if (at.o != NULL && d->concurrency_key == NULL)
		return jsnode_bad(&at, "key", e, "is required");
	return true;
}

static bool
read_limits(const struct jsnode *top, struct task_def *d, struct err *e)
{
	static const char *const keys[] = { "memory", "cpu", NULL };
	struct jsnode at;

	return jsnode_child(top, "limits", &at, e) &&
	       jsnode_keys(&at, keys, e) &&
	       get_size(&at, "memory", &d->memory_bytes, e) &&
	       get_duration(&at, "cpu", 1000, 0, &d->cpu_ms, e);
}

static bool
read_schedule(const struct jsnode *at, const char *queue,
    struct task_schedule *s, struct err *e)
{
	static const char *const keys[] = { "cron", "timezone", "queue",
		"missed", NULL };
	struct cronexpr expr;
	struct err why = { 0 };

	if (!jsnode_keys(at, keys, e) ||
	    !jsnode_text(at, "cron", 256, NULL, &s->cron, e) ||
	    !jsnode_text(at, "timezone", 64, "UTC", &s->timezone, e) ||
	    !jsnode_text(at, "missed", 16, "skip", &s->missed, e) ||
	    !get_queue(at, queue, &s->queue, e))
		return false;
	if (s->cron == NULL)
		return jsnode_bad(at, "cron", e, "is required");
	if (!cronexpr_parse_crontab(s->cron, &expr, &why))
		return jsnode_bad(at, "cron", e, "is no schedule: %s", why.msg);
	if (strspn(s->timezone, LETTERS DIGITS "_+-/") != strlen(s->timezone))
		return jsnode_bad(at, "timezone", e,
		    "must be a name as "
		    "\"Europe/Ljubljana\"");
	if (strcmp(s->missed, "skip") != 0 && strcmp(s->missed, "one") != 0 &&
	    strcmp(s->missed, "all") != 0)
		return jsnode_bad(at, "missed", e,
		    "must be \"skip\", \"one\" or "
		    "\"all\"");
	s->timezone_line = jsnode_line(at, "timezone");
	return true;
}

/* An entry is known again by what this compares. */
static bool
is_same(const struct task_schedule *a, const struct task_schedule *b)
{
	return strcmp(a->cron, b->cron) == 0 &&
	       strcmp(a->timezone, b->timezone) == 0 &&
	       strcmp(a->queue, b->queue) == 0;
}

static bool
check_others(
    const struct jsnode *at, const struct task_def *d, size_t i, struct err *e)
{
	for (size_t k = 0; k < i; k++)
		if (is_same(&d->schedules[k], &d->schedules[i]))
			return jsnode_bad(at, "cron", e,
			    "is there twice, with the same timezone and "
			    "queue: also as schedule.%zu",
			    k);
	return true;
}

static bool
read_schedules(const struct jsnode *top, struct task_def *d, struct err *e)
{
	struct json_object *list;

	if (!jsnode_list(top, "schedule", TASK_SCHEDULES_MAX, &list, e))
		return false;
	for (size_t i = 0; i < js_len(list); i++) {
		struct jsnode at;

		if (!jsnode_element(top, "schedule", i, &at, e) ||
		    !read_schedule(&at, d->queue, &d->schedules[i], e) ||
		    !check_others(&at, d, i, e))
			return false;
	}
	d->nschedules = js_len(list);
	return true;
}

/* --- inputSchema ---------------------------------------------------------- */

/* The types that the check at enqueue knows. */
static bool
check_type(const struct jsnode *at, struct err *e)
{
	static const char *const types[] = { "text", "textarea", "email",
		"code", "date", "select", "radio", "number", "checkbox", "json",
		"group", "array", "blocks", "relationship", "upload" };
	const char *type;

	if (!jsnode_text(at, "type", 32, NULL, &type, e))
		return false;
	if (type == NULL)
		return jsnode_bad(at, "type", e, "is required");
	for (size_t i = 0; i < LEN(types); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return jsnode_bad(at, "type", e,
	    "\"%s\" is not known; known are text, textarea, "
	    "email, code, date, select, radio, number, checkbox, json, group, "
	    "array, blocks, relationship, upload",
	    type);
}

/* A list of values, or of {"label", "value"} as Payload has them. */
static bool
check_options(const struct jsnode *at, struct err *e)
{
	static const char *const keys[] = { "label", "value", NULL };
	struct json_object *list;

	if (!jsnode_list(at, "options", OPTIONS_MAX, &list, e))
		return false;
	if (list != NULL && js_len(list) == 0)
		return jsnode_bad(at, "options", e, "must not be empty");
	for (size_t i = 0; i < js_len(list); i++) {
		struct json_object *v = js_at(list, i);
		struct jsnode option;

		if (js_is_text(v) || js_is_number(v))
			continue;
		if (!jsnode_element(at, "options", i, &option, e) ||
		    !jsnode_keys(&option, keys, e))
			return false;
		if (js_get(v, "value") == NULL)
			return jsnode_bad(&option, "value", e, "is required");
	}
	return true;
}

static bool
check_name(const struct jsnode *at, struct err *e)
{
	const char *name;

	if (!jsnode_text(at, "name", 64, NULL, &name, e))
		return false;
	if (name == NULL)
		return jsnode_bad(at, "name", e, "is required");
	return strspn(name, LETTERS DIGITS "_") == strlen(name) ||
	       jsnode_bad(
		   at, "name", e, "must hold letters, digits and _ only");
}

static bool
check_field(const struct jsnode *at, struct err *e)
{
	static const char *const keys[] = { "name", "type", "label", "required",
		"hasMany", "options", "min", "max", "minLength", "maxLength",
		NULL };
	const char *label;
	bool flag;

	return jsnode_keys(at, keys, e) && check_name(at, e) &&
	       check_type(at, e) &&
	       jsnode_text(at, "label", LABEL_MAX, NULL, &label, e) &&
	       jsnode_bool(at, "required", false, &flag, e) &&
	       jsnode_bool(at, "hasMany", false, &flag, e) &&
	       check_options(at, e) && jsnode_number(at, "min", e) &&
	       jsnode_number(at, "max", e) &&
	       jsnode_number(at, "minLength", e) &&
	       jsnode_number(at, "maxLength", e);
}

static bool
read_input_schema(const struct jsnode *top, struct task_def *d, struct err *e)
{
	struct json_object *list;

	if (!jsnode_list(top, "inputSchema", FIELDS_MAX, &list, e))
		return false;
	for (size_t i = 0; i < js_len(list); i++) {
		struct jsnode at;

		if (!jsnode_element(top, "inputSchema", i, &at, e) ||
		    !check_field(&at, e))
			return false;
	}
	d->input_schema = list;
	return true;
}

/* --- settings ------------------------------------------------------------- */

static bool
is_setting(struct json_object *list, size_t i)
{
	const char *name = js_text_of(js_at(list, i));

	if (name == NULL || strlen(name) > TASK_SETTING_MAX ||
	    strspn(name, CAPITALS) == 0 ||
	    strspn(name, CAPITALS DIGITS "_") != strlen(name))
		return false;
	for (size_t k = 0; k < i; k++)
		if (strcmp(js_text_of(js_at(list, k)), name) == 0)
			return false;
	return true;
}

static bool
read_settings(const struct jsnode *top, struct task_def *d, struct err *e)
{
	struct json_object *list;

	if (!jsnode_list(top, "settings", TASK_SETTINGS_MAX, &list, e))
		return false;
	for (size_t i = 0; i < js_len(list); i++)
		if (!is_setting(list, i))
			return jsnode_bad(top, "settings", e,
			    "must be names as \"SMTP_URL\", each once");
	if (js_len(list) > 0 && d->handler == NULL)
		return jsnode_bad(
		    top, "settings", e, "are for a task with a handler");
	d->settings = js_len(list) > 0 ? list : NULL;
	d->settings_line = jsnode_line(top, "settings");
	return true;
}

/* --- the whole ------------------------------------------------------------ */

static bool
read_all(const struct jsnode *top, struct task_def *d, struct err *e)
{
	static const char *const keys[] = { "slug", "label", "handler",
		"inputSchema", "queue", "priority", "timeout", "retries",
		"concurrency", "schedule", "limits", "settings", NULL };

	return jsnode_keys(top, keys, e) && read_slug(top, d, e) &&
	       jsnode_text(top, "label", LABEL_MAX, d->slug, &d->label, e) &&
	       read_handler(top, d, e) && read_input_schema(top, d, e) &&
	       get_queue(top, "default", &d->queue, e) &&
	       jsnode_int(top, "priority", INT32_MIN, INT32_MAX,
		   DEFAULT_PRIORITY, &d->priority, e) &&
	       get_duration(
		   top, "timeout", 1, DEFAULT_TIMEOUT_MS, &d->timeout_ms, e) &&
	       read_retries(top, d, e) && read_concurrency(top, d, e) &&
	       read_schedules(top, d, e) && read_limits(top, d, e) &&
	       read_settings(top, d, e);
}

bool
taskfile_parse(const char *p, size_t n, struct task_def *ret, struct err *e)
{
	AUTO_TASK_DEF d = { .source = NULL };
	struct jsnode top;

	if (!jsnode_parse(p, n, &d.source, &top, e) || !read_all(&top, &d, e))
		return false;
	d.timeout_line = jsnode_line(&top, "timeout");
	*ret = d;
	d.source = NULL;
	return true;
}

const char *
taskfile_unfed(const struct task_def *d)
{
	for (size_t i = 0; d->nschedules > 0 && i < js_len(d->input_schema);
	     i++) {
		struct json_object *field = js_at(d->input_schema, i);

		if (js_bool_of(js_get(field, "required")))
			return js_text_of(js_get(field, "name"));
	}
	return NULL;
}

static struct json_object *
retries_json(const struct task_def *d)
{
	struct json_object *o = js_new_object();

	js_set_int(o, "attempts", d->attempts);
	js_set_text(o, "backoffType", d->exponential ? "exponential" : "fixed");
	js_set_int(o, "delayMs", d->delay_ms);
	js_set_int(o, "maxMs", d->max_delay_ms);
	js_set_bool(o, "jitter", d->jitter);
	return o;
}

static struct json_object *
concurrency_json(const struct task_def *d)
{
	struct json_object *o;

	if (d->concurrency_key == NULL)
		return NULL;
	o = js_new_object();
	js_set_text(o, "key", d->concurrency_key);
	js_set_int(o, "max", d->concurrency_max);
	js_set_bool(o, "supersedes", d->supersedes);
	return o;
}

static struct json_object *
schedule_json(const struct task_def *d)
{
	struct json_object *list;

	if (d->nschedules == 0)
		return NULL;
	list = js_new_array();
	for (size_t i = 0; i < d->nschedules; i++) {
		const struct task_schedule *s = &d->schedules[i];
		struct json_object *o = js_new_object();

		js_set_text(o, "cron", s->cron);
		js_set_text(o, "timezone", s->timezone);
		js_set_text(o, "queue", s->queue);
		js_set_text(o, "missed", s->missed);
		js_add(list, o);
	}
	return list;
}

static struct json_object *
limits_json(const struct task_def *d)
{
	struct json_object *o;

	if (d->memory_bytes == 0 && d->cpu_ms == 0)
		return NULL;
	o = js_new_object();
	if (d->memory_bytes > 0)
		js_set_int(o, "memoryBytes", d->memory_bytes);
	if (d->cpu_ms > 0)
		js_set_int(o, "cpuMs", d->cpu_ms);
	return o;
}

struct json_object *
taskfile_registration(
    const struct task_def *d, const char *handler, const char *folder)
{
	struct json_object *o = js_new_object();

	js_set_text(o, "slug", d->slug);
	js_set_text(o, "label", d->label);
	js_set_text(o, "handler", handler);
	js_set_text(o, "folder", folder);
	js_set(o, "inputSchema",
	    d->input_schema == NULL ? js_new_array() : js_ref(d->input_schema));
	js_set_text(o, "queue", d->queue);
	js_set_int(o, "priority", d->priority);
	js_set_int(o, "timeoutMs", d->timeout_ms);
	js_set(o, "retries", retries_json(d));
	js_set(o, "concurrency", concurrency_json(d));
	js_set(o, "schedule", schedule_json(d));
	js_set(o, "limits", limits_json(d));
	if (d->settings != NULL)
		js_set(o, "settings", js_ref(d->settings));
	return o;
}

void
task_def_release(struct task_def *d)
{
	js_free(&d->source);
}
