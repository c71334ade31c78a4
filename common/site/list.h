/* What the lists of the site's collections have in common. */
#ifndef AFTERWORK_SITE_LIST_H
#define AFTERWORK_SITE_LIST_H

#include "common/base/base.h"

enum list_sort {
	LIST_NEWEST,     /* "-createdAt", the default */
	LIST_OLDEST,     /* "createdAt" */
	LIST_BY_ID,      /* "id" */
	LIST_BY_ID_DOWN, /* "-id" */
	LIST_SORTS,
};

struct list_range {
	int64_t limit;
	int64_t offset;
	enum list_sort sort;
};

#endif
