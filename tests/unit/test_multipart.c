/*
 * multipart/form-data.  Each case is parsed whole, byte by byte and split in
 * two at every place: the events must be the same ones.
 */
#include "common/parse/multipart.h"

#include "common/base/buf.h"
#include "tests/unit/tap.h"

#define CT                 "multipart/form-data; boundary=XyZ"
#define FD                 "Content-Disposition: form-data; "
#define OPEN               "--XyZ\r\n"
#define CLOSE              "\r\n--XyZ--\r\n"
#define PART(params, body) OPEN FD params "\r\n\r\n" body

/* What came, as text: [name|filename|type]data. for each part. */
struct record {
	struct buf text;
	int fail_at; /* the callback that fails, counted from 1; 0: none */
	int calls;
};

static bool
allowed(struct record *r, struct err *e)
{
	if (++r->calls != r->fail_at)
		return true;
	return err_fail(e, ERR_NO_SPACE, "the disk is full");
}

static bool
on_part(void *ctx, const struct multipart_part *p, struct err *e)
{
	struct record *r = ctx;

	buf_addf(&r->text, "[%s|%s|%s]", p->name,
	    p->has_filename ? p->filename : "-", p->type);
	return allowed(r, e);
}

static bool
on_data(void *ctx, const char *p, size_t n, struct err *e)
{
	struct record *r = ctx;

	if (n == 0)
		buf_adds(&r->text, "(empty data)");
	buf_add(&r->text, p, n);
	return allowed(r, e);
}

static bool
on_end(void *ctx, struct err *e)
{
	struct record *r = ctx;

	buf_addc(&r->text, '.');
	return allowed(r, e);
}

static const struct multipart_events events = { on_part, on_data, on_end };

static struct multipart parser;

/* The events of p, pushed in pieces that end at split and after every step
 * bytes, then "!code" if it was refused. */
static void
parse(struct record *r, const char *type, const char *p, size_t n, size_t split,
    size_t step)
{
	struct err e = { 0 };
	bool good = multipart_init(&parser, type, &events, r, &e);

	for (size_t i = 0; good && i < n;) {
		size_t piece = n - i < step ? n - i : step;

		if (i < split && i + piece > split)
			piece = split - i;
		good = multipart_push(&parser, p + i, piece, &e);
		i += piece;
	}
	if (!good || !multipart_end(&parser, &e))
		buf_addf(&r->text, "!%s", err_name(e.code));
	if (!good && multipart_push(&parser, "x", 1, &e))
		buf_adds(&r->text, " and goes on");
}

/* The events of every way to split p against want. */
static void
check(const char *type, const char *p, size_t n, const char *want,
    const char *what)
{
	struct record whole = { .text = BUF_INIT }, r = { .text = BUF_INIT };
	size_t wrong = 0;

	parse(&whole, type, p, n, 0, n + 1);
	is_text(whole.text.data, want, "%s", what);
	for (size_t split = 0; split <= n; split++) {
		buf_clear(&r.text);
		parse(&r, type, p, n, split, n + 1);
		wrong += strcmp(r.text.data, whole.text.data) != 0;
	}
	is_int((int64_t)wrong, 0, "the same in two pieces: %s", what);
	for (size_t step = 1; step <= 3; step++) {
		buf_clear(&r.text);
		parse(&r, type, p, n, 0, step);
		is_text(r.text.data, whole.text.data,
		    "the same in pieces of %zu: %s", step, what);
	}
	buf_release(&whole.text);
	buf_release(&r.text);
}

