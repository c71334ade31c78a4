/*
 * The web server's side: a server process at one end of a socket, and this
 * test, speaking FastCGI record by record, at the other.  CGI with pipes.
 */
#include "common/link/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/path.h"
#include "tests/unit/tap.h"

#define BIG_BYTES 4194304

enum { IO_MS = 300, BIG = BIG_BYTES };

static char big[BIG]; /* what is sent of, on wish */
static char socket_path[] = "/tmp/test_fcgi.XXXXXX.sock";

static void
nap(int ms)
{
	(void)poll(NULL, 0, ms);
}

/* --- the server ----------------------------------------------------------- */

static int cut_bodies;

/* Says what it saw.  Special wishes come as parameters. */
static void
serve_one(struct fcgi *f)
{
	static char chunk[10000];
	AUTO_BUF out = BUF_INIT;
	const char *wish = fcgi_param(f, "BIG");
	long want = wish == NULL ? 0 : strtol(wish, NULL, 10);
	const char *sleep_ms = fcgi_param(f, "SLEEP_MS");
	size_t n, body = 0;
	struct err e;

	do {
		if (!fcgi_read(f, chunk, sizeof(chunk), &n, &e)) {
			cut_bodies++;
			return;
		}
		body += n;
	} while (n > 0);
	if (sleep_ms != NULL)
		nap((int)strtol(sleep_ms, NULL, 10));
	buf_addf(&out, "method=%s body=%zu x=%s/%d none=%d cut=%d stop=%d",
	    fcgi_param(f, "REQUEST_METHOD"), body,
	    fcgi_param(f, "HTTP_X") == NULL ? "-" : fcgi_param(f, "HTTP_X"),
	    fcgi_param_count(f, "HTTP_X"), fcgi_param_count(f, "HTTP_PROXY"),
	    cut_bodies, fcgi_stopping());
	if (fcgi_write(f, out.data, out.len, &e) && want > 0 &&
	    fcgi_write(f, big, (size_t)want, &e))
		(void)!fcgi_write(f, "end", 3, &e);
}

static void
serve(struct fcgi *f)
{
	struct err e;

	while (fcgi_accept(f, -1, &e) == FCGI_REQUEST) {
		serve_one(f);
		fcgi_finish(f);
	}
	fcgi_free(f);
	_exit(fcgi_stopping() ? 0 : 3);
}

static int
listen_here(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	(void)unlink(socket_path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 16) != 0)
		abort();
	return fd;
}

/* A child with the listening socket at descriptor at. */
static pid_t
server_start(int at, bool systemd)
{
	AUTO_FD fd = listen_here();
	struct fcgi *f;
	char pid[16];
	struct err e;
	pid_t child = fork();

	if (child != 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(fd, at) != at)
		_exit(4);
	if (systemd) {
		snprintf(pid, sizeof(pid), "%d", (int)getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
	}
	if (!fcgi_open(IO_MS, &f, &e) || fcgi_is_cgi(f))
		_exit(5);
	serve(f);
	_exit(6);
}

/* Its exit status, once it ends within ms; else it is killed: -1. */
static int
server_end(pid_t pid, int ms)
{
	int64_t until = clock_mono_ms() + ms;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono_ms() > until) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		nap(2);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

/* --- the client ------------------------------------------------------------
 */

enum { BEGIN = 1, END = 3, PARAMS = 4, IN = 5, OUT = 6 };

static void
add_record(struct buf *b, int type, const void *p, size_t n)
{
	unsigned char head[8] = { 1, (unsigned char)type, 0, 1,
		(unsigned char)(n >> 8), (unsigned char)n, 0, 0 };

	buf_add(b, head, sizeof(head));
	buf_add(b, p, n);
}

static void
add_param(struct buf *b, const char *name, const char *value)
{
	AUTO_BUF p = BUF_INIT;

	buf_addc(&p, (char)strlen(name));
	buf_addc(&p, (char)strlen(value));
	buf_adds(&p, name);
	buf_adds(&p, value);
	add_record(b, PARAMS, p.data, p.len);
}

static void
add_begin(struct buf *b, bool keep)
{
	const char begin[8] = { 0, 1, keep ? 1 : 0 };

	add_record(b, BEGIN, begin, sizeof(begin));
	add_param(b, "REQUEST_METHOD", "POST");
}

static void
add_body(struct buf *b, size_t n)
{
	static char zeros[30000];

	for (size_t some; n > 0; n -= some) {
		some = n < sizeof(zeros) ? n : sizeof(zeros);
		add_record(b, IN, zeros, some);
	}
}

static int
client_connect(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		abort();
	return fd;
}

static bool
client_send(int fd, const struct buf *b)
{
	struct err e;

	return fd_write_all(fd, b->data, b->len, &e);
}

/* All until the server closes, within ms.  False: time is up. */
static bool
read_until_closed(int fd, int ms, struct buf *ret)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, ms) == 1) {
		ssize_t n;

		if (!buf_reserve(ret, 65536))
			abort();
		n = read(fd, ret->data + ret->len, 65536);
		if (n <= 0)
			return n == 0;
		ret->len += (size_t)n;
		ret->data[ret->len] = '\0';
	}
	return false;
}

