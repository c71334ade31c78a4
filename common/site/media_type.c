#include "common/site/media_type.h"

#include <string.h>
#include <strings.h>

static bool
begins(const uint8_t *p, size_t n, const char *text, size_t len)
{
	return n >= len && memcmp(p, text, len) == 0;
}

static bool
jpeg_matches(const uint8_t *p, size_t n)
{
	return begins(p, n, "\xff\xd8\xff", 3);
}

static bool
png_matches(const uint8_t *p, size_t n)
{
	return begins(p, n, "\x89PNG\r\n\x1a\n", 8);
}

static bool
gif_matches(const uint8_t *p, size_t n)
{
	return begins(p, n, "GIF87a", 6) || begins(p, n, "GIF89a", 6);
}

static bool
webp_matches(const uint8_t *p, size_t n)
{
	return n >= 12 && memcmp(p, "RIFF", 4) == 0 &&
	       memcmp(p + 8, "WEBP", 4) == 0;
}

/* ISO base media: ftyp and the major brand. */

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
	{ "image/jpeg", { "jpg", "jpeg" }, true, jpeg_matches, PICTURE_JPEG },
	{ "image/png", { "png" }, true, png_matches, PICTURE_PNG },
	{ "image/gif", { "gif" }, true, gif_matches, PICTURE_GIF },
	{ "image/webp", { "webp" }, true, webp_matches, PICTURE_WEBP },
	{ "image/avif", { "avif" }, true, avif_matches, PICTURE_AVIF },
	{ "application/pdf", { "pdf" }, false, pdf_matches, PICTURE_NONE },
	{ "video/mp4", { "mp4" }, true, mp4_matches, PICTURE_NONE },
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
