/*
 * Answers: bodies, headers, and the one place where an error becomes a
 * status and a message for the client.
 */
#include "common/http/res.h"

#include "common/base/num.h"
#include "common/base/path.h"
#include "common/http/req.h"
#include "common/link/js.h"

static const char UNAUTHORIZED[] =
    "Unauthorized, you must be logged in to make this request.";
static const char CLASH[] = "Value must be unique";

void
res_init(struct res *r)
{
	*r = (struct res){
		.status = 200,
		.head = BUF_INIT,
		.body = BUF_INIT,
		.file = -1,
	};
}

void
res_release(struct res *r)
{
	buf_release(&r->head);
	buf_release(&r->body);
	fd_close(&r->file);
}

void
res_clear(struct res *r)
{
	const struct req *req = r->req;

	res_release(r);
	res_init(r);
	r->req = req;
}

/* No byte that could end the line or hide in it. */
static bool
line_safe(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static void
add_line(struct res *r, const char *name, const char *value)
{
	buf_adds(&r->head, name);
	buf_adds(&r->head, ": ");
	buf_adds(&r->head, value);
	buf_adds(&r->head, "\r\n");
}

bool
res_header(struct res *r, const char *name, const char *value, struct err *e)
{
	if (*name == '\0' || !line_safe(name) || !line_safe(value))
		return err_fail(e, ERR_BUG,
		    "header with a control byte, or without a name");
	add_line(r, name, value);
	return buf_ok(&r->head, e);
}

bool
res_text(struct res *r, int status, const char *type, const char *p, size_t n,
    struct err *e)
{
	if (!res_header(r, "Content-Type", type, e))
		return false;
	r->status = status;
	buf_clear(&r->body);
	buf_add(&r->body, p, n);
	return buf_ok(&r->body, e);
}

bool
res_json_text(struct res *r, int status, const char *p, size_t n, struct err *e)
{
	return res_text(r, status, "application/json", p, n, e);
}

bool
res_json(struct res *r, int status, struct json_object *v, struct err *e)
{
	AUTO_BUF text = BUF_INIT;

	js_print(v, &text);
	js_free(&v);
	return buf_ok(&text, e) &&
	       res_json_text(r, status, text.data, text.len, e);
}

/* The document is JSON already and can be large: it is put between the
 * other parts as it is, never parsed again. */
bool
res_doc(struct res *r, int status, const char *doc, size_t n,
    const char *message, struct err *e)
{
	if (!res_json_text(r, status, "{\"doc\":", 7, e))
		return false;
	buf_add(&r->body, doc, n);
	buf_adds(&r->body, ",\"message\":");
	buf_add_json(&r->body, message, strlen(message));
	buf_addc(&r->body, '}');
	return buf_ok(&r->body, e);
}

bool
res_file(struct res *r, int status, const char *type, int fd, int64_t bytes,
    struct err *e)
{
	fd_close(&r->file);
	r->file = fd;
	r->file_bytes = bytes;
	return res_text(r, status, type, "", 0, e);
}

int
res_status_of(enum err_code code)
{
	switch (code) {
	case ERR_INVALID:
	case ERR_QUERY:
		return 400;
	case ERR_AUTH:
		return 401;
	case ERR_FORBIDDEN:
		return 403;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_METHOD:
		return 405;
	case ERR_CONFLICT:
		return 409;
	case ERR_VERSION:
		return 412;
	case ERR_TOO_LARGE:
		return 413;
	case ERR_LOCKED:
		return 423;
	case ERR_UNAVAILABLE:
		return 503;
	case ERR_NO_SPACE:
		return 507;
	case ERR_NONE:
	case ERR_BUG:
		break;
	}
	return 500;
}

/* What a client is told when the error's own words are not for it. */
static const char *
standard_message(enum err_code code)
{
	switch (code) {
	case ERR_INVALID:
	case ERR_QUERY:
		return "The request holds a value that does not fit.";
	case ERR_AUTH:
		return UNAUTHORIZED;
	case ERR_FORBIDDEN:
		return "You are not allowed to perform this action.";
	case ERR_NOT_FOUND:
		return "Not Found";
	case ERR_METHOD:
		return "This method is not allowed here.";
	case ERR_CONFLICT:
		return CLASH;
	case ERR_VERSION:
		return "The document has another version.";
	case ERR_TOO_LARGE:
		return "The request is too large.";
	case ERR_LOCKED:
		return "It is in use by someone else. Try again.";
	case ERR_UNAVAILABLE:
		return "The service is briefly unavailable. Try again.";
	case ERR_NO_SPACE:
		return "The server has no space left. Try again later.";
	case ERR_NONE:
	case ERR_BUG:
		break;
	}
	return "Something went wrong.";
}

/* PostgreSQL's own words name tables, constraints and files.  Only what our
 * SQL functions raise (P0001, P0002; 42704 for an unknown task) is written
 * for clients. */
static bool
words_are_ours(const struct err *e)
{
	static const char *const raised[] = { "P0001", "P0002", "42704" };

	if (e->code == ERR_BUG || e->code == ERR_UNAVAILABLE)
		return false;
	if (e->sqlstate[0] == '\0')
		return true;
	for (size_t i = 0; i < LEN(raised); i++)
		if (strcmp(e->sqlstate, raised[i]) == 0)
			return true;
	return false;
}

/* What there is to say of e itself. */
static const char *
words(const struct err *e)
{
	if (e->msg[0] != '\0' && words_are_ours(e))
		return e->msg;
	return standard_message(e->code);
}

/* ---- fields ---- */

/* The fields of documents that a client sends, as people call them; no two
 * collections share one.  What has no label is named by its path. */
static const struct field {
	const char *name;
	const char *collection;
	const char *label;
} FIELDS[] = {
	{ "alt", "media", "Alt" },
	{ "title", "pages", "Title" },
	{ "slug", "pages", "Slug" },
	{ "layout", "pages", "Layout" },
	{ "email", "users", "Email" },
	{ "password", "users", NULL },
	{ "role", "users", "Role" },
	{ "enableAPIKey", "users", "Enable API Key" },
	{ "apiKey", "users", "API Key" },
};

/* The field that a path such as "layout.0.images" begins with, or NULL. */
static const struct field *
field_of(const char *path)
{
	size_t n = strcspn(path, ".");

	for (size_t i = 0; i < LEN(FIELDS); i++)
		if (strlen(FIELDS[i].name) == n &&
		    strncmp(FIELDS[i].name, path, n) == 0)
			return &FIELDS[i];
	return NULL;
}

/* Of a value that somebody else has Payload says the path, not the label. */
static bool
is_clash(const struct err *e)
{
	static const char *const said[] = { CLASH,
		"A user with the given email is already registered." };

	for (size_t i = 0; i < LEN(said); i++)
		if (strcmp(words(e), said[i]) == 0)
			return true;
	return false;
}

static const char *
label_of(const struct err *e)
{
	const struct field *field = field_of(e->field);

	if (field == NULL || strcmp(field->name, e->field) != 0 || is_clash(e))
		return NULL;
	return field->label;
}

static bool
is_of_field(const struct err *e)
{
	return e->code == ERR_INVALID && e->field[0] != '\0';
}

/* How long "The following field is invalid: " and a path are. */
enum { MESSAGE_MAX = 40 + ERR_FIELD_MAX };

static void
name_field(const char *name, char ret[static MESSAGE_MAX])
{
	(void)snprintf(
	    ret, MESSAGE_MAX, "The following field is invalid: %s", name);
}

const char *
res_message(const struct err *e)
{
	static char text[MESSAGE_MAX];
	const char *label;

	if (!is_of_field(e))
		return words(e);
	label = label_of(e);
	name_field(label != NULL ? label : e->field, text);
	return text;
}

/* ---- the shapes ---- */

/* What of /api/<collection> and /api/<collection>/<id> the path is; others,
 * such as /api/users/login, are about no document. */
static bool
asks_for_document(const struct req *req, int64_t *ret_id)
{
	const char *p = req->path;

	*ret_id = 0;
	if (strncmp(p, "/api/", 5) != 0)
		return false;
	p += 5 + strcspn(p + 5, "/");
	return *p == '\0' || num_parse_text(p + 1, 1, INT64_MAX, ret_id);
}

/* {"name":"ValidationError","data":{"id","collection","errors":[{"label",
 * "message","path"}]},"message":"The following field is invalid: Label"} */
static struct json_object *
validation_error(const struct err *e, const struct req *req)
{
	struct json_object *error = js_new_object(), *data = js_new_object();
	struct json_object *list = js_new_array(), *item = js_new_object();
	const struct field *field = field_of(e->field);
	int64_t id = 0;
	bool whole = req == NULL || asks_for_document(req, &id);
	const char *label = whole ? label_of(e) : NULL;
	char text[MESSAGE_MAX];

	name_field(label != NULL ? label : e->field, text);
	if (label != NULL)
		js_set_text(item, "label", label);
	js_set_text(item, "message", words(e));
	js_set_text(item, "path", e->field);
	js_add(list, item);
	if (field != NULL && id != 0)
		js_set_int(data, "id", id);
	if (field != NULL)
		js_set_text(data, "collection", field->collection);
	js_set(data, "errors", list);
	js_set_text(error, "name", "ValidationError");
	js_set(error, "data", data);
	js_set_text(error, "message", text);
	return error;
}

/* {"name":"QueryError","data":[{"path"}],"message"} */
static struct json_object *
query_error(const struct err *e)
{
	struct json_object *error = js_new_object(), *list = js_new_array();
	struct json_object *item = js_new_object();

	js_set_text(item, "path", e->field);
	js_add(list, item);
	js_set_text(error, "name", "QueryError");
	js_set(error, "data", list);
	js_set_text(error, "message", words(e));
	return error;
}

/* Payload says only that JSON is bad.  Why is told beside it, of the body as a
 * whole. */
static struct json_object *
json_error(const char *why)
{
	struct json_object *error = js_new_object(), *data = js_new_object();
	struct json_object *list = js_new_array(), *item = js_new_object();

	js_set_text(item, "message", why);
	js_set_text(item, "path", "");
	js_add(list, item);
	js_set(data, "errors", list);
	js_set_text(error, "message", "Invalid JSON");
	js_set(error, "data", data);
	return error;
}

static struct json_object *
plain_error(const struct err *e)
{
	static const char bad_json[] = "Invalid JSON: ";
	const char *said = words(e);
	struct json_object *error;

	if (strncmp(said, bad_json, sizeof(bad_json) - 1) == 0)
		return json_error(said + sizeof(bad_json) - 1);
	error = js_new_object();
	js_set_text(error, "message", said);
	return error;
}

static void
print_error(const struct err *e, const struct req *req, struct buf *ret)
{
	struct json_object *doc = js_new_object(), *list = js_new_array();

	js_add(list, is_of_field(e)         ? validation_error(e, req)
		     : e->code == ERR_QUERY ? query_error(e)
					    : plain_error(e));
	js_set(doc, "errors", list);
	js_print(doc, ret);
	js_free(&doc);
}

/*
 * A mark to wake a runner survives: what was enqueued is committed whatever
 * became of the answer.  Without memory the buffers are broken, which
 * http/app sees and answers from static text.
 */
void
res_error(struct res *r, const struct err *e)
{
	bool wake = r->wake;

	res_clear(r);
	r->wake = wake;
	r->status = res_status_of(e->code);
	add_line(r, "Content-Type", "application/json");
	if (e->code == ERR_AUTH)
		add_line(r, "WWW-Authenticate", "Bearer");
	if (e->code == ERR_UNAVAILABLE)
		add_line(r, "Retry-After", "2");
	print_error(e, r->req, &r->body);
}
