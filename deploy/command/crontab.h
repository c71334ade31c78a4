/* vercel.json's crons as lines for a host's own cron.  Pure. */
#ifndef AFTERWORK_COMMAND_CRONTAB_H
#define AFTERWORK_COMMAND_CRONTAB_H

#include "common/base/buf.h"
#include "deploy/command/vercel.h"

struct crontab {
	const struct vercel *vercel;
	const char *program;     /* absolute path of this command */
	const char *config;      /* absolute path of vercel.json */
	const char *secret_file; /* the secret is read from there */
	const char *server_url;
};

/*
 * Append the crontab.  Schedules of vercel.json are in UTC, a host's cron may
 * be in any zone (and Debian's knows no CRON_TZ): so a schedule other than
 * "every minute" becomes a line of every minute with --if-due, which looks at
 * UTC itself.
 */
void crontab_print(const struct crontab *c, struct buf *ret);

#endif
