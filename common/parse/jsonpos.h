/*
 * Lines of a JSON text, for messages to the person who wrote it.
 *
 * Pure: no memory, no I/O.  link/js says what a text means; this says where
 * it says so.
 */
#ifndef AFTERWORK_PARSE_JSONPOS_H
#define AFTERWORK_PARSE_JSONPOS_H

#include "common/base/base.h"

/*
 * The line (from 1) with the key or list element at path: keys as they are
 * written, and indexes from 0, joined by dots: "retries.backoff.max",
 * "schedule.0.cron".  Of a key that is there twice, the last counts.  0: not
 * there.
 */
int jsonpos_line(const char *p, size_t n, const char *path);

/* The line on which the text stops being JSON; 0 when it is well-formed. */
int jsonpos_fault(const char *p, size_t n);

#endif
