/* Which files are taken: signatures, names, and sizes from heads, cut at
 * every byte. */
#include "common/site/media_type.h"

#include "tests/unit/tap.h"

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
	const char *what;
	const char *p;
	size_t n;
	const char *mime; /* NULL: none of ours */
} heads[] = {
	{ "jpeg", BYTES("\xff\xd8\xff\xe0"), "image/jpeg" },
	{ "png", BYTES("\x89PNG\r\n\x1a\n"), "image/png" },
	{ "png spoiled by a text transfer", BYTES("\x89PNG\n\x1a\n\0"), NULL },
	{ "gif 87", BYTES("GIF87a"), "image/gif" },
	{ "gif 89", BYTES("GIF89a"), "image/gif" },
	{ "gif 88", BYTES("GIF88a"), NULL },
	{ "webp", BYTES("RIFF\0\0\0\0WEBP"), "image/webp" },
	{ "wave", BYTES("RIFF\0\0\0\0WAVE"), NULL },
	{ "avif",
	    BYTES("\0\0\0\x1c"
		  "ftypavif"),
	    "image/avif" },
	{ "avif sequence",
	    BYTES("\0\0\0\x1c"
		  "ftypavis"),
	    "image/avif" },
	{ "mp4 isom",
	    BYTES("\0\0\0\x1c"
		  "ftypisom"),
	    "video/mp4" },
	{ "mp4 mp42",
	    BYTES("\0\0\0\x1c"
		  "ftypmp42"),
	    "video/mp4" },
	{ "quicktime",
	    BYTES("\0\0\0\x1c"
		  "ftypqt  "),
	    NULL },
	{ "heic",
	    BYTES("\0\0\0\x1c"
		  "ftypheic"),
	    NULL },
	{ "brands in a row are no brand",
	    BYTES("\0\0\0\x1c"
		  "ftypomis"),
	    NULL },
	{ "pdf", BYTES("%PDF-1.4"), "application/pdf" },
	{ "svg", BYTES("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), NULL },
	{ "html", BYTES("<!doctype html><script>"), NULL },
	{ "nothing", BYTES(""), NULL },
	{ "zip", BYTES("PK\3\4"), NULL },
};

static const struct {
	const char *name, *mime;
} names[] = {
	{ "a.jpg", "image/jpeg" },
	{ "a.JPEG", "image/jpeg" },
	{ "a.b.png", "image/png" },
	{ "a.gif", "image/gif" },
	{ "a.webp", "image/webp" },
	{ "a.avif", "image/avif" },
	{ "a.pdf", "application/pdf" },
	{ "a.MP4", "video/mp4" },
	{ "a", NULL },
	{ "png", NULL },
	{ "a.", NULL },
	{ "a.svg", NULL },
	{ "a.jpg.php", NULL },
	{ "a.pngx", NULL },
	{ "a.pn", NULL },
	{ "file.html", NULL },
};

static const struct {
	const char *what;
	const char *p;
	size_t n;
	int width, height; /* 0: not told */
} sizes[] = {
	{ "png", BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\2\0\0\0\x09"), 258,
	    9 },
	{ "png without IHDR",
	    BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIDAT\0\0\1\2\0\0\0\x09"), 0, 0 },
	{ "png of no width",
	    BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\x09"), 0, 0 },
	{ "png wider than a number",
	    BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\xff\0\0\0\x09"), 0,
	    0 },
	{ "gif", BYTES("GIF89a\x03\x01\x04\0"), 259, 4 },
	{ "gif of no height", BYTES("GIF89a\x03\x01\0\0"), 0, 0 },
	{ "jpeg", BYTES("\xff\xd8\xff\xc0\0\x11\x08\0\x20\1\0\3"), 256, 32 },
	{ "jpeg, progressive, after a segment and fill bytes",
	    BYTES("\xff\xd8\xff\xe0\0\4ab\xff\xff\xff\xc2\0\x11\x08\0\x20"
		  "\0\x10\3"),
	    16, 32 },
	{ "jpeg, tables are no frame",
	    BYTES("\xff\xd8\xff\xc4\0\7\x08\0\x20\0\x10\xff\xc1\0\x11\x08\0\1"
		  "\0\2"),
	    2, 1 },
	{ "jpeg whose data begin before a frame",
	    BYTES("\xff\xd8\xff\xda\0\2\xff\xc0\0\x11\x08\0\x20\0\x10\3"), 0,
	    0 },
	{ "jpeg with a segment shorter than its length",
	    BYTES("\xff\xd8\xff\xe0\0\1\xff\xc0\0\x11\x08\0\x20\0\x10\3"), 0,
	    0 },
	{ "jpeg with a segment longer than the head",
	    BYTES("\xff\xd8\xff\xe0\xff\xff\xff\xc0\0\x11\x08\0\x20\0\x10\3"),
	    0, 0 },
	{ "jpeg out of step",
	    BYTES("\xff\xd8\xff\xe0\0\3a\xff\xff\x00\0\x11\x08\0\x20\0\x10"), 0,
	    0 },
	{ "jpeg of nothing but fill bytes",
	    BYTES("\xff\xd8\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
	    0, 0 },
	{ "webp, lossy",
	    BYTES("RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x10\x40"
		  "\x20\x80"),
	    16, 32 },
	{ "webp, lossless",
	    BYTES("RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x0f\xc0\x07\0\0\0\0\0"
		  "\0"),
	    16, 32 },
	{ "webp, extended",
	    BYTES("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x1f\0\0"), 16,
	    32 },
	{ "webp of another kind",
	    BYTES("RIFF\0\0\0\0WEBPVP9 \0\0\0\0\0\0\0\x9d\x01\x2a\x10\0\x20"
		  "\0"),
	    0, 0 },
	{ "pdf", BYTES("%PDF-1.4 0123456789 0123456789"), 0, 0 },
};

static void
test_heads(void)
{
	for (size_t i = 0; i < LEN(heads); i++) {
		const struct media_type *t =
		    media_type_of_bytes(heads[i].p, heads[i].n);

		is_text(t == NULL ? NULL : t->mime, heads[i].mime, "head: %s",
		    heads[i].what);
	}
}

static void
test_names(void)
{
	for (size_t i = 0; i < LEN(names); i++) {
		const struct media_type *t = media_type_of_name(names[i].name);

		is_text(t == NULL ? NULL : t->mime, names[i].mime, "name: %s",
		    names[i].name);
	}
	ok(media_type_of_mime("image/png") == media_type_of_name("x.png"),
	    "a mime type leads to the type of the name");
	ok(media_type_of_mime("image/PNG") == NULL, "mime types are exact");
}

/* The bytes stand at the end of memory of their own, so that a sanitizer
 * sees a read behind them. */
static bool
size_of(const char *p, size_t n, int *ret_width, int *ret_height)
{
	const struct media_type *t = media_type_of_bytes(p, n);
	char *copy = malloc(n == 0 ? 1 : n);
	bool told;

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	told = t != NULL && media_type_size(t, copy, n, ret_width, ret_height);
	free(copy);
	return told;
}

static void
test_sizes(void)
{
	for (size_t i = 0; i < LEN(sizes); i++) {
		int width = 0, height = 0, wrong = 0;
		bool told = size_of(sizes[i].p, sizes[i].n, &width, &height);

		ok(told == (sizes[i].width != 0) && width == sizes[i].width &&
			height == sizes[i].height,
		    "size: %s: %d x %d", sizes[i].what, width, height);
		for (size_t n = 0; n < sizes[i].n; n++) {
			int w = sizes[i].width, h = sizes[i].height;

			(void)size_of(sizes[i].p, n, &w, &h);
			wrong += w != sizes[i].width || h != sizes[i].height;
		}
		is_int(wrong, 0, "size: %s: no cut tells another size",
		    sizes[i].what);
	}
}

int
main(void)
{
	test_heads();
	test_names();
	test_sizes();
	return done();
}
