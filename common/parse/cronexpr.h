/*
 * Five-field cron expressions: minute hour day month weekday; numbers, '*',
 * ',', '-', '/'; no names, no L W # ?; weekday 0-7 (0 and 7 are Sunday).
 * Pure: times are fields, the zone is the caller's.
 *
 * Two dialects: vercel.json's, where day of month or weekday must be '*', and
 * the crontab's, which a task's schedule has: both may be given, and a day
 * that fits one of them will do, unless one begins with '*': then it must fit
 * both.
 */
#ifndef AFTERWORK_PARSE_CRONEXPR_H
#define AFTERWORK_PARSE_CRONEXPR_H

#include "common/base/err.h"

struct cronexpr {
	uint64_t minute; /* bit n: minute n */
	uint32_t hour;
	uint32_t day;    /* bit 1..31 */
	uint16_t month;  /* bit 1..12 */
	uint8_t weekday; /* bit 0..6 */
	bool either;     /* day or weekday will do; else both must fit */
};

/* As Vercel takes them.  ERR_INVALID names the field and what is wrong with
 * it; also an expression that never comes (30 February). */
bool cronexpr_parse(
    const char *s, struct cronexpr *ret, struct err *e) MUSTCHECK;

/* As a crontab has them. */
bool cronexpr_parse_crontab(
    const char *s, struct cronexpr *ret, struct err *e) MUSTCHECK;

/* Does the minute of this UTC time (seconds since 1970) match? */
bool cronexpr_matches(const struct cronexpr *c, int64_t utc_s);

/* The first matching minute after utc_s, as seconds since 1970 UTC; within
 * 41 years (29 February on one weekday can be 40 off), else false. */
bool cronexpr_next(
    const struct cronexpr *c, int64_t utc_s, int64_t *ret_s) MUSTCHECK;

#endif
