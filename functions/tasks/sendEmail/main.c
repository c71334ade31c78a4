/*
 * sendEmail {"to", "cc"?, "bcc"?, "replyTo"?, "subject", "text"?, "html"?}: one
 * mail by SMTP_URL from SMTP_FROM.
 *
 * to, cc, bcc and replyTo are an address or a list of them.  The Message-ID is
 * the same at each attempt of a job, so that a mail that was taken although its
 * job was tried again can be told.
 */
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/js.h"
#include "common/link/net_mail.h"
#include "common/parse/mailtext.h"
#include "common/runner/handler.h"

enum {
	RECIPIENTS_MAX = 100,
	REPLY_MAX = 10,
	SUBJECT_MAX = 500, /* bytes */
	ID_DIGITS = 16,
};

enum { FROM, TO, CC, REPLY_TO, SUBJECT, DATE, MESSAGE_ID, AUTO, HEADERS };

struct letter {
	struct mailtext_address from;
	struct mailtext_address to[RECIPIENTS_MAX];
	const char *rcpt[RECIPIENTS_MAX + 1];
	size_t nto;
	struct buf lines[HEADERS];
	const char *headers[HEADERS + 1];
	struct buf text, html;
	struct net_mail mail;
};

static void
letter_release(struct letter *l)
{
	for (size_t i = 0; i < LEN(l->lines); i++)
		buf_release(&l->lines[i]);
	buf_release(&l->text);
	buf_release(&l->html);
}

/* --- addresses ------------------------------------------------------------ */

static bool
parse_at(struct json_object *v, const char *key, struct mailtext_address *ret,
    struct err *e)
{
	struct err why = { 0 };
	const char *text = js_text_of(v);

	if (text != NULL && mailtext_parse(text, ret, &why))
		return true;
	return err_field(e, key, "%s: %s", key,
	    text == NULL ? "an address is a text" : why.msg);
}

/* Append the addresses under key to the header, if there are any. */
static bool
read_addresses(struct json_object *input, const char *key, size_t max,
    struct mailtext_address *ret, size_t *ret_n, struct buf *line,
    struct err *e)
{
	struct json_object *v = js_get(input, key);
	size_t n = js_is_array(v) ? js_len(v) : v != NULL;

	if (n > max)
		return err_field(e, key, "%s: too many addresses", key);
	for (size_t i = 0; i < n; i++) {
		if (!parse_at(
			js_is_array(v) ? js_at(v, i) : v, key, &ret[i], e))
			return false;
		if (line == NULL)
			continue;
		buf_adds(line, i == 0 ? " " : ",\r\n ");
		mailtext_add_address(line, &ret[i]);
	}
	*ret_n = n;
	return true;
}

static bool
read_recipients(struct letter *l, struct json_object *input, const char *key,
    struct buf *line, struct err *e)
{
	size_t n = 0;

	if (!read_addresses(input, key, RECIPIENTS_MAX - l->nto, l->to + l->nto,
		&n, line, e))
		return false;
	for (size_t i = 0; i < n; i++, l->nto++)
		l->rcpt[l->nto] = l->to[l->nto].address;
	return true;
}

static bool
read_all(struct letter *l, struct json_object *input, struct err *e)
{
	struct mailtext_address reply[REPLY_MAX];
	size_t n;

	if (!read_recipients(l, input, "to", &l->lines[TO], e))
		return false;
	if (l->nto == 0)
		return err_field(e, "to", "to: there is no address");
	return read_recipients(l, input, "cc", &l->lines[CC], e) &&
	       read_recipients(l, input, "bcc", NULL, e) &&
	       read_addresses(input, "replyTo", REPLY_MAX, reply, &n,
		   &l->lines[REPLY_TO], e);
}

/* --- the text ------------------------------------------------------------- */

static bool
read_subject(struct letter *l, struct json_object *input, struct err *e)
{
	const char *subject;

	if (!js_text(input, "subject", NULL, &subject, e))
		return false;
	if (subject == NULL || strlen(subject) > SUBJECT_MAX ||
	    !mailtext_is_line(subject))
		return err_field(e, "subject",
		    "subject: a line of at most %d bytes, without control "
		    "characters",
		    SUBJECT_MAX);
	buf_addc(&l->lines[SUBJECT], ' ');
	mailtext_add(&l->lines[SUBJECT], subject);
	return true;
}

/* Every kind of line end becomes CRLF. */
static bool
read_text(struct json_object *input, const char *key, struct buf *ret,
    const char **ret_text, struct err *e)
{
	const char *text;

	if (!js_text(input, key, NULL, &text, e))
		return false;
	if (text == NULL)
		return true;
	for (; *text != '\0'; text++) {
		if (text[0] == '\r' && text[1] == '\n')
			text++;
		if (*text == '\r' || *text == '\n')
			buf_adds(ret, "\r\n");
		else
			buf_addc(ret, *text);
	}
	*ret_text = ret->data;
	return buf_ok(ret, e);
}