/* The OUT records' content goes to ret.  True: an END record is there. */
static bool
unpack(const struct buf *in, struct buf *ret)
{
	const unsigned char *p = (const unsigned char *)in->data;
	bool ended = false;

	for (size_t at = 0; at + 8 <= in->len;) {
		size_t n = (size_t)p[at + 4] << 8 | p[at + 5];

		if (at + 8 + n > in->len || p[at] != 1 || p[at + 2] != 0 ||
		    p[at + 3] != 1)
			return false;
		if (p[at + 1] == OUT)
			buf_add(ret, p + at + 8, n);
		ended = p[at + 1] == END;
		at += 8 + n + p[at + 6];
	}
	return ended;
}

/* Take the answer off fd and compare. */
static void
answer_is(int fd, int ms, const char *want, const char *what)
{
	AUTO_BUF raw = BUF_INIT;
	AUTO_BUF text = BUF_INIT;
	bool closed = read_until_closed(fd, ms, &raw);
	bool ended = unpack(&raw, &text);

	is_text(text.data, want, "%s", what);
	ok(closed && ended, "... ended, and the connection is closed");
}

static int
ask(bool keep, size_t body, const char *name, const char *value)
{
	AUTO_BUF b = BUF_INIT;
	int fd = client_connect();

	add_begin(&b, keep);
	if (name != NULL)
		add_param(&b, name, value);
	add_record(&b, PARAMS, "", 0);
	add_body(&b, body);
	add_record(&b, IN, "", 0);
	(void)client_send(fd, &b);
	return fd;
}

#define ANSWER(body, cut, stop) \
	"method=POST body=" #body " x=-/0 none=0 cut=" #cut " stop=" #stop

/* --- FastCGI ----------------------------------------------------------------
 */

static void
test_requests(void)
{
	pid_t pid = server_start(0, false);
	AUTO_BUF b = BUF_INIT;
	AUTO_FD plain = ask(false, 0, NULL, NULL);

	answer_is(plain, 2000, ANSWER(0, 0, 0), "a request is answered");
	AUTO_FD kept = ask(true, 0, NULL, NULL);
	answer_is(kept, 2000, ANSWER(0, 0, 0), "one that would be kept open");
	AUTO_FD body = ask(false, 100000, NULL, NULL);
	answer_is(body, 2000, ANSWER(100000, 0, 0), "one with a body");

	AUTO_FD twice = client_connect();
	add_begin(&b, false);
	add_param(&b, "HTTP_X", "first");
	add_param(&b, "HTTP_XY", "other");
	add_param(&b, "HTTP_X", "second");
	add_record(&b, PARAMS, "", 0);
	add_record(&b, IN, "", 0);
	(void)client_send(twice, &b);
	answer_is(twice, 2000,
	    "method=POST body=0 x=first/2 none=0 cut=0 stop=0",
	    "of repeated parameters the first counts, and both are counted");
	kill(pid, SIGTERM);
	is_int(server_end(pid, 300), 0, "TERM while idle ends it");
}

