/* Processes: descriptors, signals, the double fork. */
#include "common/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/close_range.h>

#include "common/base/path.h"

/* Where close_range() is missing, no more descriptors than these are tried:
 * a limit of 2^30 would keep a child busy for minutes. */
enum { FD_TRIED_MAX = 65536 };

static int
fd_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur > FD_TRIED_MAX)
		return FD_TRIED_MAX;
	return (int)r.rlim_cur;
}

/* Async-signal-safe.  Close [from, to], or mark it close-on-exec.  An older
 * kernel, or a container's filter, may not know close_range(). */
static void
fds_range(int from, int to, bool cloexec)
{
	int last;

	if (close_range((unsigned)from, (unsigned)to,
		cloexec ? CLOSE_RANGE_CLOEXEC : 0) == 0)
		return;
	last = fd_limit() - 1;
	if (to < last)
		last = to;
	for (int fd = from; fd <= last; fd++) {
		if (cloexec)
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		else
			(void)close(fd);
	}
}

bool
proc_become_owner(const char *folder, struct err *e)
{
	const struct passwd *who;
	struct stat st;

	if (geteuid() != 0)
		return true;
	if (stat(folder, &st) != 0)
		return err_errno(e, ERR_UNAVAILABLE,
		    "could not look at the folder \"%s\"", folder);
	if (st.st_uid == 0)
		return true;
	who = getpwuid(st.st_uid);
	if ((who != NULL ? initgroups(who->pw_name, who->pw_gid)
			 : setgroups(0, NULL)) != 0 ||
	    setgid(who != NULL ? who->pw_gid : st.st_gid) != 0 ||
	    setuid(st.st_uid) != 0)
		return err_errno(e, ERR_UNAVAILABLE,
		    "could not become the user %ld of the folder \"%s\"",
		    (long)st.st_uid, folder);
	return true;
}

void
proc_cloexec_from(int from)
{
	fds_range(from, INT_MAX, true);
}

void
proc_reset_signals(void)
{
	/* The kernel's own call and its struct, all zero: SIG_DFL, no flags.
	 * The C library lets nobody touch 32 and 33, and its posix_spawn()
	 * leaves them ignored in whatever make started. */
	static const uint64_t dfl[8];
	sigset_t none;

	/* Refused for KILL, STOP and those that libc keeps: as it should. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)syscall(
		    SYS_rt_sigaction, sig, dfl, NULL, sizeof(uint64_t));
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Least of keep[] that is >= from, or -1. */
static int
next_kept(const int *keep, size_t n, int from)
{
	int least = -1;

	for (size_t i = 0; i < n; i++)
		if (keep[i] >= from && (least == -1 || keep[i] < least))
			least = keep[i];
	return least;
}

/* Without /dev/null the descriptor ends up closed. */
static void
fd_to_null(int null, int fd)
{
	if (null == -1)
		(void)close(fd);
	else if (null != fd)
		(void)dup2(null, fd);
	else
		(void)fcntl(fd, F_SETFD, 0);
}

void
proc_clean_fds(bool keep_stderr, const int *keep, size_t n)
{
	int from = 3, kept, null;

	/* First, so that a full table has room for /dev/null. */
	while ((kept = next_kept(keep, n, from)) != -1) {
		if (kept > from)
			fds_range(from, kept - 1, false);
		from = kept + 1;
	}
	fds_range(from, INT_MAX, false);

	/* A closed 2 would become whatever is opened next. */
	if (keep_stderr && fcntl(STDERR_FILENO, F_GETFD) == -1)
		keep_stderr = false;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	fd_to_null(null, STDIN_FILENO);
	fd_to_null(null, STDOUT_FILENO);
	if (!keep_stderr)
		fd_to_null(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		(void)close(null);
}

static void
tell_errno(int fd)
{
	int code = errno;

	/* A parent that has gone has nobody to tell. */
	if (write(fd, &code, sizeof(code)) < 0)
		return;
}

/*
 * The two steps of a detached start.  Both run in the caller's memory while it
 * waits (as posix_spawn() does it): to copy its page tables twice, for nothing
 * but an exec, would cost a large process more than all the rest.
 */
struct detached {
	const char *const *argv;
	char *const *envp;
	int hand; /* becomes PROC_HANDED_FD; -1: none */
	bool keep_stderr;
	int tell;
	char *stack; /* of both: STACK_BYTES each */
};

enum { STACK_BYTES = 32 * 1024 };

/* Start fn(d) as a child, nth of two, which ends it by exec or _exit(). */
static pid_t
step(int (*fn)(void *), struct detached *d, size_t nth UNUSED)
{
#ifdef __SANITIZE_ADDRESS__ /* knows of one stack a process */
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn(d));
	return pid;
#else
	return clone(fn, d->stack + nth * STACK_BYTES,
	    CLONE_VM | CLONE_VFORK | SIGCHLD, d);
#endif
}

static int
detached_exec(void *arg)
{
	const struct detached *d = arg;
	/* Above 2, where proc_clean_fds() leaves it, and out of the way. */
	int tell = fcntl(d->tell, F_DUPFD_CLOEXEC, PROC_HANDED_FD + 1);
	int keep[] = { tell, -1 };

	if (d->hand == PROC_HANDED_FD)
		(void)fcntl(d->hand, F_SETFD, 0);
	else if (d->hand >= 0)
		(void)dup2(d->hand, PROC_HANDED_FD);
	if (d->hand >= 0)
		keep[1] = PROC_HANDED_FD;
	proc_clean_fds(d->keep_stderr, keep, LEN(keep));
	umask(077);
	proc_reset_signals();
	/* execve() does not write to argv: its type is older than const. */
	(void)execve(d->argv[0], (char *const *)(uintptr_t)d->argv, d->envp);
	tell_errno(tell);
	return 127;
}

static int
detached_middle(void *arg)
{
	struct detached *d = arg;

	if (setsid() == -1 || step(detached_exec, d, 2) == -1)
		tell_errno(d->tell);
	return 0;
}

/* False, with errno, when nothing was started. */
static bool
detached_start(struct detached *d)
{
	sigset_t all, old;
	pid_t pid;
	int saved;

	/* A handler of ours must not run in a child that is not yet clean. */
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	pid = step(detached_middle, d, 1);
	saved = errno;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	while (pid > 0 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	errno = saved;
	return pid > 0;
}

static bool
detached_try(struct detached *d)
{
	bool started;
	int saved;

	d->stack = mmap(NULL, 2 * (size_t)STACK_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (d->stack == MAP_FAILED)
		return false;
	started = detached_start(d);
	saved = errno;
	(void)munmap(d->stack, 2 * (size_t)STACK_BYTES);
	errno = saved;
	return started;
}

bool
proc_spawn_detached(const char *const argv[], char *const envp[], int hand,
    bool keep_stderr, struct err *e)
{
	struct detached d = { .argv = argv,
		.envp = envp,
		.hand = hand,
		.keep_stderr = keep_stderr };
	int ends[2], code;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(e, ERR_UNAVAILABLE, "could not make a pipe");
	AUTO_FD hear = ends[0];
	AUTO_FD tell = ends[1];
	d.tell = tell;
	if (!detached_try(&d))
		return err_errno(e, ERR_UNAVAILABLE, "could not fork");
	fd_close(&tell);
	do
		n = read(hear, &code, sizeof(code));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return true;
	errno = n == (ssize_t)sizeof(code) ? code : EIO;
	return err_errno(e, ERR_UNAVAILABLE, "could not start \"%s\"", argv[0]);
}
