/*
 * Which files are taken, and how they are told apart: pure functions of
 * bytes.
 *
 * jpeg, png, gif, webp, avif, pdf and mp4.  Text formats that a browser would
 * run (SVG, HTML, XML) are not among them, whatever they are called.
 */
#ifndef AFTERWORK_SITE_MEDIA_TYPE_H
#define AFTERWORK_SITE_MEDIA_TYPE_H

#include "common/parse/picture.h"

enum { MEDIA_SIGNATURE_BYTES = 16 }; /* what media_type_of_bytes looks at */

struct media_type {
	const char *mime;
	const char *extensions[3]; /* lower case, NULL-terminated */
	bool inline_ok;            /* a browser may show it in place */
	bool (*matches)(const uint8_t *p, size_t n);
	enum picture_kind picture; /* how its size is read */
};

/* Static storage; NULL when it is none of ours. */
const struct media_type *media_type_of_name(const char *filename);
const struct media_type *media_type_of_mime(const char *mime);
const struct media_type *media_type_of_bytes(const void *p, size_t n);

#endif