static void
test_term_in_body(void)
{
	static const int signals[] = { SIGTERM, SIGUSR1, SIGINT };

	for (size_t i = 0; i < LEN(signals); i++) {
		pid_t pid = server_start(0, false);
		AUTO_FD fd = client_connect();
		AUTO_BUF first = BUF_INIT;
		AUTO_BUF second = BUF_INIT;

		add_begin(&first, false);
		add_record(&first, PARAMS, "", 0);
		add_body(&first, 30000);
		add_body(&second, 30000);
		add_record(&second, IN, "", 0);
		(void)client_send(fd, &first);
		nap(50);
		kill(pid, signals[i]);
		nap(50);
		(void)client_send(fd, &second);
		answer_is(fd, 2000, ANSWER(60000, 0, 1),
		    "a signal in mid-body cuts nothing, and is known");
		is_int(server_end(pid, 1000), 0, "and then it ends");
	}
}

static void
test_term_in_answer(void)
{
	pid_t pid = server_start(0, false);
	AUTO_FD fd = ask(false, 0, "BIG", STR(BIG_BYTES));
	AUTO_BUF raw = BUF_INIT;
	AUTO_BUF text = BUF_INIT;

	nap(50);
	kill(pid, SIGTERM);
	nap(50);
	ok(read_until_closed(fd, 2000, &raw) && unpack(&raw, &text) &&
		text.len > BIG,
	    "TERM in mid-answer cuts nothing: %zu bytes", text.len);
	is_int(server_end(pid, 1000), 0, "and then it ends");
}

/* Around what libfcgi gathers, and what one record and two hold. */
static void
test_large_answers(void)
{
	static const int sizes[] = { 8191, 8192, 8193, 65527, 65528, 65529,
		65536, 131056, 131057, 1000000 };
	const size_t head = strlen(ANSWER(0, 0, 0));
	pid_t pid = server_start(0, false);

	for (size_t i = 0; i < LEN(sizes); i++) {
		char size[16];
		AUTO_BUF raw = BUF_INIT;
		AUTO_BUF text = BUF_INIT;

		snprintf(size, sizeof(size), "%d", sizes[i]);
		AUTO_FD fd = ask(false, 0, "BIG", size);
		ok(read_until_closed(fd, 2000, &raw) && unpack(&raw, &text),
		    "an answer of %s bytes comes to its end", size);
		is_int((int64_t)text.len, (int64_t)head + sizes[i] + 3,
		    "... and is as long");
		ok(memcmp(text.data, ANSWER(0, 0, 0), head) == 0 &&
			memcmp(text.data + head, big, (size_t)sizes[i]) == 0 &&
			strcmp(text.data + text.len - 3, "end") == 0,
		    "... byte for byte");
	}
	kill(pid, SIGTERM);
	is_int(server_end(pid, 1000), 0, "and then it ends");
}

static void
test_silent(void)
{
	pid_t pid = server_start(0, false);
	int64_t start = clock_mono_ms();
	AUTO_BUF raw = BUF_INIT;
	AUTO_BUF text = BUF_INIT;

	AUTO_FD silent = client_connect();
	AUTO_FD next = ask(false, 0, NULL, NULL);
	answer_is(next, 3000, ANSWER(0, 0, 0), "behind a silent peer");
	ok(clock_mono_ms() - start < 3 * IO_MS, "in time: %d ms",
	    (int)(clock_mono_ms() - start));

	AUTO_FD half = client_connect();
	(void)!write(half, "\1\1\0\1\0", 5);
	start = clock_mono_ms();
	AUTO_FD after = ask(false, 0, NULL, NULL);
	answer_is(after, 3000, ANSWER(0, 0, 0), "behind half a header");
	ok(clock_mono_ms() - start < 3 * IO_MS, "in time: %d ms",
	    (int)(clock_mono_ms() - start));

	AUTO_FD deaf = ask(false, 0, "BIG", STR(BIG_BYTES));
	start = clock_mono_ms();
	AUTO_FD last = ask(false, 0, NULL, NULL);
	answer_is(last, 3000, ANSWER(0, 0, 0), "behind one that never reads");
	ok(clock_mono_ms() - start < 4 * IO_MS, "in time: %d ms",
	    (int)(clock_mono_ms() - start));
	(void)read_until_closed(deaf, 2000, &raw);
	ok(!unpack(&raw, &text), "whose answer has no end");

	fd_close(&silent);
	UNUSED AUTO_FD again = client_connect();
	nap(20);
	kill(pid, SIGTERM);
	is_int(
	    server_end(pid, 3 * IO_MS), 0, "TERM with a silent peer ends it");
}

