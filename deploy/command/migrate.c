#include "deploy/command/migrate.h"

#include <string.h>
#include <unistd.h>

#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/db.h"
#include "common/queue/claim.h"
#include "deploy/command/command.h"
#include "deploy/command/tasks.h"

enum {
	TRIES = 5,            /* of a file whose locks were taken */
	TURN_MS = 120 * 1000, /* longest wait for another migration */
};

/* What is known of one file after the records were read. */
enum state {
	STATE_SAME,    /* applied as it is */
	STATE_NEW,     /* never applied */
	STATE_CHANGED, /* applied with another text */
};

/* "queue/0001_queue.sql": applied once and never again. */
static bool
is_numbered(const char *name)
{
	const char *base = strrchr(name, '/');

	base = base == NULL ? name : base + 1;
	return strspn(base, "0123456789") >= 4;
}

static bool
is_grants(const char *name)
{
	const char *base = strrchr(name, '/');

	return strcmp(base == NULL ? name : base + 1, "roles.sql") == 0;
}

static bool
is_site(const char *name)
{
	return strncmp(name, "site/", 5) == 0;
}

static bool
is_wanted(const struct migrate *m, const struct schema_file *f)
{
	return !m->queue_only || !is_site(f->name);
}

/*
 * What the record of file i must say.  Grants cover every file of the queue,
 * and the site's grants those of the site too, so that a table made later is
 * granted even when a migration was cut off before its grants.
 */
static void
fingerprint(const struct migrate *m, size_t i, char ret[static CRYPT_HASH_HEX])
{
	const struct schema_file *f = &m->files[i];
	struct crypt_hash h;

	crypt_hash_init(&h);
	for (size_t k = 0; is_grants(f->name) && k < i; k++)
		if (is_site(f->name) || !is_site(m->files[k].name))
			crypt_hash_add(&h, m->files[k].text, m->files[k].n);
	crypt_hash_add(&h, f->text, f->n);
	crypt_hash_end(&h, ret);
}

static const char SQL_RECORDED[] =
    "SELECT to_regclass('afterwork.migration') IS NOT NULL";

static bool
is_recorded(struct db *db, bool *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "migrate_recorded", SQL_RECORDED, 0, NULL, &rows, e))
		return false;
	*ret = db_bool(rows, 0, 0);
	return true;
}

static const char SQL_PATIENT[] =
    "SELECT set_config('statement_timeout', '0', true),\n"
    "       set_config('lock_timeout', $1::text, true)";

static bool
lock_timeout(struct db *db, const char *value, struct err *e)
{
	const char *const args[] = { value };

	return db_query(
	    db, "migrate_patient", SQL_PATIENT, LEN(args), args, NULL, e);
}

/* The number is that of this lock: any other program may pick another. */
static const char SQL_TURN[] =
    "SELECT pg_advisory_xact_lock(7306372414587203425)";

/* Open a transaction that no other migration shares. */
static bool
begin_turn(struct db *db, struct db_tx *tx, struct err *e)
{
	return db_begin(db, tx, e) && lock_timeout(db, "100s", e) &&
	       db_query(db, "migrate_turn", SQL_TURN, 0, NULL, NULL, e) &&
	       lock_timeout(db, "5s", e);
}

static const char SQL_RECORDS[] =
    "CREATE SCHEMA IF NOT EXISTS afterwork;\n"
    "CREATE TABLE IF NOT EXISTS afterwork.migration (\n"
    "	name       text PRIMARY KEY,\n"
    "	checksum   text NOT NULL,\n"
    "	applied_at timestamptz NOT NULL DEFAULT now()\n"
    ")";

static bool
make_records(struct db *db, struct err *e)
{
	AUTO_TX tx = { 0 };

	return begin_turn(db, &tx, e) && db_script(db, SQL_RECORDS, 0, e) &&
	       db_commit(&tx, e);
}

static const char SQL_KNOWN[] = "SELECT name, checksum\n"
				"FROM afterwork.migration\n"
				"ORDER BY name";

/* The records; *ret stays NULL while there is no table of them. */
static bool
read_records(struct db *db, struct db_rows **ret, struct err *e)
{
	bool recorded;

	if (!is_recorded(db, &recorded, e))
		return false;
	return !recorded ||
	       db_query(db, "migrate_known", SQL_KNOWN, 0, NULL, ret, e);
}

