/*
 * The SQL of schema/ as it was when this program was built.
 *
 * build/gen/schema.c defines it; `afterwork migrate` applies it.  The order is
 * the order of application: the numbered files of queue/, the functions of
 * queue/api/, the same of site/, then roles.sql and site/roles.sql.
 */
#ifndef AFTERWORK_COMMAND_SCHEMA_H
#define AFTERWORK_COMMAND_SCHEMA_H

#include <stddef.h>

struct schema_file {
	const char *name; /* path below schema/: "queue/0001_queue.sql" */
	const char *text; /* n bytes and a NUL */
	size_t n;
};

extern const struct schema_file schema_files[];
extern const size_t schema_nfiles;

#endif