static void
test_cut_body(void)
{
	pid_t pid = server_start(0, false);
	AUTO_BUF b = BUF_INIT;
	AUTO_FD gone = client_connect();
	AUTO_FD stuck = -1;

	add_begin(&b, false);
	add_record(&b, PARAMS, "", 0);
	add_body(&b, 500);
	(void)client_send(gone, &b);
	fd_close(&gone);
	AUTO_FD one = ask(false, 0, NULL, NULL);
	answer_is(one, 2000, ANSWER(0, 1, 0), "a peer that left: known");

	stuck = client_connect();
	(void)client_send(stuck, &b);
	AUTO_FD two = ask(false, 0, NULL, NULL);
	answer_is(two, 3000, ANSWER(0, 2, 0), "a peer that stopped: known");

	AUTO_FD less = ask(false, 10, "CONTENT_LENGTH", "11");
	AUTO_BUF raw = BUF_INIT;
	(void)read_until_closed(less, 2000, &raw);
	AUTO_FD three = ask(false, 0, NULL, NULL);
	answer_is(
	    three, 2000, ANSWER(0, 3, 0), "less than CONTENT_LENGTH: known");
	kill(pid, SIGTERM);
	is_int(server_end(pid, 1000), 0, "end");
}

static void
test_systemd(void)
{
	pid_t pid = server_start(3, true);
	AUTO_FD fd = ask(false, 0, NULL, NULL);

	answer_is(fd, 2000, ANSWER(0, 0, 0), "a socket from systemd");
	kill(pid, SIGTERM);
	is_int(server_end(pid, 1000), 0, "end");
}

/* Open once, fork, accept in each. */
static int
prefork_server(void)
{
	AUTO_FD fd = listen_here();
	struct fcgi *f;
	struct err e;

	if (dup2(fd, 0) != 0 || !fcgi_open(IO_MS, &f, &e))
		return 4;
	for (int i = 0; i < 2; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			serve(f);
		}
	(void)waitpid(-1, NULL, 0);
	(void)waitpid(-1, NULL, 0);
	return 0;
}

static void
test_prefork(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(prefork_server());
	}
	while (access(socket_path, F_OK) != 0)
		nap(5);
	nap(100);
	AUTO_FD slow = ask(false, 0, "SLEEP_MS", "400");
	nap(30);
	int64_t start = clock_mono_ms();
	for (int i = 0; i < 5; i++) {
		AUTO_FD fd = ask(false, 5, NULL, NULL);

		answer_is(fd, 2000, ANSWER(5, 0, 0), "of two processes one");
	}
	ok(clock_mono_ms() - start < 350, "goes on while the other works");
	answer_is(slow, 2000, ANSWER(0, 0, 0), "which answers, too");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int
check_idle(void)
{
	AUTO_FD fd = listen_here();
	int64_t start = clock_mono_ms();
	struct fcgi *f;
	struct err e;

	if (dup2(fd, 0) != 0 || !fcgi_open(IO_MS, &f, &e))
		return 1;
	if (fcgi_accept(f, 50, &e) != FCGI_IDLE || clock_mono_ms() - start < 50)
		return 2;
	if (fcgi_accept(f, 0, &e) != FCGI_IDLE)
		return 3;
	/* Before the wait: nothing may get lost between test and wait. */
	raise(SIGTERM);
	if (!fcgi_stopping() || fcgi_accept(f, -1, &e) != FCGI_DONE)
		return 4;
	if (fcntl(0, F_GETFD) != FD_CLOEXEC)
		return 5;
	fcgi_free(f);
	return 0;
}

static int
check_broken(void)
{
	AUTO_FD fd = listen_here();
	struct fcgi *f;
	struct err e;

	if (dup2(fd, 0) != 0 || !fcgi_open(IO_MS, &f, &e))
		return 1;
	(void)shutdown(0, SHUT_RDWR);
	if (fcgi_accept(f, 1000, &e) != FCGI_BROKEN)
		return 2;
	return e.code == ERR_UNAVAILABLE ? 0 : 3;
}