static enum state
state_of(const struct migrate *m, size_t i, const struct db_rows *records)
{
	char want[CRYPT_HASH_HEX];
	int n = records == NULL ? 0 : db_nrows(records);

	for (int r = 0; r < n; r++) {
		if (strcmp(db_text(records, r, 0), m->files[i].name) != 0)
			continue;
		fingerprint(m, i, want);
		return strcmp(db_text(records, r, 1), want) == 0
			   ? STATE_SAME
			   : STATE_CHANGED;
	}
	return STATE_NEW;
}

static bool
is_known(const struct migrate *m, const char *name)
{
	for (size_t i = 0; i < m->nfiles; i++)
		if (strcmp(m->files[i].name, name) == 0)
			return true;
	return false;
}

/* Refuse what cannot be brought up to date by going forward. */
static bool
check_records(
    const struct migrate *m, const struct db_rows *records, struct err *e)
{
	int n = records == NULL ? 0 : db_nrows(records);

	for (size_t i = 0; i < m->nfiles; i++)
		if (is_numbered(m->files[i].name) &&
		    state_of(m, i, records) == STATE_CHANGED)
			return err_fail(e, ERR_CONFLICT,
			    "%s was changed after it was applied; nothing was "
			    "done. Restore it and put the change into a new "
			    "file",
			    m->files[i].name);
	for (int r = 0; r < n; r++)
		if (is_numbered(db_text(records, r, 0)) &&
		    !is_known(m, db_text(records, r, 0)))
			return err_fail(e, ERR_CONFLICT,
			    "the database has %s, which this version does not "
			    "know; nothing was done. Use the newer version",
			    db_text(records, r, 0));
	return true;
}

static const char SQL_RECORD[] =
    "INSERT INTO afterwork.migration (name, checksum)\n"
    "VALUES ($1::text, $2::text)\n"
    "ON CONFLICT (name) DO UPDATE\n"
    "SET checksum = excluded.checksum, applied_at = now()";

static bool
record(struct db *db, const struct migrate *m, size_t i, struct err *e)
{
	char sum[CRYPT_HASH_HEX];
	const char *const args[] = { m->files[i].name, sum };

	fingerprint(m, i, sum);
	return db_query(
	    db, "migrate_record", SQL_RECORD, LEN(args), args, NULL, e);
}

/* One try of one file: in one transaction with its record, unless another
 * migration was quicker. */
static bool
apply_once(struct db *db, const struct migrate *m, size_t i, bool *ret_done,
    struct err *e)
{
	AUTO_TX tx = { 0 };
	AUTO_ROWS *records = NULL;

	if (!begin_turn(db, &tx, e) || !read_records(db, &records, e) ||
	    !check_records(m, records, e))
		return false;
	*ret_done = state_of(m, i, records) != STATE_SAME;
	if (!*ret_done)
		return true;
	return db_script(db, m->files[i].text, 0, e) && record(db, m, i, e) &&
	       db_commit(&tx, e);
}

static bool
is_contended(const struct err *e)
{
	return strcmp(e->sqlstate, "55P03") == 0 || /* lock_timeout */
	       strcmp(e->sqlstate, "40P01") == 0;   /* deadlock */
}

static bool
apply(struct db *db, const struct migrate *m, size_t i, bool *ret_done,
    struct err *e)
{
	struct err why = { 0 };

	for (int try = 0; try < TRIES; try++) {
		if (try > 0)
			sleep(1);
		if (apply_once(db, m, i, ret_done, &why))
			return true;
		if (!is_contended(&why))
			break;
	}
	(void)err_fail(
	    e, why.code, "could not apply %s: %s", m->files[i].name, why.msg);
	memcpy(e->sqlstate, why.sqlstate, sizeof(e->sqlstate));
	return false;
}

static const char *
verb(const char *name, enum state state)
{
	if (is_numbered(name))
		return "applied";
	return state == STATE_NEW ? "added" : "replaced";
}

static bool
bring(
    struct db *db, struct migrate *m, size_t i, enum state state, struct err *e)
{
	const char *name = m->files[i].name;
	bool done = true;

