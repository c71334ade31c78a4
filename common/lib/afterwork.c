/* libafterwork: the queue's functions under names that stay. */
#include "common/lib/afterwork.h"

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include "common/base/arg.h"
#include "common/link/conf.h"
#include "common/link/db.h"
#include "common/queue/enqueue.h"
#include "common/queue/job.h"
#include "common/runner/after.h"

#ifndef AFTERWORK_PREFIX
#define AFTERWORK_PREFIX "/usr/local"
#endif
#ifndef AFTERWORK_VERSION
#define AFTERWORK_VERSION "0"
#endif

struct afterwork {
	struct db *db;
	char *conninfo; /* owned; NULL: the settings have it */
	struct db_tx tx;
	enum afterwork_code code;
	struct err e;
};

/* Settings and the wake-up keep what they read for the whole process. */
static pthread_mutex_t process_wide = PTHREAD_MUTEX_INITIALIZER;

/* Members up to here were in the first version. */
static const size_t size_min =
    offsetof(struct afterwork_job, replace) + sizeof(int);

/* --- errors --------------------------------------------------------------- */

static const struct {
	const char *state;
	enum afterwork_code code;
} states[] = {
	{ "25P02", AFTERWORK_STATE },  /* in a failed transaction */
	{ "3F000", AFTERWORK_SCHEMA }, /* no such schema */
	{ "42501", AFTERWORK_DENIED },
	{ "42883", AFTERWORK_SCHEMA }, /* no such function */
	{ "42P01", AFTERWORK_SCHEMA }, /* no such table */
	{ "42703", AFTERWORK_SCHEMA }, /* no such column */
};

static enum afterwork_code
code_of(const struct err *e)
{
	for (size_t i = 0; i < LEN(states); i++)
		if (strcmp(e->sqlstate, states[i].state) == 0)
			return states[i].code;
	switch (e->code) {
	case ERR_INVALID:
	case ERR_TOO_LARGE:
		return AFTERWORK_INVALID;
	case ERR_UNAVAILABLE:
	case ERR_NO_SPACE:
		return AFTERWORK_UNAVAILABLE;
	case ERR_LOCKED:
		return AFTERWORK_STATE;
	default:
		return AFTERWORK_FAILED;
	}
}

/* The call's result; a failure has filled aw->e. */
static int
result(struct afterwork *aw, bool good)
{
	if (good)
		return AFTERWORK_OK;
	aw->code = code_of(&aw->e);
	return (int)aw->code;
}

int
afterwork_code(const struct afterwork *aw)
{
	return (int)aw->code;
}

const char *
afterwork_message(const struct afterwork *aw)
{
	return aw->e.msg;
}

const char *
afterwork_field(const struct afterwork *aw)
{
	return aw->e.field;
}

const char *
afterwork_sqlstate(const struct afterwork *aw)
{
	return aw->e.sqlstate;
}

const char *
afterwork_version(void)
{
	return AFTERWORK_VERSION;
}

/* --- handles -------------------------------------------------------------- */

struct afterwork *
afterwork_open(const char *conninfo)
{
	struct afterwork *aw = calloc(1, sizeof(*aw));
	const char *url;
	bool pooled;

	if (aw == NULL)
		return NULL;
	if (conninfo != NULL && (aw->conninfo = strdup(conninfo)) == NULL) {
		free(aw);
		return NULL;
	}
	pthread_mutex_lock(&process_wide);
	url =
	    aw->conninfo != NULL ? aw->conninfo : conf_text("DATABASE_URL", "");
	pooled = conf_pooled();
	pthread_mutex_unlock(&process_wide);
	aw->db = db_new(url, pooled, "program");
	return aw;
}

struct afterwork *
afterwork_adopt(struct pg_conn *conn)
{
	struct afterwork *aw = calloc(1, sizeof(*aw));

	if (aw != NULL)
		aw->db = db_adopt(conn);
	return aw;
}

void
afterwork_close(struct afterwork *aw)
{
	if (aw == NULL)
		return;
	db_tx_end(&aw->tx);
	db_free(aw->db);
	free(aw->conninfo);
	free(aw);
}

/* --- jobs ----------------------------------------------------------------- */

/*
 * The job as this version knows it.  A program that was compiled with a newer
 * header may have set what this library cannot do; better refused than lost.
 */
static bool
take_job(
    const struct afterwork_job *given, struct afterwork_job *ret, struct err *e)
{
	const char *p = (const char *)given;

	memset(ret, 0, sizeof(*ret));
	if (given->size < size_min || given->size > 4096)
		return err_field(
		    e, "size", "size must be sizeof(struct afterwork_job)");
	for (size_t i = sizeof(*ret); i < given->size; i++)
		if (p[i] != 0)
			return err_field(e, "size",
			    "The job has a member that this version (%s) of "
			    "the library does not know.",
			    AFTERWORK_VERSION);
	memcpy(ret, given,
	    given->size < sizeof(*ret) ? given->size : sizeof(*ret));
	if (ret->delay_ms < 0 || (ret->delay_ms > 0 && ret->run_at != NULL))
		return err_field(e, "delay_ms",
		    "A delay is not negative, and not given together with "
		    "run_at.");
	return true;
}

