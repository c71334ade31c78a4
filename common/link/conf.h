/*
 * Settings: environment variables, each also as NAME_FILE=/path and as a
 * systemd credential of the lower-case name ($CREDENTIALS_DIRECTORY/name).
 *
 * Order: NAME_FILE, credential, NAME.  One trailing newline of a file is not
 * part of the value.  This module is the only caller of getenv().  Values
 * are read once and live until the process ends.
 */
#ifndef AFTERWORK_LINK_CONF_H
#define AFTERWORK_LINK_CONF_H

#include "common/base/err.h"

/* The value, or otherwise (may be NULL) when unset or empty.  Borrowed for
 * the life of the process.  A NAME_FILE that cannot be read is logged once
 * and counts as unset. */
const char *conf_text(const char *name, const char *otherwise);

/* A whole number in [min, max]; a value that is none fails (ERR_INVALID,
 * naming the setting). */
bool conf_int(const char *name, int64_t otherwise, int64_t min, int64_t max,
    int64_t *ret, struct err *e) MUSTCHECK;

/* A duration as parse/duration has it ("250ms", "30s", "7d", plain = ms). */
bool conf_duration_ms(const char *name, int64_t otherwise_ms, int64_t *ret_ms,
    struct err *e) MUSTCHECK;

/* DATABASE_URL_<FUNCTION> (upper case), else DATABASE_URL, else "" (libpq's
 * own PG* variables). */
const char *conf_database_url(const char *function);

/* The value of any setting as conf_text() has it, or of DATABASE_URL_<X> as
 * conf_database_url() has it; NULL when it has none. */
const char *conf_named(const char *name);

/* Folder for this host's slots and wake mark: RUNTIME_DIRECTORY (set by
 * systemd), else ".run/runtime". */
const char *conf_runtime_dir(void);

/* RUNNER_SLOTS, or the number of processors; 1..256. */
bool conf_slots(int *ret, struct err *e) MUSTCHECK;

/* DATABASE_POOLED: a pooler in transaction mode stands between. */
bool conf_pooled(void);

/*
 * The environment for a program of ours started from here: our settings, PG*,
 * PATH, the locale and what systemd handed over.  A CGI's request variables
 * (an Authorization header among them) stay behind.  Given to no one: the
 * array and its texts live as long as the process; NULL when memory is short.
 */
char **conf_environ(void) MUSTCHECK;

enum { CONF_TASK_VARS = 4 };

/*
 * The part of the environment that a task's executable gets from here: PATH
 * and LANG (with defaults), HOME and TZ where they are set, and nothing else,
 * so that no secret is among it.  Writes at most CONF_TASK_VARS texts "NAME=
 * value", which live as long as the process, and returns how many.
 */
size_t conf_task_vars(const char *ret[static CONF_TASK_VARS]);

#endif
