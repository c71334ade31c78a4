#include "common/runner/program.h"

#include <inttypes.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "common/base/log.h"
#include "common/link/conf.h"
#include "common/link/js.h"
#include "common/runner/exec.h"
#include "common/runner/grant.h"
#include "common/runner/verdict.h"

enum {
	OWN_VARS = 7,
	TRACE_LEN = 55, /* 00-, 32 digits, -, 16 digits, -, 2 digits */
	MESSAGE_MAX = 500,
};

struct env {
	char job[48], attempt[40], lease[48], timeout[48];
	char task[sizeof("AFTERWORK_TASK=") + JOB_TASK_MAX];
	char queue[sizeof("AFTERWORK_QUEUE=") + JOB_QUEUE_MAX];
	char trace[sizeof("TRACEPARENT=") + TRACE_LEN];
	char *vars[CONF_TASK_VARS + OWN_VARS + GRANT_MAX + 1];
};

/* --- the environment ------------------------------------------------------ */

/* As W3C's Trace Context has it, version 00. */
static bool
is_traceparent(const char *s)
{
	static const char mask[] =
	    "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";

	if (s == NULL || strlen(s) != TRACE_LEN)
		return false;
	for (size_t i = 0; i < TRACE_LEN; i++)
		if (mask[i] == 'x' ? strchr("0123456789abcdef", s[i]) == NULL
				   : s[i] != mask[i])
			return false;
	return true;
}

/* The job's, or the beginning of a new one. */
static void
set_trace(const char *given, char *ret, size_t size)
{
	uint64_t id[3] = { 1, 1, 1 };

	if (is_traceparent(given)) {
		(void)snprintf(ret, size, "TRACEPARENT=%s", given);
		return;
	}
	(void)!getrandom(id, sizeof(id), GRND_NONBLOCK);
	(void)snprintf(ret, size,
	    "TRACEPARENT=00-%016" PRIx64 "%016" PRIx64 "-%016" PRIx64 "-01",
	    id[0], id[1], id[2]);
}

static void
set_env(const struct worker *w, const struct job *job, struct grant *grant,
    struct env *ret)
{
	const char *given[CONF_TASK_VARS];
	size_t n = conf_task_vars(given), k = 0;
	int64_t left_s = job->timeout_ms / 1000;
	char *const own[OWN_VARS] = { ret->job, ret->task, ret->queue,
		ret->attempt, ret->lease, ret->timeout, ret->trace };

#define SET(field, ...) (void)snprintf(field, sizeof(field), __VA_ARGS__)
	SET(ret->job, "AFTERWORK_JOB_ID=%" PRId64, job->id);
	SET(ret->task, "AFTERWORK_TASK=%s", job->task);
	SET(ret->queue, "AFTERWORK_QUEUE=%s", w->claim.queue);
	SET(ret->attempt, "AFTERWORK_ATTEMPT=%d", job->attempt);
	SET(ret->lease, "AFTERWORK_LEASE=%" PRId64, job->lease_no);
	SET(ret->timeout, "AFTERWORK_TIMEOUT=%" PRId64,
	    left_s < 1 ? INT64_C(1) : left_s);
#undef SET
	set_trace(job->traceparent, ret->trace, sizeof(ret->trace));
	for (size_t i = 0; i < n; i++)
		ret->vars[k++] = (char *)(uintptr_t)given[i];
	for (size_t i = 0; i < LEN(own); i++)
		ret->vars[k++] = own[i];
	for (size_t i = 0; i < grant->n; i++)
		ret->vars[k++] = grant->vars[i];
	ret->vars[k] = NULL;
}

/* --- while it runs -------------------------------------------------------- */

struct running {
	struct worker *w;
	const struct job *job;
	enum lease_word word; /* why it was stopped */
};

/* The guard wants a job to end; perhaps one that has ended since. */
static bool
is_halted(void *ctx)
{
	struct running *r = ctx;
	struct board *b = r->w->board;
	eventfd_t n;

	(void)eventfd_read(r->w->halt, &n);
	if (atomic_load(&b->halt_lease) != r->job->lease_no)
		return false;
	r->word = (enum lease_word)atomic_load(&b->halt_word);
	return true;
}

static void
tell_slow(void *ctx)
{
	struct running *r = ctx;

	if (r->w->slow != NULL)
		r->w->slow(r->w);
}

/* {"progress":0.4,"message":"…"}, either of them; what is anything else is
 * passed over. */
static void
take_line(void *ctx, const char *p, size_t n)
{
	struct running *r = ctx;
	AUTO_JS *said = NULL;
	AUTO_JS *kept = js_new_object();
	AUTO_BUF text = BUF_INIT;
	struct json_object *part, *message;
	struct err e;

	if (!js_parse_object(p, n, &said, &e))
		return;
	part = js_get(said, "progress");
	message = js_get(said, "message");
	if (js_is_number(part) && js_number_of(part) >= 0 &&
	    js_number_of(part) <= 1)
		js_set(kept, "progress", js_ref(part));
	if (js_is_text(message) && strlen(js_text_of(message)) <= MESSAGE_MAX)
		js_set(kept, "message", js_ref(message));
	if (js_get(kept, "progress") == NULL && js_get(kept, "message") == NULL)
		return;
	js_print(kept, &text);
	board_say(r->w->board, r->job->lease_no, text.data);
}

/* --- the attempt ---------------------------------------------------------- */

static void
note_lacking(struct worker *w, const struct job *job, const struct err *e)
{
	char *slot = w->lacks[w->nlacks % WORKER_LACKS_MAX];

	(void)snprintf(slot, sizeof(w->lacks[0]), "%s", job->task);
	w->nlacks++;
	log_fail(LOG_LEVEL_WARN, e,
	    "the task \"%s\" is left to other hosts: its handler is not here",
	    job->task);
}

static void
not_started(struct worker *w, const struct job *job, const struct err *why,
    struct settlement *ret)
{
	if (why->code == ERR_NOT_FOUND) {
		ret->op = SETTLE_RELEASE;
		note_lacking(w, job, why);
		return;
	}
	settle_failure(job, false, ret);
	ret->error = strdup(why->msg);
}

void
program_run(struct worker *w, const struct job *job, struct settlement *ret)
{
	struct running r = { .w = w, .job = job, .word = LEASE_GO_ON };
	AUTO_EXEC result = { .output = BUF_INIT, .log = BUF_INIT };
	struct exec_want want = { .path = job->handler,
		.folder = job->folder,
		.input = job->input,
		.timeout_ms = job->timeout_ms,
		.memory_bytes = job->memory_bytes,
		.cpu_ms = job->cpu_ms,
		.stop_fd = w->halt,
		.stop = is_halted,
		.slow = tell_slow,
		.line = take_line,
		.ctx = &r };
	AUTO_GRANT grant = { .n = 0 };
	char progress[BOARD_PROGRESS_MAX];
	struct err why = { 0 };
	struct env env;
	uint32_t seen = 0;
	bool ran = grant_open(job->settings, &grant, &why);

	set_env(w, job, &grant, &env);
	want.envp = env.vars;
	want.more = grant.fds;
	want.nmore = grant.n;
	atomic_store(&w->board->ran_programs, true);
	if (!ran || !exec_run(&want, &result, &why)) {
		not_started(w, job, &why, ret);
		return;
	}
	verdict(job, &result,
	    board_said(w->board, job->lease_no, &seen, progress) ? progress
								 : NULL,
	    ret);
	if (!result.swept)
		log_say(LOG_LEVEL_WARN,
		    "something that job %" PRId64 " started cannot be ended",
		    job->id);
}
