-- What is shown of jobs: one view over live and ended ones, and the document
-- that the API answers with.

-- Not clock_timestamp(): a volatile view is planned apart from what asks for a
-- few rows of it, and read whole.  store is a constant in each branch, so that
-- whoever knows where jobs can be has the planner leave out the others.
CREATE OR REPLACE VIEW afterwork.jobs AS
	SELECT j.id, j.queue, j.task,
	    CASE WHEN j.lease_until > statement_timestamp() THEN 'running'
	    ELSE j.state END AS state,
	    j.priority, j.attempts, j.crashes, j.lease_no, j.run_at,
	    j.created_at, coalesce(j.claimed_at, j.created_at) AS updated_at,
	    j.claimed_at AS started_at, NULL::timestamptz AS finished_at,
	    j.unique_key, j.concurrency_key, j.wait_until, j.input, j.meta,
	    NULL::jsonb AS output, NULL::text AS error, NULL::jsonb AS detail,
	    j.log, CASE WHEN j.lease_until > statement_timestamp()
	        AND (j.progress ->> 'leaseNo')::bigint = j.lease_no
	        THEN j.progress - 'leaseNo' END AS progress, j.tags,
	    'live' AS store
	FROM afterwork.job j
	UNION ALL
	SELECT f.id, f.queue, f.task, f.state, f.priority, f.attempts,
	    f.crashes, f.lease_no, f.run_at, f.created_at, f.finished_at,
	    f.started_at, f.finished_at, f.unique_key, f.concurrency_key,
	    f.wait_until, f.input, f.meta, f.output, f.error, f.detail, f.log,
	    NULL::jsonb, f.tags, 'failed'
	FROM afterwork.failed f
	UNION ALL
	SELECT h.id, h.queue, h.task, h.state, h.priority, h.attempts,
	    h.crashes, h.lease_no, h.run_at, h.created_at, h.finished_at,
	    h.started_at, h.finished_at, h.unique_key, h.concurrency_key,
	    h.wait_until, h.input, h.meta, h.output, h.error, h.detail, h.log,
	    NULL::jsonb, h.tags, 'history'
	FROM afterwork.history h;

-- Every attempt of a job, the last one included, oldest first.
CREATE OR REPLACE FUNCTION afterwork.attempts_of(j afterwork.jobs)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(j.log, '[]') || CASE
	    WHEN j.finished_at IS NULL OR j.started_at IS NULL THEN '[]'::jsonb
	    ELSE jsonb_build_array(afterwork.attempt(j.attempts, j.lease_no,
	        j.state, j.started_at, j.finished_at, j.error, j.detail)) END
$$;

