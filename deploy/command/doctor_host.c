/* `afterwork doctor`: this host, as far as this user may see it. */
#include "deploy/command/doctor.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/link/conf.h"
#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/runner/runner.h"
#include "deploy/command/command.h"
#include "deploy/command/secret.h"
#include "deploy/command/tasks.h"
#include "deploy/command/vercel.h"

enum {
	FUNCTIONS = 7, /* that nginx calls */
	CHILDREN_MAX = 1024,
	TOKEN_SECRET_MIN = 32,
	WEBHOOK_SECRET_MIN = 24,
};

int64_t
doctor_connections(struct doctor *d)
{
	int64_t children = 0;
	struct err e;
	int slots = 1;

	if (!conf_slots(&slots, &e) ||
	    !conf_int("FCGI_CHILDREN", 0, 0, CHILDREN_MAX, &children, &e))
		doctor_note(d, DOCTOR_BAD, "settings",
		    "no function starts with it", "%s", e.msg);
	/* Of a runner the guard has one too, while a job is long or mended. */
	return 2 * slots + FUNCTIONS * (children < 1 ? 1 : children);
}

/* --- secrets -------------------------------------------------------------- */

static void
check_cron_secret(struct doctor *d)
{
	const char *secret = conf_text("CRON_SECRET", NULL);
	const char *before = conf_text("CRON_SECRET_PREVIOUS", NULL);
	const char *fault = secret == NULL ? NULL : secret_fault(secret);

	if (secret == NULL)
		doctor_note(d, DOCTOR_WARN, "secrets",
		    "set it, as the functions have it: afterwork secret new",
		    "CRON_SECRET is not set here; without it every ping is "
		    "answered 401");
	else if (fault != NULL)
		doctor_note(d, DOCTOR_BAD, "secrets",
		    "every ping is answered 401: afterwork secret new",
		    "CRON_SECRET %s", fault);
	else if (before == NULL || secret_fault(before) == NULL)
		doctor_note(d, DOCTOR_OK, "secrets", "", "CRON_SECRET is good");
	else
		doctor_note(d, DOCTOR_WARN, "secrets",
		    "take it away, or give it as it was",
		    "CRON_SECRET_PREVIOUS %s", secret_fault(before));
}

static void
check_length(struct doctor *d, const char *name, size_t min, const char *remedy)
{
	const char *secret = conf_text(name, NULL);

	if (secret != NULL && strlen(secret) < min)
		doctor_note(d, DOCTOR_BAD, "secrets", remedy,
		    "%s has %zu characters, fewer than %zu", name,
		    strlen(secret), min);
}

/* --- folders -------------------------------------------------------------- */

static void
check_folder(
    struct doctor *d, const char *topic, const char *path, const char *remedy)
{
	struct stat st;

	if (stat(path, &st) != 0)
		doctor_note(d, DOCTOR_BAD, topic, remedy, "\"%s\": %s", path,
		    errno == ENOENT ? "there is no such folder"
				    : "it cannot be looked at");
	else if (!S_ISDIR(st.st_mode))
		doctor_note(d, DOCTOR_BAD, topic, remedy,
		    "\"%s\" is not a folder", path);
	else if (access(path, R_OK | W_OK | X_OK) != 0)
		doctor_note(d, DOCTOR_BAD, topic, remedy,
		    "\"%s\" cannot be written to by this user", path);
	else
		doctor_note(d, DOCTOR_OK, topic, "", "\"%s\" is there", path);
}

void
doctor_host(struct doctor *d)
{
	static const char file[] = "file:";
	const char *store = conf_text("MEDIA_STORE", "file:.run/media");

	check_cron_secret(d);
	check_length(d, "TOKEN_SECRET", TOKEN_SECRET_MIN,
	    "make a longer one, or leave it to the database");
	check_length(d, "WEBHOOK_SECRET", WEBHOOK_SECRET_MIN,
	    "make a longer one: afterwork secret new");
	check_folder(d, "runtime", conf_runtime_dir(),
	    "make RUNTIME_DIRECTORY for the functions' user: without it no "
	    "runner starts");
	if (strncmp(store, file, strlen(file)) == 0)
		check_folder(d, "media", store + strlen(file),
		    "make MEDIA_STORE for the functions' user: without it "
		    "uploads fail");
}

/* --- handlers ------------------------------------------------------------- */

static void
check_handler(struct doctor *d, const char *slug, const char *handler)
{
	struct stat st;

	if (stat(handler, &st) != 0)
		doctor_note(d, DOCTOR_BAD, "handlers",
		    "put it there, or leave its jobs to a host that has it",
		    "%s: \"%s\" is not on this host", slug, handler);
	else if (!S_ISREG(st.st_mode) || access(handler, X_OK) != 0)
		doctor_note(d, DOCTOR_BAD, "handlers", "chmod 0755 it",
		    "%s: \"%s\" may not be executed by this user", slug,
		    handler);
}

static const char SQL_DOCTOR_HANDLERS[] =
    "SELECT slug, handler FROM afterwork.task\n"
    "WHERE retired_at IS NULL AND handler IS NOT NULL ORDER BY slug";

bool
doctor_handlers(struct doctor *d, struct db *db, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	enum doctor_level before = d->worst;

	if (!db_query(
		db, "doctor_handlers", SQL_DOCTOR_HANDLERS, 0, NULL, &rows, e))
		return false;
	d->worst = DOCTOR_OK;
	for (int i = 0; i < db_nrows(rows); i++)
		check_handler(d, db_text(rows, i, 0), db_text(rows, i, 1));
	if (d->worst == DOCTOR_OK)
		doctor_note(d, DOCTOR_OK, "handlers", "",
		    "%d executables are here", db_nrows(rows));
	if (d->worst < before)
		d->worst = before;
	return true;
}

