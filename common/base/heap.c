#include "common/base/heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/base.h"

enum {
	PIECE_MAX = 64 * 1024 - 8, /* larger are whole pages anyway */
	PIECE_MIN = 24,            /* the least that malloc() deals in */
	STEP = 16,                 /* its sizes differ by that */
	KEPT_MAX = 8 * 1024 * 1024,
	MAPPED_MIN = 4 * 1024 * 1024, /* of one block: never part of the heap */
};

/* Pieces that were taken, so that they count as kept, not as lost. */
struct piece {
	struct piece *next;
};

static struct piece *taken UNUSED;

/*
 * From the largest to the smallest, so that a piece is taken whole, and one
 * write to it is enough.  What malloc() has to cut off the heap's free end is
 * no piece.
 */
void
heap_fill(void)
{
#ifndef __SANITIZE_ADDRESS__ /* whose malloc() has no such order */
	uintptr_t end = (uintptr_t)sbrk(0) - mallinfo2().keepcost;
	struct piece *p;

	for (size_t size = PIECE_MAX; size >= PIECE_MIN; size -= STEP)
		while ((p = malloc(size)) != NULL) {
			if ((uintptr_t)p >= end) {
				free(p);
				break;
			}
			p->next = taken;
			taken = p;
		}
#endif
}

void
heap_keep(void)
{
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_MAX);
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_MIN);
}

void
heap_rest(void)
{
	(void)malloc_trim(0);
}