static bool
read_texts(struct letter *l, struct json_object *input, struct err *e)
{
	if (!read_text(input, "text", &l->text, &l->mail.text, e) ||
	    !read_text(input, "html", &l->html, &l->mail.html, e))
		return false;
	if (l->mail.text == NULL && l->mail.html == NULL)
		return err_field(e, "text", "there is neither text nor html");
	return true;
}

/* --- what is ours --------------------------------------------------------- */

/* The job's number, and of what it says: numbers begin anew in another
 * database. */
static void
add_id(struct letter *l, struct handler *h, struct json_object **ret_output)
{
	AUTO_BUF input = BUF_INIT;
	AUTO_BUF id = BUF_INIT;
	char hash[CRYPT_HASH_HEX];

	js_print(h->input, &input);
	crypt_hash_hex(input.data, input.len, hash);
	buf_addf(&id, "<job-%" PRId64 ".%.*s%s>", h->job_id, ID_DIGITS, hash,
	    strchr(l->from.address, '@'));
	buf_addf(&l->lines[MESSAGE_ID], " %s", id.data);
	*ret_output = js_new_object();
	js_set_text(*ret_output, "messageId", id.data);
	js_set_int(*ret_output, "recipients", (int64_t)l->nto);
}

static void
add_date(struct letter *l)
{
	char date[CLOCK_HTTP_MAX];
	char *zone;

	clock_http(clock_wall_s(), date);
	zone = strstr(date, "GMT");
	if (zone != NULL)
		*zone = '\0';
	buf_addf(&l->lines[DATE], " %s+0000", date);
}

static bool
set_headers(struct letter *l, struct err *e)
{
	static const char *const names[HEADERS] = { [FROM] = "From:",
		[TO] = "To:",
		[CC] = "Cc:",
		[REPLY_TO] = "Reply-To:",
		[SUBJECT] = "Subject:",
		[DATE] = "Date:",
		[MESSAGE_ID] = "Message-ID:",
		[AUTO] = "Auto-Submitted:" };
	size_t n = 0;

	for (size_t i = 0; i < HEADERS; i++) {
		AUTO_BUF line = BUF_INIT;

		if (l->lines[i].len <= 1)
			continue;
		buf_adds(&line, names[i]);
		buf_adds(&line, l->lines[i].data);
		buf_release(&l->lines[i]);
		l->lines[i] = line;
		line = (struct buf)BUF_INIT;
		if (!buf_ok(&l->lines[i], e))
			return false;
		l->headers[n++] = l->lines[i].data;
	}
	return true;
}

static bool
read_starttls(struct handler *h, enum net_starttls *ret, struct err *e)
{
	static const char *const words[] = {
		[NET_STARTTLS_REQUIRED] = "required",
		[NET_STARTTLS_TRY] = "try",
		[NET_STARTTLS_OFF] = "off",
	};
	const char *text = conf_text("SMTP_STARTTLS", words[0]);

	for (size_t i = 0; i < LEN(words); i++)
		if (strcmp(words[i], text) == 0) {
			*ret = (enum net_starttls)i;
			return true;
		}
	return handler_misset(
	    h, e, "SMTP_STARTTLS is \"required\", \"try\" or \"off\"");
}

static bool
read_settings(struct letter *l, struct handler *h, struct err *e)
{
	const char *from = conf_text("SMTP_FROM", NULL);
	struct err why = { 0 };

	l->mail.url = conf_text("SMTP_URL", NULL);
	l->mail.ca = conf_text("SMTP_CA", NULL);
	if (l->mail.url == NULL || from == NULL)
		return handler_misset(
		    h, e, "SMTP_URL and SMTP_FROM must be set");
	if (!mailtext_parse(from, &l->from, &why))
		return handler_misset(h, e, "SMTP_FROM: %s", why.msg);
	l->mail.from = l->from.address;
	buf_addc(&l->lines[FROM], ' ');
	mailtext_add_address(&l->lines[FROM], &l->from);
	return read_starttls(h, &l->mail.starttls, e);
}

static bool
handle(struct handler *h, struct err *e)
{
	CLEANUP(letter_release)
	struct letter l = { .text = BUF_INIT, .html = BUF_INIT };
	struct json_object *output = NULL;

	for (size_t i = 0; i < LEN(l.lines); i++)
		l.lines[i] = (struct buf)BUF_INIT;
	if (!crypt_init(e) || !read_settings(&l, h, e) ||
	    !read_all(&l, h->input, e) || !read_subject(&l, h->input, e) ||
	    !read_texts(&l, h->input, e))
		return false;
	add_date(&l);
	add_id(&l, h, &output);
	buf_adds(&l.lines[AUTO], " auto-generated");
	h->output = output;
	if (!set_headers(&l, e))
		return false;
	l.mail.to = l.rcpt;
	l.mail.headers = l.headers;
	l.mail.timeout_ms = h->left_ms;
	if (net_mail(&l.mail, e))
		return true;
	return e->code == ERR_AUTH ? handler_misset(h, e, "%s", e->msg) : false;
}

int
main(void)
{
	return handler_main("sendEmail", handle);
}
