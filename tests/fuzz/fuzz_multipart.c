/*
 * The first line of the input is the Content-Type, the rest the body.
 *
 * - The events are the same whole, byte by byte and in pieces.
 * - part, data, end come in that order, each part ends if the form does.
 * - Each part's data is a stretch of the body behind the last one's.
 * - Every push makes progress: there are no more calls than bytes.
 */
#include "common/parse/multipart.h"

#include "common/base/buf.h"
#include "tests/fuzz/fuzz.h"

struct record {
	struct buf text; /* all that came, to compare */
	struct buf data; /* of the part that is open */
	size_t at;       /* where in the body the next may begin */
	size_t calls;
	bool open;
	const char *body;
	size_t body_n;
};

static bool
on_part(void *ctx, const struct multipart_part *p, struct err *e)
{
	struct record *r = ctx;

	(void)e;
	HOLDS(!r->open);
	HOLDS(strlen(p->name) <= MULTIPART_NAME_MAX);
	HOLDS(strlen(p->filename) <= MULTIPART_FILENAME_MAX);
	HOLDS(strlen(p->type) <= MULTIPART_TYPE_MAX);
	HOLDS(p->has_filename || p->filename[0] == '\0');
	r->open = true;
	r->calls++;
	buf_clear(&r->data);
	buf_addf(&r->text, "[%s|%s|%d|%s]", p->name, p->filename,
	    p->has_filename, p->type);
	return true;
}

static bool
on_data(void *ctx, const char *p, size_t n, struct err *e)
{
	struct record *r = ctx;

	(void)e;
	HOLDS(r->open && n > 0);
	r->calls++;
	buf_add(&r->text, p, n);
	buf_add(&r->data, p, n);
	return true;
}

static bool
on_end(void *ctx, struct err *e)
{
	struct record *r = ctx;
	const char *found = memmem(
	    r->body + r->at, r->body_n - r->at, r->data.data, r->data.len);

	(void)e;
	HOLDS(r->open);
	HOLDS(found != NULL);
	r->at = (size_t)(found - r->body) + r->data.len;
	r->open = false;
	r->calls++;
	buf_addc(&r->text, '.');
	return true;
}

static const struct multipart_events events = { on_part, on_data, on_end };

/* Pieces of 1 .. step bytes, by a generator with that seed; step 0: whole. */
static void
parse(struct record *r, const char *type, uint32_t seed, size_t step)
{
	static struct multipart m;
	struct err e = { 0 };
	bool good = multipart_init(&m, type, &events, r, &e);

	for (size_t i = 0, n; good && i < r->body_n; i += n) {
		seed = seed * 1664525 + 1013904223;
		n = step == 0 ? r->body_n : 1 + (seed >> 16) % step;
		if (n > r->body_n - i)
			n = r->body_n - i;
		good = multipart_push(&m, r->body + i, n, &e);
	}
	good = good && multipart_end(&m, &e);
	HOLDS(good == (e.code == ERR_NONE));
	HOLDS(good || (e.code == ERR_INVALID && e.msg[0] != '\0'));
	HOLDS(!good || !r->open);
	HOLDS(r->calls <= r->body_n);
	buf_addc(&r->text, good ? '+' : '-');
	HOLDS(!r->text.broken && !r->data.broken);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 2, 5, 80 };
	const char *p = (const char *)data;
	const char *line = size == 0 ? NULL : memchr(p, '\n', size);
	size_t type_n = line == NULL ? size : (size_t)(line - p);
	size_t body = line == NULL ? size : type_n + 1;
	struct record whole = { .text = BUF_INIT, .data = BUF_INIT };
	char *type = strndup(p, type_n);

	whole.body = p + body;
	whole.body_n = size - body;
	parse(&whole, type, 0, 0);
	for (size_t i = 0; i < LEN(steps); i++) {
		struct record r = { .text = BUF_INIT, .data = BUF_INIT };

		r.body = whole.body;
		r.body_n = whole.body_n;
		parse(&r, type, (uint32_t)size, steps[i]);
		HOLDS(r.text.len == whole.text.len);
		HOLDS(memcmp(r.text.data, whole.text.data, r.text.len) == 0);
		buf_release(&r.text);
		buf_release(&r.data);
	}
	buf_release(&whole.text);
	buf_release(&whole.data);
	free(type);
	return 0;
}
