/*
 * What the commands of `afterwork` share: the table's shape, options, exit
 * statuses, the database link.
 *
 * A command prints its results on standard output, and what went wrong as one
 * line "afterwork: …" on standard error.  Exit status: 0 done, 1 failed,
 * 64 (EX_USAGE) called wrongly.
 */
#ifndef AFTERWORK_COMMAND_COMMAND_H
#define AFTERWORK_COMMAND_COMMAND_H

#include <sysexits.h>

#include "common/base/err.h"

struct db;

struct command {
	const char *name;
	const char *summary; /* for the list of `afterwork --help` */
	const char *help;    /* all of `afterwork NAME --help` */
	/* argv[0] is the command's name; returns the exit status. */
	int (*run)(int argc, char *argv[]);
};

extern const struct command command_migrate;
extern const struct command command_tasks;
extern const struct command command_user;
extern const struct command command_secret;
extern const struct command command_cron;
extern const struct command command_enqueue;
extern const struct command command_doctor;
extern const struct command command_queue;

/* An option "--name", or "--name VALUE" and "--name=VALUE". */
struct command_option {
	const char *name;   /* without dashes */
	bool *flag;         /* set to true when given, or NULL */
	const char **value; /* set to the argument (borrowed), or NULL */
};

enum { COMMAND_OPERANDS_MAX = 4 };

struct command_operands {
	const char *v[COMMAND_OPERANDS_MAX];
	int n;
};

/*
 * Sort argv[1..] into options and operands; "--" ends the options.  False
 * (and the line is printed): an option that is unknown, lacks its argument or
 * has one too many, or more operands than max.
 */
bool command_parse(int argc, char *const argv[],
    const struct command_option *options, size_t noptions, int max,
    struct command_operands *ret) MUSTCHECK;

/* Print "afterwork: <message>"; return EX_USAGE and 1. */
int command_usage(const char *fmt, ...) PRINTF(1, 2);
int command_fail(const struct err *e);

/* A line of results, written at once. */
void command_say(const char *fmt, ...) PRINTF(1, 2);

/* The operator's link (DATABASE_URL), given to the caller; not connected. */
bool command_db(struct db **ret, struct err *e) MUSTCHECK;

/*
 * Wake a runner of this host: of the folder that its functions share, which is
 * not made here, since runners of a folder of our own would be another host's
 * beside them.  That nobody could be woken is said, and loses nothing: the next
 * ping runs what ("the job").
 */
void command_wake(const char *what);

/* The vercel.json to use when none is named: the one in the working folder,
 * else the one of the checkout or installation that this program belongs to.
 * Given to the caller; NULL when there is none. */
char *command_config(void) MUSTCHECK;

/* For CLEANUP: frees what a malloc'ed pointer points to. */
void command_freep(char **text);
#define AUTO_TEXT CLEANUP(command_freep) char

#endif
