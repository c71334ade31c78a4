/* How large pictures say they are: by table, cut at every byte, and hostile
 * ones, which must be found too large whatever they say elsewhere. */
#include "common/parse/picture.h"

#include "tests/unit/tap.h"

#define BYTES(text) (text), sizeof(text) - 1

/* Pieces that several pictures are made of. */
#define PNG(width, height) \
	"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" width height "\x08\2\0\0\0\1\2\3\4"
#define PNG_DATA "\0\0\0\1IDATx\0\0\0\0"
#define RIFF     "RIFF\0\0\0\0WEBP"
#define FTYP         \
	"\0\0\0\x10" \
	"ftypavif\0\0\0\0"
#define META                "\0\0\0\x0cmeta\0\0\0\0"
#define HOLD(name)          "\0\0\0\x08" name
#define ISPE(width, height) "\0\0\0\x14ispe\0\0\0\0" width height
#define SCREEN              "GIF89a\x03\x01\x04\0\0\0\0"
#define FRAME(left, width)  "," left "\0\0" width "\1\0\0\2\1x\0"

static const struct {
	const char *what;
	enum picture_kind kind;
	const char *p;
	size_t n;
	uint32_t width, height, frames; /* 0: not told */
} pictures[] = {
	{ "png", PICTURE_PNG, BYTES(PNG("\0\0\1\2", "\0\0\0\x09") PNG_DATA),
	    258, 9, 1 },
	{ "png without IHDR", PICTURE_PNG,
	    BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIDAT\0\0\1\2\0\0\0\x09"), 0, 0, 0 },
	{ "png of no width", PICTURE_PNG, BYTES(PNG("\0\0\0\0", "\0\0\0\x09")),
	    0, 0, 0 },
	{ "png as wide as a number", PICTURE_PNG,
	    BYTES(PNG("\xff\xff\xff\xff", "\xff\xff\xff\xff")), UINT32_MAX,
	    UINT32_MAX, 1 },
	{ "png that moves", PICTURE_PNG,
	    BYTES(PNG(
		"\0\0\0\1", "\0\0\0\1") "\0\0\0\x08"
					"acTL\0\0\0\x07\0\0\0\0abcd" PNG_DATA),
	    1, 1, 7 },
	{ "png with frames told behind its data", PICTURE_PNG,
	    BYTES(PNG("\0\0\0\1", "\0\0\0\1") PNG_DATA
		"\0\0\0\x08"
		"acTL\0\0\0\x07\0\0\0\0abcd"),
	    1, 1, 1 },
	{ "png with a chunk beyond any file", PICTURE_PNG,
	    BYTES(PNG("\0\0\0\1", "\0\0\0\1") "\xff\xff\xff\xfftEXtabcd"), 1, 1,
	    1 },
	{ "gif", PICTURE_GIF, BYTES(SCREEN ";"), 259, 4, 1 },
	{ "gif of no height", PICTURE_GIF, BYTES("GIF89a\x03\x01\0\0\0\0\0;"),
	    0, 0, 0 },
	{ "gif of three frames", PICTURE_GIF,
	    BYTES(SCREEN "!\xff\3abc\0" FRAME("\0\0", "\1\0")
		    FRAME("\0\0", "\1\0") FRAME("\0\0", "\1\0") ";"),
	    259, 4, 3 },
	{ "gif whose frame is wider than its screen", PICTURE_GIF,
	    BYTES(SCREEN FRAME("\2\0", "\xff\xff") ";"), 65537, 4, 1 },
	{ "gif with tables of colours", PICTURE_GIF,
	    BYTES("GIF89a\1\0\1\0\x80\0\0"
		  "123456"
		  ",\0\0\0\0\2\0\1\0\x80"
		  "123456\2\1x\0" FRAME("\0\0", "\3\0") ";"),
	    3, 1, 2 },
	{ "gif with nonsense in between", PICTURE_GIF,
	    BYTES(SCREEN "?" FRAME("\0\0", "\xff\xff")), 259, 4, 1 },
	{ "jpeg", PICTURE_JPEG, BYTES("\xff\xd8\xff\xc0\0\x11\x08\0\x20\1\0\3"),
	    256, 32, 1 },
	{ "jpeg, progressive, after a segment and fill bytes", PICTURE_JPEG,
	    BYTES("\xff\xd8\xff\xe0\0\4ab\xff\xff\xff\xc2\0\x11\x08\0\x20"
		  "\0\x10\3"),
	    16, 32, 1 },
	{ "jpeg, tables are no frame", PICTURE_JPEG,
	    BYTES("\xff\xd8\xff\xc4\0\7\x08\0\x20\0\x10\xff\xc1\0\x11\x08\0\1"
		  "\0\2"),
	    2, 1, 1 },
	{ "jpeg whose data begin before a frame", PICTURE_JPEG,
	    BYTES("\xff\xd8\xff\xda\0\2\xff\xc0\0\x11\x08\0\x20\0\x10\3"), 0, 0,
	    0 },
	{ "jpeg with a segment shorter than its length", PICTURE_JPEG,
	    BYTES("\xff\xd8\xff\xe0\0\1\xff\xc0\0\x11\x08\0\x20\0\x10\3"), 0, 0,
	    0 },
	{ "jpeg with a segment longer than the file", PICTURE_JPEG,
	    BYTES("\xff\xd8\xff\xe0\xff\xff\xff\xc0\0\x11\x08\0\x20\0\x10\3"),
	    0, 0, 0 },
	{ "jpeg out of step", PICTURE_JPEG,
	    BYTES("\xff\xd8\xff\xe0\0\3a\xff\xff\x00\0\x11\x08\0\x20\0\x10"), 0,
	    0, 0 },
	{ "jpeg of nothing but fill bytes", PICTURE_JPEG,
	    BYTES("\xff\xd8\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
	    0, 0, 0 },
	{ "webp, lossy", PICTURE_WEBP,
	    BYTES(RIFF "VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x10\x40\x20\x80"), 16,
	    32, 1 },
	{ "webp, lossless", PICTURE_WEBP,
	    BYTES(RIFF "VP8L\5\0\0\0\x2f\x0f\xc0\x07\0\0"), 16, 32, 1 },
	{ "webp, extended", PICTURE_WEBP,
	    BYTES(RIFF "VP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x1f\0\0"), 16, 32, 1 },
	{ "webp of a small canvas and a large stream", PICTURE_WEBP,
	    BYTES(RIFF "VP8X\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0"
		       "VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f"),
	    16383, 16383, 1 },
	{ "webp of two frames, one with a stream that is larger", PICTURE_WEBP,
	    BYTES(RIFF "VP8X\x0a\0\0\0\2\0\0\0\0\0\0\0\0\0"
		       "ANMF\x10\0\0\0\0\0\0\0\0\0\1\0\0\1\0\0\0\0\0\0"
		       "ANMF\x22\0\0\0\0\0\0\0\0\0\1\0\0\1\0\0\0\0\0\0"
		       "VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x10\0\x20\0"),
	    16, 32, 2 },
	{ "webp of another kind", PICTURE_WEBP,
	    BYTES(RIFF "VP9 \0\0\0\0\0\0\0\x9d\x01\x2a\x10\0\x20\0"), 0, 0, 0 },
	{ "avif", PICTURE_AVIF,
	    BYTES(FTYP META HOLD("iprp") HOLD("ipco")
		    ISPE("\0\0\0\x40", "\0\0\0\x20")),
	    64, 32, 1 },
	{ "avif: the largest of its items counts", PICTURE_AVIF,
	    BYTES(FTYP META HOLD("iprp") HOLD("ipco") ISPE(
		"\0\0\0\x40", "\0\0\0\x20") ISPE("\0\0\xff\xff", "\0\0\0\1")),
	    65535, 32, 1 },
	{ "avif with a box of 64 bits that would lead back", PICTURE_AVIF,
	    BYTES(FTYP "\0\0\0\1free\xff\xff\xff\xff\xff\xff\xff\xf0" META HOLD(
		"ipco") ISPE("\0\0\0\x40", "\0\0\0\x20")),
	    0, 0, 0 },
	{ "avif with a box smaller than its head", PICTURE_AVIF,
	    BYTES(FTYP "\0\0\0\7free" META ISPE("\0\0\0\1", "\0\0\0\1")), 0, 0,
	    0 },
	{ "avif with a last box that runs to the end", PICTURE_AVIF,
	    BYTES(FTYP ISPE("\0\0\0\2", "\0\0\0\1") "\0\0\0\0mdat" ISPE(
		"\0\0\0\7", "\0\0\0\7")),
	    2, 1, 1 },
	{ "avif of many frames", PICTURE_AVIF,
	    BYTES(FTYP ISPE("\0\0\0\2", "\0\0\0\1") HOLD("moov") HOLD("trak")
		    HOLD("mdia") HOLD("minf") HOLD("stbl") "\0\0\0\x14stsz"
							   "\0\0\0\0\0\0\0\0"
							   "\0\0\7\xd0"),
	    2, 1, 2000 },
	{ "no picture", PICTURE_NONE, BYTES("%PDF-1.4"), 0, 0, 0 },
};

/* The bytes stand at the end of memory of their own, so that a sanitizer sees
 * a read behind them. */
struct source {
	char *p;
	size_t n;
	bool broken;
};

static bool
source_read(
    void *ctx, int64_t at, void *p, size_t n, size_t *ret_n, struct err *e)
{
	const struct source *s = ctx;
	size_t left = at > (int64_t)s->n ? 0 : s->n - (size_t)at;

	if (s->broken)
		return err_fail(e, ERR_BUG, "cannot read");
	*ret_n = n < left ? n : left;
	memcpy(p, s->p + (s->n - left), *ret_n);
	return true;
}

static bool
look_at(enum picture_kind kind, const char *p, size_t n, struct picture *ret)
{
	struct source s = { malloc(n == 0 ? 1 : n), n, false };
	struct err e;
	bool told;

	if (s.p == NULL)
		abort();
	memcpy(s.p, p, n);
	told = picture_look(kind, source_read, &s, ret, &e);
	free(s.p);
	if (!told && (e.code != ERR_INVALID || strcmp(e.field, "file") != 0))
		abort();
	return told;
}

static void
test_pictures(void)
{
	for (size_t i = 0; i < LEN(pictures); i++) {
		struct picture p = { 0, 0, 0 };
		bool told =
		    look_at(pictures[i].kind, pictures[i].p, pictures[i].n, &p);
		int wrong = 0;

		ok(told == (pictures[i].width != 0) &&
			p.width == pictures[i].width &&
			p.height == pictures[i].height &&
			p.frames == pictures[i].frames,
		    "%s: %lu x %lu, %lu frames", pictures[i].what,
		    (unsigned long)p.width, (unsigned long)p.height,
		    (unsigned long)p.frames);
		for (size_t n = 0; n < pictures[i].n; n++)
			if (look_at(pictures[i].kind, pictures[i].p, n, &p))
				wrong += p.width > pictures[i].width ||
					 p.height > pictures[i].height ||
					 p.frames > pictures[i].frames;
		is_int(wrong, 0, "%s: no cut tells more", pictures[i].what);
	}
}

/* A frame header behind more segments than any window holds. */
static void
test_far(void)
{
	enum { SEGMENTS = 40, EACH = 65535 };
	static const char frame[] = "\xff\xc0\0\x11\x08\0\x20\1\0\3";
	size_t n = 2 + (size_t)SEGMENTS * (EACH + 2);
	char *p = calloc(1, n + sizeof(frame));
	struct picture got = { 0, 0, 0 };

	if (p == NULL)
		abort();
	memcpy(p, "\xff\xd8", 2);
	for (size_t i = 0; i < SEGMENTS; i++)
		memcpy(p + 2 + i * (EACH + 2), "\xff\xe2\xff\xff", 4);
	memcpy(p + n, frame, sizeof(frame) - 1);
	ok(look_at(PICTURE_JPEG, p, n + sizeof(frame), &got) &&
		got.width == 256 && got.height == 32,
	    "a size behind 2.5 MiB of other segments");
	free(p);
}

static void
test_unreadable(void)
{
	struct source s = { NULL, 0, true };
	struct picture p;
	struct err e;

	for (int kind = PICTURE_JPEG; kind <= PICTURE_AVIF; kind++) {
		ok(!picture_look(
		       (enum picture_kind)kind, source_read, &s, &p, &e),
		    "kind %d: a file that cannot be read", kind);
		is_int(e.code, ERR_BUG, "is told as what it is");
	}
}

static void
test_bounds(void)
{
	static const struct {
		struct picture p;
		bool fits;
	} cases[] = {
		{ { 1, 1, 1 }, true },
		{ { 10000, 10000, 1 }, true },
		{ { 10001, 10000, 1 }, false },
		{ { 30000, 3333, 1 }, true },
		{ { 30001, 1, 1 }, false },
		{ { 1, 30001, 1 }, false },
		/* in 32 bits these are no more than a few pixels */
		{ { 65536, 65536, 1 }, false },
		{ { UINT32_MAX, UINT32_MAX, 1 }, false },
		{ { UINT32_MAX, 1, UINT32_MAX }, false },
		{ { 1000, 1000, 1000 }, true },
		{ { 1, 1, 1001 }, false },
		{ { 1, 1, UINT32_MAX }, false },
		{ { 1001, 1000, 1000 }, false },
		{ { 10000, 10000, 11 }, false },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		const struct picture *p = &cases[i].p;
		struct err e = { .code = ERR_NONE };
		bool fits = picture_bounded(p, &e);

		ok(fits == cases[i].fits &&
			(fits || (e.code == ERR_INVALID &&
				     strcmp(e.field, "file") == 0)),
		    "%lu x %lu, %lu frames: %s", (unsigned long)p->width,
		    (unsigned long)p->height, (unsigned long)p->frames,
		    cases[i].fits ? "fits" : "refused");
	}
}

int
main(void)
{
	test_pictures();
	test_far();
	test_unreadable();
	test_bounds();
	return done();
}
