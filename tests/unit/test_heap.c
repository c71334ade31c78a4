/* heap_fill(): what is allocated after it lies behind what was there;
 * heap_keep() and heap_rest(): whose the memory is that was freed. */
#include "common/base/heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* The compiler must not see that nobody reads it. */
static void
keep_it(void)
{
	__asm__ volatile("" : : "g"(pieces[0]) : "memory");
}

/* The heap's end, once a piece of it that large came and went. */
static uintptr_t
end_after(size_t size)
{
	pieces[0] = malloc(size);
	if (pieces[0] != NULL)
		memset(pieces[0], 1, size);
	keep_it();
	free(pieces[0]);
	return (uintptr_t)sbrk(0);
}

static void
test_keep(void)
{
	enum { BYTES = 1024 * 1024, OUT_OF_HEAP = 6 * BYTES };
	uintptr_t before = end_after(0), after;

	is_int((int64_t)(end_after(BYTES) - before), 0,
	    "what is freed is given back at once");
	heap_keep();
	after = end_after(BYTES);
	ok(after - before >= BYTES / 2, "or kept");
	is_int((int64_t)(end_after(BYTES) - after), 0, "and used again");
	is_int((int64_t)(end_after(OUT_OF_HEAP) - after), 0,
	    "what is too large for that is not");
	heap_rest();
	ok(after - (uintptr_t)sbrk(0) >= BYTES / 2, "in the end all goes back");
}

#ifdef __SANITIZE_ADDRESS__
enum { OTHER_HEAP = 1 };
#else
enum { OTHER_HEAP = 0 };
#endif

int
main(void)
{
	uintptr_t highest;

	if (OTHER_HEAP)
		return skip_all("the sanitizer's heap is another one");
	test_keep();
	highest = make_holes();
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
	return done();
}
