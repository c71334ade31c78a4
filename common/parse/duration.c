/* Durations of settings and task definitions, in milliseconds. */
#include "common/parse/duration.h"

#include "common/base/num.h"

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS,
};

#define DURATION_MAX_MS (INT64_C(3650) * DAY_MS)

static const struct {
	const char *suffix;
	int64_t ms;
} units[] = {
	{ "", 1 },
	{ "ms", 1 },
	{ "s", SECOND_MS },
	{ "m", MINUTE_MS },
	{ "h", HOUR_MS },
	{ "d", DAY_MS },
};

bool
duration_parse(const char *s, int64_t *ret_ms)
{
	size_t digits;

	if (s == NULL)
		return false;
	digits = strspn(s, "0123456789");
	for (size_t i = 0; i < LEN(units); i++) {
		int64_t max = DURATION_MAX_MS / units[i].ms, n;

		if (strcmp(s + digits, units[i].suffix) != 0)
			continue;
		if (!num_parse(s, digits, 0, max, &n))
			return false;
		*ret_ms = n * units[i].ms;
		return true;
	}
	return false;
}
