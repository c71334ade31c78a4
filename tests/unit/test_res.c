/* res: what a client gets to see of answers and errors. */
#include "tests/unit/tap.h"

#include "common/http/req.h"
#include "common/http/res.h"
#include "common/link/js.h"

#define JSON_LINE "Content-Type: application/json\r\n"

static void
test_plain_errors(void)
{
	static const struct {
		const char *name;
		enum err_code code;
		const char *msg;
		const char *sqlstate;
		int status;
		const char *seen;
	} cases[] = {
		{ "invalid", ERR_INVALID, "Say it well.", "", 400,
		    "Say it well." },
		{ "auth", ERR_AUTH, "", "", 401,
		    "Unauthorized, you must be logged in to make this "
		    "request." },
		{ "auth with its own words", ERR_AUTH,
		    "The email or password provided is incorrect.", "", 401,
		    "The email or password provided is incorrect." },
		{ "forbidden", ERR_FORBIDDEN, "", "", 403,
		    "You are not allowed to perform this action." },
		{ "not found", ERR_NOT_FOUND, "", "", 404, "Not Found" },
		{ "method", ERR_METHOD, "Use GET.", "", 405, "Use GET." },
		{ "conflict", ERR_CONFLICT, "Taken.", "", 409, "Taken." },
		{ "too large", ERR_TOO_LARGE, "Too big.", "", 413, "Too big." },
		{ "locked", ERR_LOCKED, "Wait.", "", 423, "Wait." },
		{ "unavailable", ERR_UNAVAILABLE,
		    "connection to socket /run/x failed", "", 503,
		    "The service is briefly unavailable. Try again." },
		{ "no space", ERR_NO_SPACE, "", "", 507,
		    "The server has no space left. Try again later." },
		{ "bug", ERR_BUG, "column x does not exist", "42703", 500,
		    "Something went wrong." },
		{ "no code at all", ERR_NONE, "", "", 500,
		    "Something went wrong." },
		{ "raised for the client", ERR_INVALID, "No such task.",
		    "P0001", 400, "No such task." },
		{ "raised as not found", ERR_NOT_FOUND, "No such job.", "P0002",
		    404, "No such job." },
		{ "PostgreSQL's own words, input", ERR_INVALID,
		    "invalid input syntax for type bigint", "22P02", 400,
		    "The request holds a value that does not fit." },
		{ "PostgreSQL's own words, unique", ERR_CONFLICT,
		    "duplicate key violates \"page_slug_key\"", "23505", 409,
		    "Value must be unique" },
		{ "PostgreSQL's own words, disk", ERR_NO_SPACE,
		    "could not extend file \"base/1/2\"", "53100", 507,
		    "The server has no space left. Try again later." },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		AUTO_BUF want = BUF_INIT;
		struct err e;
		struct res r;

		(void)err_fail(&e, cases[i].code, "%s", cases[i].msg);
		snprintf(
		    e.sqlstate, sizeof(e.sqlstate), "%s", cases[i].sqlstate);
		buf_addf(&want, "{\"errors\":[{\"message\":\"%s\"}]}",
		    cases[i].seen);
		res_init(&r);
		res_error(&r, &e);
		is_int(r.status, cases[i].status, "%s: status", cases[i].name);
		is_text(r.body.data, want.data, "%s: body", cases[i].name);
		res_release(&r);
	}
}

static void
test_error_headers(void)
{
	static const struct {
		enum err_code code;
		const char *head;
	} cases[] = {
		{ ERR_INVALID, JSON_LINE },
		{ ERR_AUTH, JSON_LINE "WWW-Authenticate: Bearer\r\n" },
		{ ERR_UNAVAILABLE, JSON_LINE "Retry-After: 2\r\n" },
		{ ERR_BUG, JSON_LINE },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct err e = { .code = cases[i].code };
		struct res r;

		res_init(&r);
		ok(res_header(&r, "X-Left", "over", &e) &&
			res_text(&r, 200, "text/plain", "half", 4, &e),
		    "%s: an answer is begun", err_name(cases[i].code));
		r.wake = r.store = true;
		res_error(&r, &e);
		is_text(r.head.data, cases[i].head,
		    "%s: the error's headers alone", err_name(cases[i].code));
		ok(!r.store, "%s: is not stored", err_name(cases[i].code));
		ok(r.wake, "%s: a wake-up is kept", err_name(cases[i].code));
		res_release(&r);
	}
}

