/*
 * load: upload a picture over and over, and say how long each one took.
 *
 *	load -p PORT -k API-KEY -f PICTURE [-c CLIENTS] [-n UPLOADS]
 *	    [-w PAUSE-MS]
 *	load -p PORT -k API-KEY -g TARGET …    gets TARGET instead (200)
 *
 * Each client has one kept connection to 127.0.0.1 and sends the next upload
 * when the last one is answered (or PAUSE-MS later).  Every upload has a file
 * name of its own.  Any answer but 201 ends the program with status 1.
 *
 * Prints: p50 and p99 in microseconds, uploads a second, and when the first
 * one began and the last one was answered (microseconds since 1970).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define BOUNDARY  "------------------------5f0c2a9b7d3e1846"
#define NAME_ZERO "0000000000000000" /* replaced by 16 hex digits */

enum { CLIENTS_MAX = 64, ANSWER_MAX = 16384 };

static struct {
	uint16_t port;
	const char *key;
	int64_t uploads;
	int64_t pause_us;
	char *request;
	size_t request_len;
	size_t name_at; /* where NAME_ZERO stands in it; 0: nowhere */
	int64_t wanted; /* status */
	uint32_t run;   /* the upper half of every name */
	int64_t *took_us;
	_Atomic int64_t next;
} load;

static int
dial(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(load.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		bench_die("port %d: %s", load.port, strerror(errno));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void
send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

		if (done < 0)
			bench_die("send: %s", strerror(errno));
		p += done;
		n -= (size_t)done;
	}
}

/* Where the body begins, or 0 while the head is not all there. */
static size_t
head_len(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");

	return end == NULL ? 0 : (size_t)(end - text) + 4;
}

/* One whole answer; its status.  *ret_close: the server closes after it. */
static int64_t
receive(int fd, bool *ret_close)
{
	char text[ANSWER_MAX + 1], rest[ANSWER_MAX];
	size_t have = 0, head = 0, want = SIZE_MAX;
	const char *length;

	while (have < want) {
		ssize_t n = head == 0
				? recv(fd, text + have, ANSWER_MAX - have, 0)
				: recv(fd, rest, sizeof(rest), 0);

		if (n <= 0)
			bench_die("the answer was cut short");
		have += (size_t)n;
		if (head != 0)
			continue;
		text[have] = '\0';
		if ((head = head_len(text)) != 0) {
			length = strstr(text, "Content-Length: ");
			if (length == NULL)
				bench_die("an answer without its length");
			want = head + strtoul(length + 16, NULL, 10);
		}
	}
	*ret_close = strstr(text, "\r\nConnection: close") != NULL;
	return strtol(text + 9, NULL, 10);
}

/* One request through *fd, which is dialled again when the server hung up. */
static void
ask(int *fd, char *request, int64_t i)
{
	char name[17];
	bool closed;
	int64_t status;

	(void)snprintf(
	    name, sizeof(name), "%08" PRIx32 "%08" PRIx64, load.run, i);
	if (load.name_at > 0)
		memcpy(request + load.name_at, name, 16);
	send_all(*fd, request, load.request_len);
	status = receive(*fd, &closed);
	if (closed) {
		(void)close(*fd);
		*fd = dial();
	}
	if (status != load.wanted)
		bench_die("a request was answered %" PRId64, status);
}

static void *
client(void *arg UNUSED)
{
	char *request = malloc(load.request_len);
	int fd = dial();
	int64_t i, start_us;

	if (request == NULL)
		bench_die("out of memory");
	memcpy(request, load.request, load.request_len);
	while ((i = atomic_fetch_add(&load.next, 1)) < load.uploads) {
		start_us = bench_now_us();
		ask(&fd, request, i);
		load.took_us[i] = bench_now_us() - start_us;
		bench_sleep_us(load.pause_us);
	}
	(void)close(fd);
	free(request);
	return NULL;
}

