/*
 * floor: the least that an upload can cost here.
 *
 *	floor MODE FOLDER DATABASE-URL API-KEY-HASH	(a FastCGI function)
 *
 * The same system calls in the same order as functions/upload.c, and nothing
 * else: who is calling (one prepared statement), what kind of file it is,
 * write, fsync, rename, fsync of the folder, one prepared statement that
 * inserts a media row and a job, the answer.  No checks beyond that, no hash
 * of the bytes, no log.  MODE job: after the answer it claims one job and
 * finishes it into the history, in the same process.
 *
 * Its tables are the product's own, copied into the schema bench.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "common/link/magic.h"
#include "tests/bench/bench.h"

enum { CHUNK_BYTES = 65536 };

static struct {
	int tmp;
	int own;
	PGconn *db;
	const char *key_hash;
	unsigned long n; /* files made by this process */
} at;

static const char SQL_WHO[] = "SELECT u.id, u.role, u.email FROM site.users u "
			      "WHERE u.api_key_hash = $1::text";

static const char SQL_RECORD[] =
    "WITH m AS (INSERT INTO bench.media (filename, storage_key, mime_type, "
    "	filesize, hash, created_by) "
    "	VALUES ($1::text, $1::text, $2::text, $3::bigint, $4::text, "
    "		$5::bigint) RETURNING id), "
    "j AS (INSERT INTO bench.job (run_at, state, priority, queue, task, "
    "	input) SELECT clock_timestamp(), 'ready', 100, 'default', "
    "	'syncMediaToGalleries', jsonb_build_object('mediaId', m.id) "
    "	FROM m RETURNING id) "
    "SELECT m.id, j.id FROM m, j";

static const char SQL_CLAIM[] =
    "UPDATE bench.job SET lease_no = nextval('bench.lease_no'), "
    "	claimed_at = clock_timestamp(), attempts = attempts + 1, "
    "	lease_until = clock_timestamp() + interval '60 s' "
    "WHERE queue = 'default' AND id = (SELECT id FROM bench.job "
    "	WHERE queue = 'default' AND state = 'ready' AND (lease_until IS NULL "
    "		OR lease_until <= statement_timestamp()) "
    "	ORDER BY priority, run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) "
    "RETURNING id, lease_no, input";

static const char SQL_FINISH[] =
    "WITH gone AS (DELETE FROM bench.job WHERE queue = 'default' "
    "	AND id = $1::bigint AND lease_no = $2::bigint RETURNING *) "
    "INSERT INTO bench.history (id, queue, task, state, priority, attempts, "
    "	crashes, lease_no, run_at, created_at, started_at, finished_at, "
    "	input) "
    "SELECT id, queue, task, 'done', priority, attempts, crashes, lease_no, "
    "	run_at, created_at, claimed_at, clock_timestamp(), input FROM gone";

static int
folder(const char *parent, const char *name)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", parent, name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		bench_die("cannot open %s", path);
	return fd;
}

static void
connect_db(const char *url)
{
	at.db = bench_connect(url);
	bench_prepare(at.db, "who", SQL_WHO);
	bench_prepare(at.db, "record", SQL_RECORD);
	bench_prepare(at.db, "claim", SQL_CLAIM);
	bench_prepare(at.db, "finish", SQL_FINISH);
}

static void
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0)
			bench_die("write");
		p += done;
		n -= (size_t)done;
	}
}

/* Bytes of the body behind the file: the closing boundary. */
static size_t
tail_len(FCGX_Request *r)
{
	const char *type = FCGX_GetParam("CONTENT_TYPE", r->envp);
	const char *boundary = type == NULL ? NULL : strstr(type, "boundary=");

	if (boundary == NULL)
		bench_die("no boundary");
	return strlen(boundary + 9) + 8;
}

/* The file's bytes into a file called name; how many there were. */
static size_t
store(FCGX_Request *r, const char *name)
{
	static char in[CHUNK_BYTES];
	size_t left =
		   strtoul(FCGX_GetParam("CONTENT_LENGTH", r->envp), NULL, 10),
	       n, skip, size;
	const char *start;
	int fd;

	n = (size_t)FCGX_GetStr(in, sizeof(in), r->in);
	start = memmem(in, n, "\r\n\r\n", 4);
	if (start == NULL)
		bench_die("no part");
	skip = (size_t)(start - in) + 4;
	left = size = left - skip - tail_len(r);
	if (strcmp(magic_mime(in + skip, n - skip), "image/jpeg") != 0)
		bench_die("not a picture");
	fd =
	    openat(at.tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		bench_die("cannot make a file");
	n -= skip;
	while (left > 0 && n > 0) {
		write_all(fd, in + skip, n < left ? n : left);
		left -= n < left ? n : left;
		skip = 0;
		n = (size_t)FCGX_GetStr(in, sizeof(in), r->in);
	}
	if (left > 0 || fsync(fd) != 0 || close(fd) != 0 ||
	    renameat(at.tmp, name, at.own, name) != 0 || fsync(at.own) != 0)
		bench_die("cannot store a file");
	return size;
}

static void
serve(FCGX_Request *r)
{
	static const char hash[] = "0000000000000000000000000000000000000000"
				   "000000000000000000000000";
	const char *who[] = { at.key_hash };
	char name[32], size[24], user[24], text[256];
	int n;
	const char *args[] = { name, "image/jpeg", size, hash, user };
	PGresult *row = bench_run(at.db, "who", 1, who);

	if (PQntuples(row) != 1)
		bench_die("who is calling?");
	(void)snprintf(user, sizeof(user), "%s", PQgetvalue(row, 0, 0));
	PQclear(row);
	(void)snprintf(
	    name, sizeof(name), "%x-%lx", (unsigned)getpid(), at.n++);
	(void)snprintf(size, sizeof(size), "%zu", store(r, name));
	row = bench_run(at.db, "record", 5, args);
	n = snprintf(text, sizeof(text),
	    "Status: 201 Created\r\nContent-Type: application/json\r\n"
	    "Content-Length: %d\r\n\r\n{\"doc\":%9s,\"job\":%9s}",
	    33, PQgetvalue(row, 0, 0), PQgetvalue(row, 0, 1));
	(void)FCGX_PutStr(text, n, r->out);
	PQclear(row);
}

/* Another process may have taken the job that was just stored; then its own
 * is there, though perhaps not yet at the first look. */
static void
run_job(void)
{
	PGresult *job = bench_run(at.db, "claim", 0, NULL);
	const char *args[2];

	for (int i = 0; i < 100 && PQntuples(job) == 0; i++) {
		PQclear(job);
		job = bench_run(at.db, "claim", 0, NULL);
	}
	if (PQntuples(job) != 1)
		bench_die("the job is gone");
	args[0] = PQgetvalue(job, 0, 0);
	args[1] = PQgetvalue(job, 0, 1);
	PQclear(bench_run(at.db, "finish", 2, args));
	PQclear(job);
}

int
main(int argc, char **argv)
{
	FCGX_Request r;
	struct err e;
	bool job;

	if (argc != 5)
		return 64;
	job = strcmp(argv[1], "job") == 0;
	at.tmp = folder(argv[2], "tmp");
	at.own = folder(argv[2], "own");
	at.key_hash = argv[4];
	if (!magic_init(&e))
		bench_die("%s", e.msg);
	connect_db(argv[3]);
	(void)FCGX_Init();
	(void)FCGX_InitRequest(&r, 0, 0);
	while (FCGX_Accept_r(&r) == 0) {
		serve(&r);
		FCGX_Finish_r(&r);
		if (job)
			run_job();
	}
	return 0;
}
