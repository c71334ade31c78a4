/* /api/users: signing in and out, who is signed in, and accounts. */
#include <string.h>

#include "common/base/clock.h"
#include "common/http/app.h"
#include "common/http/bulk.h"
#include "common/http/list.h"
#include "common/http/select.h"
#include "common/link/conf.h"
#include "common/link/js.h"
#include "common/site/gate.h"

/* ---- signing in and out ---- */

enum { BODY_MAX = 16 * 1024 };

/* Did this request come by TLS, or is the site known to be read that way? */
static bool
is_secure(const struct req *req)
{
	const char *https = req_header(req, "HTTPS");

	return (https != NULL && strcmp(https, "on") == 0) ||
	       strncmp(conf_text("SERVER_URL", ""), "https://", 8) == 0;
}

/* The cookie with the token until exp (seconds since 1970), or with an empty
 * token, which removes it.  None for another site's page: it could sign its
 * visitors in as somebody else. */
static bool
set_cookie(const struct req *req, struct res *res, const char *token,
    int64_t exp, struct err *e)
{
	AUTO_BUF cookie = BUF_INIT;
	char until[CLOCK_HTTP_MAX];

	if (auth_is_foreign(req))
		return true;
	clock_http(exp, until);
	buf_adds(&cookie, "payload-token=");
	buf_adds(&cookie, token);
	buf_adds(&cookie, "; Expires=");
	buf_adds(&cookie, until);
	buf_adds(&cookie, "; Path=/; HttpOnly; SameSite=Lax");
	if (is_secure(req))
		buf_adds(&cookie, "; Secure");
	return buf_ok(&cookie, e) &&
	       res_header(res, "Set-Cookie", cookie.data, e);
}

static const char BY_TOKEN[] = "local-jwt", BY_KEY[] = "api-key";

/* The user's document under "user", with how he is known. */
static bool
set_user(struct app *app, int64_t id, const char *strategy,
    struct json_object *o, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	struct json_object *doc = NULL;

	if (!user_doc(app->db, id, &text, e) ||
	    !js_parse(text.data, text.len, &doc, e))
		return false;
	js_set_text(doc, "_strategy", strategy);
	js_set(o, "user", doc);
	return true;
}

/* A text that must be there. */
static bool
need_text(
    struct json_object *body, const char *key, const char **ret, struct err *e)
{
	if (!js_text(body, key, NULL, ret, e))
		return false;
	if (*ret == NULL || (*ret)[0] == '\0')
		return err_field(e, key, "This field is required.");
	return true;
}

/* Email and password: a session, its cookie, and the answer. */
static bool
sign_in(struct app *app, struct req *req, struct res *res, const char *email,
    const char *password, const char *message, struct err *e)
{
	AUTO_JS *o = js_new_object();
	AUTO_BUF token = BUF_INIT;
	struct user u;

	if (!user_login(app->db, email, password, &u, &token, e) ||
	    !set_user(app, u.id, BY_TOKEN, o, e) ||
	    !set_cookie(req, res, token.data, u.exp, e))
		return false;
	js_set_text(o, "message", message);
	js_set_int(o, "exp", u.exp);
	js_set_text(o, "token", token.data);
	return res_json(res, 200, js_ref(o), e);
}

static bool
login_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_GATE gate = GATE_INIT;
	const char *email = NULL, *password = NULL;

	return req_json(req, BODY_MAX, &body, e) &&
	       need_text(body, "email", &email, e) &&
	       need_text(body, "password", &password, e) &&
	       gate_enter(&gate, e) &&
	       sign_in(
		   app, req, res, email, password, "Authentication Passed", e);
}

static bool
init_get(
    struct app *app, struct req *req UNUSED, struct res *res, struct err *e)
{
	struct json_object *o;
	bool any = false;

	if (!user_any(app->db, &any, e))
		return false;
	o = js_new_object();
	js_set_bool(o, "initialized", any);
	return res_json(res, 200, o, e);
}

/* The first account; once there is one this costs no hash of a password. */
static bool
first_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_GATE gate = GATE_INIT;
	const char *email = NULL, *password = NULL;
	bool any = false;

	if (!user_any(app->db, &any, e))
		return false;
	if (any)
		return err_fail(e, ERR_FORBIDDEN,
		    "You are not allowed to perform this action.");
	return req_json(req, BODY_MAX, &body, e) &&
	       need_text(body, "email", &email, e) &&
	       need_text(body, "password", &password, e) &&
	       gate_enter(&gate, e) &&
	       user_first(app->db, email, password, e) &&
	       sign_in(app, req, res, email, password,
		   "Successfully registered first user.", e);
}

static bool
logout_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	struct json_object *o;
	bool all = false;

	if (!req_query_bool(req, "allSessions", false, &all, e))
		return false;
	if (!app->caller.known)
		return err_fail(e, ERR_INVALID, "No User");
	if (!user_logout(app->db, &app->caller.user, all, e) ||
	    !set_cookie(req, res, "", 0, e))
		return false;
	o = js_new_object();
	js_set_text(o, "message", "Logout successful.");
	return res_json(res, 200, o, e);
}

