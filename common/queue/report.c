#include "common/queue/report.h"

#include "common/base/arg.h"
#include "common/link/db.h"
#include "common/link/filter.h"

static void
add_column(struct buf *ret, const struct db_rows *rows, int col)
{
	buf_add(ret, db_text(rows, 0, col), db_text_len(rows, 0, col));
}

static const char SQL_REPORT_JOB[] = "SELECT " FILTER_SHOWN(
    "d.doc", "$2", "$3") "\n"
			 "FROM (SELECT afterwork.job_doc(j)::json AS doc\n"
			 "    FROM afterwork.job_by_id($1::bigint) j) d";

bool
report_job(struct db *db, int64_t id, const struct filter *select,
    struct buf *ret_doc, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	AUTO_BUF names = BUF_INIT;
	struct arg which = arg_int(id);
	const char *const args[] = { which.s, filter_names(select, &names),
		filter_stay(select) };

	if (!buf_ok(&names, e) || !db_query(db, "report_job", SQL_REPORT_JOB,
				      LEN(args), args, &rows, e))
		return false;
	if (db_nrows(rows) == 0)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	add_column(ret_doc, rows, 0);
	return true;
}

static const char SQL_REPORT_STATS[] = "SELECT afterwork.stats_doc()";

bool
report_stats(struct db *db, struct buf *ret_doc, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "report_stats", SQL_REPORT_STATS, 0, NULL, &rows, e))
		return false;
	add_column(ret_doc, rows, 0);
	return true;
}

/* A queue's name has no byte that a label would have to escape. */
static void
add_states(struct buf *ret, const struct db_rows *rows)
{
	static const char *const states[] = { "ready", "delayed", "blocked",
		"running", "failed" };

	buf_adds(ret, "# HELP afterwork_jobs Jobs by queue and state.\n"
		      "# TYPE afterwork_jobs gauge\n");
	for (int i = 0; i < db_nrows(rows); i++)
		for (int s = 0; s < (int)LEN(states); s++)
			buf_addf(ret,
			    "afterwork_jobs{queue=\"%s\",state=\"%s\"} %s\n",
			    db_text(rows, i, 0), states[s],
			    db_text(rows, i, 1 + s));
}

static void
add_gauge(struct buf *ret, const struct db_rows *rows, int col,
    const char *name, const char *help)
{
	buf_addf(ret, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	for (int i = 0; i < db_nrows(rows); i++)
		buf_addf(ret, "%s{queue=\"%s\"} %s\n", name,
		    db_text(rows, i, 0), db_text(rows, i, col));
}

static const char SQL_REPORT_METRICS[] =
    "SELECT queue, ready, delayed, blocked, running, failed, done_last_hour,\n"
    "    coalesce(oldest_ready_ms / 1000.0, 0),\n"
    "    coalesce(latency_ms[3] / 1000.0, 0)\n"
    "FROM afterwork.stats()";

bool
report_metrics(struct db *db, struct buf *ret_text, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(
		db, "report_metrics", SQL_REPORT_METRICS, 0, NULL, &rows, e))
		return false;
	add_states(ret_text, rows);
	add_gauge(ret_text, rows, 6, "afterwork_done_last_hour",
	    "Jobs that ended well in the last hour.");
	add_gauge(ret_text, rows, 7, "afterwork_oldest_ready_seconds",
	    "Age of the oldest job that could run now.");
	add_gauge(ret_text, rows, 8, "afterwork_latency_p99_seconds",
	    "From due to started, 99th percentile of the last hour.");
	return true;
}
