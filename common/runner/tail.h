/* The last bytes of what is written, and a text made of them. */
#ifndef AFTERWORK_RUNNER_TAIL_H
#define AFTERWORK_RUNNER_TAIL_H

#include "common/base/buf.h"

/* Zeroed and room set, it is empty.  Takes its memory with the first byte. */
struct tail {
	char *ring;
	size_t room; /* bytes kept */
	size_t at;   /* where the next one goes */
	bool full;   /* all of ring is used, older bytes are lost */
};

void tail_release(struct tail *t);
void tail_add(struct tail *t, const char *p, size_t n);

/* Append what is kept.  What is no UTF-8, and NUL, comes out as U+FFFD; a
 * first character that was cut off within does not come out. */
void tail_text(const struct tail *t, struct buf *ret);

#endif
