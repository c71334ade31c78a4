/* What every fuzzer needs: a check that stops it with the place. */
#ifndef AFTERWORK_TESTS_FUZZ_H
#define AFTERWORK_TESTS_FUZZ_H

#include "common/base/base.h"

#define HOLDS(condition)                                                \
	do {                                                            \
		if (condition)                                          \
			break;                                          \
		fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, \
		    __LINE__, #condition);                              \
		abort();                                                \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
