#include "deploy/command/crontab.h"

/* A word for sh inside a crontab: '%' ends a command there unless escaped. */
static void
add_word(struct buf *ret, const char *word)
{
	buf_adds(ret, " '");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_adds(ret, "'\\''");
		else if (*word == '%')
			buf_adds(ret, "\\%");
		else
			buf_addc(ret, *word);
	}
	buf_addc(ret, '\'');
}

static void
add_line(struct buf *ret, const struct crontab *c, const struct vercel_cron *v)
{
	buf_adds(ret, "* * * * *");
	add_word(ret, c->program);
	buf_adds(ret, " cron --config");
	add_word(ret, c->config);
	buf_adds(ret, " --ping");
	add_word(ret, v->path);
	buf_adds(ret, " --schedule");
	add_word(ret, v->schedule);
	if (strcmp(v->schedule, "* * * * *") != 0)
		buf_adds(ret, " --if-due");
	buf_addc(ret, '\n');
}

void
crontab_print(const struct crontab *c, struct buf *ret)
{
	buf_adds(ret,
	    "# The pings of vercel.json.  Put this into the crontab "
	    "of a user who may read\n# the secret's file: crontab -e\n");
	buf_addf(ret, "CRON_SECRET_FILE=%s\n", c->secret_file);
	buf_addf(ret, "SERVER_URL=%s\n", c->server_url);
	for (size_t i = 0; i < c->vercel->ncrons; i++)
		add_line(ret, c, &c->vercel->crons[i]);
}
