#include "common/runner/verdict.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include "common/link/js.h"

#define WAIT_MAX_S (366.0 * 24 * 3600)

enum { SNOOZE_MIN_MS = 1000 };

/* --- what was written ----------------------------------------------------- */

static bool
is_blank(const struct buf *b)
{
	return strspn(b->data, " \t\r\n") == b->len;
}

/* Parsed, an object takes a hundred times its two bytes. */
static bool
is_simple(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->data[i] == '{' || b->data[i] == '[';
	return n <= VERDICT_NODES_MAX;
}

/* *ret: the output, NULL when there is none. */
static bool
read_output(const struct buf *b, struct json_object **ret, struct err *e)
{
	if (is_blank(b))
		return true;
	if (!is_simple(b))
		return err_fail(e, ERR_TOO_LARGE,
		    "The output has more than %d objects and lists.",
		    VERDICT_NODES_MAX);
	return js_parse_object(b->data, b->len, ret, e);
}

/* The seconds under key, in milliseconds. */
static bool
get_wait(struct json_object *output, const char *key, int64_t *ret_ms)
{
	struct json_object *v = output == NULL ? NULL : js_get(output, key);
	double s = js_is_number(v) ? js_number_of(v) : -1;

	if (!(s >= 0 && s <= WAIT_MAX_S))
		return false;
	*ret_ms = (int64_t)(s * 1000);
	return true;
}

/* --- what it means -------------------------------------------------------- */

PRINTF(4, 5)
static void
fail(const struct job *job, bool for_good, struct settlement *ret,
    const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	settle_failure(job, for_good, ret);
	ret->error = strdup(text);
}

static void
try_again(
    const struct job *job, struct json_object *output, struct settlement *ret)
{
	int64_t ms;

	fail(job, false, ret,
	    "The task asked to be tried again (exit status %d).",
	    VERDICT_AGAIN);
	if (ret->op == SETTLE_RETRY && get_wait(output, "retry_after", &ms))
		ret->delay_ms = ms;
}

static void
snooze(
    const struct job *job, struct json_object *output, struct settlement *ret)
{
	if (!get_wait(output, "snooze", &ret->delay_ms)) {
		fail(job, false, ret,
		    "The task ended with exit status %d, but its output has "
		    "no number of seconds under \"snooze\".",
		    VERDICT_SNOOZE);
		return;
	}
	ret->op = SETTLE_SNOOZE;
	if (ret->delay_ms < SNOOZE_MIN_MS)
		ret->delay_ms = SNOOZE_MIN_MS;
}

static void
exited(const struct job *job, int status, struct json_object *output,
    struct settlement *ret)
{
	switch (status) {
	case 0:
		ret->op = SETTLE_DONE;
		break;
	case VERDICT_AGAIN:
		try_again(job, output, ret);
		break;
	case VERDICT_SNOOZE:
		snooze(job, output, ret);
		break;
	case VERDICT_DATA:
	case VERDICT_CONFIG:
		fail(job, true, ret,
		    "The task said that trying again is of no use (exit "
		    "status %d).",
		    status);
		break;
	default:
		fail(job, false, ret, "The task ended with exit status %d.",
		    status);
	}
}

/* "SIGSEGV", or "signal 40". */
static void
signal_name(int sig, char *ret, size_t size)
{
	const char *name = sigabbrev_np(sig);

	if (name != NULL)
		(void)snprintf(ret, size, "SIG%s", name);
	else
		(void)snprintf(ret, size, "signal %d", sig);
}

static void
signalled(
    const struct job *job, const struct exec_result *r, struct settlement *ret)
{
	char name[32];

	signal_name(r->status, name, sizeof(name));
	if (job->cpu_ms > 0 && (r->status == SIGXCPU ||
				   (r->status == SIGKILL &&
				       r->usage.cpu_us >= job->cpu_ms * 1000)))
		fail(job, false, ret,
		    "The task used more than its %lld ms of CPU time (%s).",
		    (long long)job->cpu_ms, name);
	else
		fail(job, false, ret, "The task was ended by %s.", name);
}

/* bad: why what it has written is no JSON object; NULL: it is one, or
 * nothing. */
