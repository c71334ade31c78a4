#include "deploy/command/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/path.h"
#include "common/link/conf.h"
#include "common/link/db.h"
#include "common/runner/after.h"

static const struct command_option *
find_option(const struct command_option *options, size_t n, const char *name,
    size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(options[i].name) == len &&
		    memcmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

/* Take the option argv[*i], and argv[*i + 1] if that is its argument. */
static bool
take_option(int argc, char *const argv[], int *i,
    const struct command_option *options, size_t noptions)
{
	const char *name = argv[*i] + 2;
	size_t len = strcspn(name, "=");
	const char *attached = name[len] == '=' ? name + len + 1 : NULL;
	const struct command_option *o =
	    find_option(options, noptions, name, len);

	if (argv[*i][1] != '-' || o == NULL) {
		command_usage(
		    "unknown option \"%.*s\"; see afterwork %s --help",
		    (int)len + 2, argv[*i], argv[0]);
		return false;
	}
	if (o->flag != NULL && attached != NULL) {
		command_usage("option --%s takes no argument", o->name);
		return false;
	}
	if (o->flag != NULL) {
		*o->flag = true;
		return true;
	}
	if (attached == NULL && *i + 1 >= argc) {
		command_usage("option --%s needs an argument", o->name);
		return false;
	}
	*o->value = attached != NULL ? attached : argv[++*i];
	return true;
}

bool
command_parse(int argc, char *const argv[],
    const struct command_option *options, size_t noptions, int max,
    struct command_operands *ret)
{
	bool only_operands = false;

	*ret = (struct command_operands){ .n = 0 };
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (!only_operands && strcmp(arg, "--") == 0) {
			only_operands = true;
			continue;
		}
		if (!only_operands && arg[0] == '-' && arg[1] != '\0') {
			if (!take_option(argc, argv, &i, options, noptions))
				return false;
			continue;
		}
		if (ret->n >= max) {
			command_usage("unexpected argument \"%s\"; see "
				      "afterwork %s --help",
			    arg, argv[0]);
			return false;
		}
		ret->v[ret->n++] = arg;
	}
	return true;
}

int
command_usage(const char *fmt, ...)
{
	va_list ap;

	fputs("afterwork: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EX_USAGE;
}

/* SQLSTATEs of a table, function or schema that is not there. */
static bool
is_schema_missing(const struct err *e)
{
	return strcmp(e->sqlstate, "42P01") == 0 ||
	       strcmp(e->sqlstate, "42883") == 0 ||
	       strcmp(e->sqlstate, "3F000") == 0;
}

int
command_fail(const struct err *e)
{
	/* What our own functions in the database refuse, they say in words
	 * for people, with the field beside; other SQLSTATEs help to look
	 * things up. */
	bool refused = strcmp(e->sqlstate, "P0001") == 0;

	fputs("afterwork: ", stderr);
	if (refused && e->field[0] != '\0')
		fprintf(stderr, "%s: ", e->field);
	fputs(e->msg, stderr);
	if (!refused && e->sqlstate[0] != '\0')
		fprintf(stderr, " (SQLSTATE %s)", e->sqlstate);
	if (is_schema_missing(e))
		fputs("; run \"afterwork migrate\" first", stderr);
	fputc('\n', stderr);
	return 1;
}

void
command_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

void
command_wake(const char *what)
{
	struct err e;

	after_silent();
	if (access(conf_runtime_dir(), F_OK) != 0)
		(void)err_errno(&e, ERR_UNAVAILABLE,
		    "the functions' folder \"%s\" (RUNTIME_DIRECTORY) is not "
		    "here",
		    conf_runtime_dir());
	else if (after_wake(&e))
		return;
	fprintf(stderr, "afterwork: %s; the next ping runs %s\n", e.msg, what);
}

bool
command_db(struct db **ret, struct err *e)
{
	int64_t pooled;

	if (!conf_int("DATABASE_POOLED", 0, 0, 1, &pooled, e))
		return false;
	*ret = db_new(conf_text("DATABASE_URL", ""), pooled == 1, "command");
	if (*ret == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	return true;
}

/* dir/rest if that can be read; given. */
static char *
readable(const char *dir, const char *rest)
{
	AUTO_BUF path = BUF_INIT;

	buf_adds(&path, dir);
	buf_adds(&path, rest);
	if (path.broken || access(path.data, R_OK) != 0)
		return NULL;
	return buf_steal(&path);
}

char *
command_config(void)
{
	AUTO_TEXT *self = path_self_dir();
	char *found = readable(".", "/vercel.json");

	if (found == NULL && self != NULL)
		found = readable(self, "/../vercel.json");
	if (found == NULL && self != NULL)
		found = readable(self, "/../share/afterwork/vercel.json");
	return found;
}

void
command_freep(char **text)
{
	free(*text);
}
