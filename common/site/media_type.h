/*
 * Which files are taken, and how they are told apart: pure functions of
 * bytes.
 *
 * jpeg, png, gif, webp, avif, pdf and mp4.  Text formats that a browser would
 * run (SVG, HTML, XML) are not among them, whatever they are called.
 */
#ifndef AFTERWORK_SITE_MEDIA_TYPE_H
#define AFTERWORK_SITE_MEDIA_TYPE_H

#include "common/base/base.h"

enum {
	MEDIA_SIGNATURE_BYTES = 16,   /* what media_type_of_bytes looks at */
	MEDIA_HEAD_BYTES = 64 * 1024, /* what media_type_size looks at */
};

struct media_type {
	const char *mime;
	const char *extensions[3]; /* lower case, NULL-terminated */
	bool inline_ok;            /* a browser may show it in place */
	bool (*matches)(const uint8_t *p, size_t n);
	bool (*size)(const uint8_t *p, size_t n, uint32_t *ret_width,
	    uint32_t *ret_height); /* NULL: has none, or not read */
};

/* Static storage; NULL when it is none of ours. */
const struct media_type *media_type_of_name(const char *filename);
const struct media_type *media_type_of_mime(const char *mime);
const struct media_type *media_type_of_bytes(const void *p, size_t n);

/* Width and height in pixels as the head of the file (its first n bytes) has
 * them; false when it has none there. */
bool media_type_size(const struct media_type *t, const void *p, size_t n,
    int *ret_width, int *ret_height);

#endif
