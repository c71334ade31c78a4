/*
 * FastCGI through libfcgi, and plain CGI.
 *
 * libfcgi's own accept loop loses signals, is cut short by them, and waits
 * for ever on a peer that says nothing.  So the connection is accepted here,
 * with time-outs on its socket, and handed to libfcgi only to be read: it has
 * no listening socket to fall back to.  Signals are let in only while the
 * process waits for a connection.
 *
 * Nothing here belongs to one process until fcgi_accept(), so that a process
 * may open, fork others, and let each accept.
 */
#include "common/link/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "common/base/clock.h"
#include "common/base/num.h"
#include "common/base/path.h"

enum {
	SYSTEMD_FD = 3,      /* the first that systemd hands over */
	RESCUE_MS = 100,     /* rest when descriptors or memory are short */
	STREAM_BYTES = 8192, /* that libfcgi gathers */
	STDOUT_RECORD = 6,
	RECORD_MAX = 65528,
};

struct fcgi {
	bool cgi;
	bool open; /* a request is open */
	bool over; /* CGI's one request has been taken */
	int io_ms;
	int door;           /* epoll on the listening socket; -1: not yet */
	sigset_t listening; /* the mask while waiting */
	int64_t body_left;  /* by CONTENT_LENGTH; -1: not told */
	FCGX_Request req;
};

static volatile sig_atomic_t stop_asked;

static const int stop_signals[] = { SIGTERM, SIGINT, SIGUSR1 };

static void
on_stop(int sig)
{
	(void)sig;
	stop_asked = 1;
}

/* --- opening ---------------------------------------------------------------
 */

/* First value of a name in a list of NAME=value, as FastCGI's and environ. */
static const char *
param_find(char *const *list, const char *name, int *ret_count)
{
	const char *first = NULL;
	size_t n = strlen(name);
	int count = 0;

	for (; *list != NULL; list++) {
		if (strncmp(*list, name, n) != 0 || (*list)[n] != '=')
			continue;
		if (count++ == 0)
			first = *list + n + 1;
	}
	if (ret_count != NULL)
		*ret_count = count;
	return first;
}

/* systemd's socket is descriptor 3; ours is 0, as spawn-fcgi has it. */
static bool
take_systemd_socket(struct err *e)
{
	const char *pid = param_find(environ, "LISTEN_PID", NULL);
	const char *fds = param_find(environ, "LISTEN_FDS", NULL);
	int64_t value;

	if (!num_parse_text(pid, getpid(), getpid(), &value) || fds == NULL)
		return true;
	if (!num_parse_text(fds, 1, 1, &value))
		return err_fail(e, ERR_INVALID,
		    "one socket is expected from systemd, not LISTEN_FDS=%s",
		    fds);
	if (dup2(SYSTEMD_FD, STDIN_FILENO) == -1)
		return err_errno(
		    e, ERR_INVALID, "could not take systemd's socket");
	(void)close(SYSTEMD_FD);
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return true;
}

static bool
is_listening(int fd)
{
	int yes = 0;
	socklen_t n = sizeof(yes);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 &&
	       yes != 0;
}

/* Before FCGX_Init(), which leaves handlers alone that it finds. */
static void
set_signals(struct fcgi *f)
{
	struct sigaction stop = { .sa_handler = on_stop };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < LEN(stop_signals); i++)
		sigaddset(&blocked, stop_signals[i]);
	(void)sigprocmask(SIG_BLOCK, &blocked, &f->listening);
	for (size_t i = 0; i < LEN(stop_signals); i++) {
		sigdelset(&f->listening, stop_signals[i]);
		(void)sigaction(stop_signals[i], &stop, NULL);
	}
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

static bool
open_fastcgi(struct err *e)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	/* How long Finish waits for a peer that does not close. */
	(void)setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "100", 1);
	if (FCGX_Init() != 0)
		return err_fail(e, ERR_UNAVAILABLE, "could not start libfcgi");
	/* It has put a handler of its own there. */
	(void)sigaction(SIGPIPE, &ignore, NULL);
	if (flags == -1 ||
	    fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC) == -1)
		return err_errno(e, ERR_UNAVAILABLE,
		    "could not set up the listening socket");
	return true;
}

static bool
open_cgi(struct err *e)
{
	/* A request header "Proxy" must not become a setting. */
	(void)unsetenv("HTTP_PROXY");
	if (param_find(environ, "REQUEST_METHOD", NULL) == NULL)
		return err_fail(e, ERR_INVALID,
		    "descriptor 0 is no listening socket, and REQUEST_METHOD "
		    "is not set: a web server starts this program, by FastCGI "
		    "or CGI");
	return true;
}

bool
fcgi_open(int io_ms, struct fcgi **ret, struct err *e)
{
	struct fcgi *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	f->io_ms = io_ms;
	f->req.ipcFd = -1;
	f->door = -1;
	if (!take_systemd_socket(e)) {
		free(f);
		return false;
	}
	f->cgi = !is_listening(STDIN_FILENO);
	set_signals(f);
	if (!(f->cgi ? open_cgi(e) : open_fastcgi(e))) {
		free(f);
		return false;
	}
	*ret = f;
	return true;
}

