/* `afterwork secret`: make and check what the scheduler shows. */
#include <stdio.h>
#include <string.h>

#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/parse/header.h"
#include "deploy/command/command.h"
#include "deploy/command/secret.h"

enum { SECRET_BYTES = 32 };

static int
secret_new(void)
{
	char hex[2 * SECRET_BYTES + 1];
	struct err e;

	if (!crypt_init(&e))
		return command_fail(&e);
	crypt_random_hex(SECRET_BYTES, hex);
	command_say("%s", hex);
	crypt_wipe(hex, sizeof(hex));
	return 0;
}

const char *
secret_fault(const char *secret)
{
	size_t n = strlen(secret);

	if (n < CRYPT_SECRET_MIN)
		return "is shorter than 32 characters, so it counts as none";
	if (n > CRYPT_TOKEN_MAX)
		return "is longer than 512 characters, so no caller can show "
		       "it";
	if (!header_token68(secret, n, CRYPT_TOKEN_MAX))
		return "holds characters that no Authorization header can "
		       "carry; use letters, digits and -._~+/ only";
	return NULL;
}

/* Say how one setting stands; true when it counts. */
static bool
say(const char *name, const char *secret)
{
	const char *fault =
	    secret == NULL ? "is not set" : secret_fault(secret);

	command_say("%s %s", name, fault == NULL ? "is good" : fault);
	return fault == NULL;
}

static int
secret_check(void)
{
	const char *now = conf_text("CRON_SECRET", NULL);
	const char *before = conf_text("CRON_SECRET_PREVIOUS", NULL);
	bool good = say("CRON_SECRET", now);

	if (before != NULL)
		good = say("CRON_SECRET_PREVIOUS", before) && good;
	if (before != NULL && now != NULL && strcmp(now, before) == 0) {
		command_say("both are the same: nothing is being rotated");
		good = false;
	}
	if (now == NULL)
		command_say("every call without a user is answered 401");
	return good ? 0 : 1;
}

static int
run(int argc, char *argv[])
{
	struct command_operands verb;

	if (!command_parse(argc, argv, NULL, 0, 1, &verb))
		return EX_USAGE;
	if (verb.n == 1 && strcmp(verb.v[0], "new") == 0)
		return secret_new();
	if (verb.n == 1 && strcmp(verb.v[0], "check") == 0)
		return secret_check();
	return command_usage("say what to do: afterwork secret new, or "
			     "afterwork secret check");
}

const struct command command_secret = {
	.name = "secret",
	.summary = "make or check the scheduler's secret",
	.help =
	    "usage: afterwork secret new\n"
	    "       afterwork secret check\n"
	    "\n"
	    "new prints a random secret for CRON_SECRET.  check looks at\n"
	    "CRON_SECRET and CRON_SECRET_PREVIOUS as the functions would read\n"
	    "them (environment, NAME_FILE, systemd credential), says what is\n"
	    "wrong, and exits with 1 unless they count.  Neither is shown.\n"
	    "\n"
	    "examples:\n"
	    "  (umask 077; afterwork secret new >/etc/afterwork/cron_secret)\n"
	    "  CRON_SECRET_FILE=/etc/afterwork/cron_secret afterwork secret "
	    "check\n",
	.run = run,
};
