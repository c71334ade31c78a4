/* heap_fill(): what is allocated after it lies behind what was there. */
#include "common/base/heap.h"

#include <stdint.h>
#include <stdlib.h>

#include "tests/unit/tap.h"

enum { PIECES = 600 };

static void *pieces[PIECES];
static const size_t sizes[] = { 24, 40, 200, 1000, 5000, 20000 };

/* Every other piece is free, of each size in turn; the highest of all. */
static uintptr_t
make_holes(void)
{
	uintptr_t highest = 0;

	for (size_t i = 0; i < PIECES; i++) {
		pieces[i] = malloc(sizes[i / 2 % LEN(sizes)]);
		if ((uintptr_t)pieces[i] > highest)
			highest = (uintptr_t)pieces[i];
	}
	for (size_t i = 0; i < PIECES; i += 2)
		free(pieces[i]);
	return highest;
}

/* Of how many new pieces lie below that? */
static int
below(uintptr_t highest)
{
	int n = 0;

	for (size_t i = 0; i < PIECES; i += 2) {
		pieces[i] = malloc(sizes[i / 2 % LEN(sizes)]);
		n += (uintptr_t)pieces[i] < highest;
	}
	return n;
}

int
main(void)
{
#ifdef __SANITIZE_ADDRESS__
	skip_all("the sanitizer's heap is another one");
#else
	uintptr_t highest = make_holes();

	ok(below(highest) > PIECES / 4, "holes are used again");
	for (size_t i = 0; i < PIECES; i++)
		free(pieces[i]);
	highest = make_holes();
	heap_fill();
	is_int(below(highest), 0, "but not once they are filled");
	for (size_t i = 0; i < PIECES; i++)
		free(pieces[i]);
	heap_fill();
	ok(true, "a second time does no harm");
#endif
	return done();
}
