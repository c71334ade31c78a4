/*
 * How large a picture says it is, read from its structure alone: nothing is
 * decoded, memory is one small window, time is linear in the file at worst.
 * jpeg (ITU T.81), png with APNG, gif, webp (RFC 9649), avif (ISO 14496-12,
 * 23008-12).
 *
 * Where a file says it more than once (a canvas and its frames, tiles and
 * what they make up) the largest counts: a decoder takes memory for that one.
 * Hence what passes picture_bounded() is safe to hand to a decoder, as far as
 * a file's structure can tell.
 */
#ifndef AFTERWORK_PARSE_PICTURE_H
#define AFTERWORK_PARSE_PICTURE_H

#include "common/base/err.h"

enum {
	PICTURE_SIDE_MAX = 30000, /* pixels */
	PICTURE_PIXELS_MAX = 100 * 1000 * 1000,
	PICTURE_FRAMES_MAX = 1000,
	PICTURE_ALL_PIXELS_MAX = 1000 * 1000 * 1000, /* of all frames */
};

enum picture_kind {
	PICTURE_NONE, /* not a picture */
	PICTURE_JPEG,
	PICTURE_PNG,
	PICTURE_GIF,
	PICTURE_WEBP,
	PICTURE_AVIF,
};

struct picture {
	uint32_t width; /* pixels, never 0 */
	uint32_t height;
	uint32_t frames; /* 1: it does not move */
};

/* Bytes of a file: up to n from offset at on, fewer only at its end. */
typedef bool picture_read(
    void *ctx, int64_t at, void *p, size_t n, size_t *ret_n, struct err *e);

/* ERR_INVALID of the field "file": the file does not say how large it is, so
 * no decoder could read it either. */
bool picture_look(enum picture_kind kind, picture_read *read, void *ctx,
    struct picture *ret, struct err *e) MUSTCHECK;

/* ERR_INVALID of the field "file", with the limit: more than those above. */
bool picture_bounded(const struct picture *p, struct err *e) MUSTCHECK;

#endif