static char *
slurp(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *p;
	long n;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) <= 0)
		bench_die("%s: %s", path, strerror(errno));
	rewind(f);
	p = malloc((size_t)n);
	if (p == NULL || fread(p, 1, (size_t)n, f) != (size_t)n)
		bench_die("%s: cannot be read", path);
	(void)fclose(f);
	*ret_len = (size_t)n;
	return p;
}

/* The request as it goes out, but for the file's name. */
static void
build(const char *path)
{
	static const char tail[] = "\r\n--" BOUNDARY "--\r\n";
	char part[512], head[1024];
	size_t len, part_len, head_len_;
	char *picture = slurp(path, &len);

	part_len = (size_t)snprintf(part, sizeof(part),
	    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; "
	    "filename=\"" NAME_ZERO ".jpg\"\r\nContent-Type: image/jpeg"
	    "\r\n\r\n");
	head_len_ = (size_t)snprintf(head, sizeof(head),
	    "POST /api/media HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
	    "Authorization: users API-Key %s\r\nContent-Type: "
	    "multipart/form-data; boundary=" BOUNDARY "\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    load.port, load.key, part_len + len + sizeof(tail) - 1);
	load.request_len = head_len_ + part_len + len + sizeof(tail) - 1;
	load.request = malloc(load.request_len);
	if (load.request == NULL)
		bench_die("out of memory");
	memcpy(load.request, head, head_len_);
	memcpy(load.request + head_len_, part, part_len);
	memcpy(load.request + head_len_ + part_len, picture, len);
	memcpy(
	    load.request + head_len_ + part_len + len, tail, sizeof(tail) - 1);
	load.name_at = head_len_ + (size_t)(strstr(part, NAME_ZERO) - part);
	free(picture);
}

static void
build_get(const char *target)
{
	int n = asprintf(&load.request,
	    "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
	    "Authorization: users API-Key %s\r\n\r\n",
	    target, load.port, load.key);

	if (n < 0)
		bench_die("out of memory");
	load.request_len = (size_t)n;
}

static int64_t
run_clients(int64_t n)
{
	pthread_t threads[CLIENTS_MAX];
	int64_t start_us = bench_now_us();

	for (int64_t i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, client, NULL) != 0)
			bench_die("cannot start a client");
	for (int64_t i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	return start_us;
}

int
main(int argc, char **argv)
{
	const char *picture = NULL, *target = NULL;
	int64_t clients = 1, start_us, end_us;
	int c;

	load.uploads = 1;
	while ((c = getopt(argc, argv, "p:k:f:g:c:n:w:")) != -1) {
		if (c == 'p')
			load.port = (uint16_t)bench_number(optarg, 1, 65535);
		else if (c == 'k')
			load.key = optarg;
		else if (c == 'f')
			picture = optarg;
		else if (c == 'g')
			target = optarg;
		else if (c == 'c')
			clients = bench_number(optarg, 1, CLIENTS_MAX);
		else if (c == 'n')
			load.uploads = bench_number(optarg, 1, 10000000);
		else if (c == 'w')
			load.pause_us = bench_number(optarg, 0, 60000) * 1000;
		else
			return 64;
	}
	if (load.port == 0 || load.key == NULL ||
	    (picture == NULL) == (target == NULL))
		return 64;
	load.took_us = calloc((size_t)load.uploads, sizeof(*load.took_us));
	if (load.took_us == NULL ||
	    getrandom(&load.run, sizeof(load.run), 0) < 0)
		bench_die("out of memory");
	load.wanted = target == NULL ? 201 : 200;
	if (target == NULL)
		build(picture);
	else
		build_get(target);
	start_us = run_clients(clients);
	end_us = bench_now_us();
	bench_sort(load.took_us, (size_t)load.uploads);
	printf("%" PRId64 " %" PRId64 " %.1f %" PRId64 " %" PRId64 "\n",
	    bench_percentile(load.took_us, (size_t)load.uploads, 50),
	    bench_percentile(load.took_us, (size_t)load.uploads, 99),
	    (double)load.uploads * 1e6 / (double)(end_us - start_us), start_us,
	    end_us);
	return 0;
}