void
fcgi_free(struct fcgi *f)
{
	if (f == NULL)
		return;
	if (f->open)
		fcgi_finish(f);
	fd_close(&f->door);
	free(f);
}

bool
fcgi_is_cgi(const struct fcgi *f)
{
	return f->cgi;
}

bool
fcgi_stopping(void)
{
	sigset_t pending;

	/* In the middle of a request they wait at the door. */
	if (!stop_asked && sigpending(&pending) == 0)
		for (size_t i = 0; i < LEN(stop_signals); i++)
			if (sigismember(&pending, stop_signals[i]) == 1)
				return true;
	return stop_asked != 0;
}

/* --- accepting -------------------------------------------------------------
 */

/*
 * Each process its own, made after the fork: of many that wait, a connection
 * then wakes one, where with poll() it would wake them all.
 */
static bool
open_door(struct fcgi *f, struct err *e)
{
	struct epoll_event want = { .events = EPOLLIN | EPOLLEXCLUSIVE };

	if (f->door != -1)
		return true;
	f->door = epoll_create1(EPOLL_CLOEXEC);
	if (f->door != -1 &&
	    epoll_ctl(f->door, EPOLL_CTL_ADD, STDIN_FILENO, &want) == 0)
		return true;
	fd_close(&f->door);
	return err_errno(
	    e, ERR_UNAVAILABLE, "could not watch the listening socket");
}

static int
wait_ms(int64_t until_ms)
{
	int64_t left = until_ms - clock_mono_ms();

	if (until_ms < 0)
		return -1;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Readable, or why not. */
static enum fcgi_next
wait_connection(struct fcgi *f, int64_t until_ms, struct err *e)
{
	struct epoll_event got;
	int n;

	if (!open_door(f, e))
		return FCGI_BROKEN;
	n = epoll_pwait(f->door, &got, 1, wait_ms(until_ms), &f->listening);
	if (stop_asked)
		return FCGI_DONE;
	if (n == 0)
		return FCGI_IDLE;
	if (n < 0 && errno != EINTR) {
		err_errno(e, ERR_UNAVAILABLE, "could not wait for a request");
		return FCGI_BROKEN;
	}
	/* One that is shut is readable for ever, and has nothing to accept. */
	if (n > 0 && (got.events & (EPOLLHUP | EPOLLERR)) != 0) {
		err_fail(e, ERR_UNAVAILABLE, "the listening socket is shut");
		return FCGI_BROKEN;
	}
	return FCGI_REQUEST;
}

/* The connection, or -1 with *ret_broken set when no other will come. */
static int
take_connection(bool *ret_broken, struct err *e)
{
	int fd = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);

	*ret_broken = false;
	if (fd != -1)
		return fd;
	switch (errno) {
	case EAGAIN: /* another process was faster */
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case EPERM:
		return -1;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		(void)poll(NULL, 0, RESCUE_MS);
		return -1;
	default:
		*ret_broken = true;
		err_errno(e, ERR_UNAVAILABLE, "could not accept a request");
		return -1;
	}
}

static void
set_timeouts(int fd, int ms)
{
	struct timeval t = {
		.tv_sec = ms / 1000,
		.tv_usec = (ms % 1000) * 1000,
	};

	/* Fails for no socket that accept() gave. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

/* Read the parameters.  False: the peer sent none in time, or nonsense; the
 * connection is closed. */
static bool
begin_request(struct fcgi *f, int fd)
{
	set_timeouts(fd, f->io_ms);
	/* -1: no socket from which libfcgi could accept by itself. */
	if (FCGX_InitRequest(&f->req, -1, 0) != 0) {
		(void)close(fd);
		return false;
	}
	f->req.ipcFd = fd;
	/* Accept_r first finishes what it takes for the last request. */
	f->req.keepConnection = 1;
	if (FCGX_Accept_r(&f->req) != 0)
		return false;
	/* Whatever the peer wishes: one connection, one request. */
	f->req.keepConnection = 0;
	return true;
}

static void
opened(struct fcgi *f)
{
	f->open = true;
	if (!num_parse_text(
		fcgi_param(f, "CONTENT_LENGTH"), 0, INT64_MAX, &f->body_left))
		f->body_left = -1;
}

static enum fcgi_next
accept_fastcgi(struct fcgi *f, int idle_ms, struct err *e)
{
	int64_t until_ms = idle_ms < 0 ? -1 : clock_mono_ms() + idle_ms;

	for (;;) {
		enum fcgi_next next = wait_connection(f, until_ms, e);
		bool broken;
		int fd;

		if (next != FCGI_REQUEST)
			return next;
		fd = take_connection(&broken, e);
		if (broken)
			return FCGI_BROKEN;
		if (fd != -1 && begin_request(f, fd)) {
			opened(f);
			return FCGI_REQUEST;
		}
	}
}

enum fcgi_next
fcgi_accept(struct fcgi *f, int idle_ms, struct err *e)
{
	if (f->open)
		fcgi_finish(f);
	if (!f->cgi)
		return accept_fastcgi(f, idle_ms, e);
	if (f->over)
		return FCGI_DONE;
	f->over = true;
	opened(f);
	return FCGI_REQUEST;
}

/* --- one request ------------------------------------------------------------
 */

static char *const *
params(struct fcgi *f)
{
	return f->cgi ? environ : f->req.envp;
}

const char *
fcgi_param(struct fcgi *f, const char *name)
{
	return param_find(params(f), name, NULL);
}

int
fcgi_param_count(struct fcgi *f, const char *name)
{
	int count;

	(void)param_find(params(f), name, &count);
	return count;
}

static bool
read_fastcgi(struct fcgi *f, void *p, size_t max, size_t *ret_n)
{
	int want = max > INT_MAX ? INT_MAX : (int)max;

	*ret_n = (size_t)FCGX_GetStr(p, want, f->req.in);
	/* Short for the end and for an error alike. */
	return FCGX_GetError(f->req.in) == 0;
}

/* A CGI program reads as much as it was told, since nothing says that the
 * input ends there. */
static bool
read_cgi(struct fcgi *f, void *p, size_t max, size_t *ret_n)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t n;

	*ret_n = 0;
	if (f->body_left >= 0 && max > (uint64_t)f->body_left)
		max = (size_t)f->body_left;
	if (max == 0)
		return true;
	if (poll(&in, 1, f->io_ms) != 1)
		return false;
	n = read(STDIN_FILENO, p, max);
	if (n < 0)
		return false;
	*ret_n = (size_t)n;
	return true;
}