static bool
refresh_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *o = js_new_object();
	AUTO_BUF token = BUF_INIT;
	struct user u = app->caller.user;

	if (u.sid[0] == '\0')
		return err_fail(
		    e, ERR_FORBIDDEN, "An API key has no session to refresh.");
	if (!user_refresh(app->db, &u, &token, e) ||
	    !set_user(app, u.id, BY_TOKEN, o, e) ||
	    !set_cookie(req, res, token.data, u.exp, e))
		return false;
	js_set_text(o, "message", "Token refresh successful.");
	js_set_int(o, "exp", u.exp);
	js_set_text(o, "refreshedToken", token.data);
	js_set_bool(o, "setCookie", true);
	js_set_text(o, "strategy", BY_TOKEN);
	return res_json(res, 200, js_ref(o), e);
}

/* The token that a header showed.  One of the cookie is not repeated: it is
 * HttpOnly so that no script of a page can read it. */
static bool
set_token(const struct caller *caller, struct json_object *o, struct err *e)
{
	AUTO_BUF token = BUF_INIT;

	if (caller->token == NULL)
		return true;
	buf_add(&token, caller->token, caller->token_n);
	if (!buf_ok(&token, e))
		return false;
	js_set_text(o, "token", token.data);
	return true;
}

/* Nobody is an answer too. */
static bool
me_get(struct app *app, struct req *req UNUSED, struct res *res, struct err *e)
{
	AUTO_JS *o = js_new_object();
	const struct user *u = &app->caller.user;
	const char *strategy = u->sid[0] == '\0' ? BY_KEY : BY_TOKEN;

	if (!app->caller.known)
		js_set(o, "user", NULL);
	else if (!set_user(app, u->id, strategy, o, e))
		return false;
	if (app->caller.known) {
		js_set_text(o, "collection", "users");
		js_set_text(o, "strategy", strategy);
	}
	if (app->caller.known && u->exp != 0)
		js_set_int(o, "exp", u->exp);
	if (!set_token(&app->caller, o, e))
		return false;
	js_set_text(o, "message", "Account");
	return res_json(res, 200, js_ref(o), e);
}

static bool
access_get(
    struct app *app, struct req *req UNUSED, struct res *res, struct err *e)
{
	const struct user *u = &app->caller.user;

	return res_json(res, 200,
	    access_doc(app->caller.known ? u->role : ROLE_NONE, u->id), e);
}

/* ---- accounts ---- */

static bool
list_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF docs = BUF_INIT;
	AUTO_LIST q = { 0 };
	int64_t total = 0;

	return list_query(req, &q, e) &&
	       user_list(app->db, &q.filter, &docs, &total, e) &&
	       list_page(res, &q, &docs, total, e);
}

static bool
count_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_FILTER f = { 0 };
	int64_t n = 0;

	return list_where(req, &f, e) && user_count(app->db, &f, &n, e) &&
	       list_count(res, n, e);
}

static bool
one_get(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF doc = BUF_INIT;
	AUTO_FILTER select = { 0 };
	int64_t id = 0;

	return list_select(req, &select, e) && req_param_id(req, 0, &id, e) &&
	       user_doc(app->db, id, &doc, e) && select_doc(&select, &doc, e) &&
	       res_json_text(res, 200, doc.data, doc.len, e);
}

/* The account's document, with the API key if there is a new one (else NULL):
 * it is shown in this answer and never again, whatever was selected. */
static bool
changed_doc(struct app *app, int64_t id, const char *new_key,
    const struct filter *select, struct buf *ret, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	AUTO_JS *doc = NULL;

	if (!user_doc(app->db, id, &text, e) || !select_doc(select, &text, e) ||
	    !js_parse(text.data, text.len, &doc, e))
		return false;
	if (new_key != NULL)
		js_set_text(doc, "apiKey", new_key);
	js_print(doc, ret);
	return buf_ok(ret, e);
}

static bool
list_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_GATE gate = GATE_INIT;
	AUTO_FILTER select = { 0 };
	AUTO_BUF doc = BUF_INIT;
	struct user_change c;
	int64_t id = 0;

	if (!list_select(req, &select, e) ||
	    !req_json(req, BODY_MAX, &body, e) ||
	    !user_change_read(body, true, &c, e))
		return false;
	if (c.role == ROLE_NONE)
		c.role = ROLE_EDITOR;
	if (!gate_enter(&gate, e) || !user_create(app->db, &c, &id, e))
		return false;
	gate_leave(&gate);
	return changed_doc(app, id, user_change_sets_key(&c) ? c.api_key : NULL,
		   &select, &doc, e) &&
	       res_doc(res, 201, doc.data, doc.len,
		   "User successfully created.", e);
}

/* What is asked of an account, or of many: the body, and what is to be shown.
 */
struct asked {
	struct filter select;
	struct json_object *body;
};

static void
asked_release(struct asked *m)
{
	filter_release(&m->select);
	js_free(&m->body);
}
#define AUTO_ASKED CLEANUP(asked_release) struct asked

