#include "common/runner/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/path.h"
#include "common/runner/tail.h"

enum {
	CHUNK = 16 * 1024,
	READS_MAX = 128,    /* more than the largest pipe holds */
	DEAD_TICK_MS = 500, /* how often orphans that ended are buried */
	LEFT_TICK_MS = 20,  /* how often it is seen whether any are left */
};

/* Is it asked to end, and why. */
enum phase {
	RUNNING,
	ENDING, /* SIGTERM was sent; at until_us comes SIGKILL */
};

struct run {
	const struct exec_want *want;
	struct exec_result *result;
	int pid;   /* 0: it has ended */
	int pidfd; /* or -1 */
	int out, log, note;
	int child[SPAWN_FDS]; /* the other ends, until it has started */
	struct tail tail;
	struct buf line; /* of progress, as far as it came */
	bool too_long;   /* that line is passed over */
	bool slow_told;
	enum phase phase;
	int64_t start_us, until_us, bury_us;
};

void
exec_release(struct exec_result *r)
{
	buf_release(&r->output);
	buf_release(&r->log);
}

static void
run_release(struct run *r)
{
	fd_close(&r->pidfd);
	fd_close(&r->out);
	fd_close(&r->log);
	fd_close(&r->note);
	for (size_t i = 0; i < LEN(r->child); i++)
		fd_close(&r->child[i]);
	tail_release(&r->tail);
	buf_release(&r->line);
}

/* --- the start ------------------------------------------------------------ */

static bool
open_pipe(int *ret_read, int *ret_write, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(e, ERR_UNAVAILABLE, "could not make a pipe");
	*ret_read = ends[0];
	*ret_write = ends[1];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
		return true;
	return err_errno(e, ERR_UNAVAILABLE, "could not set up a pipe");
}

/* pwrite() leaves the place to read from at the beginning. */
static bool
open_input(const char *input, int *ret, struct err *e)
{
	size_t n = strlen(input), at = 0;

	*ret = memfd_create("input", MFD_CLOEXEC);
	if (*ret < 0)
		return err_errno(e, ERR_UNAVAILABLE, "could not make an input");
	while (at < n) {
		ssize_t k = pwrite(*ret, input + at, n - at, (off_t)at);

		if (k <= 0)
			return err_errno(
			    e, ERR_UNAVAILABLE, "could not write an input");
		at += (size_t)k;
	}
	return true;
}

static bool
start(struct run *r, struct err *e)
{
	const struct exec_want *w = r->want;
	struct spawn s = { .path = w->path,
		.folder = w->folder,
		.envp = w->envp,
		.memory_bytes = w->memory_bytes,
		.cpu_ms = w->cpu_ms };

	if (!open_input(w->input, &r->child[0], e) ||
	    !open_pipe(&r->out, &r->child[1], e) ||
	    !open_pipe(&r->log, &r->child[2], e) ||
	    !open_pipe(&r->note, &r->child[3], e))
		return false;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	memcpy(s.fds, r->child, sizeof(r->child));
	s.nfds = LEN(r->child);
	for (size_t i = 0; i < w->nmore; i++)
		s.fds[s.nfds++] = w->more[i];
	r->start_us = clock_mono_us();
	if (!spawn_start(&s, &r->pid, &r->pidfd, e))
		return false;
	r->until_us = r->start_us + w->timeout_ms * 1000;
	for (size_t i = 0; i < LEN(r->child); i++)
		fd_close(&r->child[i]);
	return true;
}

/* --- what it writes ------------------------------------------------------- */

static void
take_lines(struct run *r, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *to = nl == NULL ? end : nl;

		if (r->line.len + (size_t)(to - p) > EXEC_LINE_MAX)
			r->too_long = true;
		if (!r->too_long)
			buf_add(&r->line, p, (size_t)(to - p));
		if (nl == NULL)
			return;
		if (!r->too_long && r->want->line != NULL)
			r->want->line(r->want->ctx, r->line.data, r->line.len);
		r->too_long = false;
		buf_clear(&r->line);
		p = nl + 1;
	}
}

static void finish(struct run *r, enum exec_end why);

static void
take_output(struct run *r, const char *p, size_t n)
{
	struct buf *out = &r->result->output;

	if (n <= EXEC_OUTPUT_MAX - out->len) {
		buf_add(out, p, n);
		return;
	}
	fd_close(&r->out);
	finish(r, EXEC_TOO_MUCH);
	if (r->phase == RUNNING) /* it has ended already */
		r->result->end = EXEC_TOO_MUCH;
}

/* Read some of what is there; false: there was nothing.  One that never stops
 * writing must not keep us from looking at the clock, hence not all. */
static bool
read_fd(struct run *r, int *fd)
{
	char chunk[CHUNK];
	ssize_t n = *fd < 0 ? -1 : read(*fd, chunk, sizeof(chunk));

	if (n == 0)
		fd_close(fd);
	if (n <= 0)
		return false;
	if (fd == &r->out)
		take_output(r, chunk, (size_t)n);
	else if (fd == &r->log)
		tail_add(&r->tail, chunk, (size_t)n);
	else
		take_lines(r, chunk, (size_t)n);
	return true;
}

