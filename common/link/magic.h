/*
 * What a file is, by its first bytes: the only caller of libmagic.
 *
 * The database is loaded once (about 6 ms, 1 MiB), by the process that forks
 * the others where there is one, so that they share it.
 */
#ifndef AFTERWORK_LINK_MAGIC_H
#define AFTERWORK_LINK_MAGIC_H

#include "common/base/err.h"

enum { MAGIC_BYTES = 4096 }; /* how much of the head is looked at */

bool magic_init(struct err *e) MUSTCHECK;

/* MIME type of the bytes as libmagic says it; borrowed until the next call.
 * NULL when libmagic fails. */
const char *magic_mime(const void *p, size_t n);

#endif
