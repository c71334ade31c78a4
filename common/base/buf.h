/*
 * A growing byte buffer, always NUL-terminated at data[len].
 *
 * BUF_INIT needs no allocation.  Growth that fails marks the buffer broken:
 * later writes do nothing, and buf_ok() tells once at the end, so that text
 * is built without a check on every line.
 */
#ifndef AFTERWORK_BASE_BUF_H
#define AFTERWORK_BASE_BUF_H

#include "common/base/err.h"

struct buf {
	char *data; /* never NULL; "" while nothing is allocated */
	size_t len;
	size_t cap; /* 0 while data is the static "" */
	bool broken;
};

extern char buf_empty[1];

#define BUF_INIT                  \
	{                         \
		.data = buf_empty \
	}
#define AUTO_BUF CLEANUP(buf_release) struct buf

void buf_release(struct buf *b); /* frees; b is BUF_INIT again */
void buf_clear(struct buf *b);   /* len 0, keeps the memory */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* Append the text as a JSON string, quotes included; bad UTF-8 and control
 * bytes come out as \u escapes, '<' as \u003c. */
void buf_add_json(struct buf *b, const char *p, size_t n);

/* Length of the UTF-8 sequence at the head of the n > 0 bytes at p; 0 when
 * there is none (overlong forms, surrogates, values past U+10FFFF). */
size_t buf_utf8_len(const char *p, size_t n);
/* End the text before a last character that was cut off within. */
void buf_utf8_trim(char *text);

/* Room for n more bytes at data + len; false when memory is short. */
bool buf_reserve(struct buf *b, size_t n) MUSTCHECK;

/* Fails with ERR_UNAVAILABLE when a write was lost for want of memory. */
bool buf_ok(const struct buf *b, struct err *e) MUSTCHECK;

/* Give the memory (malloc'ed, NUL-terminated, never NULL unless memory is
 * short) to the caller; b is BUF_INIT again. */
char *buf_steal(struct buf *b) MUSTCHECK;

#endif
