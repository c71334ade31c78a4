#include "common/site/media_type.h"

#include <string.h>
#include <strings.h>

/* Numbers in the order of bytes that the format has; the caller has checked
 * that they are there. */
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
begins(const uint8_t *p, size_t n, const char *text, size_t len)
{
	return n >= len && memcmp(p, text, len) == 0;
}

/* ---- JPEG: ITU T.81, annex B ---- */

static bool
jpeg_matches(const uint8_t *p, size_t n)
{
	return begins(p, n, "\xff\xd8\xff", 3);
}

/* A frame header: SOF0 to SOF15 without DHT, JPG and DAC. */
static bool
jpeg_is_frame(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
	       marker != 0xc8 && marker != 0xcc;
}

/* Go from segment to segment.  A length too small to be one leads to bytes
 * that begin no segment; each step goes forward by two at least. */
static bool
jpeg_size(const uint8_t *p, size_t n, uint32_t *ret_width, uint32_t *ret_height)
{
	size_t at = 2;

	while (n - at >= 9) {
		uint8_t marker = p[at + 1];
		uint32_t len = big16(p + at + 2);

		if (p[at] != 0xff)
			return false;
		if (marker == 0xff) { /* a fill byte */
			at++;
			continue;
		}
		if (jpeg_is_frame(marker)) {
			*ret_height = big16(p + at + 5);
			*ret_width = big16(p + at + 7);
			return true;
		}
		/* The picture's data begin, or no segment follows. */
		if (marker == 0xda || marker == 0xd9 || len + 2 > n - at)
			return false;
		at += len + 2;
	}
	return false;
}

/* ---- PNG ---- */

static bool
png_matches(const uint8_t *p, size_t n)
{
	return begins(p, n, "\x89PNG\r\n\x1a\n", 8);
}

static bool
png_size(const uint8_t *p, size_t n, uint32_t *ret_width, uint32_t *ret_height)
{
	if (n < 24 || memcmp(p + 12, "IHDR", 4) != 0)
		return false;
	*ret_width = big32(p + 16);
	*ret_height = big32(p + 20);
	return true;
}

/* ---- GIF ---- */

static bool
gif_matches(const uint8_t *p, size_t n)
{
	return begins(p, n, "GIF87a", 6) || begins(p, n, "GIF89a", 6);
}

static bool
gif_size(const uint8_t *p, size_t n, uint32_t *ret_width, uint32_t *ret_height)
{
	if (n < 10)
		return false;
	*ret_width = little16(p + 6);
	*ret_height = little16(p + 8);
	return true;
}

/* ---- WebP: RFC 9649 ---- */

static bool
webp_matches(const uint8_t *p, size_t n)
{
	return n >= 12 && memcmp(p, "RIFF", 4) == 0 &&
	       memcmp(p + 8, "WEBP", 4) == 0;
}

/* The first chunk says it: lossy, lossless or extended. */
static bool
webp_size(const uint8_t *p, size_t n, uint32_t *ret_width, uint32_t *ret_height)
{
	if (n < 30)
		return false;
	if (memcmp(p + 12, "VP8X", 4) == 0) {
		*ret_width = little24(p + 24) + 1;
		*ret_height = little24(p + 27) + 1;
		return true;
	}
	if (memcmp(p + 12, "VP8L", 4) == 0 && p[20] == 0x2f) {
		uint32_t bits = little32(p + 21);

		*ret_width = (bits & 0x3fff) + 1;
		*ret_height = (bits >> 14 & 0x3fff) + 1;
		return true;
	}
	if (memcmp(p + 12, "VP8 ", 4) == 0 &&
	    memcmp(p + 23, "\x9d\x01\x2a", 3) == 0) {
		*ret_width = little16(p + 26) & 0x3fff;
		*ret_height = little16(p + 28) & 0x3fff;
		return true;
	}
	return false;
}

/* ---- ISO base media: ftyp and the major brand ---- */

static bool
brand_is_one_of(const uint8_t *p, size_t n, const char *brands)
{
	if (n < 12 || memcmp(p + 4, "ftyp", 4) != 0)
		return false;
	for (; *brands != '\0'; brands += 4)
		if (memcmp(p + 8, brands, 4) == 0)
			return true;
	return false;
}

static bool
avif_matches(const uint8_t *p, size_t n)
{
	return brand_is_one_of(p, n, "avifavis");
}

static bool
mp4_matches(const uint8_t *p, size_t n)
{
	return brand_is_one_of(p, n, "isomiso2iso3iso4iso5iso6mp41mp42avc1");
}

static bool
pdf_matches(const uint8_t *p, size_t n)
{
	return begins(p, n, "%PDF-", 5);
}

static const struct media_type types[] = {
	{ "image/jpeg", { "jpg", "jpeg" }, true, jpeg_matches, jpeg_size },
	{ "image/png", { "png" }, true, png_matches, png_size },
	{ "image/gif", { "gif" }, true, gif_matches, gif_size },
	{ "image/webp", { "webp" }, true, webp_matches, webp_size },
	{ "image/avif", { "avif" }, true, avif_matches, NULL },
	{ "application/pdf", { "pdf" }, false, pdf_matches, NULL },
	{ "video/mp4", { "mp4" }, true, mp4_matches, NULL },
};

static bool
has_extension(const struct media_type *t, const char *extension)
{
	for (const char *const *x = t->extensions; *x != NULL; x++)
		if (strcasecmp(*x, extension) == 0)
			return true;
	return false;
}

const struct media_type *
media_type_of_name(const char *filename)
{
	const char *dot = strrchr(filename, '.');

	for (size_t i = 0; dot != NULL && i < LEN(types); i++)
		if (has_extension(&types[i], dot + 1))
			return &types[i];
	return NULL;
}

const struct media_type *
media_type_of_mime(const char *mime)
{
	for (size_t i = 0; i < LEN(types); i++)
		if (strcmp(types[i].mime, mime) == 0)
			return &types[i];
	return NULL;
}

const struct media_type *
media_type_of_bytes(const void *p, size_t n)
{
	for (size_t i = 0; i < LEN(types); i++)
		if (types[i].matches(p, n))
			return &types[i];
	return NULL;
}

bool
media_type_size(const struct media_type *t, const void *p, size_t n,
    int *ret_width, int *ret_height)
{
	uint32_t width = 0, height = 0;

	if (t->size == NULL || !t->matches(p, n) ||
	    !t->size(p, n, &width, &height))
		return false;
	if (width == 0 || width > INT32_MAX || height == 0 ||
	    height > INT32_MAX)
		return false;
	*ret_width = (int)width;
	*ret_height = (int)height;
	return true;
}
