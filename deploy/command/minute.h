/*
 * Which minutes the pinger acts on: each at most once, and never many at a
 * time, whatever the clock does.
 *
 * Pure: the two clocks are arguments, in milliseconds.  A wall clock that
 * jumps ahead skips the minutes between; one that is set back goes on at
 * once from there, so that pings do not stop.  Two rounds are always some
 * real seconds apart.
 */
#ifndef AFTERWORK_COMMAND_MINUTE_H
#define AFTERWORK_COMMAND_MINUTE_H

#include "common/base/base.h"

enum { MINUTE_GAP_MS = 20 * 1000 };

struct minute {
	int64_t last; /* minutes since 1970, acted on or skipped */
	int64_t acted_mono_ms;
};

/* The minute that has begun already is left alone. */
void minute_init(struct minute *m, int64_t wall_ms, int64_t mono_ms);

/* Has a minute begun that is to be acted on?  Then *ret_utc_s is its start,
 * in seconds since 1970, and the same minute is not told again. */
bool minute_begun(struct minute *m, int64_t wall_ms, int64_t mono_ms,
    int64_t *ret_utc_s) MUSTCHECK;

/* Milliseconds (from 1) after which to ask again. */
int64_t minute_wait_ms(
    const struct minute *m, int64_t wall_ms, int64_t mono_ms);

#endif