-- A job as Payload shows it (its field names and shapes), with our own fields
-- behind: state priority runAt attempts crashes leaseNo uniqueKey
-- concurrencyKey progress output.
CREATE OR REPLACE FUNCTION afterwork.job_doc(j afterwork.jobs)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object(
	    'id', j.id, 'input', j.input,
	    'taskStatus', jsonb_build_object(j.task, jsonb_build_object('1',
	        jsonb_build_object('complete', j.state = 'done',
	            'input', j.input, 'output', j.output, 'taskSlug', j.task,
	            'totalTried', j.attempts))),
	    'meta', j.meta,
	    'completedAt', CASE WHEN j.state = 'done'
	        THEN afterwork.iso(j.finished_at) END,
	    'totalTried', j.attempts,
	    'hasError', j.state IN ('failed', 'cancelled'),
	    'error', CASE WHEN j.state = 'cancelled'
	        THEN jsonb_build_object('cancelled', true, 'message', j.error)
	        WHEN j.error IS NOT NULL
	        THEN jsonb_build_object('message', j.error) END,
	    'log', (SELECT coalesce(jsonb_agg(jsonb_build_object(
	            'id', to_char(j.id, 'FM000000000000000000') || lpad(a.n::text, 6, '0'),
	            'executedAt', a.e -> 'startedAt',
	            'completedAt', a.e -> 'finishedAt',
	            'taskSlug', j.task, 'taskID', '1', 'input', j.input,
	            'state', CASE WHEN a.e ->> 'outcome' IN ('succeeded',
	                'snoozed') THEN 'succeeded' ELSE 'failed' END,
	            'error', CASE WHEN a.e ->> 'error' IS NOT NULL
	                THEN jsonb_build_object('message', a.e -> 'error') END)
	            || a.e - 'error' ORDER BY a.n), '[]')
	        FROM jsonb_array_elements(afterwork.attempts_of(j))
	            WITH ORDINALITY a (e, n)),
	    'workflowSlug', NULL, 'taskSlug', j.task, 'queue', j.queue,
	    'waitUntil', afterwork.iso(j.wait_until),
	    'createdAt', afterwork.iso(j.created_at),
	    'updatedAt', afterwork.iso(j.updated_at),
	    'processing', j.state = 'running')
	|| jsonb_build_object(
	    'state', j.state, 'priority', j.priority,
	    'runAt', afterwork.iso(j.run_at), 'attempts', j.attempts,
	    'crashes', j.crashes, 'leaseNo', j.lease_no,
	    'uniqueKey', j.unique_key, 'concurrencyKey', j.concurrency_key,
	    'tags', coalesce(to_jsonb(j.tags), '[]'),
	    'progress', j.progress, 'output', j.output)
$$;

-- The newest jobs, newest first, or the oldest first: page by page.  Reads as
-- many rows of each queue as the page needs, by their keys, whatever the
-- tables hold.
CREATE OR REPLACE FUNCTION afterwork.job_page(newest_first boolean,
	max_rows bigint, skip bigint)
RETURNS SETOF afterwork.jobs LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF newest_first THEN
		RETURN QUERY SELECT x.* FROM afterwork.queue q, LATERAL (
			SELECT j.* FROM afterwork.jobs j WHERE j.queue = q.name
			ORDER BY j.id DESC LIMIT max_rows + skip) x
		ORDER BY x.id DESC LIMIT max_rows OFFSET skip;
	ELSE
		RETURN QUERY SELECT x.* FROM afterwork.queue q, LATERAL (
			SELECT j.* FROM afterwork.jobs j WHERE j.queue = q.name
			ORDER BY j.id LIMIT max_rows + skip) x
		ORDER BY x.id LIMIT max_rows OFFSET skip;
	END IF;
END
$$;

-- One job, or no row.
CREATE OR REPLACE FUNCTION afterwork.job_by_id(job_id bigint)
RETURNS SETOF afterwork.jobs LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
	SELECT j.* FROM afterwork.queue q, LATERAL (
		SELECT * FROM afterwork.jobs j
		WHERE j.queue = q.name AND j.id = job_id LIMIT 1) j
	LIMIT 1
$$;

-- How many rows the planner expects of a query: what its statistics and the
-- sizes of tables say, at once, whatever they hold.  (Volatile, as are its
-- callers: EXPLAIN wants that.)
CREATE OR REPLACE FUNCTION afterwork.expected_rows(query text)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN (plan #>> '{0,Plan,Plan Rows}')::numeric::bigint;
END
$$;

-- How many jobs there are in all, live and ended: counted up to 10,000, beyond
-- that as the planner expects it.
CREATE OR REPLACE FUNCTION afterwork.job_total(OUT total bigint,
	OUT exact boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT count(*) INTO total FROM (SELECT FROM afterwork.jobs
	    LIMIT 10001) AS j;
	exact := total <= 10000;
	IF NOT exact THEN
		total := greatest(total,
		    afterwork.expected_rows('SELECT FROM afterwork.job')
		    + afterwork.expected_rows('SELECT FROM afterwork.failed')
		    + afterwork.expected_rows('SELECT FROM afterwork.history'));
	END IF;
END
$$;
