/*
 * client: what a test asks for hundreds of times, by a process that stays.  To
 * start curl and jq costs more than what they do.
 *
 *	client FOLDER
 *
 * It is asked by fields on standard input, each with a NUL after it, of which
 * the first says how many follow, and answers with a text and a NUL:
 *
 *	http METHOD URL SECONDS [OPTION VALUE]…
 *		Option H is a header, D a body (@FILE: its bytes), F a form's
 *		part, A the user agent, Q what goes encoded into the query, as
 *		curl's -H, --data-binary, -F, -A and --data-urlencode (with -G)
 *		take them.  The answer is the status, 000 with curl's reason if
 *		there is none; headers and body are in FOLDER.
 *	json FILTER TEXT
 *		What jq -r prints, behind an equals sign, for a path
 *		(.docs[0].id), its length (.docs | length), or values in a row
 *		([.id, .alt] | @csv, [.docs[].id] | join(" ")).
 *
 * What it cannot do it answers with a question mark: it is curl's and jq's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <json-c/json.h>

#include "common/base/buf.h"
#include "common/base/num.h"
#include "common/link/js.h"

static const char *folder;

/* --- JSON ----------------------------------------------------------------- */

/* One step of a path: .name, [3], or [], which is every element. */
struct step {
	const char *name; /* NULL for an index */
	size_t n;         /* length of the name, or the index */
};
#define EVERY SIZE_MAX

struct path {
	struct step step[8];
	size_t n;
};

/* How values are written: one behind another. */
struct row {
	struct buf *to;
	const char *between;
	size_t n; /* of `between` */
	bool csv, length, any;
};

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (c >= '0' && c <= '9');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* p is behind the bracket. */
static const char *
read_index(const char *p, struct step *step)
{
	step->n = *p == ']' ? EVERY : 0;
	while (is_digit(*p) && step->n < 100000)
		step->n = step->n * 10 + (size_t)(*p++ - '0');
	return *p == ']' ? p + 1 : NULL;
}

/* What is behind the path at p; NULL if none is. */
static const char *
read_path(const char *p, struct path *path)
{
	struct step *step;

	path->n = 0;
	if (*p != '.')
		return NULL;
	if (!is_name(p[1]))
		p++;
	while (p != NULL && (*p == '[' || *p == '.')) {
		if (path->n == sizeof(path->step) / sizeof(path->step[0]))
			return NULL;
		step = &path->step[path->n++];
		*step = (struct step){ 0 };
		if (*p == '[') {
			p = read_index(p + 1, step);
			continue;
		}
		if (!is_name(p[1]) || is_digit(p[1]))
			return NULL;
		for (step->name = ++p; is_name(*p); p++)
			step->n++;
	}
	return p;
}

static bool
add_length(struct buf *to, struct json_object *v)
{
	size_t n = 0;

	if (json_object_is_type(v, json_type_array))
		n = json_object_array_length(v);
	else if (json_object_is_type(v, json_type_object))
		n = (size_t)json_object_object_length(v);
	else if (v != NULL)
		return false;
	buf_addf(to, "%zu", n);
	return true;
}

static bool
add_text(struct row *row, struct json_object *v)
{
	const char *text = json_object_get_string(v);

	if (strlen(text) != (size_t)json_object_get_string_len(v))
		return false;
	if (!row->csv) {
		buf_adds(row->to, text);
		return true;
	}
	buf_addc(row->to, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_addc(row->to, '"');
		buf_addc(row->to, *text);
	}
	buf_addc(row->to, '"');
	return true;
}

static bool
add_value(struct row *row, struct json_object *v)
{
	int64_t number;

	if (row->any)
		buf_add(row->to, row->between, row->n);
	row->any = true;
	if (row->length)
		return add_length(row->to, v);
	switch (json_object_get_type(v)) {
	case json_type_null:
		/* Nothing in a row of several. */
		buf_adds(row->to, *row->between == '\n' ? "null" : "");
		return true;
	case json_type_boolean:
		buf_adds(
		    row->to, json_object_get_boolean(v) ? "true" : "false");
		return true;
	case json_type_int:
		/* jq rounds larger ones. */
		number = json_object_get_int64(v);
		buf_addf(row->to, "%lld", (long long)number);
		return number < 1LL << 53 && number > -(1LL << 53);
	case json_type_string:
		return add_text(row, v);
	default:
		return false;
	}
}

