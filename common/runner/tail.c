#include "common/runner/tail.h"

static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */

void
tail_release(struct tail *t)
{
	free(t->ring);
	*t = (struct tail){ .room = t->room };
}

void
tail_add(struct tail *t, const char *p, size_t n)
{
	if (n > 0 && t->ring == NULL)
		t->ring = malloc(t->room);
	if (t->ring == NULL)
		return;
	if (n > t->room) {
		p += n - t->room;
		n = t->room;
		t->full = true;
	}
	while (n > 0) {
		size_t part = t->room - t->at;

		if (part > n)
			part = n;
		memcpy(t->ring + t->at, p, part);
		t->at += part;
		p += part;
		n -= part;
		if (t->at == t->room) {
			t->at = 0;
			t->full = true;
		}
	}
}

/* The rest of a character whose beginning is lost. */
static size_t
torn(const char *p, size_t n)
{
	size_t k = 0;

	while (k < n && k < 3 && ((unsigned char)p[k] & 0xc0) == 0x80)
		k++;
	return k;
}

static void
add_text(const char *p, size_t n, struct buf *ret)
{
	while (n > 0) {
		size_t len = buf_utf8_len(p, n);

		if (len == 0 || p[0] == '\0') {
			buf_adds(ret, REPLACEMENT);
			len = 1;
		} else
			buf_add(ret, p, len);
		p += len;
		n -= len;
	}
}

void
tail_text(const struct tail *t, struct buf *ret)
{
	AUTO_BUF bytes = BUF_INIT;
	size_t skip;

	if (t->ring == NULL)
		return;
	if (t->full)
		buf_add(&bytes, t->ring + t->at, t->room - t->at);
	buf_add(&bytes, t->ring, t->at);
	skip = t->full ? torn(bytes.data, bytes.len) : 0;
	add_text(bytes.data + skip, bytes.len - skip, ret);
}
