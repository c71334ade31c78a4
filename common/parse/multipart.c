/*
 * multipart/form-data.  The delimiter is looked for as "\r\n--boundary"; the
 * first one and that of an empty body come without their line end, so they
 * start as if it had just been seen (unsent).  A carriage return is the
 * first byte of the delimiter and nowhere else in it, so a search that fails
 * in the middle never has to look back: at most one pass over the bytes.
 */
#include "common/parse/multipart.h"

#include <strings.h>

#include "common/parse/header.h"

enum state {
	BODY,          /* a part's data, or the preamble before the first */
	BOUNDARY,      /* behind "\r\n--boundary": is it a delimiter? */
	BOUNDARY_CR,   /* behind that and a carriage return */
	BOUNDARY_DASH, /* behind that and one '-' */
	PADDING,       /* a delimiter, white space behind it */
	PADDING_CR,
	HEADER, /* in a part's headers */
	CLOSED, /* behind the closing delimiter */
	CLOSED_CR,
	EPILOGUE, /* ignored to the end */
	FAILED,
};

static bool
init_boundary(struct multipart *m, const char *content_type, struct err *e)
{
	char boundary[MULTIPART_BOUNDARY_MAX + 1];
	size_t n;

	if (!header_parameter(
		content_type, "boundary", boundary, sizeof(boundary)))
		return err_fail(e, ERR_INVALID,
		    "The Content-Type header needs one boundary of at most %d "
		    "characters.",
		    MULTIPART_BOUNDARY_MAX);
	n = strlen(boundary);
	if (n == 0 || boundary[n - 1] == ' ' ||
	    strspn(boundary, "0123456789abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ") != n)
		return err_fail(e, ERR_INVALID,
		    "The boundary in the Content-Type header has characters "
		    "that are not allowed.");
	memcpy(m->boundary, "\r\n--", 4);
	memcpy(m->boundary + 4, boundary, n + 1);
	m->boundary_n = n + 4;
	return true;
}

/* Data begins: a delimiter may follow at once, its line end being the one
 * that was just seen. */
static void
begin_body(struct multipart *m)
{
	m->state = BODY;
	m->matched = m->unsent = 2;
}

bool
multipart_init(struct multipart *m, const char *content_type,
    const struct multipart_events *events, void *ctx, struct err *e)
{
	char type[sizeof("multipart/form-data")];

	*m = (struct multipart){ .events = events, .ctx = ctx };
	m->state = FAILED;
	if (!header_media_type(content_type, type, sizeof(type)) ||
	    strcmp(type, "multipart/form-data") != 0)
		return err_fail(e, ERR_INVALID,
		    "The body must be sent as multipart/form-data.");
	if (!init_boundary(m, content_type, e))
		return false;
	begin_body(m);
	return true;
}

static bool
send_data(struct multipart *m, const char *p, size_t n, struct err *e)
{
	if (n == 0 || m->nparts == 0)
		return true;
	return m->events->data(m->ctx, p, n, e);
}

/* What was held back is data after all. */
static bool
send_held(struct multipart *m, struct err *e)
{
	size_t from = m->unsent, n = m->matched - m->unsent;

	m->matched = m->unsent = 0;
	return send_data(m, m->boundary + from, n, e);
}