#define FIELD_ERROR(data, name)                                      \
	"{\"errors\":[{\"name\":\"ValidationError\",\"data\":{" data \
	"},\"message\":\"The following field is invalid: " name "\"}]}"
#define ALT_ERROR                                                  \
	"\"collection\":\"media\",\"errors\":[{\"label\":\"Alt\"," \
	"\"message\":\"At most \\\"1000\\\" letters.\",\"path\":\"alt\"}]"

/* What is said of a field depends on what the request was for. */
static void
test_fields(void)
{
	static const struct {
		const char *field;
		const char *words;
		const char *path; /* of the request; NULL: not known */
		const char *body;
	} cases[] = {
		{ "alt", "Bad.", NULL,
		    FIELD_ERROR("\"collection\":\"media\",\"errors\":[{"
				"\"label\":\"Alt\",\"message\":\"Bad.\","
				"\"path\":\"alt\"}]",
			"Alt") },
		{ "alt", "Bad.", "/api/media/12",
		    FIELD_ERROR("\"id\":12,\"collection\":\"media\","
				"\"errors\":[{\"label\":\"Alt\","
				"\"message\":\"Bad.\",\"path\":\"alt\"}]",
			"Alt") },
		{ "email", "Bad.", "/api/users",
		    FIELD_ERROR("\"collection\":\"users\",\"errors\":[{"
				"\"label\":\"Email\",\"message\":\"Bad.\","
				"\"path\":\"email\"}]",
			"Email") },
		{ "email", "Bad.", "/api/users/login",
		    FIELD_ERROR("\"collection\":\"users\",\"errors\":[{"
				"\"message\":\"Bad.\",\"path\":\"email\"}]",
			"email") },
		{ "password", "Bad.", "/api/users",
		    FIELD_ERROR("\"collection\":\"users\",\"errors\":[{"
				"\"message\":\"Bad.\","
				"\"path\":\"password\"}]",
			"password") },
		{ "slug", "Value must be unique", "/api/pages",
		    FIELD_ERROR("\"collection\":\"pages\",\"errors\":[{"
				"\"message\":\"Value must be unique\","
				"\"path\":\"slug\"}]",
			"slug") },
		{ "layout.0.images", "Bad.", "/api/pages",
		    FIELD_ERROR("\"collection\":\"pages\",\"errors\":[{"
				"\"message\":\"Bad.\","
				"\"path\":\"layout.0.images\"}]",
			"layout.0.images") },
		{ "limit", "Bad.", "/api/pages/3",
		    FIELD_ERROR("\"errors\":[{\"message\":\"Bad.\","
				"\"path\":\"limit\"}]",
			"limit") },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct req req = { .path = cases[i].path };
		struct err e;
		struct res r;

		res_init(&r);
		if (cases[i].path != NULL)
			r.req = &req;
		(void)err_field(&e, cases[i].field, "%s", cases[i].words);
		res_error(&r, &e);
		is_text(r.body.data, cases[i].body, "%s of %s", cases[i].field,
		    cases[i].path == NULL ? "whatever" : cases[i].path);
		res_release(&r);
	}
}

static void
test_messages(void)
{
	struct err e;

	(void)err_field(&e, "slug", "Value must be unique");
	is_text(res_message(&e), "The following field is invalid: slug",
	    "one message for a value that is taken");
	(void)err_field(&e, "title", "Too long.");
	is_text(res_message(&e), "The following field is invalid: Title",
	    "for a field by its label");
	(void)err_fail(&e, ERR_NOT_FOUND, "Not Found");
	is_text(res_message(&e), "Not Found", "and for what is no field's");
}

