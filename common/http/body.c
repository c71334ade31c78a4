/* The request body: counted as it comes. */
#include "common/http/body.h"

#include "common/link/fcgi.h"

static bool
too_large(const struct body *b, struct err *e)
{
	return err_fail(e, ERR_TOO_LARGE,
	    "The request body is larger than the %lld bytes allowed.",
	    (long long)b->max_bytes);
}

bool
body_init(struct body *b, struct req *r, int64_t max_bytes, struct err *e)
{
	*b = (struct body){ .req = r, .max_bytes = max_bytes };
	if (r->length > max_bytes)
		return too_large(b, e);
	return true;
}

/* A body that ends before its length is refused by fcgi_read(). */
bool
body_read(struct body *b, void *p, size_t max, size_t *ret_n, struct err *e)
{
	int64_t length = b->req->length;
	size_t n = 0;

	if (!b->ended && !fcgi_read(b->req->fcgi, p, max, &n, e))
		return false;
	b->seen += (int64_t)n;
	if (length >= 0 && b->seen > length)
		return err_fail(e, ERR_INVALID,
		    "The request body is longer than its Content-Length.");
	if (b->seen > b->max_bytes)
		return too_large(b, e);
	if (n == 0 && max > 0)
		b->ended = true;
	*ret_n = n;
	return true;
}

bool
body_all(struct body *b, struct buf *ret, struct err *e)
{
	char chunk[8192];
	size_t n = 0;

	do {
		if (!body_read(b, chunk, sizeof(chunk), &n, e))
			return false;
		buf_add(ret, chunk, n);
	} while (n > 0);
	return buf_ok(ret, e);
}
