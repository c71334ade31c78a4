/* What an executable's end means for its job. */
#include "common/runner/verdict.h"

#include <signal.h>

#include "common/link/js.h"
#include "tests/unit/tap.h"

enum { NONE = -1 };

static const struct {
	const char *what;
	int status;
	const char *output;
	int attempt; /* of 2 */
	enum settle_op op;
	int64_t delay_ms;  /* NONE: the policy's, 1000 */
	const char *error; /* a part of it, or NULL */
	const char *kept;  /* the output that stays, or NULL */
} exits[] = {
	{ "0", 0, "", 1, SETTLE_DONE, 0, NULL, NULL },
	{ "0 with blanks", 0, " \n\t", 1, SETTLE_DONE, 0, NULL, NULL },
	{ "0 with an object", 0, " {\"a\": 1}\n", 1, SETTLE_DONE, 0, NULL,
	    "{\"a\":1}" },
	{ "0 with a list", 0, "[1]", 1, SETTLE_RETRY, NONE,
	    "not one JSON object", NULL },
	{ "0 with a word, the last time", 0, "ok", 2, SETTLE_FAILED, 0,
	    "not one JSON object", NULL },
	{ "0 with two objects", 0, "{}{}", 1, SETTLE_RETRY, NONE,
	    "not one JSON object", NULL },
	{ "75", 75, "", 1, SETTLE_RETRY, NONE, "status 75", NULL },
	{ "75 with its time", 75, "{\"retry_after\":2.5}", 1, SETTLE_RETRY,
	    2500, "status 75", NULL },
	{ "75, now", 75, "{\"retry_after\":0}", 1, SETTLE_RETRY, 0, "status 75",
	    NULL },
	{ "75 with a time before", 75, "{\"retry_after\":-1}", 1, SETTLE_RETRY,
	    NONE, "status 75", NULL },
	{ "75 with a time that is none", 75, "{\"retry_after\":\"2\"}", 1,
	    SETTLE_RETRY, NONE, "status 75", NULL },
	{ "75 with years", 75, "{\"retry_after\":99999999}", 1, SETTLE_RETRY,
	    NONE, "status 75", NULL },
	{ "75 with an output that is none", 75, "soon", 1, SETTLE_RETRY, NONE,
	    "status 75", NULL },
	{ "75, the last time", 75, "{\"retry_after\":2}", 2, SETTLE_FAILED, 0,
	    "status 75", "{\"retry_after\":2}" },
	{ "65", 65, "{\"why\":1}", 1, SETTLE_FAILED, 0, "no use",
	    "{\"why\":1}" },
	{ "78", 78, "", 1, SETTLE_FAILED, 0, "no use", NULL },
	{ "79", 79, "{\"snooze\":30}", 1, SETTLE_SNOOZE, 30000, NULL, NULL },
	{ "79, the last time", 79, "{\"snooze\":30}", 2, SETTLE_SNOOZE, 30000,
	    NULL, NULL },
	{ "79, at once", 79, "{\"snooze\":0}", 1, SETTLE_SNOOZE, 1000, NULL,
	    NULL },
	{ "79 without a time", 79, "{}", 1, SETTLE_RETRY, NONE, "\"snooze\"",
	    NULL },
	{ "79 without an object", 79, "30", 1, SETTLE_RETRY, NONE,
	    "not one JSON object", NULL },
	{ "1", 1, "{\"a\":1}", 1, SETTLE_RETRY, NONE, "exit status 1.", NULL },
	{ "1, the last time", 1, "{\"a\":1}", 2, SETTLE_FAILED, 0,
	    "exit status 1.", "{\"a\":1}" },
	{ "255", 255, "", 1, SETTLE_RETRY, NONE, "exit status 255.", NULL },
};

static const struct job a_job = { .attempt = 1,
	.retries = 1,
	.timeout_ms = 3000,
	.backoff = { .delay_ms = 1000, .max_ms = 1000 } };

