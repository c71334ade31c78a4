/*
 * jobs: what operators and programs do to the queue.
 *
 * POST /api/payload-jobs                       enqueue one, or an array: all
 *                                              or none
 * POST /api/payload-jobs/:id/cancel            end a job: at once when it
 *                                              waits; 202 when it runs, and
 *                                              it is stopped; {"reason"}
 * POST /api/payload-jobs/:id/retry, /:id/run   make it ready now
 * POST /api/payload-jobs/queues/:queue/pause, /resume
 *
 * For the roles admin and operator.
 */
#include "common/http/app.h"
#include "common/link/db.h"
#include "common/link/filter.h"
#include "common/link/js.h"
#include "common/parse/duration.h"
#include "common/queue/job.h"
#include "common/queue/report.h"

#include <inttypes.h>

enum { BATCH_MAX = 1000, NUMBER_TEXT = 24, REASON_MAX = 1000 };

/* A body of one job, as texts that job_spec borrows. */
struct order {
	struct buf input;
	struct buf meta;
	struct buf tags;
	char priority[NUMBER_TEXT];
	char unique_for[NUMBER_TEXT + 4]; /* "… ms" */
	struct job_spec spec;
};

static void
order_release(struct order *o)
{
	buf_release(&o->input);
	buf_release(&o->meta);
	buf_release(&o->tags);
}

/* The value under key printed into text, or NULL when it is not there. */
static const char *
printed(struct json_object *body, const char *key, struct buf *text)
{
	struct json_object *v = js_get(body, key);

	if (v == NULL)
		return NULL;
	js_print(v, text);
	return text->data;
}

static bool
refuse_date(struct err *e)
{
	return err_field(e, "waitUntil",
	    "This field must be a date such as 2026-07-20T12:00:00Z.");
}

/* PostgreSQL also takes "infinity", "tomorrow" and the like; what it makes of
 * the rest of a date is its own to say. */
static bool
begins_as_date(const char *text)
{
	return strspn(text, "0123456789") == 4 && text[4] == '-';
}

/* Until when, and for how long, the unique key is the job's; and its tags. */
static bool
read_unique(struct json_object *body, struct order *ret, struct err *e)
{
	struct job_spec *s = &ret->spec;
	struct json_object *tags = js_get(body, "tags");
	const char *period = NULL;
	int64_t ms;

	if (!js_text(body, "uniqueFor", NULL, &period, e) ||
	    !js_text(body, "uniqueUntil", NULL, &s->unique_until, e) ||
	    !js_bool(body, "replace", false, &s->replace, e))
		return false;
	if (period != NULL && !duration_parse(period, &ms))
		return err_field(e, "uniqueFor",
		    "This field must be a duration such as 30s, 5m or 1d.");
	if (period != NULL) {
		(void)snprintf(ret->unique_for, sizeof(ret->unique_for),
		    "%" PRId64 " ms", ms);
		s->unique_for = ret->unique_for;
	}
	if (tags != NULL && !js_is_array(tags))
		return err_field(e, "tags", "This field must be a list.");
	for (size_t i = 0; tags != NULL && i < js_len(tags); i++)
		if (!js_is_text(js_at(tags, i)))
			return err_field(e, "tags", "A tag must be a text.");
	s->tags = printed(body, "tags", &ret->tags);
	return buf_ok(&ret->tags, e);
}

static bool
read_order(struct json_object *body, struct order *ret, struct err *e)
{
	struct job_spec *s = &ret->spec;
	int64_t priority;

	if (!js_is_object(body))
		return err_fail(e, ERR_INVALID, "A job must be an object.");
	if (!js_text(body, "task", NULL, &s->task, e) ||
	    !js_text(body, "queue", NULL, &s->queue, e) ||
	    !js_text(body, "waitUntil", NULL, &s->run_at, e) ||
	    !js_text(body, "uniqueKey", NULL, &s->unique_key, e) ||
	    !js_text(body, "concurrencyKey", NULL, &s->concurrency_key, e) ||
	    !js_int(body, "priority", 0, INT32_MIN, INT32_MAX, &priority, e))
		return false;
	if (s->task == NULL)
		return err_field(e, "task", "This field is required.");
	if (s->run_at != NULL && !begins_as_date(s->run_at))
		return refuse_date(e);
	if (js_get(body, "priority") != NULL) {
		(void)snprintf(
		    ret->priority, sizeof(ret->priority), "%" PRId64, priority);
		s->priority = ret->priority;
	}
	s->input = printed(body, "input", &ret->input);
	s->meta = printed(body, "meta", &ret->meta);
	return buf_ok(&ret->input, e) && buf_ok(&ret->meta, e) &&
	       read_unique(body, ret, e);
}