static const struct {
	const char *what, *body, *want;
} bodies[] = {
	{ "one field", PART("name=a", "1") CLOSE, "[a|-|]1." },
	{ "two fields", PART("name=a", "1") "\r\n" PART("name=b", "2") CLOSE,
	    "[a|-|]1.[b|-|]2." },
	{ "a file",
	    OPEN FD "name=\"file\"; filename=\"x.png\"\r\n"
		    "Content-Type: Image/PNG; q=1\r\n\r\ndata" CLOSE,
	    "[file|x.png|image/png]data." },
	{ "nothing of a part is left in the next",
	    OPEN FD "name=a; filename=x\r\nContent-Type: b/c\r\n\r\n1\r\n" PART(
		"name=b", "2") CLOSE,
	    "[a|x|b/c]1.[b|-|]2." },
	{ "no parts", "--XyZ--", "" },
	{ "an empty part", PART("name=a", "") CLOSE, "[a|-|]." },
	{ "an empty part whose blank line ends it",
	    PART("name=a", "") "--XyZ--", "[a|-|]." },
	{ "a line end is data", PART("name=a", "\r\n") CLOSE, "[a|-|]\r\n." },
	{ "carriage returns", PART("name=a", "\r\r\r\n\r") CLOSE,
	    "[a|-|]\r\r\r\n\r." },
	{ "bare line feeds are data", PART("name=a", "\n--XyZ--\n") CLOSE,
	    "[a|-|]\n--XyZ--\n." },
	{ "half a boundary", PART("name=a", "\r\n--Xy\r\n--XyY") CLOSE,
	    "[a|-|]\r\n--Xy\r\n--XyY." },
	{ "a longer boundary", PART("name=a", "\r\n--XyZZ\r\n--XyZ-") CLOSE,
	    "[a|-|]\r\n--XyZZ\r\n--XyZ-." },
	{ "a boundary and one dash", PART("name=a", "\r\n--XyZ-x") CLOSE,
	    "[a|-|]\r\n--XyZ-x." },
	{ "a boundary and a bare carriage return",
	    PART("name=a", "\r\n--XyZ\rx") CLOSE, "[a|-|]\r\n--XyZ\rx." },
	{ "a boundary, a carriage return and the delimiter",
	    PART("name=a", "\r\n--XyZ\r") CLOSE, "[a|-|]\r\n--XyZ\r." },
	{ "a boundary, a dash and the delimiter",
	    PART("name=a", "\r\n--XyZ-") CLOSE, "[a|-|]\r\n--XyZ-." },
	{ "a boundary in mid-line", PART("name=a", "x--XyZ\r\n") CLOSE,
	    "[a|-|]x--XyZ\r\n." },
	{ "almost a boundary at the start of the data",
	    PART("name=a", "--XyY") CLOSE, "[a|-|]--XyY." },
	{ "a longer boundary at the start of the data",
	    PART("name=a", "--XyZ1") CLOSE, "[a|-|]--XyZ1." },
	{ "a preamble", "not --XyZ\r\nthis\r\n" PART("name=a", "1") CLOSE,
	    "[a|-|]1." },
	{ "an empty line first", "\r\n" PART("name=a", "1") CLOSE, "[a|-|]1." },
	{ "an epilogue", PART("name=a", "1") CLOSE "--XyZ\r\nno\nmatter",
	    "[a|-|]1." },
	{ "no line end at the end", PART("name=a", "1") "\r\n--XyZ--",
	    "[a|-|]1." },
	{ "half a line end at the end", PART("name=a", "1") "\r\n--XyZ--\r",
	    "[a|-|]1." },
	{ "padding behind delimiters",
	    "--XyZ \t\r\n" FD "name=a\r\n\r\n1\r\n--XyZ-- \t\r\n", "[a|-|]1." },
	{ "headers in any case, unknown ones",
	    OPEN "X-Other: \x01 \xff\r\nCONTENT-disposition:FORM-data ; "
		 "NAME=a\r\ncontent-transfer-encoding: BINARY \r\n\r\n1" CLOSE,
	    "[a|-|]1." },
	{ "an empty name", PART("name=\"\"", "1") CLOSE, "[|-|]1." },
	{ "an empty file name", PART("name=a; filename=\"\"", "") CLOSE,
	    "[a||]." },
	{ "filename* is ignored",
	    PART("name=a; filename=x; filename*=utf-8''y", "") CLOSE,
	    "[a|x|]." },
	{ "browsers' escapes",
	    PART("name=\"a%22%0d%0A%00%2\"; filename=\"%22%41%\"", "") CLOSE,
	    "[a\"\r\n%00%2|\"%41%|]." },
	{ "backslashes",
	    PART("name=\"a\\\"b\"; filename=\"C:\\dir\\\\n\"", "") CLOSE,
	    "[a\"b|C:\\dir\\n|]." },
	{ "semicolons and UTF-8 in names",
	    PART("name=\"a;b=c\"; filename=\"\xc4\x8d.png\"", "") CLOSE,
	    "[a;b=c|\xc4\x8d.png|]." },

	{ "nothing", "", "!invalid" },
	{ "no delimiter", "hello", "!invalid" },
	{ "half a delimiter", "--XyZ", "!invalid" },
	{ "half a closing delimiter", "--XyZ-", "!invalid" },
	{ "cut in the headers", OPEN FD "name=a\r\n", "!invalid" },
	{ "cut in the data", PART("name=a", "12"), "[a|-|]12!invalid" },
	{ "cut in the delimiter", PART("name=a", "12\r\n--Xy"),
	    "[a|-|]12!invalid" },
	{ "cut behind a part", PART("name=a", "1") "\r\n" OPEN,
	    "[a|-|]1.!invalid" },
	{ "text behind the closing delimiter",
	    PART("name=a", "1") "\r\n--XyZ--x", "[a|-|]1.!invalid" },
	{ "a bare line feed behind the closing delimiter",
	    PART("name=a", "1") "\r\n--XyZ--\n", "[a|-|]1.!invalid" },
	{ "a carriage return and text behind it",
	    PART("name=a", "1") "\r\n--XyZ--\rx", "[a|-|]1.!invalid" },
	{ "text behind a delimiter's padding", "--XyZ x\r\n", "!invalid" },
	{ "padding, carriage return, text", "--XyZ \rx", "!invalid" },
	{ "a bare line feed behind a boundary in the data",
	    PART("name=a", "1\r\n--XyZ\n") CLOSE, "[a|-|]1!invalid" },
	{ "a bare line feed behind a delimiter", "--XyZ\n", "!invalid" },
	{ "a bare line feed behind a header", OPEN FD "name=ab\n\r\n1" CLOSE,
	    "!invalid" },
	{ "a bare line feed as the blank line", OPEN FD "name=a\r\n\n1" CLOSE,
	    "!invalid" },
	{ "a carriage return in a header",
	    OPEN FD "name=a\r; x=y\r\n\r\n1" CLOSE, "!invalid" },
	{ "a carriage return in a header nobody reads",
	    OPEN FD "name=a\r\nX: y\rz\r\n\r\n1" CLOSE, "!invalid" },
	{ "a folded header", OPEN FD "name=a;\r\n x=y\r\n\r\n1" CLOSE,
	    "!invalid" },
	{ "no headers", OPEN "\r\n1" CLOSE, "!invalid" },
	{ "no disposition", OPEN "Content-Type: a/b\r\n\r\n1" CLOSE,
	    "!invalid" },
	{ "no name", OPEN FD "filename=x\r\n\r\n1" CLOSE, "!invalid" },
	{ "two names", PART("name=a; name=b", "1") CLOSE, "!invalid" },
	{ "two file names", PART("name=a; filename=b; filename=c", "") CLOSE,
	    "!invalid" },
	{ "an open quote", PART("name=a; filename=\"b", "") CLOSE, "!invalid" },
	{ "two dispositions", OPEN FD "name=a\r\n" FD "name=b\r\n\r\n1" CLOSE,
	    "!invalid" },
	{ "an attachment",
	    OPEN "Content-Disposition: attachment; name=a\r\n\r\n1" CLOSE,
	    "!invalid" },
	{ "a header without a colon", OPEN "hello\r\n\r\n1" CLOSE, "!invalid" },
	{ "a header without a name", OPEN ": x\r\n\r\n1" CLOSE, "!invalid" },
	{ "a space before the colon",
	    OPEN "Content-Disposition : form-data; name=a\r\n\r\n" CLOSE,
	    "!invalid" },
	{ "two types",
	    OPEN FD "name=a\r\nContent-Type: a/b\r\n"
		    "Content-Type: a/b\r\n\r\n" CLOSE,
	    "!invalid" },
	{ "no type in the type",
	    OPEN FD "name=a\r\nContent-Type: x\r\n\r\n" CLOSE, "!invalid" },
	{ "a multipart in a part",
	    OPEN FD "name=a\r\nContent-Type: multipart/mixed; "
		    "boundary=x\r\n\r\n" CLOSE,
	    "!invalid" },
	{ "base64",
	    OPEN FD "name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n" CLOSE,
	    "!invalid" },
	{ "quoted-printable",
	    OPEN "Content-Transfer-Encoding: quoted-printable\r\n" FD
		 "name=a\r\n\r\n" CLOSE,
	    "!invalid" },
};

