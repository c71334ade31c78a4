/* `afterwork cron`: vercel.json's crons on a host that is not Vercel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/link/conf.h"
#include "common/link/net.h"
#include "deploy/command/command.h"
#include "deploy/command/crontab.h"
#include "deploy/command/pinger.h"

enum { SLACK_S = 10 }; /* what a ping waits beyond maxDuration */

struct cron {
	const char *config; /* given by --config, or NULL */
	const char *print;
	const char *ping;
	const char *url;
	const char *schedule;
	bool if_due;
	bool serve;
	char *found; /* the vercel.json in use, or NULL */
	struct vercel vercel;
};

static void
cron_release(struct cron *c)
{
	vercel_release(&c->vercel);
	free(c->found);
}

/* A ping may do without a vercel.json, the other actions may not. */
static bool
load(struct cron *c, bool needed, struct err *e)
{
	AUTO_TEXT *near = c->config == NULL ? command_config() : NULL;
	const char *name = c->config == NULL ? near : c->config;

	if (name == NULL && needed)
		return err_fail(e, ERR_NOT_FOUND,
		    "there is no vercel.json "
		    "here; name one with --config FILE");
	if (name == NULL)
		return true;
	c->found = realpath(name, NULL);
	if (c->found == NULL)
		return err_errno(
		    e, ERR_NOT_FOUND, "could not open \"%s\"", name);
	return vercel_load(c->found, &c->vercel, e);
}

static bool
load_crons(struct cron *c, struct err *e)
{
	if (!load(c, true, e))
		return false;
	if (c->vercel.ncrons == 0)
		return err_fail(e, ERR_INVALID, "%s has no crons", c->found);
	return true;
}

/* Where the pings go. */
static const char *
base_url(const struct cron *c)
{
	if (c->url != NULL)
		return c->url;
	return conf_text("SERVER_URL", "http://127.0.0.1:8080");
}

static bool
check_url(const char *url, struct err *e)
{
	if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
		return true;
	return err_fail(e, ERR_INVALID,
	    "the URL \"%s\" must begin with "
	    "http:// or https://",
	    url);
}

/* --- --ping --------------------------------------------------------------- */

