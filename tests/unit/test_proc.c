/* Descriptors, signals and the detached start. */
#include "common/base/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/path.h"
#include "tests/unit/tap.h"

static const char *self;

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static bool
is_null(int fd)
{
	struct stat st, null;

	return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 &&
	       st.st_rdev == null.st_rdev && S_ISCHR(st.st_mode);
}

/* A kernel that does not know close_range(). */
static bool
forget_close_range(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = LEN(code), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
	       close_range(1000, 1001, 0) == -1 && errno == ENOSYS;
}

/* 0, or the number of the first check that fails.  Runs in a child. */
static int
check_clean(bool old_kernel)
{
	int keep[] = { 20, 7, -1, 9 };

	if (old_kernel && !forget_close_range())
		return 1;
	for (int fd = 3; fd <= 30; fd++)
		if (dup2(STDOUT_FILENO, fd) == -1)
			return 2;
	proc_cloexec_from(10);
	for (int fd = 3; fd <= 30; fd++)
		if ((fcntl(fd, F_GETFD) == FD_CLOEXEC) != (fd >= 10))
			return 3;
	if (!is_open(29))
		return 4;
	proc_clean_fds(true, keep, LEN(keep));
	for (int fd = 3; fd <= 100; fd++)
		if (is_open(fd) != (fd == 7 || fd == 9 || fd == 20))
			return 5;
	if (!is_null(0) || !is_null(1) || is_null(2))
		return 6;
	if (fcntl(0, F_GETFD) != 0 || fcntl(1, F_GETFD) != 0)
		return 7;
	proc_clean_fds(false, NULL, 0);
	if (!is_null(2) || is_open(7))
		return 8;
	(void)close(0);
	(void)close(2);
	proc_clean_fds(true, NULL, 0);
	if (!is_null(0) || !is_null(2) || fcntl(0, F_GETFD) != 0)
		return 9;
	return 0;
}

static int
in_child(int (*fn)(bool), bool arg)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn(arg));
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

static void
on_signal(int sig)
{
	(void)sig;
}

static int
check_signals(bool unused)
{
	struct sigaction own = { .sa_handler = on_signal }, now;
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t all;

	(void)unused;
	sigfillset(&all);
	sigaction(SIGTERM, &own, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGRTMAX, &ignore, NULL);
	sigprocmask(SIG_BLOCK, &all, NULL);
	proc_reset_signals();
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sigaction(sig, NULL, &now) == 0 &&
		    now.sa_handler != SIG_DFL)
			return 1;
	sigprocmask(SIG_BLOCK, NULL, &all);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sigismember(&all, sig) == 1)
			return 2;
	return 0;
}

/* What the detached program says of itself, one fact a line. */
static int
report(const char *path)
{
	FILE *f = fopen(path, "we");
	char cwd[256] = "";
	sigset_t mask;
	mode_t mode = umask(0);
	int blocked = 0, fds = 0;
	struct stat handed, own;

	if (f == NULL)
		return 1;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		blocked += sigismember(&mask, sig) == 1;
	for (int fd = 3; fd < 200; fd++)
		fds += is_open(fd);
	fprintf(f,
	    "null %d%d stderr %d extra %d umask %o blocked %d "
	    "leader %d session-is-test's %d env %s cwd %s handed %d",
	    is_null(0), is_null(1), is_open(2), fds - 1, mode, blocked,
	    getsid(0) == getpid(),
	    getenv("TEST_SESSION") == NULL ||
		strtol(getenv("TEST_SESSION"), NULL, 10) == getsid(0),
	    getenv("TEST_VALUE") == NULL ? "-" : getenv("TEST_VALUE"),
	    getcwd(cwd, sizeof(cwd)) == NULL ? "-" : "kept",
	    fstat(PROC_HANDED_FD, &handed) == 0 &&
		stat("/dev/zero", &own) == 0 && handed.st_rdev == own.st_rdev);
	return fclose(f) == 0 ? 42 : 1;
}

/* A descriptor of /dev/zero, n or above. */
static int
zero_at(int n)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, n);

	(void)close(fd);
	return moved;
}

static void
test_detached(int hand)
{
	char path[] = "/tmp/test_proc.XXXXXX";
	int fd = mkstemp(path);
	char want[200];
	const char *const argv[] = { self, "report", path, NULL };
	char value[] = "TEST_VALUE=given", session[40],
	     nosan[] = "ASAN_OPTIONS=detect_leaks=0";
	char *const envp[] = { value, session, nosan, NULL };
	AUTO_BUF text = BUF_INIT;
	struct err e;
	int status;
	pid_t pid;

	(void)snprintf(session, sizeof(session), "TEST_SESSION=%d", getsid(0));
	/* So that the grandchild can be waited for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	ok(proc_spawn_detached(argv, envp, hand, true, &e),
	    "a program is started, handed descriptor %d", hand);
	pid = waitpid(-1, &status, 0);
	ok(pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 42,
	    "and runs to its end");
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD,
	    "no other child is left");
	ok(path_read(path, 4096, &text, &e), "its report is there");
	(void)snprintf(want, sizeof(want),
	    "null 11 stderr 1 extra %d umask 77 blocked 0 leader 0 "
	    "session-is-test's 0 env given cwd kept handed %d",
	    hand >= 0, hand >= 0);
	is_text(text.data, want,
	    "clean descriptors, mask and signals; a session of its own");
	ok(hand < 0 || fcntl(hand, F_GETFD) == FD_CLOEXEC, "ours stays");
	unlink(path);
	(void)close(fd);
}

static void
test_missing(void)
{
	const char *const argv[] = { "/nonexistent/program", NULL };
	char *const envp[] = { NULL };
	struct err e;

	ok(!proc_spawn_detached(argv, envp, -1, true, &e),
	    "a missing program is told");
	is_int(e.code, ERR_UNAVAILABLE, "its code");
	ok(strstr(e.msg, "No such file") != NULL, "with exec's reason: %s",
	    e.msg);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
}

/* Fork cannot succeed: the limit of processes is used up. */
static int
check_no_fork(bool unused)
{
	const char *const argv[] = { self, NULL };
	char *const envp[] = { NULL };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = LEN(code), .filter = code };
	struct err e;
	sigset_t mask;

	(void)unused;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return 1;
	if (proc_spawn_detached(argv, envp, -1, true, &e))
		return 2;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	if (sigismember(&mask, SIGTERM) != 0)
		return 3;
	return e.code == ERR_UNAVAILABLE &&
		       strstr(e.msg, "could not fork") != NULL
		   ? 0
		   : 4;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "report") == 0)
		return report(argv[2]);
	self = realpath(argv[0], NULL);
	is_int(in_child(check_clean, false), 0, "descriptors are cleaned");
	is_int(in_child(check_clean, true), 0,
	    "the same where close_range() is not known");
	is_int(in_child(check_signals, false), 0, "signals are reset");
	test_detached(-1);
	(void)close(PROC_HANDED_FD);
	test_detached(open("/dev/zero", O_RDONLY | O_CLOEXEC));
	test_detached(zero_at(4));
	test_detached(zero_at(40));
	test_missing();
	is_int(in_child(check_no_fork, false), 0,
	    "no process to be had: told, and the mask is as before");
	return done();
}
