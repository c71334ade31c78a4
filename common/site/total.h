/*
 * How many documents there are in all, told beside a page of them without
 * counting what the page does not need.
 *
 * A list's statement reads the page's ids and, in the same walk, those of up to
 * total_look() more.  If it came to the end, the total is exact.  If not, it is
 * what the statistics say, and with conditions, of which they say nothing, what
 * has been seen; in any case more than the page goes to, so that clients who
 * follow the pages come to the end.
 */
#ifndef AFTERWORK_SITE_TOTAL_H
#define AFTERWORK_SITE_TOTAL_H

#include "common/link/filter.h"

/* Ids to read behind the page.  Far down a list the walk costs enough, and what
 * lies behind is soon reached. */
static inline int64_t
total_look(const struct filter *f)
{
	return f->offset < 10000 ? 10000 : 1000;
}

/* ids: how many were read from the offset on; expected: rows of the table by
 * its statistics.  -1: the page lies behind the end, so that they are to be
 * counted. */
static inline int64_t
total_of(const struct filter *f, int64_t ids, int64_t expected)
{
	int64_t seen = f->offset + ids;

	if (ids == 0 && f->offset > 0)
		return -1;
	if (ids < f->limit + total_look(f) || f->where.ntests > 0)
		return seen;
	return expected > seen ? expected : seen;
}

#endif