/* The schedule a path has in vercel.json; NULL: none, or several. */
static const char *
schedule_of(const struct vercel *v, const char *path)
{
	const char *found = NULL;

	for (size_t i = 0; i < v->ncrons; i++) {
		if (strcmp(v->crons[i].path, path) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = v->crons[i].schedule;
	}
	return found;
}

static bool
is_due(const char *schedule, bool *ret, struct err *e)
{
	struct cronexpr expr;
	struct err why = { 0 };

	if (!cronexpr_parse(schedule, &expr, &why))
		return err_fail(e, ERR_INVALID, "\"%s\" is no schedule: %s",
		    schedule, why.msg);
	*ret = cronexpr_matches(&expr, clock_wall_s());
	return true;
}

/* The longest that a function answering the ping may take. */
static int64_t
timeout_ms(const struct vercel *v)
{
	int64_t longest = VERCEL_DURATION_S;

	for (size_t i = 0; i < v->nfunctions; i++)
		if (v->functions[i].max_duration_s > longest)
			longest = v->functions[i].max_duration_s;
	return (longest + SLACK_S) * 1000;
}

/* One GET, as Vercel sends it. */
static bool
send_ping(
    const struct cron *c, const char *schedule, int *ret_status, struct err *e)
{
	AUTO_BUF url = BUF_INIT, header = BUF_INIT, body = BUF_INIT;
	const char *base = base_url(c);
	size_t n = strlen(base);
	const char *headers[2] = { NULL };
	struct net_get get = {
		.user_agent = "vercel-cron/1.0",
		.bearer = conf_text("CRON_SECRET", NULL),
		.headers = headers,
		.timeout_ms = timeout_ms(&c->vercel),
	};

	while (n > 0 && base[n - 1] == '/')
		n--;
	buf_add(&url, base, n);
	buf_adds(&url, c->ping);
	if (schedule != NULL) {
		buf_addf(&header, "x-vercel-cron-schedule: %s", schedule);
		headers[0] = header.data;
	}
	get.url = url.data;
	return check_url(base, e) && buf_ok(&url, e) && buf_ok(&header, e) &&
	       net_get(&get, ret_status, &body, e);
}

static bool
ping(struct cron *c, struct err *e)
{
	struct err why = { 0 };
	const char *schedule;
	bool due = true;
	int status;
	int n = (int)strcspn(c->ping, "?");

	if (!load(c, false, e))
		return false;
	schedule = c->schedule != NULL ? c->schedule
				       : schedule_of(&c->vercel, c->ping);
	if (c->if_due && schedule == NULL)
		return err_fail(e, ERR_INVALID,
		    "no schedule is known for %s; "
		    "give it with --schedule",
		    c->ping);
	if (c->if_due && !is_due(schedule, &due, e))
		return false;
	if (!due)
		return true;
	if (!send_ping(c, schedule, &status, &why))
		return err_fail(
		    e, why.code, "ping of %.*s: %s", n, c->ping, why.msg);
	if (status >= 200 && status < 300)
		return true;
	return err_fail(e, ERR_UNAVAILABLE, "ping of %.*s was answered %d%s", n,
	    c->ping, status,
	    status == 401 && conf_text("CRON_SECRET", NULL) == NULL
		? ": no CRON_SECRET is set here"
		: "");
}

/* --- --print, --serve ----------------------------------------------------- */

static bool
print_crontab(struct cron *c, struct err *e)
{
	AUTO_TEXT *dir = path_self_dir();
	AUTO_BUF program = BUF_INIT, text = BUF_INIT;
	struct crontab t = { .vercel = &c->vercel };

	if (!load_crons(c, e))
		return false;
	buf_addf(&program, "%s/afterwork", dir == NULL ? "" : dir);
	t.program = program.data;
	t.config = c->found;
	t.secret_file =
	    conf_text("CRON_SECRET_FILE", "/etc/afterwork/cron_secret");
	t.server_url = base_url(c);
	crontab_print(&t, &text);
	if (!check_url(t.server_url, e) || !buf_ok(&text, e))
		return false;
	fputs(text.data, stdout);
	return true;
}

/* What MAX_DURATION is to be, for the runner to last as long as it may. */
static bool
print_duration(struct cron *c, struct err *e)
{
	if (!load(c, true, e))
		return false;
	command_say(
	    "%lld", (long long)vercel_duration_s(&c->vercel, VERCEL_RUNNER));
	return true;
}

static bool
print(struct cron *c, struct err *e)
{
	return strcmp(c->print, "duration") == 0 ? print_duration(c, e)
						 : print_crontab(c, e);
}

static bool
serve(struct cron *c, struct err *e)
{
	struct pinger p = { .vercel = &c->vercel, .url = base_url(c) };

	if (!load_crons(c, e) || !check_url(p.url, e))
		return false;
	p.config = c->found;
	log_init("cron", conf_text("LOG_LEVEL", "info"));
	log_say(LOG_LEVEL_INFO, "serving %zu crons of %s", c->vercel.ncrons,
	    c->found);
	if (!pinger_serve(&p, e))
		return false;
	log_say(LOG_LEVEL_INFO, "told to end");
	return true;
}

static int
run_action(struct cron *c)
{
	int nactions = (c->print != NULL) + (c->ping != NULL) + c->serve;
	struct err e = { 0 };
	bool ok;

	if (nactions != 1)
		return command_usage("say one of --print crontab, --ping PATH "
				     "and --serve; see afterwork cron --help");
	if (c->print != NULL && strcmp(c->print, "crontab") != 0 &&
	    strcmp(c->print, "duration") != 0)
		return command_usage("cannot print \"%s\"; there are --print "
				     "crontab and --print duration",
		    c->print);
	if (c->ping != NULL && c->ping[0] != '/')
		return command_usage(
		    "the path \"%s\" must begin with '/'", c->ping);
	if ((c->if_due || c->schedule != NULL) && c->ping == NULL)
		return command_usage("--schedule and --if-due belong to "
				     "--ping");
	if (c->print != NULL)
		ok = print(c, &e);
	else
		ok = c->serve ? serve(c, &e) : ping(c, &e);
	return ok ? 0 : command_fail(&e);
}

static int
run(int argc, char *argv[])
{
	CLEANUP(cron_release) struct cron c = { .config = NULL };
	const struct command_option options[] = {
		{ "config", NULL, &c.config },
		{ "print", NULL, &c.print },
		{ "ping", NULL, &c.ping },
		{ "url", NULL, &c.url },
		{ "schedule", NULL, &c.schedule },
		{ "if-due", &c.if_due, NULL },
		{ "serve", &c.serve, NULL },
	};
	struct command_operands none;

	if (!command_parse(argc, argv, options, LEN(options), 0, &none))
		return EX_USAGE;
	return run_action(&c);
}

const struct command command_cron = {
	.name = "cron",
	.summary = "send the scheduled pings of vercel.json",
	.help =
	    "usage: afterwork cron --print crontab [--config FILE] [--url "
	    "URL]\n"
	    "       afterwork cron --print duration [--config FILE]\n"
	    "       afterwork cron --ping PATH [--config FILE] [--url URL]\n"
	    "                      [--schedule EXPR [--if-due]]\n"
	    "       afterwork cron --serve [--config FILE] [--url URL]\n"
	    "\n"
	    "Turns the crons of vercel.json (times in UTC) into pings of this\n"
	    "host, as Vercel sends them: GET, user-agent vercel-cron/1.0,\n"
	    "Authorization: Bearer with CRON_SECRET, redirects not followed.\n"
	    "\n"
	    "  --print crontab   lines for the host's own cron\n"
	    "  --print duration  the runner's maxDuration in seconds: what\n"
	    "                    MAX_DURATION is to be\n"
	    "  --ping PATH       send one ping now; exits with 0 when the\n"
	    "                    answer's status is 2xx, else says which\n"
	    "  --serve           stay and send every ping when it is due\n"
	    "  --config FILE     default: vercel.json in this folder, else\n"
	    "                    the one that came with this program\n"
	    "  --url URL         default: SERVER_URL, else "
	    "http://127.0.0.1:8080\n"
	    "  --schedule EXPR   told with the ping; default: vercel.json's\n"
	    "  --if-due          do nothing unless EXPR is due this minute\n"
	    "\n"
	    "examples:\n"
	    "  afterwork cron --print crontab\n"
	    "  MAX_DURATION=$(afterwork cron --print duration)\n"
	    "  CRON_SECRET_FILE=/etc/afterwork/cron_secret \\\n"
	    "      afterwork cron --ping "
	    "'/api/payload-jobs/run?allQueues=true'\n"
	    "  afterwork cron --serve --url http://127.0.0.1:8080\n",
	.run = run,
};
