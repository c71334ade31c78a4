/*
 * File names: every promise of the header, for any bytes.
 */
#include "common/parse/filename.h"

#include <strings.h>

#include "common/parse/query.h"
#include "tests/fuzz/fuzz.h"

/* A short plain extension must come out as it went in. */
static void
check_extension(const char *p, size_t n, const char *got)
{
	size_t from = n;

	while (from > 0 && n - from < 10 &&
	       ((p[from - 1] >= 'a' && p[from - 1] <= 'z') ||
		   (p[from - 1] >= '0' && p[from - 1] <= '9')))
		from--;
	if (from == n || from < 2 || p[from - 1] != '.' ||
	    strchr("/\\.- ", p[from - 2]) != NULL)
		return;
	from--;
	HOLDS(strlen(got) > n - from);
	HOLDS(memcmp(got + strlen(got) - (n - from), p + from, n - from) == 0);
}

static void
check_promises(const char *got)
{
	static const char *const devices[] = { "con", "prn", "aux", "nul",
		"com1", "lpt9" };
	size_t n = strlen(got);

	HOLDS(n >= 1 && n <= FILENAME_MAX_BYTES);
	HOLDS(utf8_valid(got, n));
	HOLDS(strpbrk(got, "/\\:*?\"<>|\x7f") == NULL);
	for (size_t i = 0; i < n; i++)
		HOLDS((unsigned char)got[i] >= 0x20);
	HOLDS(got[0] != '.' && got[0] != '-' && got[0] != ' ');
	HOLDS(got[n - 1] != '.' && got[n - 1] != ' ');
	HOLDS(strstr(got, "\u202e") == NULL);
	for (size_t i = 0; i < LEN(devices); i++) {
		size_t len = strlen(devices[i]);

		HOLDS(strncasecmp(got, devices[i], len) != 0 ||
		      (got[len] != '\0' && got[len] != '.'));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char got[FILENAME_MAX_BYTES + 1], again[FILENAME_MAX_BYTES + 1];
	const char *p = (const char *)data;

	filename_clean(p, size, got);
	check_promises(got);
	check_extension(p, size, got);
	filename_clean(got, strlen(got), again);
	HOLDS(strcmp(got, again) == 0);
	return 0;
}