static bool
enqueue(struct afterwork *aw, const struct afterwork_job *given,
    int64_t *ret_id, bool *ret_created, struct err *e)
{
	struct afterwork_job job;
	struct arg priority;
	struct job_spec spec;
	AUTO_BUF due = BUF_INIT;

	if (!take_job(given, &job, e))
		return false;
	priority = arg_int(job.priority);
	spec = (struct job_spec){
		.task = job.task,
		.input = job.input,
		.queue = job.queue,
		.run_at = job.run_at,
		.priority = job.has_priority != 0 ? priority.s : NULL,
		.unique_key = job.unique_key,
		.concurrency_key = job.concurrency_key,
		.meta = job.meta,
		.tags = job.tags,
		.unique_for = job.unique_for,
		.unique_until = job.unique_until,
		.replace = job.replace != 0,
	};
	if (job.delay_ms > 0) {
		if (!enqueue_due(aw->db, job.delay_ms, &due, e) ||
		    !buf_ok(&due, e))
			return false;
		spec.run_at = due.data;
	}
	return job_enqueue(aw->db, &spec, ret_id, ret_created, e);
}

int
afterwork_enqueue(struct afterwork *aw, const struct afterwork_job *job,
    int64_t *ret_id, int *ret_created)
{
	int64_t id = 0;
	bool created = false;

	if (!enqueue(aw, job, &id, &created, &aw->e))
		return result(aw, false);
	if (ret_id != NULL)
		*ret_id = id;
	if (ret_created != NULL)
		*ret_created = created;
	return AFTERWORK_OK;
}

int
afterwork_enqueue_many(struct afterwork *aw, const char *task,
    const char *const inputs[], size_t n, int64_t *ret_ids)
{
	return result(
	    aw, enqueue_many(aw->db, task, inputs, n, ret_ids, &aw->e));
}

/* --- transactions --------------------------------------------------------- */

static int
out_of_order(struct afterwork *aw, const char *why)
{
	return result(aw, err_fail(&aw->e, ERR_LOCKED, "%s", why));
}

int
afterwork_begin(struct afterwork *aw)
{
	if (db_is_adopted(aw->db))
		return out_of_order(aw,
		    "The connection is yours, and so are its transactions.");
	if (aw->tx.db != NULL)
		return out_of_order(aw, "A transaction is open already.");
	return result(aw, db_begin(aw->db, &aw->tx, &aw->e));
}

int
afterwork_commit(struct afterwork *aw)
{
	bool good;

	if (aw->tx.db == NULL)
		return out_of_order(aw, "No transaction is open.");
	if (db_tx_failed(&aw->tx)) {
		db_tx_end(&aw->tx);
		return out_of_order(
		    aw, "The transaction has failed, and was rolled back.");
	}
	good = db_commit(&aw->tx, &aw->e);
	db_tx_end(&aw->tx);
	return result(aw, good);
}

void
afterwork_rollback(struct afterwork *aw)
{
	db_tx_end(&aw->tx);
}

/* --- waking --------------------------------------------------------------- */

/* dir/rest, if that may be executed; given. */
static char *
executable(const char *dir, size_t len, const char *rest)
{
	AUTO_BUF path = BUF_INIT;

	buf_add(&path, dir, len);
	buf_adds(&path, rest);
	if (path.broken || access(path.data, X_OK) != 0)
		return NULL;
	return buf_steal(&path);
}

/* The runner that was installed with this library: below its own folder if it
 * is shared, else where it was to be installed. */
static void
find_runner(void)
{
	static char *found;
	const char *slash;
	Dl_info self;

	if (found != NULL)
		return;
	if (dladdr(&process_wide, &self) != 0 && self.dli_fname != NULL &&
	    (slash = strrchr(self.dli_fname, '/')) != NULL)
		found =
		    executable(self.dli_fname, (size_t)(slash - self.dli_fname),
			"/afterwork/functions/run");
	if (found == NULL)
		found = executable(AFTERWORK_PREFIX, strlen(AFTERWORK_PREFIX),
		    "/lib/afterwork/functions/run");
	if (found != NULL)
		after_runner(found);
}

/* Without the folder that the functions share there is nobody to be woken, and
 * one of our own making would be a second host to the runners. */
static bool
wake(struct err *e)
{
	if (conf_text("RUNTIME_DIRECTORY", NULL) == NULL)
		return err_field(e, "RUNTIME_DIRECTORY",
		    "RUNTIME_DIRECTORY is not set: which runners are meant?");
	find_runner();
	after_silent();
	return after_wake(e);
}

int
afterwork_wake(struct afterwork *aw)
{
	struct afterwork nobody = { .code = AFTERWORK_OK };
	bool good;

	if (aw == NULL)
		aw = &nobody;
	pthread_mutex_lock(&process_wide);
	good = wake(&aw->e);
	pthread_mutex_unlock(&process_wide);
	return result(aw, good);
}
