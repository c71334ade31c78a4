/* What is taken as an address, or printed as words, begins no header. */
#include "common/parse/mailtext.h"
#include "tests/fuzz/fuzz.h"

/* A line end is followed by a space, and nothing is beyond printable ASCII. */
static void
check(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		if (b->data[i] == '\r')
			HOLDS(b->data[i + 1] == '\n');
		else if (b->data[i] == '\n')
			HOLDS(i > 0 && b->data[i - 1] == '\r' &&
			      b->data[i + 1] == ' ');
		else
			HOLDS(b->data[i] >= ' ' && b->data[i] <= '~');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mailtext_address a;
	AUTO_BUF text = BUF_INIT;
	AUTO_BUF made = BUF_INIT;
	struct err e;

	buf_add(&text, data, size);
	mailtext_add(&made, text.data);
	check(&made);
	buf_clear(&made);
	if (!mailtext_parse(text.data, &a, &e))
		return 0;
	HOLDS(mailtext_is_line(a.address) && mailtext_is_line(a.name));
	mailtext_add_address(&made, &a);
	check(&made);
	return 0;
}