/* Who has no right to roles gives none: what he sends of it is ignored, as is
 * everything else that is not his to say. */
static bool
change_read(const struct app *app, const struct asked *m, struct user_change *c,
    struct err *e)
{
	bool with_role = app->caller.user.role == ROLE_ADMIN;

	return user_change_read(m->body, with_role, c, e);
}

/* The body is read for each account: a key that is made up is its own. */
static bool
patch_one(
    struct app *app, int64_t id, void *ctx, struct buf *ret_doc, struct err *e)
{
	const struct user *u = &app->caller.user;
	const struct asked *m = ctx;
	AUTO_GATE gate = GATE_INIT;
	struct user_change c;
	bool new_key = false;

	if (!change_read(app, m, &c, e))
		return false;
	if (id == u->id && u->sid[0] != '\0')
		c.kept_sid = u->sid;
	if ((c.password != NULL && !gate_enter(&gate, e)) ||
	    !user_update(app->db, id, &c, &new_key, e))
		return false;
	gate_leave(&gate);
	return changed_doc(
	    app, id, new_key ? c.api_key : NULL, &m->select, ret_doc, e);
}

static bool
delete_one(
    struct app *app, int64_t id, void *ctx, struct buf *ret_doc, struct err *e)
{
	const struct asked *m = ctx;

	return user_doc(app->db, id, ret_doc, e) &&
	       select_doc(&m->select, ret_doc, e) &&
	       user_delete(app->db, id, e);
}

static bool
one_patch(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_ASKED m = { .body = NULL };
	AUTO_BUF doc = BUF_INIT;
	int64_t id = 0;

	return list_select(req, &m.select, e) && req_param_id(req, 0, &id, e) &&
	       req_json(req, BODY_MAX, &m.body, e) &&
	       patch_one(app, id, &m, &doc, e) &&
	       res_doc(res, 200, doc.data, doc.len, "Updated successfully.", e);
}

static bool
one_delete(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_ASKED m = { .body = NULL };
	AUTO_BUF doc = BUF_INIT;
	int64_t id = 0;

	return list_select(req, &m.select, e) && req_param_id(req, 0, &id, e) &&
	       delete_one(app, id, &m, &doc, e) &&
	       res_doc(res, 200, doc.data, doc.len, "Deleted successfully.", e);
}

/* ---- several at once ---- */

static const struct bulk users_bulk = { "User", "Users", user_ids };

/* What fits no account is refused once, before any is looked for. */
static bool
list_patch(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_ASKED m = { .body = NULL };
	struct user_change c;

	return list_select(req, &m.select, e) &&
	       bulk_check(req, BULK_UPDATE, e) &&
	       req_json(req, BODY_MAX, &m.body, e) &&
	       change_read(app, &m, &c, e) &&
	       bulk_run(
		   app, req, res, &users_bulk, BULK_UPDATE, patch_one, &m, e);
}

static bool
list_delete(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_ASKED m = { .body = NULL };

	return list_select(req, &m.select, e) &&
	       bulk_run(
		   app, req, res, &users_bulk, BULK_DELETE, delete_one, &m, e);
}

static bool
unlock_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	struct json_object *o;
	const char *email = NULL;

	if (!req_json(req, BODY_MAX, &body, e) ||
	    !need_text(body, "email", &email, e) ||
	    !user_unlock(app->db, email, e))
		return false;
	o = js_new_object();
	js_set_text(o, "message", "Success");
	return res_json(res, 200, o, e);
}

int
main(void)
{
	static const struct app_route routes[] = {
		{ "POST", "/api/users/login", ACCESS_USERS_ENTER, login_post },
		{ "GET", "/api/users/init", ACCESS_USERS_ENTER, init_get },
		{ "POST", "/api/users/first-register", ACCESS_USERS_ENTER,
		    first_post },
		{ "POST", "/api/users/logout", ACCESS_USERS_ME, logout_post },
		{ "POST", "/api/users/refresh-token", ACCESS_USERS_REFRESH,
		    refresh_post },
		{ "GET", "/api/users/me", ACCESS_USERS_ME, me_get },
		{ "GET", "/api/access", ACCESS_USERS_ME, access_get },
		{ "GET", "/api/users", ACCESS_USERS_LIST, list_get },
		{ "POST", "/api/users", ACCESS_USERS_CREATE, list_post },
		{ "PATCH", "/api/users", ACCESS_USERS_UPDATE, list_patch },
		{ "DELETE", "/api/users", ACCESS_USERS_DELETE, list_delete },
		{ "GET", "/api/users/count", ACCESS_USERS_LIST, count_get },
		{ "POST", "/api/users/unlock", ACCESS_USERS_UNLOCK,
		    unlock_post },
		{ "GET", "/api/users/:id", ACCESS_USERS_READ, one_get },
		{ "PATCH", "/api/users/:id", ACCESS_USERS_UPDATE, one_patch },
		{ "DELETE", "/api/users/:id", ACCESS_USERS_DELETE, one_delete },
	};
	static const struct app_fn fn = { "users", routes, LEN(routes), NULL };

	return app_run(&fn);
}
