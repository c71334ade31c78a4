#include "deploy/command/tasks.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/link/conf.h"
#include "common/link/db.h"
#include "common/link/js.h"
#include "common/queue/taskfile.h"
#include "common/runner/runner.h"
#include "deploy/command/command.h"
#include "deploy/command/vercel.h"

enum { TASKS_MAX = 1000 };

/* A task.json that was found, read and checked. */
struct found {
	struct task_def def;
	char *file;    /* "/srv/tasks/mail/task.json" */
	char *folder;  /* absolute, without links */
	char *handler; /* absolute; NULL: compiled in */
};

struct found_list {
	struct found *v;
	size_t n;
	int64_t duration_s; /* of a runner */
	int64_t vercel_s;   /* of it, as vercel.json has it */
	bool own;           /* what is added now is of TASKS_DIR */
};

static void
found_list_release(struct found_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		task_def_release(&l->v[i].def);
		free(l->v[i].file);
		free(l->v[i].folder);
		free(l->v[i].handler);
	}
	free(l->v);
}

static char *
join(const char *dir, const char *name)
{
	AUTO_BUF path = BUF_INIT;

	buf_addf(&path, "%s/%s", dir, name);
	return buf_steal(&path);
}

/* --- one task ------------------------------------------------------------- */

/* The handler's absolute path: it must be there and may be executed. */
static bool
find_handler(struct found *f, struct err *e)
{
	const char *name = f->def.handler;
	AUTO_TEXT *path = NULL;
	struct stat st;

	if (name == NULL)
		return true;
	path = name[0] == '/' ? strdup(name) : join(f->folder, name);
	if (path == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	f->handler = realpath(path, NULL);
	if (f->handler == NULL || stat(f->handler, &st) != 0)
		return err_errno(e, ERR_INVALID,
		    "%s: line %d: cannot use handler \"%s\"", f->file,
		    f->def.handler_line, name);
	if (!S_ISREG(st.st_mode) || access(f->handler, X_OK) != 0)
		return err_fail(e, ERR_INVALID,
		    "%s: line %d: handler \"%s\" is not an executable file",
		    f->file, f->def.handler_line, name);
	return true;
}

/* A runner never starts a job for which it has no time left, so one with a
 * timeout beyond this would wait for ever. */
static bool
check_timeout(const struct found_list *l, const struct found *f, struct err *e)
{
	int64_t most_s = l->duration_s - RUNNER_START_S;
	AUTO_BUF where = BUF_INIT, would_do = BUF_INIT;

	if (f->def.timeout_ms <= most_s * 1000)
		return true;
	if (f->def.timeout_line > 0)
		buf_addf(&where, "line %d: ", f->def.timeout_line);
	if (most_s > 0)
		buf_addf(&would_do, "; at most %lld s do", (long long)most_s);
	if (l->vercel_s > l->duration_s &&
	    f->def.timeout_ms <= (l->vercel_s - RUNNER_START_S) * 1000)
		buf_addf(&would_do,
		    "; MAX_DURATION=%lld, here and for the functions, gives "
		    "it what vercel.json has",
		    (long long)l->vercel_s);
	return err_fail(e, ERR_INVALID,
	    "%s: %sa timeout of %lld s does not fit into the %lld s "
	    "(maxDuration in vercel.json, MAX_DURATION) that a runner has, "
	    "%d s of them to start in%s",
	    f->file, where.data, (long long)((f->def.timeout_ms + 999) / 1000),
	    (long long)l->duration_s, RUNNER_START_S, would_do.data);
}

/* A folder that anybody may add to is not to ask for the runner's secrets. */
static bool
check_settings(const struct found *f, bool own, struct err *e)
{
	if (!own || f->def.settings == NULL)
		return true;
	return err_fail(e, ERR_INVALID,
	    "%s: line %d: settings are given to built-in tasks only", f->file,
	    f->def.settings_line);
}

static bool
check_unique(const struct found_list *l, const struct found *f, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].def.slug, f->def.slug) == 0)
			return err_fail(e, ERR_INVALID,
			    "task \"%s\" is there twice: in %s and %s",
			    f->def.slug, l->v[i].file, f->file);
	return true;
}

