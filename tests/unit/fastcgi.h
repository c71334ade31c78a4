/*
 * A web server's side of FastCGI, as small as tests need it: one request a
 * connection, names and values under 128 bytes, a body of one record.
 */
#ifndef AFTERWORK_TESTS_FASTCGI_H
#define AFTERWORK_TESTS_FASTCGI_H

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/path.h"

enum {
	FASTCGI_BEGIN = 1,
	FASTCGI_END = 3,
	FASTCGI_PARAMS = 4,
	FASTCGI_STDIN = 5,
	FASTCGI_STDOUT = 6,
	FASTCGI_HEAD = 8
};

static inline void
fastcgi_record(struct buf *b, int type, const void *p, size_t n)
{
	const unsigned char head[FASTCGI_HEAD] = {
		1,
		(unsigned char)type,
		0,
		1,
		(unsigned char)(n >> 8),
		(unsigned char)(n & 255),
		0,
		0,
	};

	buf_add(b, head, sizeof(head));
	buf_add(b, p, n);
}

/* The whole request: params are names and values in turns, NULL at the end. */
static inline void
fastcgi_request(struct buf *ret, const char *const *params, const char *body)
{
	static const char responder[8] = { 0, 1 };
	AUTO_BUF pairs = BUF_INIT;

	for (size_t i = 0; params[i] != NULL; i += 2) {
		buf_addc(&pairs, (char)strlen(params[i]));
		buf_addc(&pairs, (char)strlen(params[i + 1]));
		buf_adds(&pairs, params[i]);
		buf_adds(&pairs, params[i + 1]);
	}
	fastcgi_record(ret, FASTCGI_BEGIN, responder, sizeof(responder));
	fastcgi_record(ret, FASTCGI_PARAMS, pairs.data, pairs.len);
	fastcgi_record(ret, FASTCGI_PARAMS, "", 0);
	if (*body != '\0')
		fastcgi_record(ret, FASTCGI_STDIN, body, strlen(body));
	fastcgi_record(ret, FASTCGI_STDIN, "", 0);
}

/* What the function wrote; true when it also said that this was all. */
static inline bool
fastcgi_answer(const struct buf *in, struct buf *ret)
{
	const unsigned char *p = (const unsigned char *)in->data;
	bool ended = false;
	size_t at = 0;

	while (at + FASTCGI_HEAD <= in->len) {
		size_t n = (size_t)p[at + 4] << 8 | p[at + 5];

		if (p[at + 1] == FASTCGI_STDOUT)
			buf_add(ret, p + at + FASTCGI_HEAD, n);
		if (p[at + 1] == FASTCGI_END)
			ended = true;
		at += FASTCGI_HEAD + n + p[at + 6];
	}
	return ended;
}

static inline struct sockaddr_un
fastcgi_address(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static inline int
fastcgi_listen(const char *path)
{
	struct sockaddr_un a = fastcgi_address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 64) != 0)
		return -1;
	return fd;
}

/* Send a request; the connection, or -1. */
static inline int
fastcgi_send(const char *path, const char *const *params, const char *body)
{
	struct sockaddr_un a = fastcgi_address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	AUTO_BUF request = BUF_INIT;
	struct err e;

	fastcgi_request(&request, params, body);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    fd_write_all(fd, request.data, request.len, &e))
		return fd;
	close(fd);
	return -1;
}

/* Read until the function closes; see fastcgi_answer(). */
static inline bool
fastcgi_receive(int fd, struct buf *ret)
{
	AUTO_BUF in = BUF_INIT;
	char chunk[4096];
	ssize_t n = 0;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&in, chunk, (size_t)n);
	close(fd);
	return fastcgi_answer(&in, ret);
}

#endif
