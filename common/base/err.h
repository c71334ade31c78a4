/*
 * Errors: what a caller should do about a failure, and why it happened.
 *
 * A function that can fail returns bool, is MUSTCHECK and takes a struct err
 * as its last argument.  On false *e is filled and the outputs are untouched;
 * on true *e is untouched.  Errors are logged once, at the edge (http/app,
 * the runner, a command's main), never in between.
 *
 * The message of ERR_UNAVAILABLE and ERR_BUG is for the log only.  That of
 * every other code is shown to the client: it says what to do, and holds no
 * SQL and no path.
 */
#ifndef AFTERWORK_BASE_ERR_H
#define AFTERWORK_BASE_ERR_H

#include "common/base/base.h"

enum err_code {
	ERR_NONE = 0,
	ERR_INVALID,     /* 400: the input is wrong; change it */
	ERR_AUTH,        /* 401: say who you are */
	ERR_FORBIDDEN,   /* 403: you may not */
	ERR_NOT_FOUND,   /* 404 */
	ERR_METHOD,      /* 405: the path exists, the method does not */
	ERR_CONFLICT,    /* 409: someone else was first */
	ERR_TOO_LARGE,   /* 413 */
	ERR_LOCKED,      /* 423: somebody holds it; wait */
	ERR_UNAVAILABLE, /* 503: the same call may succeed later */
	ERR_NO_SPACE,    /* 507: the disk is full */
	ERR_BUG,         /* 500: ours to mend */
	ERR_QUERY,       /* 400: there is no such field to ask for */
	ERR_VERSION,     /* 412: it is not the version that was named */
};

enum { ERR_MSG_MAX = 512, ERR_FIELD_MAX = 128 };

struct err {
	enum err_code code;
	char sqlstate[6];          /* "" when not from the database */
	char field[ERR_FIELD_MAX]; /* input field at fault, or "" */
	char msg[ERR_MSG_MAX];     /* cut, never overrun */
};

/* Fill *e and return false, so that "return err_fail(...)" reads well. */
bool err_fail(struct err *e, enum err_code code, const char *fmt, ...)
    PRINTF(3, 4);

/* The same with ": <strerror(errno)>" behind the message. */
bool err_errno(struct err *e, enum err_code code, const char *fmt, ...)
    PRINTF(3, 4);

/* ERR_INVALID that names the input field at fault (cut if too long). */
bool err_field(struct err *e, const char *field, const char *fmt, ...)
    PRINTF(3, 4);

/* "invalid", "auth", ...: for logs.  Static storage. */
const char *err_name(enum err_code code);

#endif
