/* /api/users: signing in and out, and who is signed in. */
#include <string.h>

#include "common/base/clock.h"
#include "common/http/app.h"
#include "common/link/conf.h"
#include "common/link/js.h"

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
 * token, which removes it. */
static bool
set_cookie(const struct req *req, struct res *res, const char *token,
    int64_t exp, struct err *e)
{
	AUTO_BUF cookie = BUF_INIT;
	char until[CLOCK_HTTP_MAX];

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

/* The user's document under "user". */
static bool
set_user(struct app *app, int64_t id, struct json_object *o, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	struct json_object *doc = NULL;

	if (!user_doc(app->db, id, &text, e) ||
	    !js_parse(text.data, text.len, &doc, e))
		return false;
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

static bool
login_post(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	AUTO_JS *o = js_new_object();
	AUTO_BUF token = BUF_INIT;
	const char *email = NULL, *password = NULL;
	struct user u;

	if (!req_json(req, BODY_MAX, &body, e) ||
	    !need_text(body, "email", &email, e) ||
	    !need_text(body, "password", &password, e) ||
	    !user_login(app->db, email, password, &u, &token, e) ||
	    !set_user(app, u.id, o, e) ||
	    !set_cookie(req, res, token.data, u.exp, e))
		return false;
	js_set_text(o, "message", "Authentication Passed");
	js_set_int(o, "exp", u.exp);
	js_set_text(o, "token", token.data);
	return res_json(res, 200, js_ref(o), e);
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
	    !set_user(app, u.id, o, e) ||
	    !set_cookie(req, res, token.data, u.exp, e))
		return false;
	js_set_text(o, "message", "Token refreshed successfully.");
	js_set_int(o, "exp", u.exp);
	js_set_text(o, "refreshedToken", token.data);
	js_set_bool(o, "setCookie", true);
	return res_json(res, 200, js_ref(o), e);
}

/* Nobody is an answer too.  The token itself is not repeated: the cookie is
 * HttpOnly so that no script of a page can read it. */
static bool
me_get(struct app *app, struct req *req UNUSED, struct res *res, struct err *e)
{
	AUTO_JS *o = js_new_object();
	const struct user *u = &app->caller.user;

	if (!app->caller.known)
		js_set(o, "user", NULL);
	else if (!set_user(app, u->id, o, e))
		return false;
	if (app->caller.known) {
		js_set_text(o, "collection", "users");
		js_set_text(
		    o, "strategy", u->sid[0] == '\0' ? "api-key" : "local-jwt");
	}
	if (app->caller.known && u->exp != 0)
		js_set_int(o, "exp", u->exp);
	js_set_text(o, "message", "Account");
	return res_json(res, 200, js_ref(o), e);
}

int
main(void)
{
	static const struct app_route routes[] = {
		{ "POST", "/api/users/login", ACCESS_USERS_ENTER, login_post },
		{ "POST", "/api/users/logout", ACCESS_USERS_ME, logout_post },
		{ "POST", "/api/users/refresh-token", ACCESS_USERS_REFRESH,
		    refresh_post },
		{ "GET", "/api/users/me", ACCESS_USERS_ME, me_get },
	};
	static const struct app_fn fn = { "users", routes, LEN(routes), NULL };

	return app_run(&fn);
}
