/*
 * A request for a unit test: the real link/fcgi in CGI mode, fed from the
 * environment and descriptor 0.
 */
#ifndef AFTERWORK_TESTS_CGI_H
#define AFTERWORK_TESTS_CGI_H

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/link/fcgi.h"

/* An environment: names and values in turns. */
#define ENV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Put the body where a CGI program reads it. */
static inline bool
cgi_body(const char *p, size_t n)
{
	int fd = memfd_create("body", MFD_CLOEXEC);
	bool good = fd >= 0 && write(fd, p, n) == (ssize_t)n &&
		    lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, 0) == 0;

	if (fd > 0)
		close(fd);
	return good;
}

/* Replace the environment; open the one request, a GET unless env says
 * otherwise.  NULL: it did not work. */
static inline struct fcgi *UNUSED
cgi_open(const char *const *env, const char *body)
{
	struct fcgi *f = NULL;
	struct err e;

	clearenv();
	setenv("REQUEST_METHOD", "GET", 1);
	for (size_t i = 0; env[i] != NULL; i += 2)
		setenv(env[i], env[i + 1], 1);
	if (!cgi_body(body, strlen(body)) || !fcgi_open(1000, &f, &e))
		return NULL;
	if (fcgi_accept(f, -1, &e) == FCGI_REQUEST)
		return f;
	fcgi_free(f);
	return NULL;
}

/* The end of a CGI request takes all output with it; the test's is kept. */
static inline void UNUSED
cgi_close(struct fcgi *f)
{
	int out = dup(1), err = dup(2);

	fflush(stdout);
	fcgi_free(f);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
}

#endif