/* *ret_due: it may have to run now, be it new or another's that was changed. */
static bool
enqueue(struct app *app, struct json_object *body, int64_t *ret_id,
    bool *ret_created, bool *ret_due, struct err *e)
{
	CLEANUP(order_release)
	struct order o = {
		.input = BUF_INIT, .meta = BUF_INIT, .tags = BUF_INIT
	};

	if (!read_order(body, &o, e))
		return false;
	if (job_enqueue(app->db, &o.spec, ret_id, ret_created, e)) {
		*ret_due = *ret_created || o.spec.replace;
		return true;
	}
	/* What PostgreSQL says of a text that is no time. */
	if (strcmp(e->sqlstate, "22007") == 0 ||
	    strcmp(e->sqlstate, "22008") == 0)
		return refuse_date(e);
	return false;
}

static bool
answer_job(struct app *app, struct res *res, int status, int64_t id,
    const char *message, struct err *e)
{
	AUTO_BUF doc = BUF_INIT;
	struct filter whole = { 0 };

	return report_job(app->db, id, &whole, &doc, e) && buf_ok(&doc, e) &&
	       res_doc(res, status, doc.data, doc.len, message, e);
}

/* The job that has the unique key.  A key that is taken for a time may outlive
 * the record of its job (RETENTION). */
static bool
answer_holder(struct app *app, struct res *res, int64_t id, struct err *e)
{
	struct json_object *answer, *doc;

	if (answer_job(app, res, 200, id,
		"A job with this unique key is there already.", e))
		return true;
	if (e->code != ERR_NOT_FOUND)
		return false;
	answer = js_new_object();
	doc = js_new_object();
	js_set_int(doc, "id", id);
	js_set(answer, "doc", doc);
	js_set_text(answer, "message",
	    "A job had this unique key, which is still taken; its record is "
	    "no longer kept.");
	return res_json(res, 200, answer, e);
}

/* Which of the list is at fault, as enqueue_many() tells it: "1.ms". */
static void
name_place(struct err *e, size_t i)
{
	char field[ERR_FIELD_MAX];

	memcpy(field, e->field, sizeof(field));
	if (e->code == ERR_INVALID)
		(void)snprintf(e->field, sizeof(e->field), "%zu%s%.*s", i,
		    field[0] == '\0' ? "" : ".", ERR_FIELD_MAX - 24, field);
}

static bool
enqueue_all(
    struct app *app, struct json_object *list, struct res *res, struct err *e)
{
	AUTO_JS *ids = js_new_array();
	AUTO_TX tx = { 0 };
	struct json_object *doc;
	size_t made = 0;
	int64_t id;
	bool created, due;

	if (js_len(list) == 0 || js_len(list) > BATCH_MAX)
		return err_fail(e, ERR_INVALID,
		    "A list must have 1 to %d jobs.", BATCH_MAX);
	if (!db_begin(app->db, &tx, e))
		return false;
	for (size_t i = 0; i < js_len(list); i++) {
		if (!enqueue(app, js_at(list, i), &id, &created, &due, e)) {
			name_place(e, i);
			return false;
		}
		js_add(ids, js_new_int(id));
		made += created;
		res->wake = res->wake || due;
	}
	if (!db_commit(&tx, e))
		return false;
	doc = js_new_object();
	js_set(doc, "ids", js_ref(ids));
	js_set_text(doc, "message",
	    made == js_len(list) ? "Jobs successfully created."
	    : made > 0
		? "Jobs successfully created, but for those whose unique key "
		  "is in use."
		: "The unique keys of all these jobs are in use.");
	return res_json(res, made > 0 ? 201 : 200, doc, e);
}

