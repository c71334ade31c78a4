/* `afterwork`: what operators run.  The commands are in files of their own. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "deploy/command/command.h"

static const struct command *const commands[] = {
	&command_migrate,
	&command_tasks,
	&command_user,
	&command_secret,
	&command_enqueue,
	&command_queue,
	&command_cron,
	&command_doctor,
};

static int
help(void)
{
	puts(
	    "usage: afterwork COMMAND [options]\n"
	    "\n"
	    "Background jobs for FastCGI functions: the operator's command.\n");
	for (size_t i = 0; i < LEN(commands); i++)
		printf("  %-8s  %s\n", commands[i]->name, commands[i]->summary);
	puts(
	    "\n"
	    "`afterwork COMMAND --help` says more.  Settings come from the\n"
	    "environment (DATABASE_URL, CRON_SECRET, TASKS_DIR, …), each also\n"
	    "as NAME_FILE=/path and as a systemd credential.\n"
	    "\n"
	    "examples:\n"
	    "  export DATABASE_URL=postgresql:///afterwork\n"
	    "  afterwork migrate\n"
	    "  afterwork user add ada@example.com --role admin\n"
	    "  afterwork enqueue sendInvoice '{\"invoiceId\": 7}'\n"
	    "  afterwork cron --print crontab\n"
	    "\n"
	    "exit status: 0 done, 1 failed, 64 called wrongly");
	return 0;
}

static bool
is_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0 ||
	       strcmp(arg, "help") == 0;
}

/* "--help" anywhere before "--" asks about the command. */
static bool
wants_help(int argc, char *const argv[])
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < LEN(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

int
main(int argc, char *argv[])
{
	const struct command *c;

	log_init("afterwork", "info");
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return command_usage("say what to do; see afterwork --help");
	c = find(argv[1]);
	if (c == NULL && is_help(argv[1]))
		return help();
	if (c == NULL)
		return command_usage("unknown command \"%s\"; see afterwork "
				     "--help",
		    argv[1]);
	if (wants_help(argc - 1, argv + 1)) {
		fputs(c->help, stdout);
		return 0;
	}
	return c->run(argc - 1, argv + 1);
}
