/* `afterwork enqueue`: store a job and wake a runner. */
#include <inttypes.h>
#include <stdio.h>

#include "common/link/db.h"
#include "common/queue/job.h"
#include "deploy/command/command.h"

static bool
enqueue(const struct job_spec *spec, struct err *e)
{
	AUTO_DB *db = NULL;
	int64_t id;
	bool created;

	if (!command_db(&db, e) || !job_enqueue(db, spec, &id, &created, e))
		return false;
	command_say("%" PRId64, id);
	if (!created)
		fprintf(stderr, "afterwork: the unique key is in use; this is "
				"the job that holds it\n");
	if (created || spec->replace)
		command_wake("the job");
	return true;
}

static int
run(int argc, char *argv[])
{
	struct job_spec spec = { .input = "{}" };
	const struct command_option options[] = {
		{ "queue", NULL, &spec.queue },
		{ "run-at", NULL, &spec.run_at },
		{ "priority", NULL, &spec.priority },
		{ "unique-key", NULL, &spec.unique_key },
		{ "concurrency-key", NULL, &spec.concurrency_key },
		{ "meta", NULL, &spec.meta },
		{ "tags", NULL, &spec.tags },
		{ "unique-for", NULL, &spec.unique_for },
		{ "unique-until", NULL, &spec.unique_until },
		{ "replace", &spec.replace, NULL },
	};
	struct command_operands o;
	struct err e;

	if (!command_parse(argc, argv, options, LEN(options), 2, &o))
		return EX_USAGE;
	if (o.n == 0)
		return command_usage("say which task: afterwork enqueue TASK "
				     "[JSON]");
	spec.task = o.v[0];
	if (o.n == 2)
		spec.input = o.v[1];
	return enqueue(&spec, &e) ? 0 : command_fail(&e);
}

const struct command command_enqueue = {
	.name = "enqueue",
	.summary = "store a job and wake a runner",
	.help =
	    "usage: afterwork enqueue TASK [JSON] [options]\n"
	    "\n"
	    "Prints the job's id.  JSON is the input, an object; without it\n"
	    "the input is {}.  A job that does not fit its task is refused.\n"
	    "\n"
	    "  --queue NAME           another queue than the task's\n"
	    "  --run-at TIME          not before, as PostgreSQL reads a time\n"
	    "  --priority N           lower runs first; the task's by default\n"
	    "  --unique-key KEY       one live job with this key in its queue\n"
	    "  --unique-until WHEN    its 'start' or its 'end', the default\n"
	    "  --unique-for TIME      and for so long, as PostgreSQL reads it\n"
	    "  --replace              a waiting job with the key takes this\n"
	    "                         input and time\n"
	    "  --concurrency-key KEY  another key than the task's\n"
	    "  --meta JSON            kept with the job\n"
	    "  --tags JSON            a list of texts, kept with the job\n"
	    "\n"
	    "DATABASE_URL says where, RUNTIME_DIRECTORY where this host's\n"
	    "functions count their runners.\n"
	    "\n"
	    "examples:\n"
	    "  afterwork enqueue sendInvoice '{\"invoiceId\": 7}'\n"
	    "  afterwork enqueue report --run-at 'tomorrow 07:00' "
	    "--unique-key daily\n",
	.run = run,
};