static void
check_exit(size_t i)
{
	struct exec_result r = { .end = EXEC_ENDED,
		.status = exits[i].status,
		.output = BUF_INIT,
		.log = BUF_INIT };
	struct settlement s = { 0 };
	struct job job = a_job;
	const char *what = exits[i].what;

	job.attempt = exits[i].attempt;
	buf_adds(&r.output, exits[i].output);
	verdict(&job, &r, NULL, &s);
	is_int(s.op, exits[i].op, "%s: op", what);
	is_int(s.delay_ms, exits[i].delay_ms == NONE ? 1000 : exits[i].delay_ms,
	    "%s: delay", what);
	if (exits[i].error == NULL)
		ok(s.error == NULL, "%s: no error", what);
	else
		ok(s.error != NULL && strstr(s.error, exits[i].error) != NULL,
		    "%s: error: %s", what, s.error);
	is_text(s.output, exits[i].kept, "%s: output", what);
	settlement_clear(&s);
	exec_release(&r);
}

/* The ends that are no exit.  CPU: job's limit 1 s. */
static const struct {
	const char *what;
	enum exec_end end;
	int sig; /* 0: exit status 0 */
	int64_t cpu_us;
	enum settle_op op;
	const char *error;
} others[] = {
	{ "a signal", EXEC_ENDED, SIGSEGV, 0, SETTLE_RETRY,
	    "The task was ended by SIGSEGV." },
	{ "a signal without a name", EXEC_ENDED, 40, 0, SETTLE_RETRY,
	    "The task was ended by signal 40." },
	{ "too much CPU", EXEC_ENDED, SIGXCPU, 1000000, SETTLE_RETRY,
	    "The task used more than its 1000 ms of CPU time (SIGXCPU)." },
	{ "too much CPU, and deaf", EXEC_ENDED, SIGKILL, 3000000, SETTLE_RETRY,
	    "The task used more than its 1000 ms of CPU time (SIGKILL)." },
	{ "killed by somebody", EXEC_ENDED, SIGKILL, 900000, SETTLE_RETRY,
	    "The task was ended by SIGKILL." },
	{ "late", EXEC_LATE, SIGTERM, 0, SETTLE_RETRY,
	    "The job took longer than its timeout of 3000 ms." },
	{ "late, though its status is 0", EXEC_LATE, 0, 0, SETTLE_RETRY,
	    "The job took longer than its timeout of 3000 ms." },
	{ "too much output", EXEC_TOO_MUCH, SIGPIPE, 0, SETTLE_RETRY,
	    "The task wrote more than 1048576 bytes to standard output." },
	{ "cancelled", EXEC_STOPPED, SIGTERM, 0, SETTLE_CANCELLED,
	    "The job was cancelled." },
};

static void
check_other(size_t i)
{
	struct exec_result r = { .end = others[i].end,
		.signalled = others[i].sig != 0,
		.status = others[i].sig,
		.usage = { .cpu_us = others[i].cpu_us },
		.output = BUF_INIT,
		.log = BUF_INIT };
	struct settlement s = { 0 };
	struct job job = a_job;

	job.cpu_ms = 1000;
	verdict(&job, &r, NULL, &s);
	is_int(s.op, others[i].op, "%s: op", others[i].what);
	is_text(s.error, others[i].error, "%s: error", others[i].what);
	settlement_clear(&s);
	exec_release(&r);
}

static void
check_detail(void)
{
	struct exec_result r = { .status = 3,
		.usage = { .cpu_us = 1234567, .peak_bytes = 4096 },
		.output = BUF_INIT,
		.log = BUF_INIT };
	struct settlement s = { 0 };

	buf_adds(&r.log, "it \"said\"\n");
	verdict(&a_job, &r, NULL, &s);
	is_text(s.detail,
	    "{\"exitStatus\":3,\"cpuSeconds\":1.234567,"
	    "\"peakMemoryBytes\":4096,\"log\":\"it \\\"said\\\"\\n\"}",
	    "what is kept of an exit");
	settlement_clear(&s);
	buf_clear(&r.log);
	r.signalled = true;
	r.status = SIGABRT;
	r.usage.cpu_us = 2000000;
	verdict(&a_job, &r, NULL, &s);
	is_text(s.detail,
	    "{\"signal\":\"SIGABRT\",\"cpuSeconds\":2.0,"
	    "\"peakMemoryBytes\":4096}",
	    "and of a signal, without a log");
	settlement_clear(&s);
	exec_release(&r);
}

#define EXIT_3 "{\"exitStatus\":3,\"cpuSeconds\":0.0,\"peakMemoryBytes\":0"

