/*
 * Time.  Durations are measured on the monotonic clock.  The wall clock is
 * for logs, cookies and what others are to see as the time: every lease,
 * schedule and retention decision uses the database's time.
 */
#ifndef AFTERWORK_BASE_CLOCK_H
#define AFTERWORK_BASE_CLOCK_H

#include "common/base/base.h"

int64_t clock_mono_us(void);
int64_t clock_mono_ms(void);
int64_t clock_wall_s(void); /* seconds since 1970, UTC */
int64_t clock_wall_us(void);

enum { CLOCK_ISO_MAX = 32, CLOCK_HTTP_MAX = 32 };

/* "2026-11-23T08:15:00.123Z" of wall microseconds. */
void clock_iso(int64_t wall_us, char ret[static CLOCK_ISO_MAX]);

/* "Mon, 23 Nov 2026 08:15:00 GMT" of wall seconds (RFC 9110 IMF-fixdate). */
void clock_http(int64_t wall_s, char ret[static CLOCK_HTTP_MAX]);

#endif