static bool
handle_enqueue(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	bool created, due;
	int64_t id;

	if (!req_json_any(req, REQ_BODY_MAX, &body, e))
		return false;
	if (js_is_array(body))
		return enqueue_all(app, body, res, e);
	if (!enqueue(app, body, &id, &created, &due, e))
		return false;
	res->wake = due;
	return created ? answer_job(
			     app, res, 201, id, "Job successfully created.", e)
		       : answer_holder(app, res, id, e);
}

/* {"reason":"…"}, which may be left out, and with it the body. */
static bool
read_reason(struct req *req, struct json_object **ret_body, const char **ret,
    struct err *e)
{
	if (req->length <= 0)
		return true;
	if (!req_json(req, REQ_BODY_MAX, ret_body, e) ||
	    !js_text(*ret_body, "reason", NULL, ret, e))
		return false;
	if (*ret != NULL && strlen(*ret) > REASON_MAX)
		return err_field(
		    e, "reason", "A reason has at most %d bytes.", REASON_MAX);
	return true;
}

/* A job whose attempt ends before it is told is ended by the next runner, and
 * one that waited may have kept its key, or its queue, from the next: hence the
 * wake-up. */
static bool
handle_cancel(struct app *app, struct req *req, struct res *res, struct err *e)
{
	AUTO_JS *body = NULL;
	const char *reason = NULL;
	bool running;
	int64_t id;

	if (!req_param_id(req, 0, &id, e) ||
	    !read_reason(req, &body, &reason, e) ||
	    !job_cancel(app->db, id,
		app->caller.known ? app->caller.user.email : NULL, reason,
		&running, e))
		return false;
	res->wake = true;
	return answer_job(app, res, running ? 202 : 200, id,
	    running ? "The job is being stopped." : "The job was cancelled.",
	    e);
}

static bool
handle_revive(struct app *app, struct req *req, struct res *res, struct err *e)
{
	int64_t id;

	if (!req_param_id(req, 0, &id, e) || !job_revive(app->db, id, e))
		return false;
	res->wake = true;
	return answer_job(app, res, 200, id, "The job is ready to run.", e);
}

static bool
pause_queue(
    struct app *app, struct req *req, struct res *res, bool stop, struct err *e)
{
	struct json_object *doc;

	if (!queue_pause(app->db, req->param[0], stop, e))
		return false;
	res->wake = !stop;
	doc = js_new_object();
	js_set_text(doc, "queue", req->param[0]);
	js_set_bool(doc, "paused", stop);
	js_set_text(doc, "message",
	    stop ? "The queue is paused." : "The queue is resumed.");
	return res_json(res, 200, doc, e);
}

static bool
handle_pause(struct app *app, struct req *req, struct res *res, struct err *e)
{
	return pause_queue(app, req, res, true, e);
}

static bool
handle_resume(struct app *app, struct req *req, struct res *res, struct err *e)
{
	return pause_queue(app, req, res, false, e);
}

int
main(void)
{
	static const struct app_route routes[] = {
		{ "POST", "/api/payload-jobs", ACCESS_JOBS_CREATE,
		    handle_enqueue },
		{ "POST", "/api/payload-jobs/:id/cancel", ACCESS_JOBS_DECIDE,
		    handle_cancel },
		{ "POST", "/api/payload-jobs/:id/retry", ACCESS_JOBS_DECIDE,
		    handle_revive },
		{ "POST", "/api/payload-jobs/:id/run", ACCESS_JOBS_DECIDE,
		    handle_revive },
		{ "POST", "/api/payload-jobs/queues/:queue/pause",
		    ACCESS_JOBS_DECIDE, handle_pause },
		{ "POST", "/api/payload-jobs/queues/:queue/resume",
		    ACCESS_JOBS_DECIDE, handle_resume },
		/* status.c */
		{ .method = "GET", .path = "/api/payload-jobs" },
		{ .method = "GET", .path = "/api/payload-jobs/count" },
		{ .method = "GET", .path = "/api/payload-jobs/stats" },
		{ .method = "GET", .path = "/api/payload-jobs/:id" },
	};
	static const struct app_fn fn = {
		.name = "jobs", .routes = routes, .nroutes = LEN(routes)
	};

	return app_run(&fn);
}
