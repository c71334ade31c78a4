/* Durations: every unit, the ends of the range, and what is none. */
#include "common/parse/duration.h"

#include "tests/unit/tap.h"

static const struct {
	const char *text;
	int64_t want; /* -1: refused */
} cases[] = {
	{ "0", 0 },
	{ "250", 250 },
	{ "250ms", 250 },
	{ "30s", 30000 },
	{ "5m", 300000 },
	{ "1h", 3600000 },
	{ "7d", 604800000 },
	{ "007s", 7000 },
	{ "3650d", INT64_C(315360000000) },
	{ "315360000000", INT64_C(315360000000) },
	{ "3651d", -1 },
	{ "315360000001ms", -1 },
	{ "9223372036854775807d", -1 },
	{ "99999999999999999999s", -1 },
	{ "", -1 },
	{ "s", -1 },
	{ "-1s", -1 },
	{ "+1s", -1 },
	{ " 1s", -1 },
	{ "1 s", -1 },
	{ "1s ", -1 },
	{ "1.5s", -1 },
	{ "1S", -1 },
	{ "1sec", -1 },
	{ "1m30s", -1 },
	{ "0x10", -1 },
	{ "1w", -1 },
};

int
main(void)
{
	int64_t got = 77;

	for (size_t i = 0; i < LEN(cases); i++) {
		got = -1;
		if (!duration_parse(cases[i].text, &got))
			got = got == -1 ? -1 : -2;
		is_int(got, cases[i].want, "\"%s\"", cases[i].text);
	}
	got = 77;
	ok(!duration_parse(NULL, &got) && got == 77,
	    "no text is refused and leaves the result alone");
	return done();
}
