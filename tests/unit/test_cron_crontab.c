/* vercel.json as a crontab: UTC whatever the host's zone, safe for sh. */
#include "deploy/command/crontab.h"

#include "tests/unit/tap.h"

static const char config[] =
    "{\"crons\":["
    "{\"path\":\"/api/run?allQueues=true&n=1\",\"schedule\":\"* * * * *\"},"
    "{\"path\":\"/it's/50%25\",\"schedule\":\"17 4 * * 1\"}]}";

static const char want[] =
    "# The pings of vercel.json.  Put this into the crontab of a user who "
    "may read\n"
    "# the secret's file: crontab -e\n"
    "CRON_SECRET_FILE=/etc/afterwork/secret\n"
    "SERVER_URL=https://example.com\n"
    "* * * * * '/opt/a b/afterwork' cron --config '/srv/vercel.json' "
    "--ping '/api/run?allQueues=true&n=1' --schedule '* * * * *'\n"
    "* * * * * '/opt/a b/afterwork' cron --config '/srv/vercel.json' "
    "--ping '/it'\\''s/50\\%25' --schedule '17 4 * * 1' --if-due\n";

int
main(void)
{
	AUTO_VERCEL v = { .source = NULL };
	AUTO_BUF got = BUF_INIT;
	struct err e = { 0 };
	const struct crontab c = {
		.vercel = &v,
		.program = "/opt/a b/afterwork",
		.config = "/srv/vercel.json",
		.secret_file = "/etc/afterwork/secret",
		.server_url = "https://example.com",
	};

	if (!ok(vercel_parse(config, sizeof(config) - 1, &v, &e), "parsed %s",
		e.msg))
		return done();
	crontab_print(&c, &got);
	is_text(got.data, want, "the crontab");
	return done();
}
