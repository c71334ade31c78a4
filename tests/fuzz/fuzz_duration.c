/*
 * A duration as settings, tasks and queries have it.
 *
 * - What is taken is up to 19 digits and a unit, and worth what they say.
 * - All of these that fit into ten years are taken, and nothing else is.
 * - Written out in milliseconds it is the same one.
 */
#include "common/parse/duration.h"

#include <inttypes.h>

#include "tests/fuzz/fuzz.h"

enum { DIGITS_MAX = 19 }; /* base/num.h */

static const int64_t MAX_MS = INT64_C(10) * 365 * 24 * 60 * 60 * 1000;

/* What a unit is worth; 0: there is no such unit. */
static int64_t
unit_ms(const char *unit)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {
		{ "", 1 },
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", 60000 },
		{ "h", 3600000 },
		{ "d", 86400000 },
	};

	for (size_t i = 0; i < LEN(units); i++)
		if (strcmp(units[i].name, unit) == 0)
			return units[i].ms;
	return 0;
}

/* -1: it is none. */
static int64_t
worth(const char *text)
{
	size_t n = strspn(text, "0123456789");
	int64_t unit = unit_ms(text + n), sum = 0;

	if (n == 0 || n > DIGITS_MAX || unit == 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		sum = sum * 10 + (text[i] - '0');
		if (sum > MAX_MS / unit)
			return -1;
	}
	return sum * unit;
}

static void
check_written(int64_t ms)
{
	char text[32];
	int64_t again = -1;

	(void)snprintf(text, sizeof(text), "%" PRId64 "ms", ms);
	HOLDS(duration_parse(text, &again) && again == ms);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	int64_t want = worth(text), ms = -2;

	if (duration_parse(text, &ms)) {
		HOLDS(ms >= 0 && ms <= MAX_MS);
		HOLDS(ms == want);
		check_written(ms);
	} else {
		HOLDS(want == -1);
		HOLDS(ms == -2);
	}
	free(text);
	return 0;
}
