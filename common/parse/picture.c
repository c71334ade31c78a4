/*
 * All walks go forward over one window: each step looks at a few bytes at an
 * offset and says where the next one is.  Containers are not descended into:
 * the walk just goes on behind their header, so there is no nesting to bound.
 */
#include "common/parse/picture.h"

enum { WINDOW_BYTES = 8 * 1024 };

struct walk {
	picture_read *read;
	void *ctx;
	struct err *e;
	bool failed; /* the file could not be read; e is set */
	int64_t from;
	size_t n; /* bytes in the window */
	uint8_t window[WINDOW_BYTES];
	struct picture found;
};

/* n bytes at an offset; NULL: the file ends before, or cannot be read. */
static const uint8_t *
look(struct walk *w, int64_t at, size_t n)
{
	if (at >= w->from && at - w->from <= (int64_t)w->n &&
	    w->n - (size_t)(at - w->from) >= n)
		return w->window + (at - w->from);
	w->from = at;
	w->n = 0;
	if (w->failed ||
	    !w->read(w->ctx, at, w->window, WINDOW_BYTES, &w->n, w->e)) {
		w->failed = true;
		w->n = 0;
	}
	return w->n >= n ? w->window : NULL;
}

/* Numbers in the order of bytes that the format has. */
static uint32_t
big16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t
big32(const uint8_t *p)
{
	return big16(p) << 16 | big16(p + 2);
}

static uint32_t
little16(const uint8_t *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t
little24(const uint8_t *p)
{
	return (uint32_t)p[2] << 16 | little16(p);
}

static uint32_t
little32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | little24(p);
}

static bool
named(const uint8_t *p, const char name[static 4])
{
	return memcmp(p, name, 4) == 0;
}

/* The file says so: the largest counts. */
static void
note_size(struct walk *w, uint32_t width, uint32_t height)
{
	if (width > w->found.width)
		w->found.width = width;
	if (height > w->found.height)
		w->found.height = height;
}

static void
note_frames(struct walk *w, uint32_t frames)
{
	if (frames > w->found.frames)
		w->found.frames = frames;
}

/* ---- JPEG: from segment to segment, up to the frame header ---- */

/* SOF0 to SOF15 without DHT, JPG and DAC. */
static bool
jpeg_is_frame(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
	       marker != 0xc8 && marker != 0xcc;
}

static void
jpeg_walk(struct walk *w)
{
	const uint8_t *p;
	int64_t at = 2;

	while ((p = look(w, at, 4)) != NULL && p[0] == 0xff) {
		uint32_t len = big16(p + 2);

		if (p[1] == 0xff) { /* a fill byte */
			at++;
			continue;
		}
		if (jpeg_is_frame(p[1])) {
			p = look(w, at, 9);
			if (p != NULL)
				note_size(w, big16(p + 7), big16(p + 5));
			return;
		}
		/* The picture's data begin, or no segment follows. */
		if (p[1] == 0xda || p[1] == 0xd9 || len < 2)
			return;
		at += 2 + len;
	}
}

/* ---- PNG: IHDR, then chunks up to the data ---- */

static void
png_walk(struct walk *w)
{
	const uint8_t *p = look(w, 8, 16);
	int64_t at = 8;

	if (p == NULL || !named(p + 4, "IHDR"))
		return;
	note_size(w, big32(p + 8), big32(p + 12));
	while ((p = look(w, at, 12)) != NULL && !named(p + 4, "IDAT")) {
		if (named(p + 4, "acTL"))
			note_frames(w, big32(p + 8));
		at += INT64_C(12) + big32(p);
	}
}

/* ---- GIF: each frame has a size of its own ---- */

/* Behind blocks of data that each begin with their length. */
static bool
gif_skip_data(struct walk *w, int64_t *at)
{
	const uint8_t *p;

	while ((p = look(w, *at, 1)) != NULL) {
		*at += 1 + *p;
		if (*p == 0)
			return true;
	}
	return false;
}

/* Bytes of the table of colours that the flags announce. */
static int64_t
gif_colours(uint8_t flags)
{
	return (flags & 0x80) == 0 ? 0 : INT64_C(3) << ((flags & 7) + 1);
}

static bool
gif_frame(struct walk *w, int64_t *at)
{
	const uint8_t *p = look(w, *at, 10);

	if (p == NULL)
		return false;
	note_size(w, little16(p + 1) + little16(p + 5),
	    little16(p + 3) + little16(p + 7));
	note_frames(w, w->found.frames + 1);
	*at += 11 + gif_colours(p[9]);
	return w->found.frames <= PICTURE_FRAMES_MAX && gif_skip_data(w, at);
}

static void
gif_walk(struct walk *w)
{
	const uint8_t *p = look(w, 0, 13);
	int64_t at;
	bool goes_on = true;

	if (p == NULL)
		return;
	note_size(w, little16(p + 6), little16(p + 8));
	at = 13 + gif_colours(p[10]);
	while (goes_on && (p = look(w, at, 1)) != NULL) {
		if (*p == 0x21) {
			at += 2;
			goes_on = gif_skip_data(w, &at);
		} else {
			goes_on = *p == 0x2c && gif_frame(w, &at);
		}
	}
}

/* ---- WebP: the canvas, frames, and what each stream says itself ---- */

