/*
 * The web server's side: the only caller of libfcgi.
 *
 * One program serves as FastCGI (descriptor 0 is a listening socket, or
 * systemd hands one over) and as plain CGI (environment, stdin, stdout); the
 * handler cannot tell.  The accept loop is our own, accept4 behind epoll: so
 * SIGTERM never cuts a request, a silent peer holds a process for two socket
 * time-outs at most, and KEEP_CONN is ignored.
 */
#ifndef AFTERWORK_LINK_FCGI_H
#define AFTERWORK_LINK_FCGI_H

#include "common/base/err.h"

struct fcgi;

enum fcgi_next {
	FCGI_REQUEST, /* a request is open */
	FCGI_IDLE,    /* idle_ms passed without one; the caller decides */
	FCGI_DONE,    /* told to end (signal), or CGI's one request is done */
	FCGI_BROKEN,  /* the listening socket is unusable; *e says why */
};

/* Looks at descriptor 0 and LISTEN_FDS, installs TERM/INT/USR1 handlers.
 * io_ms: time-out of one socket read or write.  *ret is given. */
bool fcgi_open(int io_ms, struct fcgi **ret, struct err *e) MUSTCHECK;
void fcgi_free(struct fcgi *f);
bool fcgi_is_cgi(const struct fcgi *f);

/* Wait for the next request; idle_ms < 0 waits for ever. */
enum fcgi_next fcgi_accept(struct fcgi *f, int idle_ms, struct err *e);

/* A parameter of the open request (REQUEST_METHOD, HTTP_COOKIE, …), borrowed
 * until fcgi_finish(); NULL when absent.  Never getenv in FastCGI mode. */
const char *fcgi_param(struct fcgi *f, const char *name);
/* How many parameters have that name (nginx repeats repeated headers). */
int fcgi_param_count(struct fcgi *f, const char *name);

/* Up to max bytes of the body; *ret_n 0 at its end.  A body cut short (peer
 * gone, time-out) fails: ERR_INVALID. */
bool fcgi_read(struct fcgi *f, void *p, size_t max, size_t *ret_n,
    struct err *e) MUSTCHECK;

/* Write the answer.  Failure means that the client has gone. */
bool fcgi_write(
    struct fcgi *f, const void *p, size_t n, struct err *e) MUSTCHECK;

/* Deliver: END_REQUEST is sent and the connection closed (CGI: stdout and
 * stderr are closed).  The response is out only after this. */
void fcgi_finish(struct fcgi *f);

/* A signal asked this process to end. */
bool fcgi_stopping(void);

#endif