/* --- folders of tasks --- */

static const char SQL_DOCTOR_TASKS[] =
    "SELECT f.slug, f.folder, t.slug IS NOT NULL, true\n"
    "FROM unnest($1::text[], $2::text[]) AS f (slug, folder)\n"
    "LEFT JOIN afterwork.task t ON t.slug = f.slug\n"
    "WHERE t.slug IS NULL OR t.retired_at IS NOT NULL\n"
    "UNION ALL\n"
    "SELECT t.slug, t.folder, true, false FROM afterwork.task t\n"
    "WHERE t.retired_at IS NULL AND t.slug <> ALL ($1::text[])\n"
    "ORDER BY 1";

/* Row i: a task that is here or registered, but not both. */
static void
note_task(struct doctor *d, const struct db_rows *rows, int i)
{
	const char *slug = db_text(rows, i, 0);

	if (db_bool(rows, i, 3))
		doctor_note(d, DOCTOR_WARN, "folders",
		    "register it: afterwork tasks sync",
		    "%s: \"%s\" is here, but the task is %s", slug,
		    db_text(rows, i, 1),
		    db_bool(rows, i, 2) ? "retired" : "not registered");
	else
		doctor_note(d, DOCTOR_WARN, "folders",
		    "put its folder back, or retire it: afterwork tasks sync; "
		    "then its waiting jobs fail",
		    "%s is registered, but no folder of TASKS_DIR has it",
		    slug);
}

bool
doctor_tasks(struct doctor *d, struct db *db, struct err *e)
{
	AUTO_BUF slugs = BUF_INIT, folders = BUF_INIT;
	AUTO_ROWS *rows = NULL;
	struct err why = { 0 };

	if (conf_text("TASKS_DIR", "")[0] == '\0')
		return true;
	if (!tasks_here(&slugs, &folders, &why)) {
		doctor_note(d, DOCTOR_BAD, "folders",
		    "mend it: until then afterwork tasks sync refuses all "
		    "tasks",
		    "%s", why.msg);
		return true;
	}
	if (!db_query(db, "doctor_tasks", SQL_DOCTOR_TASKS, 2,
		(const char *const[]){ slugs.data, folders.data }, &rows, e))
		return false;
	for (int i = 0; i < db_nrows(rows); i++)
		note_task(d, rows, i);
	if (db_nrows(rows) == 0)
		doctor_note(d, DOCTOR_OK, "folders", "",
		    "the tasks of TASKS_DIR are registered, and no others");
	return true;
}

/* --- how long a runner lasts ---------------------------------------------- */

/* What vercel.json says; with *ret 0 there is none to be seen. */
static bool
vercel_says(int64_t *ret, struct err *e)
{
	AUTO_TEXT *file = command_config();
	AUTO_VERCEL v = { .source = NULL };

	*ret = 0;
	if (file == NULL)
		return true;
	if (!vercel_load(file, &v, e))
		return false;
	*ret = vercel_duration_s(&v, VERCEL_RUNNER);
	return true;
}

static void
compare_durations(struct doctor *d, int64_t here_s, int64_t vercel_s)
{
	if (vercel_s == here_s || vercel_s == 0)
		doctor_note(d, DOCTOR_OK, "duration", "",
		    "a runner lasts %lld s%s", (long long)here_s,
		    vercel_s == 0 ? "" : ", as vercel.json has it");
	else
		doctor_note(d, DOCTOR_WARN, "duration",
		    "set MAX_DURATION to what afterwork cron --print duration "
		    "says, for the functions and here; nginx's "
		    "fastcgi_read_timeout of the run endpoint is to be longer",
		    "a runner lasts %lld s here (MAX_DURATION), and %lld s in "
		    "vercel.json",
		    (long long)here_s, (long long)vercel_s);
}

static const char SQL_DOCTOR_DURATION[] =
    "SELECT slug, ceil(timeout_ms / 1000.0)::bigint FROM afterwork.task\n"
    "WHERE retired_at IS NULL AND timeout_ms > $1::bigint ORDER BY slug";

bool
doctor_duration(struct doctor *d, struct db *db, struct err *e)
{
	int64_t here_s = RUNNER_MAX_DURATION_S, vercel_s;
	AUTO_ROWS *rows = NULL;
	struct err why;

	if (!conf_int("MAX_DURATION", here_s, 1, VERCEL_DURATION_MAX_S, &here_s,
		&why) ||
	    !vercel_says(&vercel_s, &why)) {
		doctor_note(
		    d, DOCTOR_BAD, "settings", "mend it", "%s", why.msg);
		return true;
	}
	compare_durations(d, here_s, vercel_s);
	if (!db_query(db, "doctor_duration", SQL_DOCTOR_DURATION, 1,
		(const char *const[]){
		    arg_int((here_s - RUNNER_START_S) * 1000).s },
		&rows, e))
		return false;
	for (int i = 0; i < db_nrows(rows); i++)
		doctor_note(d, DOCTOR_BAD, "duration",
		    "give runners more time (MAX_DURATION) or the task less, "
		    "then run afterwork tasks sync",
		    "no runner has the time for %s: its timeout is %s s, of "
		    "the %lld s of a runner %d s are to start in",
		    db_text(rows, i, 0), db_text(rows, i, 1), (long long)here_s,
		    RUNNER_START_S);
	return true;
}
