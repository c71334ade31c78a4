#include "common/parse/mailtext.h"

#include <stdio.h>
#include <string.h>

enum {
	LOCAL_MAX = 64,
	LABEL_MAX = 63,
	PLAIN_MAX = 60, /* bytes of a line that needs no folding */
	WORD_MAX = 60,  /* of an encoded word, without what is around it */
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static const char ATOM[] = LETTERS DIGITS "!#$%&'*+-/=?^_`{|}~";
static const char LABEL[] = LETTERS DIGITS "-";

/* --- addresses ------------------------------------------------------------ */

/* n bytes of parts with a dot between, each of 1 to max of these. */
static bool
is_dotted(const char *p, size_t n, const char *chars, size_t max)
{
	const char *end = p + n;

	for (;;) {
		size_t k = strspn(p, chars);

		if (k == 0 || k > max || k > (size_t)(end - p))
			return false;
		p += k;
		if (p == end)
			return true;
		if (*p++ != '.')
			return false;
	}
}

static bool
is_address(const char *s)
{
	const char *at = strchr(s, '@');
	const char *end = s + strlen(s);

	return at != NULL && end - s <= MAILTEXT_ADDRESS_MAX &&
	       at - s <= LOCAL_MAX &&
	       is_dotted(s, (size_t)(at - s), ATOM, LOCAL_MAX) &&
	       is_dotted(at + 1, (size_t)(end - at - 1), LABEL, LABEL_MAX);
}

bool
mailtext_is_line(const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		size_t k = buf_utf8_len(text, n);

		/* U+0080 to U+009F are control characters as well. */
		if (k == 0 || (unsigned char)*text < 0x20 || *text == 0x7f ||
		    ((unsigned char)*text == 0xc2 &&
			(unsigned char)text[1] < 0xa0))
			return false;
		text += k;
		n -= k;
	}
	return true;
}

/* n bytes without the spaces and the quotation marks around them. */
static bool
copy_name(const char *p, size_t n, char ret[static MAILTEXT_NAME_MAX + 1])
{
	while (n > 0 && *p == ' ')
		p++, n--;
	while (n > 0 && p[n - 1] == ' ')
		n--;
	if (n >= 2 && *p == '"' && p[n - 1] == '"')
		p++, n -= 2;
	if (n > MAILTEXT_NAME_MAX)
		return false;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return mailtext_is_line(ret);
}

bool
mailtext_parse(const char *text, struct mailtext_address *ret, struct err *e)
{
	struct mailtext_address a = { .name = "" };
	const char *open = strrchr(text, '<');
	size_t n = strlen(text);
	bool good = true;

	if (open != NULL && text[n - 1] == '>') {
		good = copy_name(text, (size_t)(open - text), a.name);
		n -= (size_t)(open + 1 - text) + 1;
		text = open + 1;
	}
	good = good && n <= MAILTEXT_ADDRESS_MAX;
	if (good)
		(void)snprintf(
		    a.address, sizeof(a.address), "%.*s", (int)n, text);
	if (!good || !is_address(a.address))
		return err_fail(e, ERR_INVALID,
		    "an address is written as ana@example.com or "
		    "Ana <ana@example.com>");
	*ret = a;
	return true;
}

/* --- words ---------------------------------------------------------------- */

static bool
is_plain(const char *text)
{
	size_t n = strlen(text);

	if (n > PLAIN_MAX || strstr(text, "=?") != NULL)
		return false;
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* One character, "Q"-encoded. */
static void
add_q(struct buf *b, const char *p, size_t n)
{
	if (n == 1 && strchr(LETTERS DIGITS, *p) != NULL) {
		buf_addc(b, *p);
		return;
	}
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "=%02X", (unsigned int)(unsigned char)p[i]);
}

static void
add_words(struct buf *b, const char *text)
{
	size_t n = strlen(text), room = 0;
	bool first = true;

	while (n > 0) {
		size_t k = buf_utf8_len(text, n);

		k = k == 0 ? 1 : k; /* what is no UTF-8 is no line either */
		if (room < 3 * k) {
			buf_adds(b, first ? "=?UTF-8?Q?" : "?=\r\n =?UTF-8?Q?");
			first = false;
			room = WORD_MAX;
		}
		add_q(b, text, k);
		room -= 3 * k;
		text += k;
		n -= k;
	}
	if (!first)
		buf_adds(b, "?=");
}

void
mailtext_add(struct buf *b, const char *text)
{
	if (is_plain(text))
		buf_adds(b, text);
	else
		add_words(b, text);
}

static void
add_quoted(struct buf *b, const char *text)
{
	buf_addc(b, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *text);
	}
	buf_addc(b, '"');
}

void
mailtext_add_address(struct buf *b, const struct mailtext_address *a)
{
	if (a->name[0] == '\0') {
		buf_adds(b, a->address);
		return;
	}
	if (is_plain(a->name))
		add_quoted(b, a->name);
	else
		add_words(b, a->name);
	buf_addf(b, "\r\n <%s>", a->address);
}