/* Equal bytes at the start of both. */
static size_t
common_prefix(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* Bytes of p before the first that may begin the delimiter; *ret_matched
 * says how much of it is there: all of it, or all that p has. */
static size_t
find_boundary(
    const struct multipart *m, const char *p, size_t n, size_t *ret_matched)
{
	size_t at = 0;

	*ret_matched = 0;
	while (at < n) {
		const char *cr = memchr(p + at, '\r', n - at);
		size_t left;

		if (cr == NULL)
			return n;
		at = (size_t)(cr - p);
		left = n - at < m->boundary_n ? n - at : m->boundary_n;
		if ((left < 2 || cr[1] == '\n') &&
		    memcmp(cr, m->boundary, left) == 0) {
			*ret_matched = left;
			return at;
		}
		at++;
	}
	return n;
}

/* Goes on with a delimiter begun earlier; *ret_used bytes were of it. */
static bool
continue_boundary(struct multipart *m, const char *p, size_t n,
    size_t *ret_used, struct err *e)
{
	size_t left = m->boundary_n - m->matched, used;

	if (left > n)
		left = n;
	used = common_prefix(m->boundary + m->matched, p, left);
	*ret_used = used;
	m->matched += used;
	return used == left || send_held(m, e);
}

static bool
push_body(struct multipart *m, const char *p, size_t n, size_t *ret_used,
    struct err *e)
{
	size_t run;

	if (m->matched > 0) {
		if (!continue_boundary(m, p, n, ret_used, e))
			return false;
	} else {
		run = find_boundary(m, p, n, &m->matched);
		*ret_used = run + m->matched;
		if (!send_data(m, p, run, e))
			return false;
	}
	if (m->matched == m->boundary_n)
		m->state = BOUNDARY;
	return true;
}

/* It only looked like a delimiter: what was held back, extra included, is
 * data. */
static bool
not_boundary(struct multipart *m, const char *extra, struct err *e)
{
	m->state = BODY;
	return send_held(m, e) && send_data(m, extra, strlen(extra), e);
}

static bool
end_part(struct multipart *m, struct err *e)
{
	m->matched = m->unsent = 0;
	return m->nparts == 0 || m->events->end(m->ctx, e);
}

static bool
begin_headers(struct multipart *m, struct err *e)
{
	if (!end_part(m, e))
		return false;
	if (m->nparts == MULTIPART_PARTS_MAX)
		return err_fail(e, ERR_INVALID,
		    "The form has more than %d parts.", MULTIPART_PARTS_MAX);
	m->nparts++;
	m->state = HEADER;
	m->nheaders = m->header_bytes = m->line_n = 0;
	m->has_disposition = m->has_type = false;
	m->part = (struct multipart_part){ .name = "" };
	return true;
}

static bool
close_form(struct multipart *m, struct err *e)
{
	m->state = CLOSED;
	return end_part(m, e);
}

static bool
line_fail(struct err *e)
{
	return err_fail(e, ERR_INVALID,
	    "The lines between the parts of the form must end in CR LF.");
}

/* What the byte right behind a boundary makes of it; BODY: data. */
static int
after_boundary(char c)
{
	switch (c) {
	case '\r':
		return BOUNDARY_CR;
	case '-':
		return BOUNDARY_DASH;
	case ' ':
	case '\t':
		return PADDING;
	default:
		return BODY;
	}
}

/* The bytes behind a boundary that decide what it is; *ret_used is 0 when
 * it was data and the byte is still to be looked at. */
static bool
push_boundary(struct multipart *m, char c, size_t *ret_used, struct err *e)
{
	int next = m->state == BOUNDARY ? after_boundary(c) : BODY;

	if (m->state == BOUNDARY && c == '\n')
		return line_fail(e);
	if (m->state == BOUNDARY_CR && c == '\n')
		return begin_headers(m, e);
	if (m->state == BOUNDARY_DASH && c == '-')
		return close_form(m, e);
	if (next != BODY) {
		m->state = next;
		return true;
	}
	*ret_used = 0;
	if (m->state == BOUNDARY_CR)
		return not_boundary(m, "\r", e);
	return not_boundary(m, m->state == BOUNDARY_DASH ? "-" : "", e);
}

/* White space behind a delimiter, then the end of its line. */
static bool
push_line_end(struct multipart *m, char c, struct err *e)
{
	bool closed = m->state == CLOSED || m->state == CLOSED_CR;

	if (m->state == PADDING_CR && c == '\n')
		return begin_headers(m, e);
	if (m->state == CLOSED_CR && c == '\n') {
		m->state = EPILOGUE;
		return true;
	}
	if (m->state == PADDING_CR || m->state == CLOSED_CR ||
	    (c != '\r' && c != ' ' && c != '\t'))
		return line_fail(e);
	if (c == '\r')
		m->state = closed ? CLOSED_CR : PADDING_CR;
	return true;
}

/* Browsers write a quote and line ends in names this way, and no other
 * byte: what else looks like an escape is part of the name. */
static void
decode_name(char *s)
{
	char *to = s;

	for (; *s != '\0'; to++) {
		if (strncmp(s, "%22", 3) == 0)
			*to = '"';
		else if (strncasecmp(s, "%0d", 3) == 0)
			*to = '\r';
		else if (strncasecmp(s, "%0a", 3) == 0)
			*to = '\n';
		else {
			*to = *s++;
			continue;
		}
		s += 3;
	}
	*to = '\0';
}

static bool
take_disposition(struct multipart *m, const char *value, struct err *e)
{
	struct multipart_part *part = &m->part;
	size_t n = header_token(value);
	enum header_found file;

	if (m->has_disposition || n != strlen("form-data") ||
	    strncasecmp(value, "form-data", n) != 0)
		return err_fail(e, ERR_INVALID,
		    "Each part of the form needs one Content-Disposition: "
		    "form-data.");
	if (header_form_parameter(
		value, "name", part->name, sizeof(part->name)) != HEADER_FOUND)
		return err_fail(e, ERR_INVALID,
		    "Each part of the form needs one name of at most %d bytes.",
		    MULTIPART_NAME_MAX);
	file = header_form_parameter(
	    value, "filename", part->filename, sizeof(part->filename));
	if (file == HEADER_BAD)
		return err_fail(e, ERR_INVALID,
		    "A part of the form has two file names or one of more "
		    "than %d bytes.",
		    MULTIPART_FILENAME_MAX);
	decode_name(part->name);
	decode_name(part->filename);
	part->has_filename = file == HEADER_FOUND;
	m->has_disposition = true;
	return true;
}

static bool
take_type(struct multipart *m, const char *value, struct err *e)
{
	char *type = m->part.type;

	if (m->has_type ||
	    !header_media_type(value, type, sizeof(m->part.type)) ||
	    strncmp(type, "multipart/", strlen("multipart/")) == 0)
		return err_fail(e, ERR_INVALID,
		    "A part of the form has a Content-Type that is not valid "
		    "here.");
	m->has_type = true;
	return true;
}

static bool
take_encoding(const char *value, struct err *e)
{
	static const char *const plain[] = { "7bit", "8bit", "binary" };

	for (size_t i = 0; i < LEN(plain); i++)
		if (strcasecmp(value, plain[i]) == 0)
			return true;
	return err_fail(e, ERR_INVALID,
	    "A part of the form has a Content-Transfer-Encoding; send its "
	    "bytes as they are.");
}

static bool
take_header(
    struct multipart *m, const char *name, const char *value, struct err *e)
{
	if (strcasecmp(name, "Content-Disposition") == 0)
		return take_disposition(m, value, e);
	if (strcasecmp(name, "Content-Type") == 0)
		return take_type(m, value, e);
	if (strcasecmp(name, "Content-Transfer-Encoding") == 0)
		return take_encoding(value, e);
	return true;
}

/* "name: value" in m->line; a folded line has no name. */
static bool
parse_header(struct multipart *m, struct err *e)
{
	size_t n = header_token(m->line), end = strlen(m->line);

	if (n == 0 || m->line[n] != ':')
		return err_fail(e, ERR_INVALID,
		    "A part of the form has a header that is not valid.");
	if (++m->nheaders > MULTIPART_HEADERS_MAX)
		return err_fail(e, ERR_INVALID,
		    "A part of the form has more than %d headers.",
		    MULTIPART_HEADERS_MAX);
	while (m->line[end - 1] == ' ' || m->line[end - 1] == '\t')
		end--;
	m->line[n] = m->line[end] = '\0';
	n++;
	n += strspn(m->line + n, " \t");
	return take_header(m, m->line, m->line + n, e);
}

static bool
end_headers(struct multipart *m, struct err *e)
{
	if (!m->has_disposition)
		return err_fail(e, ERR_INVALID,
		    "Each part of the form needs one Content-Disposition: "
		    "form-data.");
	begin_body(m);
	return m->events->part(m->ctx, &m->part, e);
}

/* A whole line stands in m->line, its line feed included. */
static bool
take_line(struct multipart *m, struct err *e)
{
	size_t n = m->line_n;

	m->line_n = 0;
	if (n < 2 || m->line[n - 2] != '\r')
		return line_fail(e);
	n -= 2;
	m->line[n] = '\0';
	if (strlen(m->line) != n || strchr(m->line, '\r') != NULL)
		return err_fail(e, ERR_INVALID,
		    "A part of the form has a NUL byte or a carriage return in "
		    "a header.");
	return n == 0 ? end_headers(m, e) : parse_header(m, e);
}

static bool
push_header(struct multipart *m, const char *p, size_t n, size_t *ret_used,
    struct err *e)
{
	const char *lf = memchr(p, '\n', n);
	size_t take = lf == NULL ? n : (size_t)(lf - p) + 1;

	if (take > MULTIPART_HEADER_BYTES_MAX - m->header_bytes)
		return err_fail(e, ERR_INVALID,
		    "A part of the form has headers of more than %d bytes.",
		    MULTIPART_HEADER_BYTES_MAX);
	memcpy(m->line + m->line_n, p, take);
	m->line_n += take;
	m->header_bytes += take;
	*ret_used = take;
	return lf == NULL || take_line(m, e);
}

/* Some of the n > 0 bytes at p.  None only where the state changes to one
 * that takes them. */
static bool
push_some(struct multipart *m, const char *p, size_t n, size_t *ret_used,
    struct err *e)
{
	*ret_used = 1;
	switch ((enum state)m->state) {
	case BODY:
		return push_body(m, p, n, ret_used, e);
	case BOUNDARY:
	case BOUNDARY_CR:
	case BOUNDARY_DASH:
		return push_boundary(m, *p, ret_used, e);
	case PADDING:
	case PADDING_CR:
	case CLOSED:
	case CLOSED_CR:
		return push_line_end(m, *p, e);
	case HEADER:
		return push_header(m, p, n, ret_used, e);
	case EPILOGUE:
		*ret_used = n;
		return true;
	case FAILED:
		break;
	}
	return err_fail(e, ERR_INVALID, "The form is not valid.");
}

bool
multipart_push(struct multipart *m, const char *p, size_t n, struct err *e)
{
	size_t used;

	for (size_t i = 0; i < n; i += used) {
		if (push_some(m, p + i, n - i, &used, e))
			continue;
		m->state = FAILED;
		return false;
	}
	return true;
}

bool
multipart_end(struct multipart *m, struct err *e)
{
	bool closed =
	    m->state == CLOSED || m->state == CLOSED_CR || m->state == EPILOGUE;

	if (m->state == FAILED)
		return err_fail(e, ERR_INVALID, "The form is not valid.");
	if (!closed)
		return err_fail(e, ERR_INVALID,
		    "The form is cut off: its closing boundary is missing.");
	return true;
}
