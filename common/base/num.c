/* Strict decimal numbers. */
#include "common/base/num.h"

enum { NUM_DIGITS_MAX = 19 }; /* INT64_MAX has that many */

bool
num_parse(const char *p, size_t n, int64_t min, int64_t max, int64_t *ret)
{
	int64_t v = 0;

	if (n == 0 || n > NUM_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, p[i] - '0', &v))
			return false;
	}
	if (v < min || v > max)
		return false;
	*ret = v;
	return true;
}

bool
num_parse_text(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	return s != NULL && num_parse(s, strlen(s), min, max, ret);
}
