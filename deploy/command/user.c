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

enum {
	API_KEY_BYTES = 32,
	MADE_UP_BYTES = 12, /* of a password that nobody gave */
};

struct account {
	const char *email;
	enum user_role role;
	char password[CRYPT_PASSWORD_MAX + 1];
	bool made_up; /* the password is shown, since nobody knows */
	bool with_api_key;
	bool or_update;
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
find_password(struct account *a, const char *file, struct err *e)
{
	if (file != NULL)
		return read_file(a, file, e);
	if (isatty(STDIN_FILENO) && !ask_twice(a, e))
		return false;
	if (a->password[0] == '\0') {
		crypt_random_hex(MADE_UP_BYTES, a->password);
		a->made_up = true;
	}
	return true;
}

/* --- the account ---------------------------------------------------------- */

static bool
give_api_key(struct db *db, int64_t id, struct err *e)
{
	char key[2 * API_KEY_BYTES + 1];
	bool ok;

	crypt_random_hex(API_KEY_BYTES, key);
	ok = user_set_api_key(db, id, key, e);
	if (ok)
		command_say("API key: %s", key);
	crypt_wipe(key, sizeof(key));
	return ok;
}

/* Make it, or with --or-update bring the one that is there up to this. */
static bool
store(struct db *db, const struct account *a, int64_t *ret_id, bool *ret_added,
    struct err *e)
{
	struct err why = { 0 };

	*ret_added = user_add(db, a->email, a->password, a->role, ret_id, &why);
	if (*ret_added)
		return true;
	if (why.code != ERR_CONFLICT || !a->or_update) {
		*e = why;
		return false;
	}
	return user_find(db, a->email, ret_id, e) &&
	       user_update(db, *ret_id, a->password, a->role, e);
}

static bool
add(struct account *a, const char *file, struct err *e)
{
	AUTO_DB *db = NULL;
	int64_t id;
	bool added;

	if (!crypt_init(e) || !find_password(a, file, e) ||
	    !command_db(&db, e) || !store(db, a, &id, &added, e))
		return false;
	command_say("%s %s (%s, id %" PRId64 ")", added ? "added" : "updated",
	    a->email, user_role_name(a->role), id);
	if (a->made_up)
		command_say("password: %s", a->password);
	return !a->with_api_key || give_api_key(db, id, e);
}

static bool
api_key(const char *email, struct err *e)
{
	AUTO_DB *db = NULL;
	int64_t id;

	return crypt_init(e) && command_db(&db, e) &&
	       user_find(db, email, &id, e) && give_api_key(db, id, e);
}

/* --- the command ---------------------------------------------------------- */

static int
run(int argc, char *argv[])
{
	const char *role = "editor", *file = NULL;
	struct account a = { .role = ROLE_NONE };
	const struct command_option options[] = {
		{ "role", NULL, &role },
		{ "password-file", NULL, &file },
		{ "api-key", &a.with_api_key, NULL },
		{ "or-update", &a.or_update, NULL },
	};
	struct command_operands o;
	struct err e;
	bool ok;

	if (!command_parse(argc, argv, options, LEN(options), 2, &o))
		return EX_USAGE;
	a.role = user_role_parse(role);
	if (a.role == ROLE_NONE)
		return command_usage("--role must be admin, operator or "
				     "editor, not \"%s\"",
		    role);
	if (o.n == 2 && strcmp(o.v[0], "add") == 0) {
		a.email = o.v[1];
		ok = add(&a, file, &e);
		crypt_wipe(a.password, sizeof(a.password));
		return ok ? 0 : command_fail(&e);
	}
	if (o.n == 2 && strcmp(o.v[0], "api-key") == 0)
		return api_key(o.v[1], &e) ? 0 : command_fail(&e);
	return command_usage("say what to do: afterwork user add EMAIL, or "
			     "afterwork user api-key EMAIL");
}

const struct command command_user = {
	.name = "user",
	.summary = "make accounts and API keys",
	.help =
	    "usage: afterwork user add EMAIL [options]\n"
	    "       afterwork user api-key EMAIL\n"
	    "\n"
	    "add makes an account.  Its password comes from the file, is "
	    "asked\n"
	    "for on a terminal, or is made up and printed.  api-key makes a\n"
	    "new key, prints it once, and the old one no longer counts.\n"
	    "\n"
	    "  --role ROLE           editor (media and pages, the default),\n"
	    "                        operator (jobs too) or admin\n"
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
	    "  curl -H \"Authorization: users API-Key $KEY\" \\\n"
	    "      http://127.0.0.1:8080/api/payload-jobs\n",
	.run = run,
};
