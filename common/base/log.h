/*
 * The log: one JSON object a line on descriptor 2, written with one write().
 * Library code does not log; edges do (http/app, runner, commands).
 * Never a token, a payload or a whole URL.
 */
#ifndef AFTERWORK_BASE_LOG_H
#define AFTERWORK_BASE_LOG_H

#include "common/base/buf.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR
};

/* Name of this program in every line (borrowed for good), and the least
 * level written.  level: "debug", "info", "warn", "error"; else info. */
void log_init(const char *program, const char *level);

/* {"time":…,"level":…,"fn":program,"msg":msg  then fields, then log_end.
 * All texts are escaped.  A NULL text is left out. */
struct log_line {
	struct buf text;
	bool off;
};
void log_begin(struct log_line *l, enum log_level level, const char *msg);
void log_text(struct log_line *l, const char *key, const char *value);
void log_int(struct log_line *l, const char *key, int64_t value);
void log_err(
    struct log_line *l, const struct err *e); /* err, sqlstate, detail */
void log_end(struct log_line *l);

/* A line with nothing but a message (PostgreSQL's message style). */
void log_say(enum log_level level, const char *fmt, ...) PRINTF(2, 3);
/* A message and the error behind it. */
void log_fail(enum log_level level, const struct err *e, const char *fmt, ...)
    PRINTF(3, 4);

#endif