static void
test_bad_json(void)
{
	struct err e;
	struct res r;

	res_init(&r);
	(void)err_fail(&e, ERR_INVALID, "Invalid JSON: no \"}\".");
	res_error(&r, &e);
	is_text(r.body.data,
	    "{\"errors\":[{\"message\":\"Invalid JSON\",\"data\":{\"errors\":"
	    "[{\"message\":\"no \\\"}\\\".\",\"path\":\"\"}]}}]}",
	    "bad JSON is Payload's two words, with why beside them");
	res_release(&r);
}

static void
test_validation_error(void)
{
	struct err e;
	struct res r;

	res_init(&r);
	(void)err_field(&e, "alt", "At most \"%d\" letters.", 1000);
	res_error(&r, &e);
	is_int(r.status, 400, "a field at fault is 400");
	is_text(r.body.data, FIELD_ERROR(ALT_ERROR, "Alt"),
	    "and has Payload's shape");
	e.code = ERR_CONFLICT;
	res_error(&r, &e);
	is_text(r.body.data,
	    "{\"errors\":[{\"message\":\"At most \\\"1000\\\" letters.\"}]}",
	    "only ERR_INVALID is a ValidationError");
	res_release(&r);
}

static void
test_header_gate(void)
{
	static const struct {
		const char *name;
		const char *value;
		bool passes;
	} cases[] = {
		{ "X-A", "plain", true },
		{ "X-A", "", true },
		{ "X-A", "caf\xc3\xa9 \"q\"; a=b", true },
		{ "X-A", "a\r\nSet-Cookie: x=1", false },
		{ "X-A", "a\n", false },
		{ "X-A", "\x01", false },
		{ "X-A", "a\tb", false },
		{ "X-A", "a\x7f", false },
		{ "X\nA", "v", false },
		{ "X-A\r", "v", false },
		{ "", "v", false },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct err e = { .code = ERR_NONE };
		struct res r;
		bool passed = false;

		res_init(&r);
		passed = res_header(&r, cases[i].name, cases[i].value, &e);
		ok(passed == cases[i].passes &&
			e.code == (passed ? ERR_NONE : ERR_BUG) &&
			(r.head.len > 0) == passed,
		    "header %zu %s the gate", i,
		    cases[i].passes ? "passes" : "is stopped by");
		res_release(&r);
	}
}

static void
test_answers(void)
{
	struct json_object *v = js_new_object();
	struct err e;
	struct res r;

	res_init(&r);
	is_int(r.status, 200, "200 unless told");
	js_set_text(v, "name", "a\"b");
	ok(res_json(&r, 201, v, &e), "a value is answered");
	is_int(r.status, 201, "with its status");
	is_text(r.body.data, "{\"name\":\"a\\\"b\"}", "as JSON");
	is_text(r.head.data, JSON_LINE, "and said to be");
	res_clear(&r);
	ok(res_doc(&r, 200, "{\"id\":1}", 8, "It's <done>\n", &e),
	    "a document is answered");
	is_text(r.body.data,
	    "{\"doc\":{\"id\":1},\"message\":\"It's \\u003cdone>\\n\"}",
	    "beside an escaped message");
	res_clear(&r);
	ok(res_json_text(&r, 200, "[1]tail", 3, &e) &&
		strcmp(r.body.data, "[1]") == 0,
	    "JSON text is taken by its length");
	res_clear(&r);
	ok(!res_text(&r, 200, "text/plain\r\nX: y", "a", 1, &e) &&
		e.code == ERR_BUG,
	    "a type goes through the gate too");
	res_release(&r);
	is_text(r.body.data, "", "nothing is left after the release");
}

int
main(void)
{
	test_plain_errors();
	test_error_headers();
	test_validation_error();
	test_fields();
	test_messages();
	test_bad_json();
	test_header_gate();
	test_answers();
	return done();
}
