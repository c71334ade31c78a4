#include "deploy/command/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/arg.h"
#include "common/base/clock.h"
#include "common/base/buf.h"
#include "common/link/db.h"
#include "common/link/js.h"
#include "common/parse/duration.h"
#include "deploy/command/command.h"

enum {
	SKEW_WARN_MS = 2000,
	SKEW_BAD_MS = 60000,
	PATIENCE_MS = 5 * 60 * 1000,
	LOOK_MS = 60000, /* one look at a large database may take */
};

static const char *const levels[] = { "ok", "warn", "bad" };

/* --- findings ------------------------------------------------------------- */

static void
add(struct doctor *d, enum doctor_level level, const char *topic,
    const char *what, const char *remedy)
{
	struct json_object *f = js_new_object();

	js_set_text(f, "level", levels[level]);
	js_set_text(f, "topic", topic);
	js_set_text(f, "what", what);
	js_set_text(f, "remedy", remedy);
	js_add(d->findings, f);
	if (level > d->worst)
		d->worst = level;
}

void
doctor_note(struct doctor *d, enum doctor_level level, const char *topic,
    const char *remedy, const char *fmt, ...)
{
	char what[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	add(d, level, topic, what, remedy);
}

static enum doctor_level
level_of(const char *name)
{
	for (size_t i = 0; i < LEN(levels); i++)
		if (strcmp(levels[i], name) == 0)
			return (enum doctor_level)i;
	return DOCTOR_BAD;
}

/* --- the database --------------------------------------------------------- */

static const char SQL_DOCTOR_DATABASE[] =
    "SELECT topic, level, what, remedy FROM afterwork.doctor($1::integer,\n"
    "    $2::bigint * interval '1 ms')";

static bool
look_at_database(
    struct doctor *d, struct db *db, int64_t patience_ms, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "doctor_database", SQL_DOCTOR_DATABASE, 2,
		(const char *const[]){
		    arg_int(doctor_connections(d)).s, arg_int(patience_ms).s },
		&rows, e))
		return false;
	for (int i = 0; i < db_nrows(rows); i++)
		add(d, level_of(db_text(rows, i, 1)), db_text(rows, i, 0),
		    db_text(rows, i, 2), db_text(rows, i, 3));
	return true;
}

static const char SQL_DOCTOR_CLOCK[] =
    "SELECT (extract(epoch FROM afterwork.doctor_now()) * 1000)::bigint";

/* Of this host and the database: the middle of the asking is when it was. */
static bool
look_at_clock(struct doctor *d, struct db *db, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	int64_t before = clock_wall_us() / 1000, off;

	if (!db_query(db, "doctor_clock", SQL_DOCTOR_CLOCK, 0, NULL, &rows, e))
		return false;
	off = (before + clock_wall_us() / 1000) / 2 - db_int(rows, 0, 0);
	if (off > -SKEW_WARN_MS && off < SKEW_WARN_MS)
		doctor_note(d, DOCTOR_OK, "clock", "",
		    "this host's clock is the database's, within %d s",
		    SKEW_WARN_MS / 1000);
	else
		doctor_note(d,
		    off > -SKEW_BAD_MS && off < SKEW_BAD_MS ? DOCTOR_WARN
							    : DOCTOR_BAD,
		    "clock",
		    "let both follow NTP: logs, certificates and signatures "
		    "go by this host's clock, schedules by the database's",
		    "this host's clock is %" PRId64 " s %s the database's",
		    (off < 0 ? -off : off) / 1000,
		    off < 0 ? "behind" : "ahead of");
	return true;
}

static bool
look_inside(struct doctor *d, int64_t patience_ms, struct err *e)
{
	AUTO_DB *db = NULL;

	if (!command_db(&db, e))
		return false;
	db_deadline(db, LOOK_MS);
	/* First a statement that connects, so that the time it takes does not
	 * count as a difference of clocks. */
	return look_at_database(d, db, patience_ms, e) &&
	       look_at_clock(d, db, e) && doctor_handlers(d, db, e) &&
	       doctor_tasks(d, db, e) && doctor_duration(d, db, e);
}

/* --- what is said --------------------------------------------------------- */

static void
say_lines(const struct doctor *d)
{
	for (int level = DOCTOR_BAD; level >= DOCTOR_OK; level--)
		for (size_t i = 0; i < js_len(d->findings); i++) {
			struct json_object *f = js_at(d->findings, i);
			const char *remedy = js_text_of(js_get(f, "remedy"));

			if (strcmp(js_text_of(js_get(f, "level")),
				levels[level]) != 0)
				continue;
			command_say("%-4s  %s: %s%s%s", levels[level],
			    js_text_of(js_get(f, "topic")),
			    js_text_of(js_get(f, "what")),
			    remedy[0] == '\0' ? "" : " - ", remedy);
		}
}

static void
say_json(const struct doctor *d)
{
	AUTO_JS *doc = js_new_object();
	AUTO_BUF text = BUF_INIT;

	js_set_text(doc, "status", levels[d->worst]);
	js_set(doc, "findings", js_ref(d->findings));
	js_print(doc, &text);
	command_say("%s", text.data);
}

static int
run(int argc, char *argv[])
{
	struct doctor d = { .worst = DOCTOR_OK };
	int64_t patience_ms = PATIENCE_MS;
	const char *patience = NULL;
	bool json = false;
	const struct command_option options[] = {
		{ "json", &json, NULL },
		{ "patience", NULL, &patience },
	};
	struct command_operands none;
	struct err e;

	if (!command_parse(argc, argv, options, LEN(options), 0, &none))
		return EX_USAGE;
	if (patience != NULL && !duration_parse(patience, &patience_ms))
		return command_usage("--patience must be a duration such as "
				     "30s or 5m");
	d.findings = js_new_array();
	if (!look_inside(&d, patience_ms, &e))
		doctor_note(&d, DOCTOR_BAD, "database",
		    e.sqlstate[0] == '\0' || strcmp(e.sqlstate, DB_NO_LINK) == 0
			? "see DATABASE_URL, and that PostgreSQL runs"
			: "run afterwork migrate, as the owner",
		    "%s", e.msg);
	doctor_host(&d);
	if (json)
		say_json(&d);
	else
		say_lines(&d);
	js_free(&d.findings);
	return (int)d.worst;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "say what is wrong here, and what to do",
	.help =
	    "usage: afterwork doctor [--json] [--patience DURATION]\n"
	    "\n"
	    "Looks at the database and at this host, and prints a line for\n"
	    "each matter, the worst first:\n"
	    "\n"
	    "  bad   history: there is no partition for … - what to do\n"
	    "\n"
	    "Changes nothing.  Run it with the environment and as the user of\n"
	    "the functions, but with the owner's DATABASE_URL.  With the\n"
	    "TASKS_DIR of `afterwork tasks sync` it tells which tasks are not\n"
	    "registered, and which are no longer there.\n"
	    "\n"
	    "  --json               one JSON object instead of lines\n"
	    "  --patience DURATION  a transaction that is open for longer is\n"
	    "                       old (5m)\n"
	    "\n"
	    "exit status: 0 all is well, 1 something should be looked at,\n"
	    "2 something is broken, 64 called wrongly\n"
	    "\n"
	    "examples:\n"
	    "  afterwork doctor\n"
	    "  afterwork doctor --json | jq -r '.findings[] |\n"
	    "      select(.level != \"ok\") | .remedy'\n",
	.run = run,
};
