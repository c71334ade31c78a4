/* Which files are taken: signatures and names. */
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

int
main(void)
{
	test_heads();
	test_names();
	return done();
}