	if (!m->dry_run && !apply(db, m, i, &done, e))
		return false;
	if (!done)
		return true;
	m->nchanges++;
	if (m->dry_run)
		command_say("would be %s: %s", verb(name, state), name);
	else
		command_say("%s %s", verb(name, state), name);
	return true;
}

bool
migrate_apply(struct db *db, struct migrate *m, struct err *e)
{
	AUTO_ROWS *records = NULL;
	bool recorded;

	db_deadline(db, TURN_MS);
	if (!is_recorded(db, &recorded, e))
		return false;
	if (!recorded && !m->dry_run && !make_records(db, e))
		return false;
	if (!read_records(db, &records, e) || !check_records(m, records, e))
		return false;
	for (size_t i = 0; i < m->nfiles; i++) {
		enum state state = state_of(m, i, records);

		if (state != STATE_SAME && is_wanted(m, &m->files[i]) &&
		    !bring(db, m, i, state, e))
			return false;
	}
	return true;
}

static const char SQL_SECRET[] = "SELECT site.secret_ensure($1::text)";

/* The key of login tokens is made once and stays in the database. */
static bool
ensure_secret(struct db *db, struct err *e)
{
	char secret[2 * 32 + 1];
	const char *const args[] = { secret };
	bool ok;

	crypt_random_hex(32, secret);
	ok = db_query(
	    db, "migrate_secret", SQL_SECRET, LEN(args), args, NULL, e);
	crypt_wipe(secret, sizeof(secret));
	return ok;
}

/* The first jobs must find a partition for today; later the runners see to
 * it. */
static bool
keep_house(struct db *db, struct err *e)
{
	int64_t keep_ms;

	return conf_duration_ms("RETENTION", CLAIM_RETENTION_MS, &keep_ms, e) &&
	       claim_keep_house(db, keep_ms, e);
}

static bool
migrate_all(
    struct migrate *m, bool with_tasks, const char *config, struct err *e)
{
	AUTO_DB *db = NULL;
	struct tasks_report report = { 0 };

	if (!crypt_init(e) || !command_db(&db, e) || !migrate_apply(db, m, e))
		return false;
	if (m->dry_run)
		return true;
	if (!keep_house(db, e) || (!m->queue_only && !ensure_secret(db, e)))
		return false;
	if (with_tasks && !tasks_sync(db, config, &report, e))
		return false;
	m->nchanges += report.nchanges;
	return true;
}

static int
run(int argc, char *argv[])
{
	struct migrate m = { .files = schema_files, .nfiles = schema_nfiles };
	const char *config = NULL;
	bool no_tasks = false;
	const struct command_option options[] = {
		{ "dry-run", &m.dry_run, NULL },
		{ "queue-only", &m.queue_only, NULL },
		{ "no-tasks", &no_tasks, NULL },
		{ "config", NULL, &config },
	};
	struct command_operands none;
	struct err e;

	if (!command_parse(argc, argv, options, LEN(options), 0, &none))
		return EX_USAGE;
	if (!migrate_all(&m, !no_tasks, config, &e))
		return command_fail(&e);
	if (m.nchanges == 0)
		command_say("up to date");
	return 0;
}

const struct command command_migrate = {
	.name = "migrate",
	.summary = "bring the database to this version's schema",
	.help =
	    "usage: afterwork migrate [--dry-run] [--queue-only] [--no-tasks]\n"
	    "                         [--config FILE]\n"
	    "\n"
	    "Applies what is new, each file in a transaction of its own, and\n"
	    "registers the tasks.  A file that was changed after it was\n"
	    "applied is refused.  May be run at any time, also while jobs "
	    "run.\n"
	    "\n"
	    "  --dry-run     say what would be done, change nothing\n"
	    "  --queue-only  leave media, pages and users out\n"
	    "  --no-tasks    leave the tasks as they are registered\n"
	    "  --config FILE vercel.json, for the time a task may take\n"
	    "\n"
	    "DATABASE_URL says where; its login must own the database.\n"
	    "\n"
	    "examples:\n"
	    "  DATABASE_URL=postgresql:///afterwork afterwork migrate\n"
	    "  afterwork migrate --dry-run\n",
	.run = run,
};
