/* Strict numbers. */
#include "common/base/num.h"

#include "tests/unit/tap.h"

static const struct {
	const char *text;
	int64_t min, max;
	bool good;
	int64_t want;
} cases[] = {
	{ "0", 0, 9, true, 0 },
	{ "7", 0, 9, true, 7 },
	{ "007", 0, 9, true, 7 },
	{ "1000", 1, 1000, true, 1000 },
	{ "9223372036854775807", 0, INT64_MAX, true, INT64_MAX },
	{ "0000000000000000001", 0, 9, true, 1 },
	{ "9223372036854775808", 0, INT64_MAX, false, 0 },
	{ "9999999999999999999", 0, INT64_MAX, false, 0 },
	{ "00000000000000000001", 0, 9, false, 0 },
	{ "", 0, 9, false, 0 },
	{ "10", 0, 9, false, 0 },
	{ "0", 1, 9, false, 0 },
	{ "-1", -9, 9, false, 0 },
	{ "+1", 0, 9, false, 0 },
	{ " 1", 0, 9, false, 0 },
	{ "1 ", 0, 9, false, 0 },
	{ "1\n", 0, 9, false, 0 },
	{ "0x1", 0, 99, false, 0 },
	{ "1e1", 0, 99, false, 0 },
	{ "1.0", 0, 99, false, 0 },
	{ "\xd9\xa1", 0, 99, false, 0 },
	{ NULL, 0, 9, false, 0 },
};

int
main(void)
{
	int64_t v;

	for (size_t i = 0; i < LEN(cases); i++) {
		v = -77;
		is_int(num_parse_text(
			   cases[i].text, cases[i].min, cases[i].max, &v),
		    cases[i].good, "\"%s\" is %staken",
		    cases[i].text == NULL ? "(null)" : cases[i].text,
		    cases[i].good ? "" : "not ");
		is_int(v, cases[i].good ? cases[i].want : -77,
		    cases[i].good ? "its value" : "the output is untouched");
	}
	ok(num_parse("12x", 2, 0, 99, &v) && v == 12,
	    "only the given bytes are looked at");
	ok(!num_parse("1\0", 2, 0, 99, &v), "a NUL byte is no digit");
	return done();
}
