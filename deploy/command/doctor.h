/*
 * `afterwork doctor`: what is wrong with an installation, and what to do.
 *
 * A finding is one matter ("secrets"), how bad it is, what there is to see and
 * what to do about it.  The database's are made by afterwork.doctor()
 * (schema/queue/api/doctor.sql), this host's by doctor_host().
 */
#ifndef AFTERWORK_COMMAND_DOCTOR_H
#define AFTERWORK_COMMAND_DOCTOR_H

#include "common/base/err.h"

struct db;
struct json_object;

/* In the order of the exit statuses. */
enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_BAD };

struct doctor {
	struct json_object *findings; /* in the order of their making */
	enum doctor_level worst;
};

/* Note one; what by format.  remedy: "" where there is nothing to do. */
void doctor_note(struct doctor *d, enum doctor_level level, const char *topic,
    const char *remedy, const char *fmt, ...) PRINTF(5, 6);

/* How many connections this host's functions and runners may want at a time;
 * settings that are none are noted. */
int64_t doctor_connections(struct doctor *d);

/* Secrets, runtime folder, media store, of this host and as this user. */
void doctor_host(struct doctor *d);

/* How long a runner lasts, here and by vercel.json, and which registered tasks
 * it never has the time for. */
bool doctor_duration(struct doctor *d, struct db *db, struct err *e) MUSTCHECK;

/* The handlers of registered tasks, which must be on this host. */
bool doctor_handlers(struct doctor *d, struct db *db, struct err *e) MUSTCHECK;

/* Where TASKS_DIR is set: is what it holds registered, and nothing else? */
bool doctor_tasks(struct doctor *d, struct db *db, struct err *e) MUSTCHECK;

#endif