/* Of a chunk whose first bytes are at p, n of them. */
static void
webp_chunk(struct walk *w, const uint8_t *p, size_t n)
{
	const uint8_t *d = p + 8;

	if (named(p, "VP8X") && n >= 18) {
		note_size(w, little24(d + 4) + 1, little24(d + 7) + 1);
	} else if (named(p, "VP8L") && n >= 13 && d[0] == 0x2f) {
		uint32_t bits = little32(d + 1);

		note_size(w, (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
	} else if (named(p, "VP8 ") && n >= 18 &&
		   memcmp(d + 3, "\x9d\x01\x2a", 3) == 0) {
		note_size(
		    w, little16(d + 6) & 0x3fff, little16(d + 8) & 0x3fff);
	} else if (named(p, "ANMF") && n >= 20) {
		note_size(w, little24(d + 6) + 1, little24(d + 9) + 1);
		note_frames(w, w->found.frames + 1);
	}
}

static void
webp_walk(struct walk *w)
{
	enum { MOST = 20, FRAME_HEAD = 16 };
	int64_t at = 12;

	while (w->found.frames <= PICTURE_FRAMES_MAX) {
		const uint8_t *p = look(w, at, MOST);
		size_t n = MOST;

		if (p == NULL) { /* the file ends in this chunk */
			p = w->window;
			n = w->n;
		}
		if (n < 8)
			return;
		webp_chunk(w, p, n);
		/* A frame holds chunks of its own. */
		at += 8;
		at += named(p, "ANMF") ? FRAME_HEAD
				       : (little32(p + 4) + INT64_C(1)) & ~1;
	}
}

/* ---- AVIF: boxes ---- */

struct box {
	const uint8_t *p; /* its header */
	int64_t body;     /* where it goes on behind that */
	int64_t next;     /* where the next one is; -1: it is the last */
};

static bool
box_at(struct walk *w, int64_t at, struct box *ret)
{
	const uint8_t *p = look(w, at, 8);
	uint64_t size;

	if (p == NULL)
		return false;
	size = big32(p);
	*ret = (struct box){ p, at + 8, -1 };
	if (size == 1) {
		p = look(w, at, 16);
		if (p == NULL)
			return false;
		size = (uint64_t)big32(p + 8) << 32 | big32(p + 12);
		ret->p = p;
		ret->body = at + 16;
	}
	if (size < (uint64_t)(ret->body - at))
		return size == 0;
	if (size <= (uint64_t)(INT64_MAX - at))
		ret->next = at + (int64_t)size;
	return true;
}

/* Bytes between the header of a box that holds others and the first of them;
 * -1: it is none. */
static int
box_holds(const uint8_t *p)
{
	static const char holders[][5] = { "moov", "trak", "mdia", "minf",
		"stbl", "iprp", "ipco" };

	if (named(p + 4, "meta"))
		return 4;
	for (size_t i = 0; i < LEN(holders); i++)
		if (named(p + 4, holders[i]))
			return 0;
	return -1;
}

/* A track's size stands behind its times, which are long in version 1. */
static void
avif_track(struct walk *w, int64_t body)
{
	const uint8_t *p = look(w, body, 1);

	p = p == NULL ? NULL : look(w, body + (*p == 1 ? 88 : 76), 8);
	if (p != NULL)
		note_size(w, big16(p), big16(p + 4));
}

static void
avif_box(struct walk *w, const char name[static 4], int64_t body)
{
	const uint8_t *p;

	if (memcmp(name, "tkhd", 4) == 0) {
		avif_track(w, body);
	} else if (memcmp(name, "ispe", 4) == 0) {
		p = look(w, body, 12);
		if (p != NULL)
			note_size(w, big32(p + 4), big32(p + 8));
	} else if (memcmp(name, "stsz", 4) == 0) {
		p = look(w, body, 12);
		if (p != NULL)
			note_frames(w, big32(p + 8));
	}
}

static void
avif_walk(struct walk *w)
{
	struct box box;
	int64_t at = 0;

	while (at >= 0 && box_at(w, at, &box)) {
		int holds = box_holds(box.p);
		char name[4];

		memcpy(name, box.p + 4, sizeof(name));
		avif_box(w, name, box.body);
		at = holds >= 0 ? box.body + holds : box.next;
	}
}

/* ---- all of them ---- */

bool
picture_look(enum picture_kind kind, picture_read *read, void *ctx,
    struct picture *ret, struct err *e)
{
	static void (*const walks[])(struct walk *) = {
		[PICTURE_JPEG] = jpeg_walk,
		[PICTURE_PNG] = png_walk,
		[PICTURE_GIF] = gif_walk,
		[PICTURE_WEBP] = webp_walk,
		[PICTURE_AVIF] = avif_walk,
	};
	struct walk w = { .read = read, .ctx = ctx, .e = e };

	if (kind != PICTURE_NONE)
		walks[kind](&w);
	if (w.failed)
		return false;
	if (w.found.width == 0 || w.found.height == 0)
		return err_field(e, "file",
		    "The file does not say how large the picture is.");
	if (w.found.frames == 0)
		w.found.frames = 1;
	*ret = w.found;
	return true;
}

bool
picture_bounded(const struct picture *p, struct err *e)
{
	uint64_t pixels = (uint64_t)p->width * p->height;

	if (p->width > PICTURE_SIDE_MAX || p->height > PICTURE_SIDE_MAX ||
	    pixels > PICTURE_PIXELS_MAX)
		return err_field(e, "file",
		    "The picture has %lu x %lu pixels. At most %d a side are "
		    "taken, and %d megapixels.",
		    (unsigned long)p->width, (unsigned long)p->height,
		    PICTURE_SIDE_MAX, PICTURE_PIXELS_MAX / 1000000);
	/* Both factors are bounded by now, so this cannot overflow. */
	if (p->frames > PICTURE_FRAMES_MAX ||
	    pixels * p->frames > PICTURE_ALL_PIXELS_MAX)
		return err_field(e, "file",
		    "The picture has too many frames: at most %d are taken, "
		    "and %d megapixels in all.",
		    PICTURE_FRAMES_MAX, PICTURE_ALL_PIXELS_MAX / 1000000);
	return true;
}
