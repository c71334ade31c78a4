/* One run of an executable: limits of what is read, ends, leftovers. */
#include "common/runner/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/path.h"
#include "tests/unit/tap.h"

static char folder[] = "/tmp/afterwork-exec.XXXXXX";
static char script[64];

/* Write the script that the next run executes. */
static void
write_script(const char *text)
{
	AUTO_BUF all = BUF_INIT;
	struct err e;

	buf_addf(&all, "#!/bin/sh\n%s\n", text);
	{
		AUTO_FD fd = open(
		    script, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

		if (!fd_write_all(fd, all.data, all.len, &e))
			abort();
		(void)fchmod(fd, 0700);
	}
}

static struct exec_want
wanted(void)
{
	static char *env[] = { (char *)(uintptr_t) "PATH=/usr/bin:/bin", NULL };

	return (struct exec_want){ .path = script,
		.folder = folder,
		.envp = env,
		.input = "{\"a\":1}",
		.timeout_ms = 10000,
		.stop_fd = -1 };
}

static bool
run(const struct exec_want *w, struct exec_result *ret)
{
	struct err e;

	if (exec_run(w, ret, &e))
		return true;
	ok(false, "it starts: %s", e.msg);
	return false;
}

static bool
no_children(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static size_t
open_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
check_simple(void)
{
	struct exec_want w = wanted();
	size_t before = open_fds();
	AUTO_EXEC r = { .output = BUF_INIT, .log = BUF_INIT };

	write_script("cat; echo said >&2; pwd -P; exit 3");
	if (!run(&w, &r))
		return;
	ok(r.end == EXEC_ENDED && !r.signalled && r.status == 3,
	    "it ends with its status");
	ok(strstr(r.output.data, "{\"a\":1}") == r.output.data &&
		strstr(r.output.data, folder) != NULL,
	    "it reads its input, in its folder: %s", r.output.data);
	is_text(r.log.data, "said\n", "its log is kept");
	ok(r.usage.peak_bytes > 100000 && r.usage.cpu_us > 0,
	    "its use is known");
	ok(r.swept && no_children(), "nothing is left");
	is_int((int64_t)open_fds(), (int64_t)before, "no descriptor either");
}

/* TEXT | largest output that passes, and one byte more. */
static void
check_output(void)
{
	struct exec_want w = wanted();
	AUTO_EXEC r = { .output = BUF_INIT, .log = BUF_INIT };
	AUTO_EXEC much = { .output = BUF_INIT, .log = BUF_INIT };

	write_script("head -c 1048576 /dev/zero");
	if (run(&w, &r))
		ok(r.end == EXEC_ENDED && r.output.len == EXEC_OUTPUT_MAX,
		    "1 MiB of output is taken");
	write_script("head -c 1048577 /dev/zero; sleep 10");
	if (run(&w, &much))
		is_int(much.end, EXEC_TOO_MUCH, "one byte more ends it");
	ok(no_children(), "with all of it");
}

struct lines {
	int n;
	char last[EXEC_LINE_MAX + 1];
};

static void
take_line(void *ctx, const char *p, size_t n)
{
	struct lines *l = ctx;

	l->n++;
	memcpy(l->last, p, n);
	l->last[n] = '\0';
}

static void
check_lines(void)
{
	struct lines l = { .n = 0 };
	struct exec_want w = wanted();
	AUTO_EXEC r = { .output = BUF_INIT, .log = BUF_INIT };

	w.line = take_line;
	w.ctx = &l;
	write_script("printf 'one\\ntw' >&3; sleep 0.1; printf 'o\\n' >&3\n"
		     "head -c 5000 /dev/zero | tr '\\0' x >&3\n"
		     "printf '\\nthree\\nno end' >&3");
	if (!run(&w, &r))
		return;
	is_int(l.n, 3, "three whole lines; not one that is too long");
	is_text(l.last, "three", "the last of them");
}

static void
count(void *ctx)
{
	++*(int *)ctx;
}

static void
check_slow(void)
{
	struct exec_want w = wanted();
	AUTO_EXEC r = { .output = BUF_INIT, .log = BUF_INIT };
	AUTO_EXEC quick = { .output = BUF_INIT, .log = BUF_INIT };
	int told = 0;

	w.slow = count;
	w.ctx = &told;
	write_script("exit 0");
	if (run(&w, &quick))
		is_int(told, 0, "a quick one is not slow");
	write_script("while [ ! -e go ]; do echo; sleep 0.01; done & sleep 0.6;"
		     "touch go");
	if (run(&w, &r))
		is_int(told, 1, "a slow one is, once, though it writes");
}

static void
check_timeout(void)
{
	struct exec_want w = wanted();
	AUTO_EXEC soft = { .output = BUF_INIT, .log = BUF_INIT };
	AUTO_EXEC deaf = { .output = BUF_INIT, .log = BUF_INIT };
	int64_t start = clock_mono_ms(), took;

	w.timeout_ms = 300;
	write_script("trap 'echo bye >&2; exit 4' TERM; sleep 30 & wait");
	if (!run(&w, &soft))
		return;
	took = clock_mono_ms() - start;
	is_int(soft.end, EXEC_LATE, "it is late");
	is_int(soft.status, 4, "it has a word");
	is_text(soft.log.data, "bye\n", "and says it");
	ok(took >= 300 && took < 3000, "in time (%d ms)", (int)took);
	start = clock_mono_ms();
	write_script("trap '' TERM; while :; do sleep 0.05; done");
	if (!run(&w, &deaf))
		return;
	took = clock_mono_ms() - start;
	ok(deaf.end == EXEC_LATE && deaf.signalled && deaf.status == SIGKILL,
	    "a deaf one is killed");
	ok(took >= 300 + EXEC_GRACE_MS && took < 9000,
	    "when its grace is over (%d ms)", (int)took);
	ok(no_children(), "nothing is left");
}

static bool
say_stop(void *ctx)
{
	int *fd = ctx;
	eventfd_t n;

	return eventfd_read(*fd, &n) == 0 && n == 2;
}

static void
check_stop(void)
{
	AUTO_FD fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	struct exec_want w = wanted();
	AUTO_EXEC r = { .output = BUF_INIT, .log = BUF_INIT };
	AUTO_EXEC on = { .output = BUF_INIT, .log = BUF_INIT };

	w.stop_fd = fd;
	w.stop = say_stop;
	w.ctx = &fd;
	write_script("sleep 0.2; exit 6");
	if (run(&w, &on))
		ok(on.end == EXEC_ENDED && on.status == 6,
		    "another job's word does not stop it");
	(void)eventfd_write(fd, 2);
	write_script("sleep 30");
	if (run(&w, &r))
		is_int(r.end, EXEC_STOPPED, "its own does");
}

/* What it leaves holds its output open and is in a session of its own. */
static void
check_leftovers(void)
{
	struct exec_want w = wanted();
	AUTO_EXEC r = { .output = BUF_INIT, .log = BUF_INIT };
	int64_t start = clock_mono_ms();

	write_script("for i in 1 2 3 4 5; do (setsid sh -c "
		     "\"trap '' TERM HUP; sleep 30; echo late\" &) ; done\n"
		     "sleep 0.2; echo early");
	if (!run(&w, &r))
		return;
	is_text(r.output.data, "early\n", "the output is its own");
	ok(clock_mono_ms() - start < 3000, "leftovers hold nothing up");
	ok(r.swept && no_children(), "they are gone");
}

static void
check_absent(void)
{
	struct exec_want w = wanted();
	struct exec_result r;
	struct err e = { 0 };

	w.path = "/no/such/program";
	ok(!exec_run(&w, &r, &e), "a program that is not there");
	is_int(e.code, ERR_NOT_FOUND, "is not found");
	w.path = script;
	w.folder = "/no/such/folder";
	ok(!exec_run(&w, &r, &e) && e.code == ERR_NOT_FOUND,
	    "nor is one without its folder");
	w.folder = folder;
	(void)chmod(script, 0600);
	if (geteuid() != 0)
		ok(!exec_run(&w, &r, &e) && e.code == ERR_NOT_FOUND,
		    "nor one that may not be executed");
	write_script("");
	{
		AUTO_FD fd = open(script, O_WRONLY | O_TRUNC | O_CLOEXEC);

		(void)!write(fd, "#!/no/such\n", 11);
	}
	ok(!exec_run(&w, &r, &e), "a program without its interpreter");
	is_int(e.code, ERR_UNAVAILABLE, "is there, but cannot be started");
	ok(no_children(), "no child is left of all that");
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(script, sizeof(script), "%s/handler", folder);
	check_simple();
	check_output();
	check_lines();
	check_slow();
	check_timeout();
	check_stop();
	check_leftovers();
	check_absent();
	(void)unlink(script);
	{
		AUTO_BUF go = BUF_INIT;

		buf_addf(&go, "%s/go", folder);
		(void)unlink(go.data);
	}
	(void)rmdir(folder);
	return done();
}