/* The detail of an attempt that exits so, having written n bytes of x. */
static char *
detail_of(int status, const char *output, const char *progress)
{
	struct exec_result r = {
		.status = status, .output = BUF_INIT, .log = BUF_INIT
	};
	struct settlement s = { 0 };
	char *kept;

	buf_adds(&r.output, output);
	verdict(&a_job, &r, progress, &s);
	kept = s.detail;
	s.detail = NULL;
	settlement_clear(&s);
	exec_release(&r);
	return kept;
}

static void
detail_is(int status, const char *output, const char *progress,
    const char *want, const char *what)
{
	char *kept = detail_of(status, output, progress);

	is_text(kept, want, "%s", what);
	free(kept);
}

/* n bytes of JSON: one object. */
static void
object_of(size_t n, struct buf *ret)
{
	buf_clear(ret);
	buf_adds(ret, "{\"x\":\"");
	while (ret->len < n - 2)
		buf_addc(ret, 'x');
	buf_adds(ret, "\"}");
}

static void
check_kept(void)
{
	static const char said[] = "{\"progress\":0.5,\"message\":\"half\"}";
	AUTO_BUF output = BUF_INIT;
	char *kept;

	detail_is(3, " {\"a\": 1}\n", NULL, EXIT_3 ",\"output\":{\"a\":1}}",
	    "the output of an attempt that failed");
	detail_is(3, "{}", said,
	    EXIT_3 ",\"progress\":{\"progress\":0.5,\"message\":\"half\"},"
		   "\"output\":{}}",
	    "how far it had come");
	detail_is(3, "oh", NULL, EXIT_3 "}", "an output that is no object");
	kept = detail_of(0, "{\"a\":1}", said);
	ok(kept != NULL && strstr(kept, "output") == NULL &&
		strstr(kept, said) != NULL,
	    "done: the output is the job's: %s", kept);
	free(kept);
	object_of(VERDICT_KEPT_MAX, &output);
	kept = detail_of(3, output.data, NULL);
	ok(kept != NULL && strstr(kept, output.data) != NULL,
	    "the longest output that is kept");
	free(kept);
	object_of(VERDICT_KEPT_MAX + 1, &output);
	detail_is(3, output.data, NULL, EXIT_3 "}", "one that is too long");
}

/* Small as text, large when it is read. */
static void
check_nodes(void)
{
	struct exec_result r = { .output = BUF_INIT, .log = BUF_INIT };
	struct settlement s = { 0 };

	buf_adds(&r.output, "{\"a\":[");
	for (int i = 0; i < VERDICT_NODES_MAX; i++)
		buf_adds(&r.output, i == 0 ? "{}" : ",{}");
	buf_adds(&r.output, "]}");
	verdict(&a_job, &r, NULL, &s);
	is_int(s.op, SETTLE_RETRY, "an output of too many objects fails");
	ok(strstr(s.error, "more than 20000 objects") != NULL, "and says why");
	settlement_clear(&s);
	exec_release(&r);
}

/* A worker's end as waitpid() tells it, and what it says of a task. */
static void
check_lost(void)
{
	static const struct {
		int status;
		const char *handler, *said, *kept, *why;
	} lost[] = {
		{ SIGSEGV, NULL, NULL, "{\"signal\":\"SIGSEGV\"}",
		    "The job ended its runner by SIGSEGV." },
		{ 3 << 8, NULL, NULL, "{\"exitStatus\":3}",
		    "The job ended its runner with exit status 3." },
		{ 0, NULL, NULL, NULL,
		    "The job ended its runner with exit status 0." },
		{ SIGKILL, "/x", NULL, NULL, "The job ended its runner." },
		{ SIGKILL, "/x", "{\"progress\":1}",
		    "{\"progress\":{\"progress\":1}}",
		    "The job ended its runner." },
	};

	for (size_t i = 0; i < LEN(lost); i++) {
		struct job job = a_job;
		AUTO_BUF why = BUF_INIT;
		char *kept;

		job.handler = lost[i].handler;
		kept = verdict_lost(&job, lost[i].status, lost[i].said);
		is_text(kept, lost[i].kept, "what is kept of a lost attempt");
		free(kept);
		verdict_crash(&job, lost[i].status, &why);
		is_text(why.data, lost[i].why, "and why the job has not ended");
	}
}

int
main(void)
{
	for (size_t i = 0; i < LEN(exits); i++)
		check_exit(i);
	for (size_t i = 0; i < LEN(others); i++)
		check_other(i);
	check_detail();
	check_kept();
	check_nodes();
	check_lost();
	return done();
}
