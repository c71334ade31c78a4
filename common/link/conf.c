/*
 * Settings: environment, files, credentials.
 *
 * A value is looked up once and kept in a list for the life of the process,
 * so that a borrowed pointer stays good and a file is not read twice.
 */
#include "common/link/conf.h"

#include <ctype.h>
#include <limits.h>
#include <sched.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/num.h"
#include "common/base/path.h"
#include "common/parse/duration.h"

enum {
	VALUE_MAX = 64 * 1024,
	NAME_LONGEST = 64,
	SLOTS_MAX = 256,
};

struct setting {
	struct setting *next;
	char *value; /* NULL: unset or empty */
	char name[NAME_LONGEST];
};

static struct setting *settings;

#define DATABASE_OF "DATABASE_URL_"

/* The file's text without one trailing newline; NULL: none, or not readable.
 * A missing file is worth a word unless it only might have been there. */
static char *
value_of_file(const char *path, bool may_miss)
{
	AUTO_BUF text = BUF_INIT;
	struct err e;

	if (!path_read(path, VALUE_MAX, &text, &e)) {
		if (!may_miss || e.code != ERR_NOT_FOUND)
			log_fail(
			    LOG_LEVEL_ERROR, &e, "could not read a setting");
		return NULL;
	}
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (memchr(text.data, '\0', text.len) != NULL) {
		log_say(LOG_LEVEL_ERROR, "setting in \"%s\" holds a NUL byte",
		    path);
		return NULL;
	}
	return buf_steal(&text);
}

static char *
value_of_credential(const char *name)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char lower[NAME_LONGEST], path[PATH_MAX];
	size_t i = 0;
	int n;

	if (folder == NULL || folder[0] == '\0')
		return NULL;
	for (; name[i] != '\0'; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	lower[i] = '\0';
	n = snprintf(path, sizeof(path), "%s/%s", folder, lower);
	if (n < 0 || (size_t)n >= sizeof(path))
		return NULL;
	return value_of_file(path, true);
}

/* Memory for free(), or NULL.  A NAME_FILE that is named but cannot be read
 * does not fall back to NAME: it was meant to be the value. */
static char *
value_find(const char *name)
{
	char as_file[NAME_LONGEST + sizeof("_FILE")];
	const char *text;
	char *value;

	snprintf(as_file, sizeof(as_file), "%s_FILE", name);
	text = getenv(as_file);
	if (text != NULL && text[0] != '\0')
		return value_of_file(text, false);
	value = value_of_credential(name);
	if (value != NULL)
		return value;
	text = getenv(name);
	return text == NULL ? NULL : strdup(text);
}

static struct setting *
setting_load(const char *name)
{
	struct setting *s = calloc(1, sizeof(*s));

	/* No setting can be told from a missing one without memory. */
	if (s == NULL)
		abort();
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->value = value_find(name);
	if (s->value != NULL && s->value[0] == '\0') {
		free(s->value);
		s->value = NULL;
	}
	s->next = settings;
	settings = s;
	return s;
}

const char *
conf_text(const char *name, const char *otherwise)
{
	struct setting *s = settings;

	if (strlen(name) >= NAME_LONGEST)
		return otherwise;
	while (s != NULL && strcmp(s->name, name) != 0)
		s = s->next;
	if (s == NULL)
		s = setting_load(name);
	return s->value == NULL ? otherwise : s->value;
}

bool
conf_int(const char *name, int64_t otherwise, int64_t min, int64_t max,
    int64_t *ret, struct err *e)
{
	const char *text = conf_text(name, NULL);
	int64_t value = otherwise;

	if (text != NULL && !num_parse_text(text, min, max, &value))
		return err_field(e, name,
		    "%s must be a whole number from %lld to %lld", name,
		    (long long)min, (long long)max);
	*ret = value;
	return true;
}

bool
conf_duration_ms(
    const char *name, int64_t otherwise_ms, int64_t *ret_ms, struct err *e)
{
	const char *text = conf_text(name, NULL);
	int64_t value = otherwise_ms;

	if (text != NULL && !duration_parse(text, &value))
		return err_field(e, name,
		    "%s must be a duration such as 250ms, 30s, 5m, 1h or 7d",
		    name);
	*ret_ms = value;
	return true;
}

