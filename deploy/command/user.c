/* `afterwork user`: accounts of the site, made by the operator. */
#include "common/site/user.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/link/crypt.h"
#include "common/link/db.h"
#include "deploy/command/command.h"

enum { MADE_UP_BYTES = 12 }; /* of a password that nobody gave */

/* What the command line says. */
struct account {
	const char *email;
	const char *role_name;     /* of --role, or the second operand */
	const char *password_file; /* or NULL */
	enum user_role role;
	char password[CRYPT_PASSWORD_MAX + 1];
	bool made_up; /* the password is shown, since nobody knows */
	bool with_api_key;
	bool or_update;
	bool take_away;
};

/* --- the password --------------------------------------------------------- */

/* One line of the terminal, without showing it. */
static bool
ask(const char *prompt, char ret[static CRYPT_PASSWORD_MAX + 1])
{
	struct termios shown, hidden;
	char *got;

	if (tcgetattr(STDIN_FILENO, &shown) != 0)
		return false;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, stderr);
	fflush(stderr);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	got = fgets(ret, CRYPT_PASSWORD_MAX + 1, stdin);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	if (got == NULL)
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

static bool
ask_twice(struct account *a, struct err *e)
{
	char again[CRYPT_PASSWORD_MAX + 1];
	bool same;

	if (!ask("password (empty: one is made up): ", a->password))
		return err_fail(e, ERR_INVALID, "no password was given");
	if (a->password[0] == '\0')
		return true;
	if (!ask("the same again: ", again))
		return err_fail(e, ERR_INVALID, "no password was given");
	same = strcmp(a->password, again) == 0;
	crypt_wipe(again, sizeof(again));
	return same || err_fail(e, ERR_INVALID, "the passwords differ");
}

static bool
read_file(struct account *a, const char *path, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	size_t n;

	if (!path_read(path, CRYPT_PASSWORD_MAX, &text, e))
		return false;
	n = strcspn(text.data, "\n");
	if (n == 0)
		return err_fail(
		    e, ERR_INVALID, "\"%s\" holds no password", path);
	memcpy(a->password, text.data, n);
	a->password[n] = '\0';
	crypt_wipe(text.data, text.len);
	return true;
}

/* From the file, the person, or made up. */
static bool
find_password(struct account *a, struct err *e)
{
	if (a->password_file != NULL)
		return read_file(a, a->password_file, e);
	if (isatty(STDIN_FILENO) && !ask_twice(a, e))
		return false;
	if (a->password[0] == '\0') {
		crypt_random_hex(MADE_UP_BYTES, a->password);
		a->made_up = true;
	}
	return true;
}

/* --- the account ---------------------------------------------------------- */

/* Change the account at a->email; *ret_id is its id. */
static bool
change(struct db *db, const struct account *a, const struct user_change *c,
    int64_t *ret_id, struct err *e)
{
	bool new_key;

	return user_find(db, a->email, ret_id, e) &&
	       user_update(db, *ret_id, c, &new_key, e);
}

static void
say_key(const struct user_change *c)
{
	if (user_change_sets_key(c))
		command_say("API key: %s", c->api_key);
}

static void
say_password(const struct account *a)
{
	if (a->made_up)
		command_say("password: %s", a->password);
}

/* With --or-update the account that is there is brought up to this. */
static bool
add(struct db *db, struct account *a, struct err *e)
{
	struct user_change c = { .password = a->password, .role = a->role };
	struct err why;
	bool there = false;
	int64_t id;

	if (!find_password(a, e))
		return false;
	if (a->with_api_key)
		user_make_key(&c, USER_KEY_NEW);
	if (a->or_update)
		there = user_find(db, a->email, &id, &why);
	if (!there)
		c.email = a->email;
	if (there ? !change(db, a, &c, &id, e) : !user_create(db, &c, &id, e))
		return false;
	command_say("%s %s (%s, id %" PRId64 ")", there ? "updated" : "added",
	    a->email, user_role_name(a->role), id);
	say_password(a);
	say_key(&c);
	crypt_wipe(c.api_key, sizeof(c.api_key));
	return true;
}

static bool
password(struct db *db, struct account *a, struct err *e)
{
	struct user_change c = { .password = a->password };
	int64_t id;

	if (!find_password(a, e) || !change(db, a, &c, &id, e))
		return false;
	command_say("%s has a new password and no session", a->email);
	say_password(a);
	return true;
}

static bool
role(struct db *db, struct account *a, struct err *e)
{
	struct user_change c = { .role = a->role };
	int64_t id;

	if (!change(db, a, &c, &id, e))
		return false;
	command_say("%s is %s", a->email, user_role_name(a->role));
	return true;
}

static bool
api_key(struct db *db, struct account *a, struct err *e)
{
	struct user_change c = { .key = USER_KEY_NONE };
	int64_t id;

	if (!a->take_away)
		user_make_key(&c, USER_KEY_NEW);
	if (!change(db, a, &c, &id, e))
		return false;
	if (a->take_away)
		command_say("%s has no API key", a->email);
	say_key(&c);
	crypt_wipe(c.api_key, sizeof(c.api_key));
	return true;
}

static bool
unlock(struct db *db, struct account *a, struct err *e)
{
	int64_t id;

	if (!user_find(db, a->email, &id, e) || !user_unlock(db, a->email, e))
		return false;
	command_say("%s may log in", a->email);
	return true;
}

static bool
logout(struct db *db, struct account *a, struct err *e)
{
	struct user u = { .id = 0 };

	if (!user_find(db, a->email, &u.id, e) || !user_logout(db, &u, true, e))
		return false;
	command_say("%s has no session", a->email);
	return true;
}