static int
check_two_sockets(void)
{
	struct fcgi *f;
	struct err e;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	return !fcgi_open(IO_MS, &f, &e) && e.code == ERR_INVALID ? 0 : 1;
}

/* --- CGI --------------------------------------------------------------------
 */

static int
check_no_request(void)
{
	struct fcgi *f;
	struct err e;

	unsetenv("REQUEST_METHOD");
	(void)close(0);
	return !fcgi_open(IO_MS, &f, &e) && e.code == ERR_INVALID ? 0 : 1;
}

/* Serve one request, then stay for a while: as after() does. */
static void
cgi_child(
    const char *length, const int in[2], const int out[2], const int log[2])
{
	struct fcgi *f;
	struct err e;

	dup2(in[0], 0);
	dup2(out[1], 1);
	dup2(log[1], 2);
	for (int fd = 3; fd < 50; fd++)
		(void)close(fd);
	setenv("REQUEST_METHOD", "PUT", 1);
	setenv("HTTP_X", "cgi", 1);
	setenv("HTTP_PROXY", "http://evil", 1);
	if (length != NULL)
		setenv("CONTENT_LENGTH", length, 1);
	if (!fcgi_open(IO_MS, &f, &e) || !fcgi_is_cgi(f) ||
	    fcgi_accept(f, -1, &e) != FCGI_REQUEST)
		_exit(1);
	serve_one(f);
	if (cut_bodies > 0)
		(void)!write(1, "cut", 3);
	fcgi_finish(f);
	nap(1000);
	_exit(fcgi_accept(f, -1, &e) == FCGI_DONE ? 0 : 2);
}

static void
cgi_case(const char *length, const char *body, bool close_in, const char *want,
    const char *what)
{
	int in[2], out[2], log[2];
	AUTO_BUF text = BUF_INIT;
	AUTO_BUF errors = BUF_INIT;
	int64_t start = clock_mono_ms();
	struct err e;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
	    pipe2(log, O_CLOEXEC) != 0)
		abort();
	pid = fork();
	if (pid == 0)
		cgi_child(length, in, out, log);
	fd_close(&in[0]);
	fd_close(&out[1]);
	fd_close(&log[1]);
	(void)!fd_write_all(in[1], body, strlen(body), &e);
	if (close_in)
		fd_close(&in[1]);
	ok(read_until_closed(out[0], 2000, &text) &&
		read_until_closed(log[0], 2000, &errors) &&
		clock_mono_ms() - start < 800,
	    "CGI: output and error are closed while it goes on");
	is_text(text.data, want, "%s", what);
	is_int(server_end(pid, 3000), 0, "and one request is all");
	fd_close(&in[1]);
	fd_close(&out[0]);
	fd_close(&log[0]);
}

static void
test_cgi(void)
{
	cgi_case("5", "hello", false,
	    "method=PUT body=5 x=cgi/1 none=0 cut=0 stop=0",
	    "no more is read than CONTENT_LENGTH");
	cgi_case("5", "hello, world", false,
	    "method=PUT body=5 x=cgi/1 none=0 cut=0 stop=0",
	    "even where there is more");
	cgi_case(NULL, "hello!", true,
	    "method=PUT body=6 x=cgi/1 none=0 cut=0 stop=0",
	    "without it, all there is");
	cgi_case("6", "hello", true, "cut", "less is noticed");
	cgi_case("6", "hello", false, "cut", "so is a body that stops");
}

static int
in_child(int (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	return server_end(pid, 5000);
}

int
main(void)
{
	int fd = mkstemps(socket_path, 5);

	(void)close(fd);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)('a' + i % 23);
	test_requests();
	test_term_in_body();
	test_term_in_answer();
	test_large_answers();
	test_silent();
	test_cut_body();
	test_systemd();
	(void)unlink(socket_path);
	test_prefork();
	is_int(in_child(check_idle), 0, "idle, and told to stop");
	is_int(in_child(check_broken), 0, "a socket that is shut");
	is_int(in_child(check_two_sockets), 0, "two sockets from systemd");
	is_int(in_child(check_no_request), 0, "neither FastCGI nor CGI");
	test_cgi();
	(void)unlink(socket_path);
	return done();
}