static void
test_bodies(void)
{
	static const char nul[] = OPEN FD "name=a\0b\r\n\r\n" CLOSE;
	static const char data[] = PART("name=a", "x\0y") CLOSE;
	struct record r = { .text = BUF_INIT };

	for (size_t i = 0; i < LEN(bodies); i++)
		check(CT, bodies[i].body, strlen(bodies[i].body),
		    bodies[i].want, bodies[i].what);
	check(CT, nul, sizeof(nul) - 1, "!invalid", "a NUL in a header");
	parse(&r, CT, data, sizeof(data) - 1, 0, sizeof(data));
	ok(r.text.len == 10 && memcmp(r.text.data, "[a|-|]x\0y.", 10) == 0,
	    "a NUL is data");
	buf_release(&r.text);
}

static void
test_boundaries(void)
{
	static const char seventy[] = "0123456789012345678901234567890123456789"
				      "012345678901234567890123456789";
	static const struct {
		const char *type;
		bool want;
	} cases[] = {
		{ CT, true },
		{ "Multipart/Form-Data; BOUNDARY=XyZ", true },
		{ "multipart/form-data; charset=utf-8; boundary=\"XyZ\"",
		    true },
		{ "multipart/form-data; boundary=XyZ; charset=utf-8", true },
		{ "multipart/form-data", false },
		{ "multipart/form-data; boundary=", false },
		{ "multipart/form-data; boundary=\"\"", false },
		{ "multipart/form-data; boundary=XyZ; boundary=XyZ", false },
		{ "multipart/form-data; boundary=\"XyZ", false },
		{ "multipart/form-data; boundary=\"XyZ \"", false },
		{ "multipart/form-data; boundary=\"X\\\\Z\"", false },
		{ "multipart/form-data; boundary=\"X\tZ\"", false },
		{ "multipart/form-data; boundary=X%Z", false },
		{ "multipart/mixed; boundary=XyZ", false },
		{ "multipart/form-datax; boundary=XyZ", false },
		{ "application/json", false },
		{ "", false },
		{ NULL, false },
	};
	AUTO_BUF type = BUF_INIT, body = BUF_INIT;

	for (size_t i = 0; i < LEN(cases); i++)
		check(cases[i].type, "--XyZ--", 7,
		    cases[i].want ? "" : "!invalid",
		    cases[i].type == NULL ? "no type" : cases[i].type);
	check("multipart/form-data; boundary=\"a b:/?=(c)',\"",
	    "--a b:/?=(c)',--", 16, "", "all the characters");
	check("multipart/form-data; boundary=\"XyZ \"", "--XyZ --", 8,
	    "!invalid", "a space at the end");
	buf_addf(&type, "multipart/form-data; boundary=%s", seventy);
	buf_addf(
	    &body, "--%s\r\n" FD "name=a\r\n\r\n1\r\n--%s--", seventy, seventy);
	check(type.data, body.data, body.len, "[a|-|]1.", "70 characters");
	buf_addc(&type, 'x');
	check(type.data, body.data, body.len, "!invalid", "71 characters");
	for (int i = 0; i < 1000; i++)
		buf_addc(&type, 'x');
	check(type.data, body.data, 0, "!invalid", "1,000 characters");
}