static bool
remove_account(struct db *db, struct account *a, struct err *e)
{
	int64_t id;

	if (!user_find(db, a->email, &id, e) || !user_delete(db, id, e))
		return false;
	command_say("removed %s", a->email);
	return true;
}

static const char SQL_USER_TABLE[] =
    "SELECT u.id, u.role, u.api_key_hash IS NOT NULL,"
    " (SELECT count(*) FROM site.session s"
    "  WHERE s.user_id = u.id AND s.expires_at > now()),"
    " EXISTS (SELECT FROM site.login_attempt a"
    "  WHERE a.address = site.attempt_key(u.email)"
    "  AND a.tried >= 5 AND a.until > clock_timestamp()),"
    " u.email "
    "FROM site.users u "
    "ORDER BY u.email";

static bool
list(struct db *db, struct account *a UNUSED, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "user_table", SQL_USER_TABLE, 0, NULL, &rows, e))
		return false;
	command_say("%6s  %-8s  %-7s  %8s  %-6s  %s", "id", "role", "api key",
	    "sessions", "locked", "email");
	for (int i = 0; i < db_nrows(rows); i++)
		command_say("%6s  %-8s  %-7s  %8s  %-6s  %s",
		    db_text(rows, i, 0), db_text(rows, i, 1),
		    db_bool(rows, i, 2) ? "yes" : "no", db_text(rows, i, 3),
		    db_bool(rows, i, 4) ? "yes" : "no", db_text(rows, i, 5));
	return true;
}

/* --- the command ---------------------------------------------------------- */

static const struct action {
	const char *name;
	int operands; /* this word among them */
	bool takes_role;
	bool (*run)(struct db *db, struct account *a, struct err *e);
} ACTIONS[] = {
	{ "add", 2, true, add },
	{ "list", 1, false, list },
	{ "password", 2, false, password },
	{ "role", 3, true, role },
	{ "api-key", 2, false, api_key },
	{ "unlock", 2, false, unlock },
	{ "logout", 2, false, logout },
	{ "remove", 2, false, remove_account },
};

static const struct action *
find_action(const struct command_operands *o)
{
	for (size_t i = 0; i < LEN(ACTIONS); i++)
		if (o->n == ACTIONS[i].operands &&
		    strcmp(o->v[0], ACTIONS[i].name) == 0)
			return &ACTIONS[i];
	return NULL;
}

static int
act(const struct action *action, struct account *a)
{
	AUTO_DB *db = NULL;
	struct err e;
	bool ok =
	    crypt_init(&e) && command_db(&db, &e) && action->run(db, a, &e);

	crypt_wipe(a->password, sizeof(a->password));
	return ok ? 0 : command_fail(&e);
}

static int
run(int argc, char *argv[])
{
	struct account a = { .role_name = "editor" };
	const struct command_option options[] = {
		{ "role", NULL, &a.role_name },
		{ "password-file", NULL, &a.password_file },
		{ "api-key", &a.with_api_key, NULL },
		{ "or-update", &a.or_update, NULL },
		{ "remove", &a.take_away, NULL },
	};
	const struct action *action;
	struct command_operands o;

	if (!command_parse(argc, argv, options, LEN(options), 3, &o))
		return EX_USAGE;
	action = find_action(&o);
	if (action == NULL)
		return command_usage("say what to do: afterwork user add "
				     "EMAIL; see afterwork user --help");
	a.email = o.n > 1 ? o.v[1] : NULL;
	if (o.n > 2)
		a.role_name = o.v[2];
	a.role = user_role_parse(a.role_name);
	if (action->takes_role && a.role == ROLE_NONE)
		return command_usage("a role is admin, operator or editor, "
				     "not \"%s\"",
		    a.role_name);
	return act(action, &a);
}

const struct command command_user = {
	.name = "user",
	.summary = "accounts, their roles and API keys",
	.help =
	    "usage: afterwork user add EMAIL [options]\n"
	    "       afterwork user list\n"
	    "       afterwork user password EMAIL [--password-file FILE]\n"
	    "       afterwork user role EMAIL ROLE\n"
	    "       afterwork user api-key EMAIL [--remove]\n"
	    "       afterwork user unlock EMAIL\n"
	    "       afterwork user logout EMAIL\n"
	    "       afterwork user remove EMAIL\n"
	    "\n"
	    "A password comes from a file, is asked for on a terminal, or is\n"
	    "made up and printed.  A role is editor (media and pages),\n"
	    "operator (jobs too) or admin (users too).  The last admin keeps\n"
	    "his role and his account.\n"
	    "\n"
	    "  add       make an account\n"
	    "  list      all accounts, one a line\n"
	    "  password  set another; ends the account's sessions\n"
	    "  role      give it this role from now on\n"
	    "  api-key   make a new key and print it once; the old one no\n"
	    "            longer counts.  --remove: take it away\n"
	    "  unlock    forget bad tries at its password, of which five\n"
	    "            lock it for ten minutes\n"
	    "  logout    end all its sessions\n"
	    "  remove    remove it; its uploads and pages stay\n"
	    "\n"
	    "Options of add:\n"
	    "  --role ROLE           editor if none is given\n"
	    "  --password-file FILE  its first line\n"
	    "  --api-key             make an API key too and print it once\n"
	    "  --or-update           an account that is there gets the\n"
	    "                        password and role; else it is refused\n"
	    "\n"
	    "DATABASE_URL says where; its login must own the database.\n"
	    "\n"
	    "examples:\n"
	    "  afterwork user add ada@example.com --role admin\n"
	    "  afterwork user add ci@example.com --role operator --api-key\n"
	    "  afterwork user role ci@example.com editor\n"
	    "  afterwork user unlock ada@example.com\n"
	    "  curl -H \"Authorization: users API-Key $KEY\" \\\n"
	    "      http://127.0.0.1:8080/api/payload-jobs\n",
	.run = run,
};
