#include "common/runner/handler.h"

#include <stdarg.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/base/proc.h"
#include "common/link/conf.h"
#include "common/link/js.h"

enum {
	STDIN_MAX = 16 * 1024 * 1024,
	LEFT_DEFAULT_S = 30,
	LEFT_MAX_S = 24 * 3600,
	END_MS = 1000, /* kept for ending in order */

	EXIT_INPUT = 65,
	EXIT_AGAIN = 75,
	EXIT_SETTINGS = 78,
};

bool
handler_misset(struct handler *h, struct err *e, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	h->misset = true;
	return err_fail(e, ERR_INVALID, "%s", text);
}

static int
status_of(const struct handler *h, const struct err *e)
{
	if (h->misset)
		return EXIT_SETTINGS;
	switch (e->code) {
	case ERR_INVALID:
	case ERR_FORBIDDEN:
	case ERR_NOT_FOUND:
	case ERR_TOO_LARGE:
		return EXIT_INPUT;
	default:
		return EXIT_AGAIN;
	}
}

static void
hide(void)
{
#ifndef __SANITIZE_ADDRESS__ /* its search for leaks looks into the process */
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
	proc_cloexec_from(STDERR_FILENO + 1);
}

static bool
set_up(struct handler *h, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	int64_t left_s;

	if (!path_read("/dev/stdin", STDIN_MAX, &text, e) ||
	    !js_parse_object(text.data, text.len, &h->input, e) ||
	    !conf_int("AFTERWORK_JOB_ID", 0, 0, INT64_MAX, &h->job_id, e) ||
	    !conf_int(
		"AFTERWORK_TIMEOUT", LEFT_DEFAULT_S, 1, LEFT_MAX_S, &left_s, e))
		return false;
	h->left_ms = left_s > 1 ? left_s * 1000 - END_MS : END_MS;
	return true;
}

static void
write_output(const struct handler *h)
{
	AUTO_BUF text = BUF_INIT;
	struct err e;

	if (h->output == NULL)
		return;
	js_print(h->output, &text);
	buf_addc(&text, '\n');
	if (!fd_write_all(STDOUT_FILENO, text.data, text.len, &e))
		(void)fprintf(stderr, "no output: %s\n", e.msg);
}

static int
end(struct handler *h, const char *name, bool good, const struct err *e)
{
	int status = good ? 0 : status_of(h, e);

	if (!good)
		(void)fprintf(stderr, "%s: %s\n", name, e->msg);
	if (status == EXIT_AGAIN && h->retry_after_s > 0) {
		if (h->output == NULL)
			h->output = js_new_object();
		js_set_int(h->output, "retry_after", h->retry_after_s);
	}
	write_output(h);
	return status;
}

int
handler_main(const char *name, handler_fn *handle)
{
	struct handler h = { .input = NULL };
	struct err e = { 0 };
	bool good;
	int status;

	hide();
	good = set_up(&h, &e) && handle(&h, &e);
	status = end(&h, name, good, &e);
	js_free(&h.input);
	js_free(&h.output);
	return status;
}
