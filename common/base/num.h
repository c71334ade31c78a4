/* Strict decimal numbers: digits only, no sign, space or overflow. */
#ifndef AFTERWORK_BASE_NUM_H
#define AFTERWORK_BASE_NUM_H

#include "common/base/base.h"

/* True and *ret set when the n bytes at p are 1 to 19 digits with a value in
 * [min, max]; leading zeros are allowed.  Else false, *ret untouched. */
bool num_parse(
    const char *p, size_t n, int64_t min, int64_t max, int64_t *ret) MUSTCHECK;

/* The same for NUL-terminated text that may be NULL (false). */
bool num_parse_text(
    const char *s, int64_t min, int64_t max, int64_t *ret) MUSTCHECK;

#endif
