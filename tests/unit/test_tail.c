/* The last bytes of a log, and the text made of them. */
#include "common/runner/tail.h"

#include "tests/unit/tap.h"

static const struct {
	const char *what;
	const char *parts[4];
	const char *want;
} cases[] = {
	{ "nothing", { NULL }, "" },
	{ "less than there is room", { "abc" }, "abc" },
	{ "exactly so much", { "abcdefgh" }, "abcdefgh" },
	{ "in parts", { "abc", "", "de" }, "abcde" },
	{ "more: the end stays", { "abcdefgh", "ij" }, "cdefghij" },
	{ "much more at once", { "0123456789abcdefghij" }, "cdefghij" },
	{ "so much twice", { "abcdefgh", "ijklmnop" }, "ijklmnop" },
	{ "what is no UTF-8", { "a\xff\xfe", "b" },
	    "a\xef\xbf\xbd\xef\xbf\xbd"
	    "b" },
	{ "a character cut off at the end", { "ab\xe2\x82" },
	    "ab\xef\xbf\xbd\xef\xbf\xbd" },
	{ "one cut off at the beginning", { "\xe2\x82\xac", "abcdefg" },
	    "abcdefg" },
	{ "one that is whole there", { "x\xe2\x82\xac", "abcde" },
	    "\xe2\x82\xac"
	    "abcde" },
	{ "stray bytes at the beginning of all", { "\x82\xac", "a" },
	    "\xef\xbf\xbd\xef\xbf\xbd"
	    "a" },
};

static void
check(size_t i)
{
	struct tail t = { .room = 8 };
	AUTO_BUF text = BUF_INIT;

	for (size_t k = 0; cases[i].parts[k] != NULL; k++)
		tail_add(&t, cases[i].parts[k], strlen(cases[i].parts[k]));
	tail_text(&t, &text);
	is_text(text.data, cases[i].want, "%s", cases[i].what);
	tail_release(&t);
}

/* Every length in every number of pieces gives the end of the whole. */
static void
check_pieces(void)
{
	static const char all[] = "abcdefghijklmnopqrstuvwxyz";
	size_t bad = 0;

	for (size_t n = 0; n < sizeof(all); n++)
		for (size_t piece = 1; piece < 12; piece++) {
			struct tail t = { .room = 8 };
			AUTO_BUF text = BUF_INIT;

			for (size_t at = 0; at < n; at += piece)
				tail_add(&t, all + at,
				    n - at < piece ? n - at : piece);
			tail_text(&t, &text);
			bad += text.len != (n < 8 ? n : 8) ||
			       memcmp(text.data, all + n - text.len,
				   text.len) != 0;
			tail_release(&t);
		}
	is_int((int64_t)bad, 0, "every length in every size of pieces");
}

int
main(void)
{
	struct tail t = { .room = 8 };
	AUTO_BUF text = BUF_INIT;

	for (size_t i = 0; i < LEN(cases); i++)
		check(i);
	check_pieces();
	tail_add(&t, "a\0b", 3);
	tail_text(&t, &text);
	is_text(text.data,
	    "a\xef\xbf\xbd"
	    "b",
	    "NUL is replaced");
	tail_release(&t);
	return done();
}
