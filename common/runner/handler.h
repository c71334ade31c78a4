/*
 * The other side of program.h: what a built-in executable is made of.
 *
 *	int
 *	main(void)
 *	{
 *		return handler_main("sendEmail", handle);
 *	}
 *
 * The input is read and parsed, handle() is called, its output is written and
 * its end becomes an exit status.  The process can't be looked into by others
 * of the same user (PR_SET_DUMPABLE), and what it starts gets no descriptor
 * beyond 2 by accident: it may hold secrets.
 */
#ifndef AFTERWORK_RUNNER_HANDLER_H
#define AFTERWORK_RUNNER_HANDLER_H

#include "common/base/err.h"

struct json_object;

struct handler {
	struct json_object *input;  /* an object; borrowed */
	struct json_object *output; /* set it: taken, an object, or NULL */
	int64_t job_id;
	int64_t left_ms; /* of the timeout, less a second to end in order */
	int64_t retry_after_s; /* with a failure that is retried; 0: policy */
	bool misset; /* the failure is one of settings: see handler_misset */
};

/*
 * Do the job.  On false *e says why, in words for the job's log.  ERR_INVALID,
 * ERR_FORBIDDEN, ERR_NOT_FOUND, ERR_TOO_LARGE: trying again is of no use (exit
 * status 65); everything else is tried again (75).
 */
typedef bool handler_fn(struct handler *h, struct err *e);

int handler_main(const char *name, handler_fn *handle);

/* A setting is missing or wrong: exit status 78.  Returns false. */
bool handler_misset(struct handler *h, struct err *e, const char *fmt, ...)
    PRINTF(3, 4);

#endif
