/*
 * A client's file name made safe to store, show and put in a header.  The
 * name on disk is never this one.
 *
 * Result: 1..120 bytes of valid UTF-8, no control, bidi or / \ : * ? " < > |
 * bytes, no leading '.' or '-', no trailing dot or space, no Windows device
 * name; "file" when nothing is left.  The last path component counts, the
 * extension survives a cut.  Idempotent.
 */
#ifndef AFTERWORK_PARSE_FILENAME_H
#define AFTERWORK_PARSE_FILENAME_H

#include "common/base/err.h"

enum { FILENAME_MAX_BYTES = 120 };

void filename_clean(
    const char *p, size_t n, char ret[static FILENAME_MAX_BYTES + 1]);

#endif
