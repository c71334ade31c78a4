/* What files are, by their first bytes. */
#include "common/link/magic.h"

#include "tests/unit/tap.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t n;
	const char *want;
} files[] = {
	{ BYTES("\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
	    "image/jpeg" },
	{ BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02"
		"\0\0\0"),
	    "image/png" },
	{ BYTES("GIF89a\x01\0\x01\0\x80\0\0"), "image/gif" },
	{ BYTES("RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0"), "image/webp" },
	{ BYTES("\0\0\0\x1c"
		"ftypavif\0\0\0\0avifmif1miaf"),
	    "image/avif" },
	{ BYTES("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "application/pdf" },
	{ BYTES("\0\0\0\x18"
		"ftypmp42\0\0\0\0mp42isom"),
	    "video/mp4" },
	{ BYTES("\0\0\0\x20"
		"ftypisom\0\0\x02\0isomiso2avc1mp41"),
	    "video/mp4" },
};

static const struct {
	const char *bytes;
	size_t n;
	const char *what;
} others[] = {
	{ BYTES("<html><script>alert(1)</script>"), "a page" },
	{ BYTES("<?xml version=\"1.0\"?><svg xmlns="
		"\"http://www.w3.org/2000/svg\"/>"),
	    "an SVG picture" },
	{ BYTES("#!/bin/sh\necho\n"), "a script" },
	{ BYTES("\x7f"
		"ELF\x02\x01\x01\0"),
	    "a program" },
	{ BYTES("PK\x03\x04\x14\0\0\0"), "an archive" },
	{ BYTES("hello"), "text" },
	{ BYTES("{\"a\":1}"), "JSON" },
	{ BYTES(""), "nothing" },
};

static bool
is_taken(const char *mime)
{
	for (size_t i = 0; i < LEN(files); i++)
		if (strcmp(files[i].want, mime) == 0)
			return true;
	return false;
}

int
main(void)
{
	struct err e;

	ok(magic_mime("GIF89a", 6) == NULL, "nothing is known before init");
	if (!ok(magic_init(&e), "the signatures are loaded") ||
	    !ok(magic_init(&e), "and again"))
		return done();
	for (size_t i = 0; i < LEN(files); i++)
		is_text(magic_mime(files[i].bytes, files[i].n), files[i].want,
		    "%s", files[i].want);
	for (size_t i = 0; i < LEN(others); i++) {
		const char *mime = magic_mime(others[i].bytes, others[i].n);

		ok(mime != NULL && !is_taken(mime), "%s is %s", others[i].what,
		    mime == NULL ? "(null)" : mime);
	}
	return done();
}