bool
fcgi_read(struct fcgi *f, void *p, size_t max, size_t *ret_n, struct err *e)
{
	size_t n;
	bool good =
	    f->cgi ? read_cgi(f, p, max, &n) : read_fastcgi(f, p, max, &n);

	if (!good || (n == 0 && max > 0 && f->body_left > 0))
		return err_fail(
		    e, ERR_INVALID, "The request body was cut short.");
	if (f->body_left >= 0)
		f->body_left -=
		    n > (uint64_t)f->body_left ? f->body_left : (int64_t)n;
	*ret_n = n;
	return true;
}

/* All of it, or false: the peer has gone, or takes nothing in time. */
static bool
send_all(int fd, struct iovec *v, size_t n)
{
	struct msghdr m = { .msg_iov = v, .msg_iovlen = n };
	ssize_t sent;

	while (m.msg_iovlen > 0) {
		sent = sendmsg(fd, &m, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		while (m.msg_iovlen > 0 && (size_t)sent >= m.msg_iov->iov_len) {
			sent -= (ssize_t)m.msg_iov->iov_len;
			m.msg_iov++;
			m.msg_iovlen--;
		}
		if (m.msg_iovlen > 0) {
			m.msg_iov->iov_base =
			    (char *)m.msg_iov->iov_base + sent;
			m.msg_iov->iov_len -= (size_t)sent;
		}
	}
	return true;
}

/*
 * libfcgi sends 8 KiB at a time, and each costs the web server a turn.  So what
 * is more than that goes out as records of our own, of the most that a record
 * holds in whole words (FastCGI Specification 1.0, 3.3).
 */
static bool
send_records(struct fcgi *f, const char *p, size_t n)
{
	while (n > 0) {
		size_t some = n > RECORD_MAX ? RECORD_MAX : n;
		unsigned id = (unsigned)f->req.requestId;
		unsigned char head[] = { 1, STDOUT_RECORD, id >> 8 & 0xff,
			id & 0xff, (unsigned char)(some >> 8),
			(unsigned char)(some & 0xff), 0, 0 };
		struct iovec v[] = {
			{ .iov_base = head, .iov_len = sizeof(head) },
			{ .iov_base = (void *)(uintptr_t)p, .iov_len = some },
		};

		if (!send_all(f->req.ipcFd, v, LEN(v)))
			return false;
		p += some;
		n -= some;
	}
	return true;
}

static bool
write_fastcgi(struct fcgi *f, const char *p, size_t n)
{
	if (FCGX_GetError(f->req.out) != 0)
		return false;
	if (n < STREAM_BYTES)
		return FCGX_PutStr(p, (int)n, f->req.out) == (int)n;
	return FCGX_FFlush(f->req.out) == 0 && send_records(f, p, n);
}

bool
fcgi_write(struct fcgi *f, const void *p, size_t n, struct err *e)
{
	if (f->cgi)
		return fd_write_all(STDOUT_FILENO, p, n, e);
	if (!write_fastcgi(f, p, n)) {
		/* Nothing may follow half a record. */
		(void)shutdown(f->req.ipcFd, SHUT_RDWR);
		return err_fail(e, ERR_UNAVAILABLE, "the client has gone");
	}
	return true;
}

/* fcgiwrap waits until nobody holds its pipes, standard error included. */
static void
finish_cgi(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null == -1)
			(void)close(fd);
		else if (null != fd)
			(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		(void)close(null);
}

void
fcgi_finish(struct fcgi *f)
{
	if (!f->open)
		return;
	f->open = false;
	if (f->cgi)
		finish_cgi();
	else
		FCGX_Finish_r(&f->req);
}
