#include "deploy/command/pinger.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/link/conf.h"
#include "deploy/command/minute.h"

enum { PINGS_MAX = 256 };

struct ping {
	pid_t pid; /* 0: unused */
	const struct vercel_cron *cron;
	int64_t started_ms;
};

struct serving {
	const struct pinger *pinger;
	struct ping pings[PINGS_MAX];
	posix_spawnattr_t attr; /* signals as a fresh program has them */
	sigset_t waiting;       /* the mask while it sleeps */
};

static volatile sig_atomic_t stopping;

static void
on_stop(int signo UNUSED)
{
	stopping = 1;
}

/* Only there so that the sleep ends. */
static void
on_child(int signo UNUSED)
{
}

static bool
set_handler(int signo, void (*handler)(int), struct err *e)
{
	struct sigaction sa = { .sa_handler = handler };

	if (sigaction(signo, &sa, NULL) != 0)
		return err_errno(
		    e, ERR_UNAVAILABLE, "could not set up signals");
	return true;
}

/* The three signals come in only while it sleeps, so none is missed. */
static bool
set_up_signals(struct serving *s, struct err *e)
{
	sigset_t held, defaults;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGCHLD);
	defaults = held;
	sigaddset(&defaults, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &held, &s->waiting) != 0 ||
	    posix_spawnattr_init(&s->attr) != 0 ||
	    posix_spawnattr_setflags(&s->attr,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) != 0 ||
	    posix_spawnattr_setsigmask(&s->attr, &s->waiting) != 0 ||
	    posix_spawnattr_setsigdefault(&s->attr, &defaults) != 0)
		return err_errno(
		    e, ERR_UNAVAILABLE, "could not set up signals");
	return set_handler(SIGTERM, on_stop, e) &&
	       set_handler(SIGINT, on_stop, e) &&
	       set_handler(SIGCHLD, on_child, e);
}

/* --- one ping ------------------------------------------------------------- */

/* One line for each ping that ended; the path without its query. */
static void
log_ping(const struct ping *p, int status)
{
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	AUTO_BUF path = BUF_INIT;
	struct log_line l;

	buf_add(&path, p->cron->path, strcspn(p->cron->path, "?"));
	log_begin(&l, good ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
	    good ? "ping" : "ping failed");
	log_text(&l, "path", path.data);
	log_text(&l, "schedule", p->cron->schedule);
	if (WIFEXITED(status))
		log_int(&l, "exit", WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		log_int(&l, "signal", WTERMSIG(status));
	log_int(&l, "ms", clock_mono_ms() - p->started_ms);
	log_end(&l);
}

/* Forget the pings that have ended; with block, wait for every one. */
static void
reap(struct serving *s, bool block)
{
	int status;

	for (int i = 0; i < PINGS_MAX; i++) {
		struct ping *p = &s->pings[i];
		pid_t got;

		if (p->pid == 0)
			continue;
		do
			got = waitpid(p->pid, &status, block ? 0 : WNOHANG);
		while (got < 0 && errno == EINTR);
		if (got == 0)
			continue;
		if (got > 0 && !stopping)
			log_ping(p, status);
		p->pid = 0;
	}
}

static struct ping *
unused(struct serving *s)
{
	for (int i = 0; i < PINGS_MAX; i++)
		if (s->pings[i].pid == 0)
			return &s->pings[i];
	return NULL;
}

/* posix_spawn() wants its argv writable and does not write to it. */
union word {
	const char *in;
	char *out;
};

static void
start(struct serving *s, const struct vercel_cron *cron)
{
	const struct pinger *pinger = s->pinger;
	const char *const words[] = { "afterwork", "cron", "--ping", cron->path,
		"--schedule", cron->schedule, "--config", pinger->config,
		"--url", pinger->url };
	char *argv[LEN(words) + 1] = { NULL };
	struct ping *p = unused(s);
	int failed;

	for (size_t i = 0; i < LEN(words); i++)
		argv[i] = ((union word){ .in = words[i] }).out;
	if (p == NULL) {
		log_say(LOG_LEVEL_WARN,
		    "%d pings are under way: one is left "
		    "out",
		    PINGS_MAX);
		return;
	}
	failed = posix_spawn(
	    &p->pid, "/proc/self/exe", NULL, &s->attr, argv, environ);
	if (failed != 0) {
		p->pid = 0;
		log_say(LOG_LEVEL_ERROR, "could not start a ping: %s",
		    strerror(failed));
		return;
	}
	p->cron = cron;
	p->started_ms = clock_mono_ms();
}

/* --- the loop ------------------------------------------------------------- */

static void
start_due(struct serving *s, int64_t utc_s)
{
	const struct vercel *v = s->pinger->vercel;

	for (size_t i = 0; i < v->ncrons; i++)
		if (cronexpr_matches(&v->crons[i].expr, utc_s))
			start(s, &v->crons[i]);
}

static void
sleep_ms(const struct serving *s, int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };

	(void)ppoll(NULL, 0, &t, &s->waiting);
}

static void
end_pings(struct serving *s)
{
	for (int i = 0; i < PINGS_MAX; i++)
		if (s->pings[i].pid != 0)
			(void)kill(s->pings[i].pid, SIGTERM);
	reap(s, true);
}

bool
pinger_serve(const struct pinger *p, struct err *e)
{
	struct serving s = { .pinger = p };
	struct minute minute;
	int64_t utc_s;

	if (!set_up_signals(&s, e))
		return false;
	minute_init(&minute, clock_wall_us() / 1000, clock_mono_ms());
	while (!stopping) {
		int64_t wall_ms = clock_wall_us() / 1000;

		reap(&s, false);
		if (minute_begun(&minute, wall_ms, clock_mono_ms(), &utc_s))
			start_due(&s, utc_s);
		sleep_ms(&s, minute_wait_ms(&minute, clock_wall_us() / 1000,
				 clock_mono_ms()));
	}
	end_pings(&s);
	(void)posix_spawnattr_destroy(&s.attr);
	return true;
}
