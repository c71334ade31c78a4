/*
 * File names made safe.  What is cut at the ends ('.', '-', ' ') is never
 * the result of a replacement, so both are looked at in the name as sent,
 * and the clean name is written straight to the caller's array.
 */
#include "common/parse/filename.h"

#include <strings.h>

enum {
	EXTENSION_MAX = 20, /* bytes with the dot; a longer one is cut */
	REPLACEMENT = '_',
};

/* A name under construction: at most max bytes. */
struct name {
	char *text;
	size_t n;
	size_t max;
};

struct slice {
	const char *p;
	size_t n;
};

/* Bytes of the UTF-8 sequence that c begins, or 0. */
static size_t
sequence_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c < 0xc0 || c >= 0xf8)
		return 0;
	if (c < 0xe0)
		return 2;
	return c < 0xf0 ? 3 : 4;
}

/* Bytes of the well-formed UTF-8 sequence at p and its code point, or 0. */
static size_t
read_code_point(const char *p, size_t n, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)p[0];
	size_t len = sequence_length(c);
	uint32_t v = len < 2 ? c : c & (0x7fu >> len);

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*ret = v;
	return len;
}

/* Bytes that mean something to a shell, a file system, a terminal or the
 * direction of text. */
static bool
is_unsafe(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },     /* control */
		{ 0x7f, 0x9f },     /* DEL and C1 control */
		{ 0x061c, 0x061c }, /* Arabic letter mark */
		{ 0x200b, 0x200b }, /* zero width space */
		{ 0x200e, 0x200f }, /* direction marks */
		{ 0x2028, 0x202e }, /* separators, embeddings, overrides */
		{ 0x2066, 0x2069 }, /* isolates */
		{ 0xfeff, 0xfeff }, /* byte order mark */
		{ 0xfff9, 0xfffb }, /* interlinear annotations */
	};

	if (c < 0x80 && c != 0 && strchr("/\\:*?\"<>|", (char)c) != NULL)
		return true;
	for (size_t i = 0; i < LEN(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Append the part, cleaned, up to the last character that fits; did all? */
static bool
name_add(struct name *to, struct slice part)
{
	static const char replacement[] = { REPLACEMENT };

	for (size_t i = 0; i < part.n;) {
		const char *from = part.p + i;
		uint32_t c = 0;
		size_t len = read_code_point(from, part.n - i, &c), out = len;

		i += len == 0 ? 1 : len;
		if (len == 0 || is_unsafe(c)) {
			from = replacement;
			out = 1;
		}
		if (out > to->max - to->n)
			return false;
		memcpy(to->text + to->n, from, out);
		to->n += out;
	}
	return true;
}

static struct slice
last_component(const char *p, size_t n)
{
	size_t from = n;

	while (from > 0 && p[from - 1] != '/' && p[from - 1] != '\\')
		from--;
	return (struct slice){ p + from, n - from };
}

static bool
is_edge(char c)
{
	return c == '.' || c == ' ';
}

static struct slice
trim(struct slice s)
{
	while (s.n > 0 && (is_edge(s.p[0]) || s.p[0] == '-')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_edge(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* The extension that is to survive a cut: with its dot, cleaned. */
struct extension {
	char text[EXTENSION_MAX];
	size_t n;
	size_t raw_n; /* bytes of it at the end of the name as sent */
};

static struct extension
read_extension(struct slice s)
{
	struct extension x = { .n = 0 };
	struct name clean = { x.text, 0, sizeof(x.text) };
	size_t dot = s.n;

	while (dot > 0 && s.p[dot - 1] != '.')
		dot--;
	if (dot == 0)
		return x;
	if (!name_add(&clean, (struct slice){ s.p + dot - 1, s.n - dot + 1 }))
		return x;
	x.n = clean.n;
	x.raw_n = s.n - dot + 1;
	return x;
}

/* Windows opens a device for these, whatever extension follows. */
static bool
is_device(const char *name, size_t n)
{
	static const char *const devices[] = { "con", "prn", "aux", "nul",
		"conin$", "conout$" };
	static const char *const numbers[] = { "0", "1", "2", "3", "4", "5",
		"6", "7", "8", "9", "\u00b9", "\u00b2", "\u00b3" };
	size_t base = 0;

	while (base < n && name[base] != '.')
		base++;
	while (base > 0 && name[base - 1] == ' ')
		base--;
	for (size_t i = 0; i < LEN(devices); i++)
		if (base == strlen(devices[i]) &&
		    strncasecmp(name, devices[i], base) == 0)
			return true;
	if (base < 4 || (strncasecmp(name, "com", 3) != 0 &&
			    strncasecmp(name, "lpt", 3) != 0))
		return false;
	for (size_t i = 0; i < LEN(numbers); i++)
		if (base - 3 == strlen(numbers[i]) &&
		    memcmp(name + 3, numbers[i], base - 3) == 0)
			return true;
	return false;
}

/* The stem, cut to what the extension leaves, and the extension; how many
 * bytes.  ret has room for FILENAME_MAX_BYTES. */
static size_t
assemble(const char *prefix, struct slice s, char *ret)
{
	struct extension x = read_extension(s);
	struct name to = { ret, 0, FILENAME_MAX_BYTES - x.n };

	name_add(&to, (struct slice){ prefix, strlen(prefix) });
	name_add(&to, (struct slice){ s.p, s.n - x.raw_n });
	memcpy(ret + to.n, x.text, x.n);
	to.n += x.n;
	while (to.n > 0 && is_edge(ret[to.n - 1]))
		to.n--;
	return to.n;
}

void
filename_clean(const char *p, size_t n, char ret[static FILENAME_MAX_BYTES + 1])
{
	struct slice s = trim(last_component(p, n));
	size_t len;

	if (s.n == 0)
		s = (struct slice){ "file", 4 };
	len = assemble("", s, ret);
	/* looked at behind the cut, which can make a device of a long name */
	if (is_device(ret, len))
		len = assemble("_", s, ret);
	ret[len] = '\0';
}