/* A part with so many bytes of name, file name and headers. */
static void
add_part(struct buf *b, int name, int filename, int type)
{
	buf_addf(b, OPEN FD "name=\"%0*d\"; filename=\"%0*d\"\r\n", name, 0,
	    filename, 0);
	buf_addf(b, "Content-Type: a/%0*d\r\n\r\n", type - 2, 0);
}

static void
check_limit(const char *what, const struct buf *b, bool want)
{
	struct record r = { .text = BUF_INIT };

	parse(&r, CT, b->data, b->len, 0, b->len);
	ok((strchr(r.text.data, '!') == NULL) == want, "%s is %s", what,
	    want ? "taken" : "refused");
	buf_release(&r.text);
}

static void
test_part_limits(void)
{
	static const struct {
		const char *what;
		int name, filename, type;
		bool want;
	} cases[] = {
		{ "a name of 128 bytes", 128, 1, 3, true },
		{ "a name of 129 bytes", 129, 1, 3, false },
		{ "a file name of 1,024 bytes", 1, 1024, 3, true },
		{ "a file name of 1,025 bytes", 1, 1025, 3, false },
		{ "a type of 128 bytes", 1, 1, 128, true },
		{ "a type of 129 bytes", 1, 1, 129, false },
	};
	AUTO_BUF b = BUF_INIT;

	for (size_t i = 0; i < LEN(cases); i++) {
		buf_clear(&b);
		add_part(&b, cases[i].name, cases[i].filename, cases[i].type);
		buf_adds(&b, CLOSE);
		check_limit(cases[i].what, &b, cases[i].want);
	}
}