static bool add_path(
    struct row *row, const struct step *step, size_t n, struct json_object *v);

static bool
add_every(
    struct row *row, const struct step *step, size_t n, struct json_object *v)
{
	if (!json_object_is_type(v, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(v); i++)
		if (!add_path(row, step, n, json_object_array_get_idx(v, i)))
			return false;
	return true;
}

/* What n steps from v lead to. */
static bool
add_path(
    struct row *row, const struct step *step, size_t n, struct json_object *v)
{
	char name[64];

	if (n == 0)
		return add_value(row, v);
	if (step->name == NULL && step->n == EVERY)
		return add_every(row, step + 1, n - 1, v);
	if (v == NULL)
		return add_path(row, step + 1, n - 1, NULL);
	if (step->name == NULL)
		return json_object_is_type(v, json_type_array) &&
		       add_path(row, step + 1, n - 1,
			   json_object_array_get_idx(v, step->n));
	if (!json_object_is_type(v, json_type_object) ||
	    step->n >= sizeof(name))
		return false;
	memcpy(name, step->name, step->n);
	name[step->n] = '\0';
	return add_path(row, step + 1, n - 1, json_object_object_get(v, name));
}

/* What stands behind the bracket that closes a row. */
static bool
read_end(const char *p, struct row *row)
{
	size_t n;

	row->csv = strcmp(p, "] | @csv") == 0;
	row->between = ",";
	row->n = 1;
	if (row->csv)
		return true;
	if (strncmp(p, "] | join(\"", 10) != 0)
		return false;
	row->between = p + 10;
	row->n = n = strcspn(p + 10, "\"\\");
	return strcmp(p + 10 + n, "\")") == 0;
}

/* [PATH, …] and how it ends; p is behind the bracket. */
static bool
add_row(struct row *row, const char *p, struct json_object *v)
{
	struct path path;
	const char *end = p;

	while (
	    (end = read_path(end, &path)) != NULL && strncmp(end, ", ", 2) == 0)
		end += strlen(", ");
	if (end == NULL || !read_end(end, row))
		return false;
	for (;;) {
		p = read_path(p, &path);
		if (!add_path(row, path.step, path.n, v))
			return false;
		if (*p == ']')
			return true;
		p += strlen(", ");
	}
}

static bool
add_filter(struct buf *to, const char *p, struct json_object *v)
{
	struct row row = { .to = to, .between = "\n", .n = 1 };
	struct path path;

	if (*p == '[')
		return add_row(&row, p + 1, v);
	p = read_path(p, &path);
	if (p == NULL)
		return false;
	row.length = strcmp(p, " | length") == 0;
	/* No value is not an empty one. */
	return (row.length || *p == '\0') &&
	       add_path(&row, path.step, path.n, v) && row.any;
}

static bool
json(struct buf *to, char **field, size_t n)
{
	AUTO_JS *v = NULL;
	struct err e;

	buf_addc(to, '=');
	return n == 2 && js_parse(field[1], strlen(field[1]), &v, &e) &&
	       add_filter(to, field[0], v);
}

/* --- HTTP ----------------------------------------------------------------- */

struct request {
	CURL *curl;
	struct curl_slist *headers;
	curl_mime *form;
	FILE *head, *body;
	struct buf url;
	bool has_body;
	char reason[CURL_ERROR_SIZE];
};

static FILE *
open_in_folder(const char *name, const char *how)
{
	AUTO_BUF path = BUF_INIT;

	buf_addf(&path, "%s/%s", folder, name);
	return fopen(path.data, how);
}

static bool
read_whole(struct buf *to, const char *path)
{
	FILE *f = fopen(path, "rbe");
	size_t n;

	if (f == NULL)
		return false;
	do {
		if (!buf_reserve(to, 65536))
			abort();
		n = fread(to->data + to->len, 1, 65536, f);
		to->len += n;
	} while (n > 0);
	to->data[to->len] = '\0';
	(void)fclose(f);
	return true;
}

static bool
set_body(struct request *r, const char *text)
{
	AUTO_BUF bytes = BUF_INIT;

	if (r->has_body)
		return false;
	r->has_body = true;
	if (text[0] != '@')
		buf_adds(&bytes, text);
	else if (!read_whole(&bytes, text + 1))
		return false;
	(void)curl_easy_setopt(
	    r->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes.len);
	return curl_easy_setopt(r->curl, CURLOPT_COPYPOSTFIELDS, bytes.data) ==
	       CURLE_OK;
}

/* What is up to the next of `ends`, or in quotes; cut off, *at behind it. */
static char *
word(char **at, const char *ends)
{
	char *start = *at, *to;

	if (*start != '"') {
		*at += strcspn(start, ends);
		return start;
	}
	for (to = ++start, ++*at; **at != '"' && **at != '\0'; ++*at) {
		if (**at == '\\' && ((*at)[1] == '"' || (*at)[1] == '\\'))
			++*at;
		*to++ = **at;
	}
	if (**at == '"')
		++*at;
	*to = '\0';
	return start;
}

/* NAME=TEXT, or NAME=@"FILE";type=TYPE;filename="NAME". */
static bool
add_part(struct request *r, char *text)
{
	char *at = strchr(text, '='), *path, *type = NULL, *filename = NULL;
	curl_mimepart *part;

	if (at == NULL)
		return false;
	*at++ = '\0';
	if (*at == '@' ? strchr(at, ',') != NULL
		       : strchr(at, ';') != NULL || strchr("<\" ", *at) != NULL)
		return false;
	if (r->form == NULL)
		r->form = curl_mime_init(r->curl);
	part = curl_mime_addpart(r->form);
	(void)curl_mime_name(part, text);
	if (*at != '@')
		return curl_mime_data(part, at, CURL_ZERO_TERMINATED) ==
		       CURLE_OK;
	at++;
	path = word(&at, ";");
	while (*at == ';') {
		*at++ = '\0';
		if (strncmp(at, "type=", 5) == 0) {
			at += 5;
			type = word(&at, ";");
		} else if (strncmp(at, "filename=", 9) == 0) {
			at += 9;
			filename = word(&at, ";");
		} else {
			return false;
		}
	}
	return *at == '\0' && curl_mime_filedata(part, path) == CURLE_OK &&
	       (type == NULL || curl_mime_type(part, type) == CURLE_OK) &&
	       (filename == NULL ||
		   curl_mime_filename(part, filename) == CURLE_OK);
}

/* NAME=TEXT, of which the text is encoded. */
static bool
add_query(struct request *r, const char *text)
{
	const char *value = strchr(text, '=');
	char *encoded;

	if (value == NULL || value == text)
		return false;
	value++;
	encoded = curl_easy_escape(r->curl, value, 0);
	if (encoded == NULL)
		return false;
	buf_addc(&r->url, strchr(r->url.data, '?') != NULL ? '&' : '?');
	buf_add(&r->url, text, (size_t)(value - text));
	buf_adds(&r->url, *value != '\0' ? encoded : "");
	curl_free(encoded);
	return true;
}

static bool
set_option(struct request *r, char option, char *value)
{
	switch (option) {
	case 'H':
		r->headers = curl_slist_append(r->headers, value);
		return r->headers != NULL;
	case 'D':
		return set_body(r, value);
	case 'F':
		return add_part(r, value);
	case 'A':
		return curl_easy_setopt(r->curl, CURLOPT_USERAGENT, value) ==
		       CURLE_OK;
	case 'Q':
		return add_query(r, value);
	default:
		return false;
	}
}

static bool
prepare(struct request *r, char **field, size_t n)
{
	AUTO_BUF agent = BUF_INIT;
	int64_t seconds;

	if (n < 3 || n % 2 != 1 || r->head == NULL || r->body == NULL ||
	    !num_parse_text(field[2], 1, 3600, &seconds))
		return false;
	buf_addf(
	    &agent, "curl/%s", curl_version_info(CURLVERSION_NOW)->version);
	(void)curl_easy_setopt(r->curl, CURLOPT_USERAGENT, agent.data);
	buf_adds(&r->url, field[1]);
	for (size_t i = 3; i < n; i += 2)
		if (!set_option(r, field[i][0], field[i + 1]))
			return false;
	(void)curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(r->curl, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(r->curl, CURLOPT_TIMEOUT, (long)seconds);
	(void)curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, r->reason);
	(void)curl_easy_setopt(r->curl, CURLOPT_HEADERDATA, r->head);
	(void)curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, r->body);
	(void)curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, r->headers);
	if (r->form != NULL)
		(void)curl_easy_setopt(r->curl, CURLOPT_MIMEPOST, r->form);
	return curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST, field[0]) ==
		   CURLE_OK &&
	       curl_easy_setopt(r->curl, CURLOPT_URL, r->url.data) == CURLE_OK;
}

