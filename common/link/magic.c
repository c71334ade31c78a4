/* What a file is, through libmagic. */
#include "common/link/magic.h"

#include <magic.h>

/*
 * The signatures alone: the readers of archives, ELF, CSV and the like know
 * nothing that is asked for here, and are what hostile files aim at.
 */
enum {
	FLAGS = MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |
		MAGIC_NO_CHECK_APPTYPE | MAGIC_NO_CHECK_ELF |
		MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_JSON |
		MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_ENCODING,
};

static magic_t cookie;

bool
magic_init(struct err *e)
{
	magic_t m;

	if (cookie != NULL)
		return true;
	m = magic_open(FLAGS);
	if (m == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "could not start libmagic");
	if (magic_load(m, NULL) != 0) {
		err_fail(e, ERR_UNAVAILABLE,
		    "could not load libmagic's "
		    "signatures: %s",
		    magic_error(m));
		magic_close(m);
		return false;
	}
	cookie = m;
	return true;
}

const char *
magic_mime(const void *p, size_t n)
{
	if (cookie == NULL)
		return NULL;
	return magic_buffer(cookie, p, n < MAGIC_BYTES ? n : MAGIC_BYTES);
}
