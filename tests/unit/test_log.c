/* Log lines. */
#include "common/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/base/path.h"
#include "tests/unit/tap.h"

static char path[] = "/tmp/test_log.XXXXXX";

/* What reaches descriptor 2 while fn runs, without the time. */
static void
logged(void (*fn)(void), struct buf *ret)
{
	int saved = dup(STDERR_FILENO);
	int fd = open(path, O_WRONLY | O_TRUNC | O_APPEND | O_CLOEXEC);
	AUTO_BUF all = BUF_INIT;
	struct err e;

	dup2(fd, STDERR_FILENO);
	fn();
	dup2(saved, STDERR_FILENO);
	(void)close(saved);
	(void)close(fd);
	if (!path_read(path, 65536, &all, &e))
		abort();
	for (char *line = all.data; *line != '\0';) {
		char *level = strstr(line, "\"level\"");
		size_t n = strcspn(line, "\n") + 1;

		if (level != NULL && level < line + n)
			buf_add(ret, level, n - (size_t)(level - line));
		line += n;
	}
}

static void
say_all(void)
{
	log_say(LOG_LEVEL_DEBUG, "debug");
	log_say(LOG_LEVEL_INFO, "info %d", 1);
	log_say(LOG_LEVEL_WARN, "warn");
	log_say(LOG_LEVEL_ERROR, "error");
}

static void
say_fields(void)
{
	struct err e;
	struct log_line l;

	(void)err_fail(&e, ERR_CONFLICT, "taken by \"x\"\n{\"level\":1}");
	snprintf(e.sqlstate, sizeof(e.sqlstate), "23505");
	log_begin(&l, LOG_LEVEL_INFO, "request");
	log_text(&l, "path", "/a\"b\xff");
	log_text(&l, "none", NULL);
	log_int(&l, "ms", -12);
	log_err(&l, &e);
	log_end(&l);
}

static void
say_fail(void)
{
	struct err e;

	(void)err_fail(&e, ERR_BUG, "broken");
	log_fail(LOG_LEVEL_ERROR, &e, "could not %s", "go on");
}

static const struct {
	const char *level, *want;
} levels[] = {
	{ "debug", "\"level\":\"debug\",\"fn\":\"test\",\"msg\":\"debug\"}\n"
		   "\"level\":\"info\",\"fn\":\"test\",\"msg\":\"info 1\"}\n"
		   "\"level\":\"warn\",\"fn\":\"test\",\"msg\":\"warn\"}\n"
		   "\"level\":\"error\",\"fn\":\"test\",\"msg\":\"error\"}\n" },
	{ "warn", "\"level\":\"warn\",\"fn\":\"test\",\"msg\":\"warn\"}\n"
		  "\"level\":\"error\",\"fn\":\"test\",\"msg\":\"error\"}\n" },
	{ "error", "\"level\":\"error\",\"fn\":\"test\",\"msg\":\"error\"}\n" },
	{ "loud", "\"level\":\"info\",\"fn\":\"test\",\"msg\":\"info 1\"}\n"
		  "\"level\":\"warn\",\"fn\":\"test\",\"msg\":\"warn\"}\n"
		  "\"level\":\"error\",\"fn\":\"test\",\"msg\":\"error\"}\n" },
};

static void
test_time(void)
{
	AUTO_BUF all = BUF_INIT;
	struct err e;

	/* What the last case left in the file. */
	if (!path_read(path, 65536, &all, &e))
		abort();
	ok(strncmp(all.data, "{\"time\":\"20", 11) == 0 &&
		strncmp(all.data + 32, "Z\",\"level\"", 10) == 0,
	    "a line begins with its time: %.33s", all.data);
}

int
main(void)
{
	int fd = mkstemp(path);

	for (size_t i = 0; i < LEN(levels); i++) {
		AUTO_BUF got = BUF_INIT;

		log_init("test", levels[i].level);
		logged(say_all, &got);
		is_text(got.data, levels[i].want, "from \"%s\" up",
		    levels[i].level);
	}
	log_init("test", NULL);
	AUTO_BUF fields = BUF_INIT;
	logged(say_fields, &fields);
	is_text(fields.data,
	    "\"level\":\"info\",\"fn\":\"test\",\"msg\":\"request\","
	    "\"path\":\"/a\\\"b\\u00ff\",\"ms\":-12,\"err\":\"conflict\","
	    "\"sqlstate\":\"23505\","
	    "\"detail\":\"taken by \\\"x\\\"\\n{\\\"level\\\":1}\"}\n",
	    "fields are escaped, a NULL is left out");
	AUTO_BUF fail = BUF_INIT;
	logged(say_fail, &fail);
	is_text(fail.data,
	    "\"level\":\"error\",\"fn\":\"test\",\"msg\":\"could not go on\","
	    "\"err\":\"bug\",\"detail\":\"broken\"}\n",
	    "a message with its error");
	test_time();
	(void)close(fd);
	(void)unlink(path);
	return done();
}
