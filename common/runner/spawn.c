#include "common/runner/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/proc.h"

enum {
	STACK_BYTES = 64 * 1024, /* of the child, until it execs */
	CPU_GRACE_S = 2,
};

/* What parent and child share while the parent waits for the exec. */
struct start {
	const struct spawn *want;
	pid_t parent;
	int error; /* why there was no exec */
};

static bool
limit(int what, int64_t soft, int64_t hard)
{
	struct rlimit r = { .rlim_cur = (rlim_t)soft,
		.rlim_max = (rlim_t)hard };

	return setrlimit((__rlimit_resource_t)what, &r) == 0;
}

static bool
set_limits(const struct spawn *s)
{
	int64_t cpu_s = (s->cpu_ms + 999) / 1000;
#ifdef __SANITIZE_ADDRESS__ /* built-in programs reserve terabytes then */
	bool bounded = false;
#else
	bool bounded = s->memory_bytes > 0;
#endif

	return limit(RLIMIT_CORE, 0, 0) &&
	       (!bounded ||
		   limit(RLIMIT_DATA, s->memory_bytes, s->memory_bytes)) &&
	       (cpu_s == 0 || limit(RLIMIT_CPU, cpu_s, cpu_s + CPU_GRACE_S));
}

/* First out of the way of where they go, then to their places; the rest closes
 * with the exec. */
static bool
set_fds(const struct spawn *s)
{
	int fds[SPAWN_FDS_MAX], n = (int)s->nfds;

	for (int i = 0; i < n; i++) {
		fds[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, n);
		if (fds[i] < 0)
			return false;
	}
	for (int i = 0; i < n; i++)
		if (dup2(fds[i], i) < 0)
			return false;
	proc_cloexec_from(n);
	return true;
}

/* The child.  Its memory is the parent's, so it writes to nothing but its own
 * stack and start->error.  It never returns, so an address sanitizer would
 * take what it marks around its variables for the parent's. */
__attribute__((no_sanitize("address"))) static int
become(void *arg)
{
	struct start *start = arg;
	const struct spawn *s = start->want;
	char *const alone[] = { (char *)(uintptr_t)s->path, NULL };

	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != start->parent)
		_exit(127);
	if (set_limits(s) && set_fds(s) && chdir(s->folder) == 0) {
		proc_reset_signals();
		(void)execve(
		    s->path, s->argv == NULL ? alone : s->argv, s->envp);
	}
	start->error = errno;
	_exit(127);
}

/* Is it the program or its folder that is missing?  A script whose interpreter
 * is missing says the same. */
static bool
is_absent(const struct spawn *s, int error)
{
	return (error == ENOENT || error == EACCES || error == ENOTDIR) &&
	       (access(s->path, X_OK) != 0 || access(s->folder, X_OK) != 0);
}

static bool
start_failed(const struct spawn *s, int error, struct err *e)
{
	bool absent = is_absent(s, error);

	errno = error;
	return err_errno(e, absent ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
	    "could not start \"%s\"", s->path);
}

bool
spawn_start(const struct spawn *s, int *ret_pid, int *ret_pidfd, struct err *e)
{
	struct start start = { .want = s, .parent = getpid() };
	_Alignas(16) char stack[STACK_BYTES];
	int pidfd = -1, error;
	sigset_t all, old;
	pid_t pid;

	/* A handler of ours must not run in the child: it would do so in our
	 * memory. */
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	pid = clone(become, stack + sizeof(stack),
	    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &pidfd);
	error = pid < 0 ? errno : start.error;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (error == 0) {
		*ret_pid = pid;
		*ret_pidfd = pidfd;
		return true;
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (pidfd >= 0)
		(void)close(pidfd);
	return start_failed(s, error, e);
}
