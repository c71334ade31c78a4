/*
 * Form text and paths.
 *
 * - What comes out is UTF-8 without a NUL and no longer than what went in.
 * - Encoded again and parsed again it is the same.
 * - A path that is refused is left as it was.
 * - utf8_valid agrees with a decoder that works on code points.
 */
#include "common/parse/query.h"

#include "common/base/buf.h"
#include "tests/fuzz/fuzz.h"

static void
encode(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		buf_addf(b, "%%%02x", (unsigned char)*s);
}

static void
check_again(const struct query *q, size_t size)
{
	AUTO_BUF text = BUF_INIT;
	struct query again = { 0 };
	struct err e = { 0 };

	for (size_t i = 0; i < q->npairs; i++) {
		encode(&text, q->pairs[i].name);
		buf_addc(&text, '=');
		encode(&text, q->pairs[i].value);
		buf_addc(&text, '&');
	}
	if (text.len > QUERY_BYTES_MAX)
		return;
	HOLDS(text.len <= 3 * size + 2 * q->npairs);
	HOLDS(query_parse(text.data, text.len, &again, &e));
	HOLDS(again.npairs == q->npairs);
	for (size_t i = 0; i < q->npairs; i++) {
		HOLDS(strcmp(again.pairs[i].name, q->pairs[i].name) == 0);
		HOLDS(strcmp(again.pairs[i].value, q->pairs[i].value) == 0);
	}
	query_release(&again);
}

static void
check_query(const char *p, size_t size)
{
	struct query q = { 0 };
	struct err e = { 0 };
	size_t total = 0;

	if (!query_parse(p, size, &q, &e)) {
		HOLDS(e.code == ERR_INVALID && q.text == NULL);
		return;
	}
	HOLDS(q.npairs <= QUERY_PAIRS_MAX);
	for (size_t i = 0; i < q.npairs; i++) {
		const char *name = q.pairs[i].name, *value = q.pairs[i].value;

		HOLDS(utf8_valid(name, strlen(name)));
		HOLDS(utf8_valid(value, strlen(value)));
		HOLDS(query_get(&q, name) != NULL);
		total += strlen(name) + strlen(value);
	}
	HOLDS(total <= size);
	check_again(&q, size);
	query_release(&q);
}

static void
check_path(const char *p, size_t size)
{
	char *path = strndup(p, size);
	size_t n = strlen(path);
	struct err e = { 0 };

	if (query_decode_path(path, &e)) {
		HOLDS(strlen(path) <= n);
		HOLDS(utf8_valid(path, strlen(path)));
	} else {
		HOLDS(memcmp(path, p, n) == 0 && path[n] == '\0');
		HOLDS(e.code == ERR_INVALID);
	}
	free(path);
}

/* The code point at p, of so many bytes; -1 when there is none. */
static int64_t
code_point(const uint8_t *p, size_t n, size_t *ret_n)
{
	static const int64_t first[] = { 0, 0x80, 0x800, 0x10000 };
	size_t more = 0;
	int64_t c = *p;

	while (more < 4 && (*p & 0x80) != 0 && (*p << more & 0x40) != 0)
		more++;
	if (*p >> 6 == 2 || more > 3 || more >= n)
		return -1;
	if (more > 0)
		c &= 0x3f >> more;
	for (size_t i = 1; i <= more; i++) {
		if (p[i] >> 6 != 2)
			return -1;
		c = c * 64 + p[i] % 64;
	}
	*ret_n = more + 1;
	return c < first[more] || c > 0x10ffff || c >> 11 == 0x1b ? -1 : c;
}

static void
check_utf8(const uint8_t *p, size_t size)
{
	size_t i = 0, n = 0;

	while (i < size && code_point(p + i, size - i, &n) >= 0)
		i += n;
	HOLDS(utf8_valid((const char *)p, size) == (i == size));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_query((const char *)data, size);
	check_path((const char *)data, size);
	check_utf8(data, size);
	return 0;
}
