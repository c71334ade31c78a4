/* The request body: counted as it comes. */
#include "common/http/body.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/link/fcgi.h"

static bool
too_large(const struct body *b, struct err *e)
{
	return err_fail(e, ERR_TOO_LARGE,
	    "The request body is larger than the %lld bytes allowed.",
	    (long long)b->max_bytes);
}

/* Read once, from its beginning to its end. */
static bool
open_file(struct req *r, struct err *e)
{
	const char *name = req_header(r, "REQUEST_BODY_FILE");

	if (name == NULL || *name == '\0')
		return true;
	fd_close(&r->body_fd);
	r->body_fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return r->body_fd != -1 ||
	       err_errno(e, ERR_BUG, "could not open the body's file");
}

bool
body_init(struct body *b, struct req *r, int64_t max_bytes, struct err *e)
{
	*b = (struct body){ .req = r, .max_bytes = max_bytes };
	if (r->length > max_bytes)
		return too_large(b, e);
	return open_file(r, e);
}

static bool
read_file(struct body *b, void *p, size_t max, size_t *ret_n, struct err *e)
{
	ssize_t n;

	do
		n = read(b->req->body_fd, p, max);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return err_errno(e, ERR_BUG, "could not read the body's file");
	*ret_n = (size_t)n;
	if (n == 0 && b->seen < b->req->length)
		return err_fail(
		    e, ERR_INVALID, "The request body was cut short.");
	return true;
}

static bool
read_some(struct body *b, void *p, size_t max, size_t *ret_n, struct err *e)
{
	return b->req->body_fd != -1
		   ? read_file(b, p, max, ret_n, e)
		   : fcgi_read(b->req->fcgi, p, max, ret_n, e);
}

/* A body that ends before its length is refused by read_some(). */
bool
body_read(struct body *b, void *p, size_t max, size_t *ret_n, struct err *e)
{
	int64_t length = b->req->length;
	size_t n = 0;

	if (!b->ended && !read_some(b, p, max, &n, e))
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
