/* "250ms", "30s", "5m", "1h", "7d", or a plain number of milliseconds. */
#ifndef AFTERWORK_PARSE_DURATION_H
#define AFTERWORK_PARSE_DURATION_H

#include "common/base/err.h"

/* True and *ret_ms set (0 .. 10 years) when s is one; else false. */
bool duration_parse(const char *s, int64_t *ret_ms) MUSTCHECK;

#endif
