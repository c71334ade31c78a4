/*
 * Numbers as statement arguments: arg_int(7).s is "7" for as long as the
 * expression that it stands in.
 */
#ifndef AFTERWORK_BASE_ARG_H
#define AFTERWORK_BASE_ARG_H

#include <stdio.h>

#include "common/base/base.h"

struct arg {
	char s[24];
};

static inline struct arg
arg_int(int64_t v)
{
	struct arg a;

	(void)snprintf(a.s, sizeof(a.s), "%lld", (long long)v);
	return a;
}

#endif
