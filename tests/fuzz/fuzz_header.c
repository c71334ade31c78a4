/*
 * Header values.
 *
 * - Slices lie within the value, copies within their room.
 * - A walk along entity tags ends.
 * - A media type is its own media type.
 * - Any text, quoted, comes back as it was, whichever way it is read.
 * - What one reader of parameters finds, the other does not miss.
 */
#include "common/parse/header.h"

#include "common/base/buf.h"
#include "tests/fuzz/fuzz.h"

enum { ROOM = 32 };

static void
check_slices(const char *value)
{
	const char *end = value + strlen(value), *p = NULL;
	size_t n = 0;

	HOLDS(header_token(value) <= strlen(value));
	if (header_scheme(value, "Bearer", &p, &n)) {
		HOLDS(n > 0 && p + n == end && p > value);
		HOLDS(*p != ' ' && p[-1] == ' ');
	}
	if (header_cookie(value, "token", &p, &n)) {
		HOLDS(p >= value && p + n <= end && p[-1] == '=');
		HOLDS(memchr(p, ';', n) == NULL);
	}
}

/* A walk along the tags ends, and each lies within its quotes. */
static void
check_etags(const char *value)
{
	const char *at = value, *before = at, *p = NULL;
	bool weak = false;
	size_t n = 0;

	while (header_etag(&at, &weak, &p, &n) == HEADER_FOUND) {
		HOLDS(p > before && p + n < at && p[-1] == '"' && p[n] == '"');
		HOLDS(memchr(p, '"', n) == NULL);
		HOLDS(!weak || (p[-2] == '/' && p[-3] == 'W'));
		before = at;
	}
}

static void
check_token68(const char *p, size_t n)
{
	if (!header_token68(p, n, ROOM))
		return;
	HOLDS(n >= 1 && n <= ROOM);
	HOLDS(p[0] != '=');
	for (size_t i = 0; i < n; i++) {
		HOLDS(p[i] > ' ' && p[i] < 0x7f && p[i] != ',');
		HOLDS(i == 0 || p[i - 1] != '=' || p[i] == '=');
	}
}

static void
check_media_type(const char *value)
{
	char type[ROOM], again[ROOM];

	if (!header_media_type(value, type, sizeof(type)))
		return;
	HOLDS(strlen(type) < ROOM && strchr(type, '/') != NULL);
	HOLDS(strchr(type, '/') == strrchr(type, '/'));
	HOLDS(header_media_type(type, again, sizeof(again)));
	HOLDS(strcmp(type, again) == 0);
}

static void
check_parameter(const char *value)
{
	char plain[ROOM], form[ROOM];
	bool found = header_parameter(value, "name", plain, sizeof(plain));
	enum header_found f =
	    header_form_parameter(value, "name", form, sizeof(form));

	HOLDS(!found || strlen(plain) < ROOM);
	HOLDS(f != HEADER_FOUND || strlen(form) < ROOM);
	HOLDS(!found || f != HEADER_ABSENT);
	HOLDS(f != HEADER_FOUND || found);
	HOLDS(f != HEADER_FOUND || strlen(plain) <= strlen(form));
}

static void
check_round_trip(const char *text)
{
	AUTO_BUF value = BUF_INIT;
	size_t room = strlen(text) + 1;
	char *got = malloc(room);

	HOLDS(got != NULL);
	buf_adds(&value, "a/b; other=\"name=\\\"\"; name=\"");
	for (const char *s = text; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(&value, '\\');
		buf_addc(&value, *s);
	}
	buf_adds(&value, "\" ; last=1");
	HOLDS(header_parameter(value.data, "Name", got, room));
	HOLDS(strcmp(got, text) == 0);
	HOLDS(header_form_parameter(value.data, "NAME", got, room) ==
	      HEADER_FOUND);
	HOLDS(strcmp(got, text) == 0);
	HOLDS(
	    room == 1 || !header_parameter(value.data, "name", got, room - 1));
	free(got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = strndup((const char *)data, size);

	check_slices(value);
	check_etags(value);
	check_token68((const char *)data, size);
	check_media_type(value);
	check_parameter(value);
	check_round_trip(value);
	free(value);
	return 0;
}
