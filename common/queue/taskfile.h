/*
 * task.json: what a task's author writes, read and checked.
 *
 * Pure: bytes in, a definition out.  Whether the handler is there and may be
 * executed, and whether the timeout fits the runner, is the caller's to say;
 * whether a time zone exists is the database's.
 *
 * Keys (all but slug may be left out): slug, label, handler, inputSchema,
 * queue, priority, timeout, retries {attempts, backoff {type, delay, max,
 * jitter}}, concurrency {key, max, supersedes}, schedule [{cron, timezone,
 * queue, missed}], limits {memory, cpu}, settings [names].  A key that is none
 * of these is refused, since a misspelt one would be a silent default.
 */
#ifndef AFTERWORK_QUEUE_TASKFILE_H
#define AFTERWORK_QUEUE_TASKFILE_H

#include "common/base/err.h"

struct json_object;

enum {
	TASK_FILE_MAX = 256 * 1024, /* bytes of a task.json */
	TASK_SCHEDULES_MAX = 32,
	TASK_SLUG_MAX = 64,
	TASK_QUEUE_MAX = 100,
	TASK_KEY_MAX = 255,
	TASK_SETTINGS_MAX = 8,
	TASK_SETTING_MAX = 48, /* bytes of a name */
};

struct task_schedule {
	const char *cron;     /* five fields as a crontab has them, checked */
	const char *timezone; /* IANA name; "UTC" when not given */
	const char *queue;
	const char *missed; /* "skip", "one" or "all" */
	int timezone_line;  /* where the file says so; 0: not known */
};

/* Texts are borrowed from source and live as long as the definition. */
struct task_def {
	struct json_object *source;
	const char *slug;
	const char *label;                /* the slug when not given */
	const char *handler;              /* as written; NULL: compiled in */
	struct json_object *input_schema; /* array of fields, or NULL: any */
	const char *queue;
	int64_t priority;
	int64_t timeout_ms;
	int64_t attempts; /* executions after the first */
	bool exponential; /* else a fixed delay */
	int64_t delay_ms;
	int64_t max_delay_ms;
	bool jitter;
	const char *concurrency_key; /* NULL: no limit */
	int64_t concurrency_max;
	bool supersedes;
	struct task_schedule schedules[TASK_SCHEDULES_MAX];
	size_t nschedules;
	int64_t memory_bytes;         /* 0: no limit */
	int64_t cpu_ms;               /* 0: no limit */
	struct json_object *settings; /* names, at least one; NULL: none */
	/* Where the file says what its reader must check; 0: not known. */
	int handler_line, timeout_line, settings_line;
};

/*
 * Parse and check n bytes of a task.json.  *ret is given to the caller, who
 * ends it with task_def_release().  ERR_INVALID: the message begins with
 * "line N: " where the line is known, and names the key.
 */
bool taskfile_parse(
    const char *p, size_t n, struct task_def *ret, struct err *e) MUSTCHECK;

/*
 * A scheduled job's input is {}.  The name of the first field that the task
 * requires nonetheless, so that every such job will be refused; NULL: none, or
 * there is no schedule.  (Not an error of the file: others may enqueue it.)
 */
const char *taskfile_unfed(const struct task_def *d);

/* The definition as afterwork.task_register() takes it: given.  handler is
 * an absolute path, or NULL for one that is compiled in; folder its working
 * directory. */
struct json_object *taskfile_registration(const struct task_def *d,
    const char *handler, const char *folder) MUSTCHECK;

void task_def_release(struct task_def *d);
#define AUTO_TASK_DEF CLEANUP(task_def_release) struct task_def

#endif