static void
ended(const struct job *job, const struct exec_result *r,
    struct json_object *output, const struct err *bad, struct settlement *ret)
{
	AUTO_BUF text = BUF_INIT;

	if (r->signalled)
		signalled(job, r, ret);
	else if (bad != NULL && (r->status == 0 || r->status == VERDICT_SNOOZE))
		fail(job, false, ret,
		    "The task's standard output is not one JSON object. %s",
		    bad->msg);
	else
		exited(job, r->status, output, ret);
	if (output == NULL || ret->op == SETTLE_RETRY ||
	    ret->op == SETTLE_SNOOZE)
		return;
	js_print(output, &text);
	ret->output = buf_steal(&text);
}

static void
add_output(struct json_object *detail, struct json_object *output)
{
	AUTO_BUF text = BUF_INIT;

	if (output == NULL)
		return;
	js_print(output, &text);
	if (text.len <= VERDICT_KEPT_MAX)
		js_set(detail, "output", js_ref(output));
}

static void
add_progress(struct json_object *detail, const char *progress)
{
	struct json_object *said = NULL;
	struct err e;

	if (progress != NULL &&
	    js_parse_object(progress, strlen(progress), &said, &e))
		js_set(detail, "progress", said);
}

static char *
detail(const struct exec_result *r, struct json_object *output,
    const char *progress)
{
	AUTO_JS *o = js_new_object();
	AUTO_BUF text = BUF_INIT;
	char name[32];

	if (r->signalled) {
		signal_name(r->status, name, sizeof(name));
		js_set_text(o, "signal", name);
	} else
		js_set_int(o, "exitStatus", r->status);
	js_set_seconds(o, "cpuSeconds", r->usage.cpu_us);
	js_set_int(o, "peakMemoryBytes", r->usage.peak_bytes);
	if (r->log.len > 0)
		js_set_text(o, "log", r->log.data);
	add_progress(o, progress);
	add_output(o, output);
	js_print(o, &text);
	return buf_steal(&text);
}

char *
verdict_lost(const struct job *job, int wait_status, const char *progress)
{
	AUTO_JS *o = js_new_object();
	AUTO_BUF text = BUF_INIT;
	char name[32];

	if (job->handler == NULL && WIFSIGNALED(wait_status)) {
		signal_name(WTERMSIG(wait_status), name, sizeof(name));
		js_set_text(o, "signal", name);
	} else if (job->handler == NULL && WEXITSTATUS(wait_status) != 0) {
		js_set_int(o, "exitStatus", WEXITSTATUS(wait_status));
	}
	add_progress(o, progress);
	js_print(o, &text);
	return strcmp(text.data, "{}") == 0 ? NULL : buf_steal(&text);
}

void
verdict_crash(const struct job *job, int wait_status, struct buf *why)
{
	char name[32];

	buf_adds(why, "The job ended its runner");
	if (job->handler == NULL && WIFSIGNALED(wait_status)) {
		signal_name(WTERMSIG(wait_status), name, sizeof(name));
		buf_addf(why, " by %s", name);
	} else if (job->handler == NULL) {
		buf_addf(why, " with exit status %d", WEXITSTATUS(wait_status));
	}
	buf_addc(why, '.');
}

void
verdict(const struct job *job, const struct exec_result *r,
    const char *progress, struct settlement *ret)
{
	AUTO_JS *output = NULL;
	struct err why = { 0 };
	bool good = read_output(&r->output, &output, &why);

	switch (r->end) {
	case EXEC_ENDED:
		ended(job, r, output, good ? NULL : &why, ret);
		break;
	case EXEC_LATE:
		fail(job, false, ret,
		    "The job took longer than its timeout of %d ms.",
		    job->timeout_ms);
		break;
	case EXEC_TOO_MUCH:
		fail(job, false, ret,
		    "The task wrote more than %d bytes to standard output.",
		    EXEC_OUTPUT_MAX);
		break;
	case EXEC_STOPPED:
		ret->op = SETTLE_CANCELLED;
		ret->error = strdup("The job was cancelled.");
		break;
	}
	ret->detail =
	    detail(r, ret->op == SETTLE_DONE ? NULL : output, progress);
}
