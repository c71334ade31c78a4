/* Lengths of texts as people count them. */
#ifndef AFTERWORK_SITE_TEXT_H
#define AFTERWORK_SITE_TEXT_H

#include "common/base/base.h"

/* Characters (code points) of valid UTF-8. */
static inline size_t
text_chars(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

#endif
