/*
 * Sizes of pictures: the first byte chooses the kind, the rest is the file.
 * Whatever it holds, the walk ends, and what fits the bounds is within them.
 */
#include "common/parse/picture.h"

#include "tests/fuzz/fuzz.h"

struct source {
	const uint8_t *p;
	size_t n;
	size_t reads;
};

static bool
source_read(void *ctx, int64_t at, void *p, size_t n, size_t *ret_n,
    struct err *e UNUSED)
{
	struct source *s = ctx;
	size_t left;

	HOLDS(at >= 0);
	left = at > (int64_t)s->n ? 0 : s->n - (size_t)at;
	*ret_n = n < left ? n : left;
	if (*ret_n > 0)
		memcpy(p, s->p + (s->n - left), *ret_n);
	s->reads++;
	/* Each step of a walk goes forward by a byte at least. */
	HOLDS(s->reads <= 3 * s->n + 16);
	return true;
}

static void
check_bounds(const struct picture *p)
{
	struct err e;

	HOLDS(p->width > 0 && p->height > 0 && p->frames > 0);
	if (picture_bounded(p, &e)) {
		HOLDS(p->width <= PICTURE_SIDE_MAX);
		HOLDS(p->height <= PICTURE_SIDE_MAX);
		HOLDS((double)p->width * p->height * p->frames <=
		      PICTURE_ALL_PIXELS_MAX);
	} else {
		HOLDS(e.code == ERR_INVALID && strcmp(e.field, "file") == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s = { .n = 0 };
	struct picture p = { 0, 0, 0 };
	struct err e;

	if (size == 0)
		return 0;
	s.p = data + 1;
	s.n = size - 1;
	if (picture_look((enum picture_kind)(data[0] % (PICTURE_AVIF + 1)),
		source_read, &s, &p, &e))
		check_bounds(&p);
	else
		HOLDS(e.code == ERR_INVALID);
	return 0;
}
