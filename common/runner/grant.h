/*
 * Settings that a built-in executable is given: those that its task.json names
 * under "settings" and no other.
 *
 * Each goes in as a file that has no name and is in memory, on a descriptor
 * from 4 on, and NAME_FILE in the environment says which (link/conf.h reads
 * it so).  No value stands on a command line, in an environment or on a disk,
 * and what the task starts itself does not inherit it by accident.
 */
#ifndef AFTERWORK_RUNNER_GRANT_H
#define AFTERWORK_RUNNER_GRANT_H

#include "common/queue/taskfile.h"
#include "common/runner/spawn.h"

enum {
	GRANT_MAX = TASK_SETTINGS_MAX,
	GRANT_VAR_MAX = TASK_SETTING_MAX + sizeof("_FILE=/proc/self/fd/00"),
};
_Static_assert(GRANT_MAX <= SPAWN_FDS_MAX - SPAWN_FDS, "room for each");

struct grant {
	int fds[GRANT_MAX];                  /* become SPAWN_FDS and so on */
	char vars[GRANT_MAX][GRANT_VAR_MAX]; /* "NAME_FILE=…" */
	size_t n;
};
#define AUTO_GRANT CLEANUP(grant_close) struct grant

/* names: a space between, or NULL.  A setting without a value is left out.
 * ret is to be all zero; it is given, whatever the result. */
bool grant_open(const char *names, struct grant *ret, struct err *e) MUSTCHECK;
void grant_close(struct grant *g);

#endif
