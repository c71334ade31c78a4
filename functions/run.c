/*
 * run: the job runner.
 *
 * As a function: GET or POST /api/payload-jobs/run, what the scheduler pings;
 * makes the jobs of schedules that are due (not with disableScheduling), runs
 * up to `limit` jobs in this call and answers how they went.
 * GET /api/payload-jobs/handle-schedules makes those jobs and runs none.
 * As `run --detached`: what after() starts; runs until dry, lingers, leaves.
 * What may stand behind that is RUNTIME_DIRECTORY once more, for who looks at
 * a list of processes.
 */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/proc.h"
#include "common/http/app.h"
#include "common/link/conf.h"
#include "common/link/js.h"
#include "common/queue/job.h"
#include "common/queue/schedule.h"
#include "common/runner/runner.h"

#include <inttypes.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIMIT_DEFAULT = 10, LINGER_MS = 250, DURATION_MAX_S = 1800 };

/* The same for both: how long a run may last. */
static bool
duration_ms(int64_t *ret_ms, struct err *e)
{
	int64_t s;

	if (!conf_int("MAX_DURATION", RUNNER_MAX_DURATION_S, 1, DURATION_MAX_S,
		&s, e))
		return false;
	*ret_ms = s * 1000;
	return true;
}

/* NULL: all. */
static bool
read_queue(const struct req *req, const char **ret, struct err *e)
{
	const char *queue = req_query(req, "queue", "default");
	bool all;

	if (queue[0] == '\0' || strlen(queue) > JOB_QUEUE_MAX)
		return err_field(e, "queue",
		    "The queue must be a name of 1 to %d characters.",
		    JOB_QUEUE_MAX);
	if (!req_query_bool(req, "allQueues", false, &all, e))
		return false;
	*ret = all ? NULL : queue;
	return true;
}

static bool
read_query(const struct req *req, struct runner_want *ret, struct err *e)
{
	int64_t otherwise, limit;
	bool ignored;

	if (!read_queue(req, &ret->queue, e) ||
	    !conf_int("RUN_LIMIT", LIMIT_DEFAULT, 1, RUNNER_JOBS_MAX,
		&otherwise, e) ||
	    !req_query_int(
		req, "limit", otherwise, 1, RUNNER_JOBS_MAX, &limit, e) ||
	    !req_query_bool(req, "sequential", true, &ignored, e) ||
	    !req_query_bool(
		req, "disableScheduling", false, &ret->unscheduled, e) ||
	    !req_query_bool(req, "silent", false, &ignored, e) ||
	    !duration_ms(&ret->duration_ms, e))
		return false;
	ret->limit = (int)limit;
	return true;
}

static struct json_object *
report_json(const struct runner_report *r, bool ok, int64_t took_ms)
{
	struct json_object *doc = js_new_object();
	struct json_object *result = js_new_object();
	struct json_object *jobs = js_new_object();

	for (int i = 0; i < r->njobs; i++) {
		struct json_object *job = js_new_object();
		char id[24];

		(void)snprintf(id, sizeof(id), "%" PRId64, r->jobs[i].id);
		js_set_text(
		    job, "status", runner_status_name(r->jobs[i].status));
		js_set(jobs, id, job);
	}
	js_set(result, "jobStatus", jobs);
	js_set_bool(doc, "success", ok);
	js_set_text(
	    doc, "message", ok ? "Success" : "An unknown error has occurred.");
	js_set(doc, "result", result);
	js_set_bool(doc, "noJobsRemaining", ok && r->had_slot && r->none_left);
	js_set_int(doc, "remainingJobsFromQueried", r->ntried_again);
	js_set_int(doc, "executionTimeMs", took_ms);
	return doc;
}

static bool
handle_run(
    struct app *app UNUSED, struct req *req, struct res *res, struct err *e)
{
	static struct runner_report report;
	struct runner_want want = { 0 };
	int64_t start_ms = clock_mono_ms();
	struct err fault = { 0 };
	bool ok;

	if (!read_query(req, &want, e))
		return false;
	ok = runner_run(&want, &report, &fault);
	if (!ok)
		log_fail(LOG_LEVEL_ERROR, &fault, "the run broke off");
	/* What this call leaves is not left to the next ping, nor what came
	 * while it had the slot and may be of another queue.  Without a slot
	 * it leaves the mark that those who have one look at. */
	res->wake =
	    report.called || (ok && (!report.had_slot || !report.none_left));
	return res_json(res,
	    ok                              ? 200
	    : fault.code == ERR_UNAVAILABLE ? 503
					    : 500,
	    report_json(&report, ok, clock_mono_ms() - start_ms), e);
}

static bool
handle_schedules(
    struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_BUF doc = BUF_INIT;
	const char *queue;
	int64_t queued;

	if (!read_queue(req, &queue, e) ||
	    !schedule_handle(app->db, queue, &doc, &queued, e) ||
	    !buf_ok(&doc, e))
		return false;
	res->wake = queued > 0;
	return res_json_text(res, 200, doc.data, doc.len, e);
}

static int
run_detached(void)
{
	static struct runner_report report;
	struct runner_want want = { .detached = true };
	struct err e;

	log_init("runner", conf_text("LOG_LEVEL", "info"));
	(void)umask(077);
	/* Root may enqueue by hand; whose tasks run is not root's to be. */
	if (!proc_become_owner(conf_runtime_dir(), &e) ||
	    !conf_duration_ms(
		"RUNNER_LINGER", LINGER_MS, &want.linger_ms, &e) ||
	    !duration_ms(&want.duration_ms, &e) ||
	    !runner_run(&want, &report, &e)) {
		log_fail(LOG_LEVEL_ERROR, &e, "the runner broke off");
		return 1;
	}
	return 0;
}

/*
 * Tasks run as this user, and the settings of ours are not theirs: nobody of
 * the user's looks into this process or its workers, their environment
 * included.  (The tests' own runner is looked into, and so is one whose
 * sanitizer looks for leaks.)
 */
static void
hide(void)
{
#if !defined(AFTERWORK_TEST) && !defined(__SANITIZE_ADDRESS__)
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

int
main(int argc, char **argv)
{
	static const struct app_route routes[] = {
		{ "GET", "/api/payload-jobs/run", ACCESS_JOBS_RUN, handle_run },
		{ "POST", "/api/payload-jobs/run", ACCESS_JOBS_RUN,
		    handle_run },
		{ "GET", "/api/payload-jobs/handle-schedules", ACCESS_JOBS_RUN,
		    handle_schedules },
	};
	static const struct app_fn fn = {
		.name = "run", .routes = routes, .nroutes = LEN(routes)
	};

	hide();
	/* Without the clean-up of libraries that were never used. */
	if (argc >= 2 && argc <= 3 && strcmp(argv[1], "--detached") == 0)
		_exit(run_detached());
	if (argc > 1) {
		(void)fprintf(stderr, "usage: run [--detached [FOLDER]]\n");
		return 64;
	}
	return app_run(&fn);
}
