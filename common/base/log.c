/* The log: JSON lines on descriptor 2. */
#include "common/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <unistd.h>

#include "common/base/clock.h"

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
};

static const char *log_program = "afterwork";
static enum log_level log_least = LOG_LEVEL_INFO;

void
log_init(const char *program, const char *level)
{
	log_program = program;
	log_least = LOG_LEVEL_INFO;
	for (size_t i = 0; level != NULL && i < LEN(level_names); i++)
		if (strcmp(level, level_names[i]) == 0)
			log_least = (enum log_level)i;
}

void
log_begin(struct log_line *l, enum log_level level, const char *msg)
{
	char now[CLOCK_ISO_MAX];

	*l = (struct log_line){ .text = BUF_INIT, .off = level < log_least };
	if (l->off)
		return;
	clock_iso(clock_wall_us(), now);
	buf_addf(&l->text, "{\"time\":\"%s\"", now);
	log_text(l, "level", level_names[level]);
	log_text(l, "fn", log_program);
	log_text(l, "msg", msg);
}

static void
log_key(struct log_line *l, const char *key)
{
	buf_addc(&l->text, ',');
	buf_add_json(&l->text, key, strlen(key));
	buf_addc(&l->text, ':');
}

void
log_text(struct log_line *l, const char *key, const char *value)
{
	if (l->off || value == NULL)
		return;
	log_key(l, key);
	buf_add_json(&l->text, value, strlen(value));
}

void
log_int(struct log_line *l, const char *key, int64_t value)
{
	if (l->off)
		return;
	log_key(l, key);
	buf_addf(&l->text, "%" PRId64, value);
}

void
log_err(struct log_line *l, const struct err *e)
{
	log_text(l, "err", err_name(e->code));
	if (e->sqlstate[0] != '\0')
		log_text(l, "sqlstate", e->sqlstate);
	log_text(l, "detail", e->msg);
}

/* One write, so that lines of several processes do not mix. */
static void
log_write(const char *p, size_t n)
{
	ssize_t wrote;

	do
		wrote = write(STDERR_FILENO, p, n);
	while (wrote < 0 && errno == EINTR);
}

void
log_end(struct log_line *l)
{
	static const char lost[] =
	    "{\"level\":\"error\",\"msg\":\"out of memory for a log line\"}\n";
	int saved = errno;

	if (l->off)
		return;
	buf_adds(&l->text, "}\n");
	if (l->text.broken)
		log_write(lost, sizeof(lost) - 1);
	else
		log_write(l->text.data, l->text.len);
	buf_release(&l->text);
	errno = saved;
}

PRINTF(3, 0)
static void
log_vsay(enum log_level level, const struct err *e, const char *fmt, va_list ap)
{
	char msg[ERR_MSG_MAX];
	struct log_line l;

	if (level < log_least)
		return;
	vsnprintf(msg, sizeof(msg), fmt, ap);
	log_begin(&l, level, msg);
	if (e != NULL)
		log_err(&l, e);
	log_end(&l);
}

void
log_say(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vsay(level, NULL, fmt, ap);
	va_end(ap);
}

void
log_fail(enum log_level level, const struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vsay(level, e, fmt, ap);
	va_end(ap);
}
