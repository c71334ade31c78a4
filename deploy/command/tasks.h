/*
 * Registration of tasks: every task.json of the built-in folder and of
 * TASKS_DIR is read and checked, then all are registered in one transaction;
 * a registered task whose folder is gone is retired.
 */
#ifndef AFTERWORK_COMMAND_TASKS_H
#define AFTERWORK_COMMAND_TASKS_H

#include "common/base/err.h"

struct buf;
struct db;

struct tasks_report {
	int ntasks;   /* found */
	int nchanges; /* added, changed or retired; one line said for each */
};

/* config: the vercel.json that limits how long a task may take; NULL: the
 * one command_config() finds, else 300 s.  ERR_INVALID names file, line and
 * key. */
bool tasks_sync(struct db *db, const char *config, struct tasks_report *ret,
    struct err *e) MUSTCHECK;

/* What it would register here, read and checked in the same way: slugs and
 * folders, each an array literal.  Asks no database. */
bool tasks_here(
    struct buf *ret_slugs, struct buf *ret_folders, struct err *e) MUSTCHECK;

#endif