/* All that is left, when nobody is who could write more. */
static void
read_rest(struct run *r)
{
	int *fds[] = { &r->out, &r->log, &r->note };

	for (size_t i = 0; i < LEN(fds); i++)
		for (int k = 0; k < READS_MAX && read_fd(r, fds[i]); k++)
			continue;
}

/* --- its end -------------------------------------------------------------- */

/* Ask it to end; the first reason counts. */
static void
finish(struct run *r, enum exec_end why)
{
	if (r->phase == ENDING || r->pid == 0)
		return;
	r->phase = ENDING;
	r->result->end = why;
	r->until_us = clock_mono_us() + EXEC_GRACE_MS * INT64_C(1000);
	(void)kill(-r->pid, SIGTERM);
	/* Once each: a second one may come in the middle of a handler's trap.
	 */
	reap_signal(SIGTERM, r->pid);
}

static void
note_status(struct run *r, int status)
{
	struct exec_result *res = r->result;

	r->pid = 0;
	res->signalled = WIFSIGNALED(status);
	res->status = res->signalled ? WTERMSIG(status) : WEXITSTATUS(status);
	if (r->phase == RUNNING)
		res->end = EXEC_ENDED;
}

/* Its own process may have ended.  True: nothing is to be waited for any
 * more; what it left by itself is killed, what was asked to end may do so. */
static bool
has_ended(struct run *r)
{
	int status;

	if (r->pid > 0 &&
	    reap_child(r->pid, false, &status, &r->result->usage) > 0) {
		note_status(r, status);
		if (r->phase == RUNNING)
			return true;
	}
	return r->pid == 0 && !reap_dead(0, &r->result->usage);
}

/* Kill all of it. */
static void
end(struct run *r)
{
	int status;

	if (r->pid > 0) {
		(void)kill(-r->pid, SIGKILL);
		reap_signal(SIGKILL, 0);
		if (reap_child(r->pid, true, &status, &r->result->usage) > 0)
			note_status(r, status);
	}
	r->result->swept = reap_all(EXEC_SWEEP_MS, &r->result->usage);
}

/* --- while it runs -------------------------------------------------------- */

static int
wait_ms(const struct run *r)
{
	int64_t now = clock_mono_us();
	int64_t ms = (r->until_us - now + 999) / 1000;
	int64_t slow_ms = EXEC_SLOW_MS - (now - r->start_us) / 1000;
	int64_t most =
	    r->pid == 0 || r->pidfd < 0 ? LEFT_TICK_MS : DEAD_TICK_MS;

	if (!r->slow_told && slow_ms < most)
		most = slow_ms;
	if (ms > most)
		ms = most;
	return ms < 0 ? 0 : (int)ms;
}

static void
look_round(struct run *r)
{
	const struct exec_want *w = r->want;
	int64_t now = clock_mono_us();

	if (!r->slow_told &&
	    now - r->start_us >= EXEC_SLOW_MS * INT64_C(1000)) {
		r->slow_told = true;
		if (w->slow != NULL)
			w->slow(w->ctx);
	}
	if (now < r->bury_us)
		return;
	r->bury_us = now + DEAD_TICK_MS * INT64_C(1000);
	(void)reap_dead(r->pid, &r->result->usage);
}

/* Until it has ended, or must be killed. */
static void
watch(struct run *r)
{
	const struct exec_want *w = r->want;

	while (!has_ended(r)) {
		struct pollfd p[] = {
			{ .fd = r->pid > 0 ? r->pidfd : -1, .events = POLLIN },
			{ .fd = r->out, .events = POLLIN },
			{ .fd = r->log, .events = POLLIN },
			{ .fd = r->note, .events = POLLIN },
			{ .fd = w->stop_fd, .events = POLLIN },
		};
		int n = poll(p, LEN(p), wait_ms(r));

		if (n > 0 && p[1].revents != 0)
			(void)read_fd(r, &r->out);
		if (n > 0 && p[2].revents != 0)
			(void)read_fd(r, &r->log);
		if (n > 0 && p[3].revents != 0)
			(void)read_fd(r, &r->note);
		if (n > 0 && p[4].revents != 0 && w->stop(w->ctx))
			finish(r, EXEC_STOPPED);
		look_round(r);
		if (clock_mono_us() < r->until_us)
			continue;
		if (r->phase == ENDING)
			return;
		finish(r, EXEC_LATE);
	}
}

bool
exec_run(const struct exec_want *want, struct exec_result *ret, struct err *e)
{
	AUTO_EXEC result = { .output = BUF_INIT, .log = BUF_INIT };
	CLEANUP(run_release)
	struct run r = { .want = want,
		.result = &result,
		.pidfd = -1,
		.out = -1,
		.log = -1,
		.note = -1,
		.child = { -1, -1, -1, -1 },
		.tail = { .room = EXEC_LOG_MAX },
		.line = BUF_INIT };

	if (!start(&r, e))
		return false;
	watch(&r);
	end(&r);
	read_rest(&r);
	tail_text(&r.tail, &result.log);
	*ret = result;
	result = (struct exec_result){ .output = BUF_INIT, .log = BUF_INIT };
	return true;
}