/* A part of so many headers that are bytes long together. */
static void
fill_headers(struct buf *b, int headers, int bytes)
{
	size_t want;

	buf_clear(b);
	buf_adds(b, OPEN);
	want = b->len + (size_t)bytes;
	buf_adds(b, FD "name=a\r\n");
	for (int i = 2; i < headers; i++)
		buf_adds(b, "X: y\r\n");
	buf_adds(b, "Y: ");
	while (b->len < want - 4)
		buf_addc(b, 'y');
	buf_adds(b, "\r\n\r\n1" CLOSE);
}

static void
test_header_limits(void)
{
	AUTO_BUF b = BUF_INIT;

	fill_headers(&b, MULTIPART_HEADERS_MAX, 200);
	check_limit("8 headers", &b, true);
	fill_headers(&b, MULTIPART_HEADERS_MAX + 1, 200);
	check_limit("9 headers", &b, false);
	fill_headers(&b, 2, MULTIPART_HEADER_BYTES_MAX);
	check_limit("4,096 bytes of headers", &b, true);
	fill_headers(&b, 2, MULTIPART_HEADER_BYTES_MAX + 1);
	check_limit("4,097 bytes of headers", &b, false);
	fill_headers(&b, 2, 100 * 1024);
	check_limit("a header of 100 KB", &b, false);

	for (int parts = MULTIPART_PARTS_MAX; parts < 22; parts++) {
		buf_clear(&b);
		for (int i = 0; i < parts; i++)
			buf_adds(&b, PART("name=a", "1") "\r\n");
		buf_adds(&b, "--XyZ--");
		check_limit(
		    parts == MULTIPART_PARTS_MAX ? "20 parts" : "21 parts", &b,
		    parts == MULTIPART_PARTS_MAX);
	}
}

/* Each callback in turn fails: its error comes out, and nothing after. */
static void
test_callbacks(void)
{
	static const char body[] =
	    PART("name=a", "1") "\r\n" PART("name=b", "2") CLOSE;
	static const char *const want[] = { "[a|-|]!no_space",
		"[a|-|]1!no_space", "[a|-|]1.!no_space",
		"[a|-|]1.[b|-|]!no_space", "[a|-|]1.[b|-|]2!no_space",
		"[a|-|]1.[b|-|]2.!no_space" };

	for (size_t i = 0; i < LEN(want); i++) {
		struct record r = { .text = BUF_INIT, .fail_at = (int)i + 1 };

		parse(&r, CT, body, sizeof(body) - 1, 0, sizeof(body));
		is_text(r.text.data, want[i], "callback %zu fails", i + 1);
		is_int(r.calls, (int64_t)i + 1, "and is the last");
		buf_release(&r.text);
	}
}

/* Ordinary data must not come byte by byte: a push makes few calls. */
static void
test_runs(void)
{
	AUTO_BUF b = BUF_INIT;
	struct record r = { .text = BUF_INIT };

	buf_adds(&b, PART("name=a", ""));
	for (int i = 0; i < 100 * 1024; i++)
		buf_addc(&b, (char)(i * 7919 >> 3));
	buf_adds(&b, CLOSE);
	parse(&r, CT, b.data, b.len, 0, 64 * 1024);
	ok(r.calls <= 6, "100 KB in two pushes makes %d calls", r.calls);
	is_int((int64_t)r.text.len, 100 * 1024 + 7, "and all of it comes");
	ok(sizeof(struct multipart) <= 16 * 1024, "a parser takes %zu bytes",
	    sizeof(struct multipart));
	buf_release(&r.text);
}

int
main(void)
{
	test_bodies();
	test_boundaries();
	test_part_limits();
	test_header_limits();
	test_callbacks();
	test_runs();
	return done();
}
