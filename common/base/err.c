/* Errors: filling struct err.  No allocation, no I/O. */
#include "common/base/err.h"

#include <errno.h>
#include <stdarg.h>

#include "common/base/buf.h"

PRINTF(3, 0)
static void
err_fill(struct err *e, enum err_code code, const char *fmt, va_list ap)
{
	e->code = code;
	e->sqlstate[0] = '\0';
	e->field[0] = '\0';
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	buf_utf8_trim(e->msg);
}

bool
err_fail(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_fill(e, code, fmt, ap);
	va_end(ap);
	return false;
}

bool
err_errno(struct err *e, enum err_code code, const char *fmt, ...)
{
	int saved = errno;
	size_t used;
	va_list ap;

	va_start(ap, fmt);
	err_fill(e, code, fmt, ap);
	va_end(ap);
	used = strlen(e->msg);
	snprintf(e->msg + used, sizeof(e->msg) - used, ": %s",
	    strerrordesc_np(saved) == NULL ? "unknown error"
					   : strerrordesc_np(saved));
	errno = saved;
	return false;
}

bool
err_field(struct err *e, const char *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_fill(e, ERR_INVALID, fmt, ap);
	va_end(ap);
	snprintf(e->field, sizeof(e->field), "%s", field);
	buf_utf8_trim(e->field);
	return false;
}

const char *
err_name(enum err_code code)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_INVALID] = "invalid",
		[ERR_AUTH] = "auth",
		[ERR_FORBIDDEN] = "forbidden",
		[ERR_NOT_FOUND] = "not_found",
		[ERR_METHOD] = "method",
		[ERR_CONFLICT] = "conflict",
		[ERR_TOO_LARGE] = "too_large",
		[ERR_LOCKED] = "locked",
		[ERR_UNAVAILABLE] = "unavailable",
		[ERR_NO_SPACE] = "no_space",
		[ERR_BUG] = "bug",
		[ERR_QUERY] = "query",
		[ERR_VERSION] = "version",
	};

	if ((size_t)code >= LEN(names))
		return "unknown";
	return names[code];
}
