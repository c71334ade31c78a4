/*
 * Bring a database to the schema this program was built with.
 *
 * Numbered files are applied once, in order, each in a transaction with its
 * record in afterwork.migration; one that was applied and has changed since
 * is refused before anything is done.  The others (functions, grants) are
 * applied again whenever they changed; grants also when anything they may
 * speak of did.  Two migrations at once take turns.  No lock is waited for
 * longer than five seconds at a time, so that live runners are not held up.
 */
#ifndef AFTERWORK_COMMAND_MIGRATE_H
#define AFTERWORK_COMMAND_MIGRATE_H

#include "common/base/err.h"
#include "deploy/command/schema.h"

struct db;

struct migrate {
	const struct schema_file *files; /* in order of application */
	size_t nfiles;
	bool dry_run;    /* say what would be done, change nothing */
	bool queue_only; /* leave the site out */
	int nchanges;    /* out: lines said */
};

/* Apply m->files.  ERR_CONFLICT names a file that changed after it was
 * applied, or one that this program does not know. */
bool migrate_apply(struct db *db, struct migrate *m, struct err *e) MUSTCHECK;

#endif
