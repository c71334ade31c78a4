/* Errors: what is filled, what is cut. */
#include "common/base/err.h"

#include <errno.h>

#include "tests/unit/tap.h"

static const struct {
	enum err_code code;
	const char *name;
} names[] = {
	{ ERR_NONE, "none" },
	{ ERR_INVALID, "invalid" },
	{ ERR_AUTH, "auth" },
	{ ERR_FORBIDDEN, "forbidden" },
	{ ERR_NOT_FOUND, "not_found" },
	{ ERR_METHOD, "method" },
	{ ERR_CONFLICT, "conflict" },
	{ ERR_TOO_LARGE, "too_large" },
	{ ERR_LOCKED, "locked" },
	{ ERR_UNAVAILABLE, "unavailable" },
	{ ERR_NO_SPACE, "no_space" },
	{ ERR_BUG, "bug" },
	{ ERR_QUERY, "query" },
	{ ERR_VERSION, "version" },
	{ (enum err_code)(ERR_VERSION + 1), "unknown" },
};

static void
test_fail(void)
{
	struct err e;

	memset(&e, 'x', sizeof(e));
	ok(!err_fail(&e, ERR_CONFLICT, "key %d is \"%s\"", 7, "a"),
	    "err_fail is false");
	is_int(e.code, ERR_CONFLICT, "its code");
	is_text(e.msg, "key 7 is \"a\"", "its message");
	is_text(e.field, "", "no field is left over");
	is_text(e.sqlstate, "", "no SQLSTATE is left over");
}

static void
test_errno(void)
{
	struct err e;

	errno = ENOENT;
	ok(!err_errno(&e, ERR_UNAVAILABLE, "could not open \"%s\"", "f"),
	    "err_errno is false");
	is_text(e.msg, "could not open \"f\": No such file or directory",
	    "the reason follows");
	is_int(errno, ENOENT, "errno is kept");
	errno = 99999;
	(void)err_errno(&e, ERR_BUG, "x");
	is_text(e.msg, "x: unknown error", "a number that is no errno");
}

static void
test_cut(void)
{
	char text[2 * ERR_MSG_MAX];
	struct err e;

	memset(text, 'm', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_field(&e, text, "%s", text);
	is_int(e.code, ERR_INVALID, "err_field is invalid input");
	is_int((int64_t)strlen(e.field), ERR_FIELD_MAX - 1, "field is cut");
	is_int((int64_t)strlen(e.msg), ERR_MSG_MAX - 1, "message is cut");
	errno = EIO;
	(void)err_errno(&e, ERR_BUG, "%s", text);
	is_int((int64_t)strlen(e.msg), ERR_MSG_MAX - 1,
	    "a long message leaves no room for the reason");
	memcpy(text + ERR_FIELD_MAX - 2, "\xc3\xa9", 2);
	memcpy(text + ERR_MSG_MAX - 3, "\xe2\x82\xac", 3);
	(void)err_field(&e, text, "%s", text);
	is_int((int64_t)strlen(e.field), ERR_FIELD_MAX - 2,
	    "no half character ends a field");
	is_int((int64_t)strlen(e.msg), ERR_MSG_MAX - 3, "nor a message");
}

int
main(void)
{
	for (size_t i = 0; i < LEN(names); i++)
		is_text(err_name(names[i].code), names[i].name, "name of %s",
		    names[i].name);
	test_fail();
	test_errno();
	test_cut();
	return done();
}
