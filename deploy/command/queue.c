/* `afterwork queue`: how the queues do; pause, resume and limit one. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base/num.h"
#include "common/link/db.h"
#include "common/queue/job.h"
#include "deploy/command/command.h"

static const char SQL_QUEUES[] =
    "SELECT s.queue, s.ready, s.delayed, s.running, s.failed,\n"
    "    CASE WHEN s.paused THEN 'paused' ELSE 'open' END,\n"
    "    coalesce((SELECT p.max\n"
    "        FROM afterwork.place p JOIN afterwork.queue q\n"
    "            ON q.name = p.queue AND q.limited\n"
    "        WHERE p.queue = s.queue AND p.key = '')::text, 'none')\n"
    "FROM afterwork.stats() s ORDER BY s.queue";

static bool
list(struct db *db, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "queues", SQL_QUEUES, 0, NULL, &rows, e))
		return false;
	command_say("%-20s %9s %9s %9s %9s %-7s %s", "queue", "ready",
	    "delayed", "running", "failed", "state", "limit");
	for (int i = 0; i < db_nrows(rows); i++)
		command_say("%-20s %9s %9s %9s %9s %-7s %s",
		    db_text(rows, i, 0), db_text(rows, i, 1),
		    db_text(rows, i, 2), db_text(rows, i, 3),
		    db_text(rows, i, 4), db_text(rows, i, 5),
		    db_text(rows, i, 6));
	return true;
}

static bool
limit(struct db *db, const char *queue, const char *max, struct err *e)
{
	int64_t n = 0;

	if (strcmp(max, "none") != 0 && !num_parse_text(max, 1, INT_MAX, &n))
		return err_fail(
		    e, ERR_INVALID, "the limit is a number from 1 on, or none");
	return queue_limit(db, queue, n, e);
}

static bool
act(const struct command_operands *o, struct err *e)
{
	const char *verb = o->n == 0 ? "list" : o->v[0];
	bool pause = strcmp(verb, "pause") == 0, ok;
	AUTO_DB *db = NULL;

	if (!command_db(&db, e))
		return false;
	if (strcmp(verb, "list") == 0)
		return list(db, e);
	if (strcmp(verb, "limit") == 0)
		ok = limit(db, o->v[1], o->v[2], e);
	else
		ok = queue_pause(db, o->v[1], pause, e);
	if (ok && !pause)
		command_wake("its jobs"); /* some may be claimable now */
	if (!ok && e->code == ERR_NOT_FOUND)
		return err_fail(
		    e, ERR_NOT_FOUND, "there is no queue \"%s\"", o->v[1]);
	return ok;
}

static int
run(int argc, char *argv[])
{
	static const struct {
		const char *verb;
		int operands;
	} verbs[] = { { "list", 1 }, { "pause", 2 }, { "resume", 2 },
		{ "limit", 3 } };
	struct command_operands o;
	struct err e;
	bool known;

	if (!command_parse(argc, argv, NULL, 0, 3, &o))
		return EX_USAGE;
	known = o.n == 0;
	for (size_t i = 0; o.n > 0 && i < LEN(verbs); i++)
		known = known || (strcmp(o.v[0], verbs[i].verb) == 0 &&
				     o.n == verbs[i].operands);
	if (!known)
		return command_usage("say list, pause QUEUE, resume QUEUE or "
				     "limit QUEUE N");
	return act(&o, &e) ? 0 : command_fail(&e);
}

const struct command command_queue = {
	.name = "queue",
	.summary = "list, pause, resume and limit queues",
	.help = "usage: afterwork queue [list]\n"
		"       afterwork queue pause QUEUE\n"
		"       afterwork queue resume QUEUE\n"
		"       afterwork queue limit QUEUE N|none\n"
		"\n"
		"A paused queue takes jobs and starts none.  With a limit at "
		"most N\n"
		"of a queue's jobs run at a time, on all hosts together; those "
		"that\n"
		"were started before it was set are not counted.\n"
		"\n"
		"DATABASE_URL says where.\n"
		"\n"
		"examples:\n"
		"  afterwork queue\n"
		"  afterwork queue limit mail 4\n",
	.run = run,
};
