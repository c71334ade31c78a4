/* File names of clients: each case is cleaned twice, the second time must
 * change nothing. */
#include "common/parse/filename.h"

#include "common/parse/query.h"
#include "tests/unit/tap.h"

#define TEN     "0123456789"
#define FIFTY   TEN TEN TEN TEN TEN
#define HUNDRED FIFTY FIFTY

static const struct {
	const char *sent, *want;
} cases[] = {
	{ "photo.jpg", "photo.jpg" },
	{ "IMG 0001 (2).JPG", "IMG 0001 (2).JPG" },
	{ "\xc4\x8d\xc5\xbe.png", "\xc4\x8d\xc5\xbe.png" },
	{ "\xf0\x9f\x98\x80.gif", "\xf0\x9f\x98\x80.gif" },
	{ "a.jpg.php", "a.jpg.php" },
	/* nothing left */
	{ "", "file" },
	{ ".", "file" },
	{ "..", "file" },
	{ "...", "file" },
	{ " ", "file" },
	{ "- . -", "file" },
	{ "a/", "file" },
	{ "a\\", "file" },
	/* components */
	{ "/etc/passwd", "passwd" },
	{ "../../etc/passwd", "passwd" },
	{ "..\\..\\boot.ini", "boot.ini" },
	{ "C:\\x", "x" },
	{ "C:\\dir\\photo.png", "photo.png" },
	{ "C:x", "C_x" },
	{ "a/b\\c/d.png", "d.png" },
	{ "..%2f", "%2f" },
	{ "%2e%2e%2fx", "%2e%2e%2fx" },
	{ "a/../x.png", "x.png" },
	/* the ends */
	{ ".htaccess", "htaccess" },
	{ "..x.png", "x.png" },
	{ "-rf", "rf" },
	{ "--x.png", "x.png" },
	{ " .-x", "x" },
	{ "x.", "x" },
	{ "x. . ", "x" },
	{ "x.png ", "x.png" },
	{ "a b", "a b" },
	/* bytes */
	{ "a:b*c?d\"e<f>g|h", "a_b_c_d_e_f_g_h" },
	{ "a\r\nb", "a__b" },
	{ "a\tb\x01\x1f", "a_b__" },
	{ "a\x7f", "a_" },
	{ "a\xc2\x85.png", "a_.png" },
	{ "gpj\xe2\x80\xae.exe", "gpj_.exe" },
	{ "\xe2\x81\xa6x\xe2\x81\xa9", "_x_" },
	{ "\xd8\x9cx", "_x" },
	{ "\xef\xbb\xbfx.png", "_x.png" },
	{ "a\xe2\x80\xa8"
	  "b",
	    "a_b" },
	{ "<script>alert(1)</script>.png", "script_.png" },
	{ "a\"; x=\"b", "a_; x=_b" },
	/* broken UTF-8 */
	{ "a\xff.png", "a_.png" },
	{ "a\xc3", "a_" },
	{ "a\xc3.png", "a_.png" },
	{ "\xc0\xaf", "__" },
	{ "\xc0\xae\xc0\xae/x", "x" },
	{ "\xed\xa0\x80", "___" },
	{ "\xf4\x90\x80\x80", "____" },
	{ "\xe2\x82", "__" },
	/* devices */
	{ "CON", "_CON" },
	{ "con.txt", "_con.txt" },
	{ "Prn.tar.gz", "_Prn.tar.gz" },
	{ "aux .png", "_aux .png" },
	{ "nul", "_nul" },
	{ "COM0", "_COM0" },
	{ "com9.log", "_com9.log" },
	{ "LPT1", "_LPT1" },
	{ "lpt\xc2\xb9.x", "_lpt\xc2\xb9.x" },
	{ "CONIN$", "_CONIN$" },
	{ ".con", "_con" },
	{ "con/", "file" },
	{ "console.log", "console.log" },
	{ "com10", "com10" },
	{ "com", "com" },
	{ "xcon", "xcon" },
	{ "comma", "comma" },
	/* 120 bytes */
	{ HUNDRED TEN TEN, HUNDRED TEN TEN },
	{ HUNDRED TEN TEN "x", HUNDRED TEN TEN },
	{ HUNDRED HUNDRED ".jpeg", HUNDRED TEN "01234.jpeg" },
	{ HUNDRED HUNDRED HUNDRED ".tar.gz", HUNDRED TEN "0123456.gz" },
	{ HUNDRED "." TEN FIFTY, HUNDRED "." TEN "012345678" },
	{ HUNDRED TEN "012345678\xc3\xa9", HUNDRED TEN "012345678" },
	{ HUNDRED TEN "01234567\xc3\xa9", HUNDRED TEN "01234567\xc3\xa9" },
	{ HUNDRED TEN "01234567\xc3\xa9.png", HUNDRED TEN "012345.png" },
	{ HUNDRED TEN "01234\xc3\xa9.png", HUNDRED TEN "01234.png" },
	{ HUNDRED TEN "012345678. x", HUNDRED TEN "0123456. x" },
	{ HUNDRED HUNDRED "." TEN "012345678", HUNDRED "." TEN "012345678" },
	{ HUNDRED TEN "." TEN "0123456789", HUNDRED TEN "."
							"012345678" },
	{ HUNDRED TEN "." TEN "0123456\xc3\xa9"
		      "8",
	    HUNDRED TEN "."
			"012345678" },
	{ HUNDRED TEN "." TEN "01234567\xc3\xa9", HUNDRED TEN "."
							      "012345678" },
	{ "." HUNDRED HUNDRED, HUNDRED TEN TEN },
};

static void
test_case(const char *p, size_t n, const char *want, const char *what)
{
	char got[FILENAME_MAX_BYTES + 1], again[FILENAME_MAX_BYTES + 1];

	filename_clean(p, n, got);
	is_text(got, want, "%s", what);
	filename_clean(got, strlen(got), again);
	is_text(again, got, "and it stays so");
	ok(utf8_valid(got, strlen(got)), "and it is UTF-8");
}

int
main(void)
{
	char got[FILENAME_MAX_BYTES + 1], spaces[300], what[64];

	for (size_t i = 0; i < LEN(cases); i++) {
		snprintf(what, sizeof(what), "case %zu", i);
		test_case(
		    cases[i].sent, strlen(cases[i].sent), cases[i].want, what);
	}
	test_case("a\0b.png", 7, "a_b.png", "a NUL in the middle");
	test_case("x.png\0", 6, "x.png_", "a NUL at the end");

	/* Windows ignores the spaces, so this is a device behind the cut. */
	memset(spaces, ' ', sizeof(spaces));
	memcpy(spaces, "con", 3);
	memcpy(spaces + 290, "x.png", 5);
	filename_clean(spaces, 295, got);
	ok(strncmp(got, "_con ", 5) == 0 && strlen(got) == 120 &&
		strcmp(got + 115, "x.png") != 0 &&
		strcmp(got + 116, ".png") == 0,
	    "a device that the cut makes");
	return done();
}
