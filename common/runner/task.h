/*
 * A compiled-in task: what its handler gets and gives.
 *
 * The handler runs inside the transaction that also completes the job: its
 * SQL takes effect exactly once, together with the completion, or not at all.
 * It may run more than once when that transaction fails; nothing of the
 * failed run remains.
 */
#ifndef AFTERWORK_RUNNER_TASK_H
#define AFTERWORK_RUNNER_TASK_H

#include "common/queue/claim.h"

struct db;
struct json_object;

struct task_run {
	const struct job *job;
	const char *queue;
	struct json_object *input;  /* borrowed */
	struct json_object *output; /* set it: taken, an object, or NULL */
	struct worker *worker;      /* private */
};

/*
 * Do the job.  On false *e says why; ERR_INVALID and ERR_NOT_FOUND mean that
 * trying again is of no use, everything else is retried by the task's policy.
 */
typedef bool task_handle(struct task_run *t, struct err *e);

/*
 * The link to the database, for this handler only: the transaction is begun
 * if it is not open yet, and a savepoint set before the first statement, so
 * that a failure of this job undoes nothing of the others'.  The deadline is
 * what is left of the task's timeout.  Borrowed; never commit or roll back.
 */
struct db *task_db(struct task_run *t);

/*
 * In the handler's transaction: fails unless the job is still held under the
 * lease it was started with, and keeps it so until the commit.  What settles
 * the job looks too; this is for a handler that wants to know before it does
 * something slow or dear.
 */
bool task_assert_lease(struct task_run *t, struct err *e) MUSTCHECK;

struct task_handler {
	const char *slug;
	task_handle *handle;
};

/* Put it once into the handler's file; the linker gathers them. */
#define TASK_HANDLER(slug_, handle_)                               \
	static const struct task_handler task_handler_here = {     \
		.slug = (slug_), .handle = (handle_)               \
	};                                                         \
	static const struct task_handler *const task_handler_entry \
	    __attribute__((used, section("task_handlers"))) =      \
		&task_handler_here

/* The handler compiled in for slug, or NULL. */
const struct task_handler *task_find(const char *slug);

struct buf;
/* Slugs of every compiled-in task, as a PostgreSQL array literal. */
void task_slugs(struct buf *ret);

#endif