static bool
perform(struct buf *to, struct request *r)
{
	CURLcode code = curl_easy_perform(r->curl);
	long status = 0;

	(void)curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
	buf_addf(to, "%03ld", status);
	if (code != CURLE_OK)
		buf_addf(to, "curl: (%d) %s", (int)code,
		    r->reason[0] != '\0' ? r->reason
					 : curl_easy_strerror(code));
	return true;
}

static bool
http(struct buf *to, char **field, size_t n)
{
	struct request r = { .curl = curl_easy_init(), .url = BUF_INIT };
	bool fine;

	if (r.curl == NULL)
		return false;
	r.head = open_in_folder("headers", "wbe");
	r.body = open_in_folder("body", "wbe");
	fine = prepare(&r, field, n) && perform(to, &r);
	curl_easy_cleanup(r.curl);
	curl_mime_free(r.form);
	buf_release(&r.url);
	curl_slist_free_all(r.headers);
	if (r.head != NULL)
		fine = fclose(r.head) == 0 && fine;
	if (r.body != NULL)
		fine = fclose(r.body) == 0 && fine;
	return fine;
}

/* --- what it is asked ----------------------------------------------------- */

/* The next field, given; NULL at the end of input. */
static char *
next(void)
{
	char *text = NULL;
	size_t cap = 0;

	if (getdelim(&text, &cap, '\0', stdin) > 0)
		return text;
	free(text);
	return NULL;
}

static void
answer(char **field, size_t n)
{
	AUTO_BUF to = BUF_INIT;
	bool fine = false;

	if (n > 0 && strcmp(field[0], "json") == 0)
		fine = json(&to, field + 1, n - 1);
	else if (n > 0 && strcmp(field[0], "http") == 0)
		fine = http(&to, field + 1, n - 1);
	if (fine)
		(void)fwrite(to.data, 1, to.len + 1, stdout);
	else
		(void)fwrite("?", 1, 2, stdout);
	(void)fflush(stdout);
}

/* One question; false at the end of input. */
static bool
ask(void)
{
	char *count = next(), **field;
	int64_t n, got = 0;

	if (count == NULL || !num_parse_text(count, 1, 100000, &n))
		return false;
	free(count);
	field = calloc((size_t)n, sizeof(*field));
	while (field != NULL && got < n && (field[got] = next()) != NULL)
		got++;
	if (got == n)
		answer(field, (size_t)n);
	for (int64_t i = 0; i < got; i++)
		free(field[i]);
	free(field);
	return got == n;
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	folder = argv[1];
	(void)curl_global_init(CURL_GLOBAL_ALL);
	while (ask())
		continue;
	return 0;
}
