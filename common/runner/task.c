#include "common/runner/task.h"

#include "common/link/db.h"
#include "common/queue/lease.h"

/* The bounds of the section that TASK_HANDLER fills; both NULL without any. */
extern const struct task_handler *const __start_task_handlers[]
    __attribute__((weak));
extern const struct task_handler *const __stop_task_handlers[]
    __attribute__((weak));

const struct task_handler *
task_find(const char *slug)
{
	for (const struct task_handler *const *t = __start_task_handlers;
	     t < __stop_task_handlers; t++)
		if (strcmp((*t)->slug, slug) == 0)
			return *t;
	return NULL;
}

bool
task_assert_lease(struct task_run *t, struct err *e)
{
	return lease_assert(task_db(t), t->job->id, t->job->lease_no, e);
}

void
task_slugs(struct buf *ret)
{
	for (const struct task_handler *const *t = __start_task_handlers;
	     t < __stop_task_handlers; t++)
		db_array_add(ret, (*t)->slug);
	db_array_end(ret);
}
