/* A growing byte buffer. */
#include "common/base/buf.h"

#include <stdarg.h>

enum { BUF_FIRST = 256 };

/* Never written: cap 0 means that growth comes before the first byte. */
char buf_empty[1] = "";

void
buf_release(struct buf *b)
{
	if (b->cap != 0)
		free(b->data);
	*b = (struct buf)BUF_INIT;
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->broken = false;
	if (b->cap != 0)
		b->data[0] = '\0';
}

bool
buf_reserve(struct buf *b, size_t n)
{
	size_t need, cap = b->cap == 0 ? BUF_FIRST : b->cap;
	char *data;

	if (b->broken)
		return false;
	/* One more for the NUL. */
	if (__builtin_add_overflow(b->len, n, &need) ||
	    __builtin_add_overflow(need, 1, &need)) {
		b->broken = true;
		return false;
	}
	if (need <= b->cap)
		return true;
	while (cap < need)
		if (__builtin_mul_overflow(cap, 2, &cap))
			cap = need;
	data = realloc(b->cap == 0 ? NULL : b->data, cap);
	if (data == NULL) {
		b->broken = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	b->data[b->len] = '\0';
	return true;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !buf_reserve(b, n))
		return;
	memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->broken = true;
	else if (buf_reserve(b, (size_t)n)) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

size_t
buf_utf8_len(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xC2 || p[0] > 0xF4)
		return 0;
	len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
	    (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
		return 0;
	return len;
}

void
buf_utf8_trim(char *text)
{
	size_t n = strlen(text), last = n;

	while (last > 0 && ((unsigned char)text[last - 1] & 0xC0) == 0x80)
		last--;
	if (last > 0 && buf_utf8_len(text + last - 1, n - last + 1) == 0)
		text[last - 1] = '\0';
}

/* One byte that JSON, or a page that shows it, cannot have as it is. */
static void
json_escape(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':
		buf_adds(b, "\\\"");
		return;
	case '\\':
		buf_adds(b, "\\\\");
		return;
	case '\n':
		buf_adds(b, "\\n");
		return;
	case '\r':
		buf_adds(b, "\\r");
		return;
	case '\t':
		buf_adds(b, "\\t");
		return;
	default:
		buf_addf(b, "\\u%04x", c);
	}
}

static bool
json_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '<';
}

void
buf_add_json(struct buf *b, const char *p, size_t n)
{
	size_t i = 0, from, len;

	buf_addc(b, '"');
	while (i < n) {
		for (from = i; i < n && json_plain((unsigned char)p[i]);)
			i++;
		buf_add(b, p + from, i - from);
		if (i == n)
			break;
		len = buf_utf8_len(p + i, n - i);
		if (len > 1) {
			buf_add(b, p + i, len);
			i += len;
		} else
			json_escape(b, (unsigned char)p[i++]);
	}
	buf_addc(b, '"');
}

bool
buf_ok(const struct buf *b, struct err *e)
{
	if (b->broken)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	return true;
}

char *
buf_steal(struct buf *b)
{
	char *data = NULL;

	/* An empty one still has to be memory that free() takes. */
	if (!b->broken && buf_reserve(b, 0)) {
		data = b->data;
		*b = (struct buf)BUF_INIT;
	}
	buf_release(b);
	return data;
}