const char *
conf_database_url(const char *function)
{
	char name[NAME_LONGEST] = DATABASE_OF;
	size_t at = strlen(name);

	for (; *function != '\0' && at < sizeof(name) - 1; function++)
		name[at++] = *function == '-'
				 ? '_'
				 : (char)toupper((unsigned char)*function);
	name[at] = '\0';
	return conf_text(name, conf_text("DATABASE_URL", ""));
}

const char *
conf_named(const char *name)
{
	const char *text = conf_text(name, NULL);

	if (text == NULL &&
	    strncmp(name, DATABASE_OF, strlen(DATABASE_OF)) == 0)
		text = conf_text("DATABASE_URL", NULL);
	return text;
}

const char *
conf_runtime_dir(void)
{
	return conf_text("RUNTIME_DIRECTORY", ".run/runtime");
}

bool
conf_slots(int *ret, struct err *e)
{
	int64_t slots = 1;
	cpu_set_t cpus;

	/* Those that this process may use; a container has a share of them. */
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		slots = CPU_COUNT(&cpus);
	if (slots > SLOTS_MAX)
		slots = SLOTS_MAX;
	if (!conf_int("RUNNER_SLOTS", slots, 1, SLOTS_MAX, &slots, e))
		return false;
	*ret = (int)slots;
	return true;
}

bool
conf_pooled(void)
{
	return strcmp(conf_text("DATABASE_POOLED", "0"), "1") == 0;
}

/* Does the variable "NAME=value" go on to programs of ours?  A name that ends
 * in '*' stands for all that begin so. */
static bool
passed_on(const char *variable)
{
	static const char *const names[] = { "DATABASE_*", "CRON_SECRET*",
		"MEDIA_STORE*", "SERVER_URL*", "RUNNER_*", "RUN_LIMIT*",
		"MAX_DURATION*", "MAX_UPLOAD_BYTES*", "TOKEN_SECRET*",
		"RETENTION*", "SMTP_*", "WEBHOOK_SECRET*",
		"HTTP_ALLOW_PRIVATE*", "S3_*", "TASKS_DIR*", "LOG_LEVEL*",
		"PG*", "PATH", "LANG", "LC_*", "TZ", "HOME",
		"CREDENTIALS_DIRECTORY", "RUNTIME_DIRECTORY", "AFTERWORK_*",
		"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" };
	size_t n = strcspn(variable, "=");

	for (size_t i = 0; i < LEN(names); i++) {
		size_t len = strlen(names[i]);
		bool prefix = names[i][len - 1] == '*';

		len -= prefix;
		if (strncmp(variable, names[i], len) == 0 &&
		    (prefix ? n >= len : n == len))
			return true;
	}
	return false;
}

char **
conf_environ(void)
{
	static char **passed;
	size_t n = 0, kept = 0;

	if (passed != NULL)
		return passed;
	while (environ[n] != NULL)
		n++;
	passed = calloc(n + 1, sizeof(*passed));
	for (size_t i = 0; passed != NULL && i < n; i++)
		if (passed_on(environ[i]))
			passed[kept++] = environ[i];
	return passed;
}

size_t
conf_task_vars(const char *ret[static CONF_TASK_VARS])
{
	static const struct {
		const char *name, *otherwise;
	} vars[CONF_TASK_VARS] = {
		{ "PATH=", "PATH=/usr/local/bin:/usr/bin:/bin" },
		{ "LANG=", "LANG=C.UTF-8" },
		{ "HOME=", NULL },
		{ "TZ=", NULL },
	};
	size_t n = 0;

	for (size_t i = 0; i < LEN(vars); i++) {
		const char *found = vars[i].otherwise;

		for (char **v = environ; *v != NULL; v++)
			if (strncmp(*v, vars[i].name, strlen(vars[i].name)) ==
			    0)
				found = *v;
		if (found != NULL)
			ret[n++] = found;
	}
	return n;
}
