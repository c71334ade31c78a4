/*
 * spawn: what it costs to start a process that talks to PostgreSQL.
 *
 *	spawn chain N PAUSE-MS DATABASE-URL
 *		N times: fork twice with a new session, exec, connect, and one
 *		statement that asks the server's clock.  Prints p50 and p99 of
 *		the time up to that clock, in microseconds.
 *	spawn once DATABASE-URL
 *		Connect, SELECT 1, exit.
 *	spawn true N
 *		N times: posix_spawn() of /bin/true and waitpid().  Prints how
 *		many a second.
 *
 * It is linked with the libraries that the runner is linked with.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

static const char SQL_CLOCK[] =
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/* The last of the chain: standard output leads to the first. */
static int
child(const char *url)
{
	PGconn *db = bench_connect(url);
	PGresult *r = bench_result(db, PQexec(db, SQL_CLOCK));

	printf("%s\n", PQgetvalue(r, 0, 0));
	PQclear(r);
	PQfinish(db);
	return 0;
}

NORETURN static void
middle(char *self, char *url, int out)
{
	char name[] = "child";
	char *const argv[] = { self, name, url, NULL };

	if (setsid() < 0 || fork() != 0)
		_exit(0);
	(void)dup2(out, STDOUT_FILENO);
	(void)execv("/proc/self/exe", argv);
	_exit(127);
}

static int64_t
chain_once(char *self, char *url)
{
	int ends[2];
	char text[32] = "";
	int64_t start_us;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		bench_die("pipe: %s", strerror(errno));
	start_us = bench_now_us();
	pid = fork();
	if (pid == 0)
		middle(self, url, ends[1]);
	(void)close(ends[1]);
	(void)waitpid(pid, NULL, 0);
	n = read(ends[0], text, sizeof(text) - 1);
	(void)close(ends[0]);
	if (n <= 1)
		bench_die("the child said nothing");
	text[n - 1] = '\0';
	return bench_number(text, 0, INT64_MAX) - start_us;
}

static int
chain(char *self, int64_t n, int64_t pause_us, char *url)
{
	int64_t *took = calloc((size_t)n, sizeof(*took));

	if (took == NULL)
		bench_die("out of memory");
	for (int64_t i = 0; i < n; i++) {
		took[i] = chain_once(self, url);
		bench_sleep_us(pause_us);
	}
	bench_sort(took, (size_t)n);
	printf("%" PRId64 " %" PRId64 "\n",
	    bench_percentile(took, (size_t)n, 50),
	    bench_percentile(took, (size_t)n, 99));
	free(took);
	return 0;
}

static int
trues(int64_t n)
{
	char path[] = "/bin/true";
	char *const argv[] = { path, NULL }, *const envp[] = { NULL };
	int64_t start_us = bench_now_us();
	int status;
	pid_t pid;

	for (int64_t i = 0; i < n; i++)
		if (posix_spawn(&pid, path, NULL, NULL, argv, envp) != 0 ||
		    waitpid(pid, &status, 0) != pid || status != 0)
			bench_die("%s does not run", path);
	printf("%.1f\n", (double)n * 1e6 / (double)(bench_now_us() - start_us));
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return child(argv[2]);
	if (argc == 3 && strcmp(argv[1], "true") == 0)
		return trues(bench_number(argv[2], 1, 1000000));
	if (argc == 3 && strcmp(argv[1], "once") == 0) {
		PGconn *db = bench_connect(argv[2]);

		bench_do(db, "SELECT 1");
		PQfinish(db);
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "chain") == 0)
		return chain(argv[0], bench_number(argv[2], 1, 100000),
		    bench_number(argv[3], 0, 60000) * 1000, argv[4]);
	return 64;
}
