/* Settings. */
#include "common/link/conf.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/path.h"
#include "tests/unit/tap.h"

static char folder[] = "/tmp/test_conf.XXXXXX";

static const char *
file_path(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *
file(const char *name, const char *text, size_t n)
{
	const char *path = file_path(name);
	AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err e;

	if (fd == -1 || !fd_write_all(fd, text, n, &e))
		abort();
	return path;
}

static void
set(const char *name, const char *value)
{
	setenv(name, value, 1);
}

static void
test_order(void)
{
	set("T_PLAIN", "plain");
	set("T_EMPTY", "");
	is_text(conf_text("T_PLAIN", "other"), "plain", "a variable");
	is_text(conf_text("T_EMPTY", "other"), "other", "empty is unset");
	is_text(conf_text("T_NONE", "other"), "other", "unset");
	is_text(conf_text("T_NONE", NULL), NULL, "unset, no other");

	set("T_CRED", "variable");
	file("t_cred", "credential\n", 11);
	is_text(conf_text("T_CRED", NULL), "credential",
	    "a credential goes before the variable");
	set("T_BOTH", "variable");
	file("t_both", "credential", 10);
	set("T_BOTH_FILE", file("f", "file\n\n", 6));
	is_text(conf_text("T_BOTH", NULL), "file\n",
	    "a named file goes before both; one newline is cut");
	set("T_VOID_FILE", file("v", "\n", 1));
	is_text(conf_text("T_VOID", "other"), "other",
	    "a file with a newline alone is unset");
}

static void
test_kept(void)
{
	const char *value = conf_text("T_PLAIN", NULL);

	set("T_PLAIN", "changed");
	ok(conf_text("T_PLAIN", NULL) == value, "a value is read once");
	is_text(value, "plain", "and stays what it was");
}

/* Lines that reach the log while fn runs. */
static int
lines_logged(void (*fn)(void))
{
	AUTO_BUF text = BUF_INIT;
	const char *path = file("log", "", 0);
	int saved = dup(STDERR_FILENO), lines = 0;
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	struct err e;

	dup2(fd, STDERR_FILENO);
	fn();
	dup2(saved, STDERR_FILENO);
	(void)close(saved);
	(void)close(fd);
	if (!path_read(file_path("log"), 65536, &text, &e))
		return -1;
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	return lines;
}

static void
ask_missing(void)
{
	set("T_MISSING", "variable");
	set("T_MISSING_FILE", "/nonexistent/file");
	is_text(conf_text("T_MISSING", "other"), "other",
	    "a file that is named but missing: unset");
	is_text(conf_text("T_MISSING", NULL), NULL, "and again");
}

static void
ask_nul(void)
{
	set("T_NUL_FILE", file("nul", "a\0b", 3));
	is_text(conf_text("T_NUL", "other"), "other", "a NUL byte in a file");
}

static void
ask_large(void)
{
	static char text[70000];

	memset(text, 'x', sizeof(text));
	set("T_LARGE_FILE", file("large", text, sizeof(text)));
	is_text(conf_text("T_LARGE", "other"), "other", "too large a file");
}

static void
test_bad_files(void)
{
	is_int(lines_logged(ask_missing), 1, "told once");
	is_int(lines_logged(ask_nul), 1, "told");
	is_int(lines_logged(ask_large), 1, "told");
}

static const struct {
	const char *value;
	bool good;
	int64_t want;
} ints[] = {
	{ "1", true, 1 },
	{ "100", true, 100 },
	{ "0", false, 0 },
	{ "101", false, 0 },
	{ "ten", false, 0 },
	{ "10 ", false, 0 },
	{ "", true, 55 },
};

static void
test_numbers(void)
{
	for (size_t i = 0; i < LEN(ints); i++) {
		char name[16];
		struct err e;
		int64_t v = -1;

		snprintf(name, sizeof(name), "T_INT%zu", i);
		set(name, ints[i].value);
		is_int(conf_int(name, 55, 1, 100, &v, &e), ints[i].good,
		    "\"%s\" is %sa number from 1 to 100", ints[i].value,
		    ints[i].good ? "" : "not ");
		is_int(v, ints[i].good ? ints[i].want : -1, "its value");
		if (!ints[i].good)
			ok(e.code == ERR_INVALID && strcmp(e.field, name) == 0,
			    "the setting is named");
	}
}

static void
test_durations(void)
{
	int64_t ms = -1;
	struct err e;

	set("T_DUR", "30s");
	set("T_BADDUR", "soon");
	ok(conf_duration_ms("T_DUR", 1, &ms, &e) && ms == 30000, "30s");
	ok(conf_duration_ms("T_NODUR", 250, &ms, &e) && ms == 250, "unset");
	ok(!conf_duration_ms("T_BADDUR", 1, &ms, &e), "no duration");
	is_text(e.field, "T_BADDUR", "the setting is named");
	is_int(ms, 250, "the output is untouched");
}

static void
test_derived(void)
{
	int slots = 0;
	struct err e;

	is_text(conf_database_url("a-very-long-name-that-fits-no-setting-at-"
				  "all-however-one-looks-at-it"),
	    "postgres://all", "a name that is too long");
	is_text(conf_runtime_dir(), ".run/runtime", "folder by default");
	ok(conf_slots(&slots, &e) && slots >= 1 && slots <= 256,
	    "slots by processors");
}

static void
test_urls(void)
{
	set("DATABASE_URL_UPLOAD", "postgres://upload");
	is_text(conf_database_url("upload"), "postgres://upload",
	    "a function's own");
	set("DATABASE_URL_PURGE_ALL", "postgres://purge");
	is_text(conf_database_url("purge-all"), "postgres://purge",
	    "a hyphen is an underscore there");
	is_text(conf_database_url("run"), "postgres://all", "that of all");
	is_text(conf_named("DATABASE_URL_PURGE_ALL"), "postgres://purge",
	    "by its whole name");
	is_text(conf_named("DATABASE_URL_OTHER"), "postgres://all",
	    "that of all, too");
	is_text(conf_named("T_NOT_THERE"), NULL, "no other has another's");
}

static void
remove_files(void)
{
	static const char *const names[] = { "t_cred", "t_both", "f", "v",
		"log", "nul", "large" };

	for (size_t i = 0; i < LEN(names); i++)
		(void)unlink(file_path(names[i]));
	(void)rmdir(folder);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	set("DATABASE_URL", "postgres://all");
	unsetenv("RUNTIME_DIRECTORY");
	unsetenv("RUNNER_SLOTS");
	set("CREDENTIALS_DIRECTORY", folder);
	test_order();
	test_kept();
	test_bad_files();
	test_numbers();
	test_durations();
	test_urls();
	test_derived();
	remove_files();
	return done();
}