static bool
read_def(struct found *f, struct err *e)
{
	AUTO_BUF text = BUF_INIT;
	struct err why = { 0 };

	if (!path_read(f->file, TASK_FILE_MAX, &text, e))
		return false;
	if (!taskfile_parse(text.data, text.len, &f->def, &why))
		return err_fail(e, why.code, "%s: %s", f->file, why.msg);
	return true;
}

/* Make room for one more; what is there stays owned by the list. */
static struct found *
found_next(struct found_list *l)
{
	struct found *v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (v == NULL)
		return NULL;
	l->v = v;
	memset(&v[l->n], 0, sizeof(*v));
	return &v[l->n];
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The task of this folder; if it need not be one, it may be none. */
static bool
add_folder(struct found_list *l, const char *folder, bool need, struct err *e)
{
	AUTO_TEXT *file = join(folder, "task.json");
	struct found *f;

	if (file == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	if (access(file, F_OK) != 0) {
		if (!need || !is_folder(folder))
			return true;
		return err_fail(e, ERR_INVALID,
		    "%s: there is no such file, and so no task in its folder",
		    file);
	}
	f = found_next(l);
	if (l->n == TASKS_MAX || f == NULL)
		return err_fail(
		    e, ERR_UNAVAILABLE, "more than %d tasks", TASKS_MAX);
	f->folder = realpath(folder, NULL);
	f->file = file;
	file = NULL;
	if (f->folder == NULL || !read_def(f, e) || !find_handler(f, e) ||
	    !check_timeout(l, f, e) || !check_settings(f, l->own, e) ||
	    !check_unique(l, f, e)) {
		l->n++; /* for the list to release */
		return false;
	}
	l->n++;
	return true;
}

/* --- all tasks ------------------------------------------------------------ */

static int
is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* Every folder of dir, by name; or dir itself, if it is a task.  A folder of
 * TASKS_DIR without a task.json is not passed over in silence: the file may
 * have a wrong name, and the task that it was would be retired. */
static bool
add_tasks(struct found_list *l, const char *dir, struct err *e)
{
	struct dirent **names = NULL;
	int n = scandir(dir, &names, is_visible, alphasort);
	size_t before = l->n;
	bool good = true, need;

	if (n < 0)
		return err_errno(e, ERR_INVALID,
		    "could not read the folder of tasks \"%s\"", dir);
	good = add_folder(l, dir, false, e);
	need = l->own && l->n == before;
	for (int i = 0; i < n; i++) {
		AUTO_TEXT *folder = join(dir, names[i]->d_name);

		good = good && folder != NULL && add_folder(l, folder, need, e);
		free(names[i]);
	}
	free(names);
	return good;
}

/* Of the build folder, or of the installation. */
static bool
add_builtin(struct found_list *l, struct err *e)
{
	static const char *const places[] = { "tasks",
		"../lib/afterwork/tasks" };
	AUTO_TEXT *self = path_self_dir();

	for (size_t i = 0; self != NULL && i < LEN(places); i++) {
		AUTO_TEXT *dir = join(self, places[i]);

		if (dir != NULL && access(dir, R_OK | X_OK) == 0)
			return add_tasks(l, dir, e);
	}
	return true;
}

/* Each folder of TASKS_DIR ("a:b"); one that is not there is an error, since
 * its tasks would be retired else. */
static bool
add_own(struct found_list *l, struct err *e)
{
	const char *dirs = conf_text("TASKS_DIR", "");

	l->own = true;
	while (*dirs != '\0') {
		size_t n = strcspn(dirs, ":");
		AUTO_TEXT *dir = strndup(dirs, n);

		if (n > 0 && (dir == NULL || !add_tasks(l, dir, e)))
			return false;
		dirs += dirs[n] == ':' ? n + 1 : n;
	}
	return true;
}

/*
 * What a runner has is MAX_DURATION, and what it has without that; a smaller
 * maxDuration in the vercel.json at hand is what a ping would let it have.  A
 * file that is named for this call counts alone.
 */
static bool
read_limit(const char *config, struct found_list *ret, struct err *e)
{
	AUTO_TEXT *found = config == NULL ? command_config() : NULL;
	const char *file = config == NULL ? found : config;
	AUTO_VERCEL v = { .source = NULL };
	int64_t said_s;

	if (!conf_int(
		"MAX_DURATION", 0, 1, VERCEL_DURATION_MAX_S, &said_s, e) ||
	    (file != NULL && !vercel_load(file, &v, e)))
		return false;
	ret->vercel_s = vercel_duration_s(&v, VERCEL_RUNNER);
	ret->duration_s = ret->vercel_s;
	if (config == NULL && said_s > 0)
		ret->duration_s = said_s;
	else if (config == NULL && ret->duration_s > RUNNER_MAX_DURATION_S)
		ret->duration_s = RUNNER_MAX_DURATION_S;
	return true;
}

static bool
find_tasks(struct found_list *l, const char *config, struct err *e)
{
	return read_limit(config, l, e) && add_builtin(l, e) && add_own(l, e);
}

/* --- registration --------------------------------------------------------- */

static const char SQL_ZONE[] =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_timezone_names z\n"
    "    WHERE z.name = $1::text)";

/* Zones are the database's data: only it can say which there are.  By name:
 * it would also take "UTC+2", and mean what POSIX does: two hours behind. */
static bool
check_zones(struct db *db, const struct found *f, struct err *e)
{
	for (size_t i = 0; i < f->def.nschedules; i++) {
		const struct task_schedule *s = &f->def.schedules[i];
		const char *const args[] = { s->timezone };
		AUTO_ROWS *rows = NULL;

		if (!db_query(
			db, "task_zone", SQL_ZONE, LEN(args), args, &rows, e))
			return false;
		if (!db_bool(rows, 0, 0))
			return err_fail(e, ERR_INVALID,
			    "%s: line %d: schedule.%zu.timezone \"%s\" is not "
			    "known to the database",
			    f->file, s->timezone_line, i, s->timezone);
	}
	return true;
}

static void
warn_unfed(const struct found *f)
{
	const char *field = taskfile_unfed(&f->def);

	if (field != NULL)
		command_say("task %s: its schedule makes no jobs: their input "
			    "is {}, and its inputSchema requires \"%s\"",
		    f->def.slug, field);
}

/* Two registrations at once would both find a task to be new. */
static const char SQL_TASKS_TURN[] = "LOCK TABLE afterwork.task\n"
				     "IN SHARE ROW EXCLUSIVE MODE";

static const char SQL_TASK_REGISTER[] =
    "SELECT afterwork.task_register($1::jsonb)";

static bool
register_task(
    struct db *db, const struct found *f, struct tasks_report *r, struct err *e)
{
	AUTO_JS *def = taskfile_registration(&f->def, f->handler, f->folder);
	AUTO_BUF text = BUF_INIT;
	AUTO_ROWS *rows = NULL;
	const char *args[1];

	js_print(def, &text);
	args[0] = text.data;
	if (!buf_ok(&text, e) ||
	    !db_query(db, "task_register", SQL_TASK_REGISTER, LEN(args), args,
		&rows, e))
		return false;
	r->ntasks++;
	if (strcmp(db_text(rows, 0, 0), "unchanged") == 0)
		return true;
	r->nchanges++;
	command_say("task %s %s", f->def.slug, db_text(rows, 0, 0));
	warn_unfed(f);
	return true;
}

static const char SQL_TASK_RETIRE[] =
    "SELECT afterwork.task_retire($1::text[])";

static bool
retire_others(struct db *db, const struct found_list *l, struct tasks_report *r,
    struct err *e)
{
	AUTO_BUF keep = BUF_INIT;
	AUTO_ROWS *rows = NULL;
	const char *args[1];

	for (size_t i = 0; i < l->n; i++)
		db_array_add(&keep, l->v[i].def.slug);
	db_array_end(&keep);
	args[0] = keep.data;
	if (!buf_ok(&keep, e) || !db_query(db, "task_retire", SQL_TASK_RETIRE,
				     LEN(args), args, &rows, e))
		return false;
	for (int i = 0; i < db_nrows(rows); i++, r->nchanges++)
		command_say("task %s retired: no folder of tasks has it",
		    db_text(rows, i, 0));
	return true;
}

static bool
register_all(struct db *db, const struct found_list *l, struct tasks_report *r,
    struct err *e)
{
	AUTO_TX tx = { 0 };

	for (size_t i = 0; i < l->n; i++)
		if (!check_zones(db, &l->v[i], e))
			return false;
	if (!db_begin(db, &tx, e) ||
	    !db_query(db, "tasks_turn", SQL_TASKS_TURN, 0, NULL, NULL, e))
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (!register_task(db, &l->v[i], r, e))
			return false;
	return retire_others(db, l, r, e) && db_commit(&tx, e);
}

bool
tasks_sync(
    struct db *db, const char *config, struct tasks_report *ret, struct err *e)
{
	CLEANUP(found_list_release) struct found_list l = { .v = NULL };

	return find_tasks(&l, config, e) && register_all(db, &l, ret, e);
}

bool
tasks_here(struct buf *ret_slugs, struct buf *ret_folders, struct err *e)
{
	CLEANUP(found_list_release) struct found_list l = { .v = NULL };

	if (!find_tasks(&l, NULL, e))
		return false;
	for (size_t i = 0; i < l.n; i++) {
		db_array_add(ret_slugs, l.v[i].def.slug);
		db_array_add(ret_folders, l.v[i].folder);
	}
	db_array_end(ret_slugs);
	db_array_end(ret_folders);
	return buf_ok(ret_slugs, e) && buf_ok(ret_folders, e);
}

/* --- the command ---------------------------------------------------------- */

static bool
check(const char *config, struct err *e)
{
	CLEANUP(found_list_release) struct found_list l = { .v = NULL };

	if (!find_tasks(&l, config, e))
		return false;
	for (size_t i = 0; i < l.n; i++) {
		command_say("ok %s (%s)", l.v[i].def.slug,
		    l.v[i].handler == NULL ? "compiled in" : l.v[i].handler);
		warn_unfed(&l.v[i]);
	}
	return true;
}

static bool
sync_now(const char *config, struct err *e)
{
	AUTO_DB *db = NULL;
	struct tasks_report r = { 0 };

	if (!command_db(&db, e) || !tasks_sync(db, config, &r, e))
		return false;
	if (r.nchanges == 0)
		command_say("up to date");
	return true;
}

static int
run(int argc, char *argv[])
{
	const char *config = NULL;
	bool only_check = false;
	const struct command_option options[] = {
		{ "check", &only_check, NULL },
		{ "config", NULL, &config },
	};
	struct command_operands verb;
	struct err e;

	if (!command_parse(argc, argv, options, LEN(options), 1, &verb))
		return EX_USAGE;
	if (verb.n != 1 || strcmp(verb.v[0], "sync") != 0)
		return command_usage("say what to do: afterwork tasks sync");
	if (!(only_check ? check(config, &e) : sync_now(config, &e)))
		return command_fail(&e);
	return 0;
}

const struct command command_tasks = {
	.name = "tasks",
	.summary = "register the tasks that are there",
	.help =
	    "usage: afterwork tasks sync [--check] [--config FILE]\n"
	    "\n"
	    "Registers the built-in tasks and those of TASKS_DIR (folders,\n"
	    "colon-separated; each folder in one of them that is not hidden\n"
	    "is a task, with a task.json).  All are checked before any is\n"
	    "registered.  A registered task that is no longer there is\n"
	    "retired: its waiting jobs fail, with why.\n"
	    "Part of `afterwork migrate`.\n"
	    "\n"
	    "  --check        read and check only; needs no database\n"
	    "  --config FILE  vercel.json, for the time that a runner has;\n"
	    "                 without it MAX_DURATION says so, or else the\n"
	    "                 vercel.json that is there, up to 300 s\n"
	    "\n"
	    "examples:\n"
	    "  TASKS_DIR=/srv/tasks afterwork tasks sync\n"
	    "  TASKS_DIR=$PWD/tasks afterwork tasks sync --check\n",
	.run = run,
};
