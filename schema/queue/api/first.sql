-- What a runner asks that has just been started for one job: most runners.
--
-- A session knows nothing at first, and what claim() and settle() cost it then
-- is not their work but to learn of tables, operators and types, statement by
-- statement.  These two do the plainest case in one statement each, read and
-- analysed when the function is made (BEGIN ATOMIC): a third of the cost.  All
-- that is not plain they leave alone, for claim() and settle() to do.
--
-- Each is planned anew at each call, so a session that goes on uses the others.
-- What they name cannot be dropped or get another type under them: a migration
-- that wants to drops them first, and they are made again behind it.

-- A result whose lease is another's by now, with work in its transaction.
CREATE OR REPLACE FUNCTION afterwork.lease_lost()
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
	    MESSAGE = 'A lease was lost.';
END
$$;

-- Take the one job of this queue that claim() would take, with the same
-- columns; or none, where anything has to be done besides: the queue is paused
-- or limited, a delayed job has come due, the first job was claimed before,
-- has a key, or is of a task that the caller cannot run.  No row says nothing.
CREATE OR REPLACE FUNCTION afterwork.claim_first(here text, tasks text[],
	fit_ms bigint)
RETURNS TABLE (id bigint, lease_no bigint, task text,
	input jsonb, attempt integer, crashes integer, lease_ms bigint,
	timeout_ms integer, retries integer, backoff text, delay_ms bigint,
	max_delay_ms bigint, jitter boolean, cancelled boolean,
	handler text, folder text, memory_bytes bigint, cpu_ms bigint,
	traceparent text, settings text, more boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_sort = off SET jit = off
BEGIN ATOMIC
	UPDATE afterwork.job j
	SET lease_no = nextval('afterwork.lease_no'),
	    claimed_at = clock_timestamp(),
	    lease_until = clock_timestamp()
	        + (t.timeout_ms + 30000) * interval '1 ms',
	    attempts = j.attempts + 1,
	    alone = true,
	    unique_free = j.unique_free OR j.unique_until = 'start'
	-- The same two rows that claim() would lock: the second tells of more.
	-- (An expression, lest the planner looks for statistics of it.)
	FROM (SELECT ARRAY(
		SELECT w.id FROM afterwork.job w
		WHERE w.queue = here AND w.state = 'ready'
		  AND coalesce(w.lease_until <= statement_timestamp(), true)
		ORDER BY w.priority, w.run_at, w.id
		LIMIT 2 FOR UPDATE SKIP LOCKED) AS ids OFFSET 0) s,
	    afterwork.task t
	WHERE j.queue = here AND j.id = s.ids[1]
	  AND j.lease_until IS NULL AND j.concurrency_key IS NULL
	  AND t.slug = j.task AND t.retired_at IS NULL
	  AND t.timeout_ms <= fit_ms
	  AND (t.slug = ANY (tasks) OR t.handler IS NOT NULL)
	  AND (SELECT NOT q.paused AND NOT q.limited FROM afterwork.queue q
	       WHERE q.name = here)
	  AND (SELECT d.id FROM afterwork.job d
	       WHERE d.queue = here AND d.state = 'delayed'
	         AND d.run_at <= statement_timestamp() LIMIT 1) IS NULL
	RETURNING j.id, j.lease_no, j.task, j.input, j.attempts, j.crashes,
	    (t.timeout_ms + 30000)::bigint, t.timeout_ms, t.retries,
	    t.backoff, t.delay_ms, t.max_delay_ms, t.jitter,
	    j.cancel IS NOT NULL, t.handler, t.folder,
	    (t.limits ->> 'memoryBytes')::bigint,
	    (t.limits ->> 'cpuMs')::bigint, j.meta ->> 'traceparent',
	    array_to_string(t.settings, ' '),
	    s.ids[2] IS NOT NULL OR ((
	        SELECT q.name FROM afterwork.queue q
	        WHERE q.name <> here LIMIT 1) IS NOT NULL
	        AND afterwork.claimable(NULL, here, ARRAY(
	        SELECT o.slug FROM afterwork.task o
	        WHERE o.retired_at IS NOT NULL OR o.handler IS NOT NULL
	           OR o.slug = ANY (tasks))));
END;

-- settle() of one job that is done and holds no place, as claim_first() gives
-- it out: its id, or null when it is no longer the caller's.
CREATE OR REPLACE FUNCTION afterwork.settle_first(here text, job_id bigint,
	lease bigint, start_us bigint, took_us bigint, made text, facts text,
	strict boolean)
RETURNS bigint LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
BEGIN ATOMIC
	WITH gone AS (
		DELETE FROM afterwork.job j
		WHERE j.queue = here AND j.id = job_id
		  AND j.lease_no = lease
		  AND j.lease_until IS NOT NULL
		RETURNING j.id, j.task, j.priority, j.attempts, j.crashes,
		    j.lease_no, j.run_at, j.created_at, j.claimed_at,
		    j.unique_key, j.unique_until, j.concurrency_key,
		    j.wait_until, j.input, j.meta, j.tags, j.log
	), kept AS (
		INSERT INTO afterwork.history (id, queue, task, state, priority,
		    attempts, crashes, lease_no, run_at, created_at, started_at,
		    finished_at, unique_key, unique_until, concurrency_key,
		    wait_until, input, meta, tags, output, detail, log)
		SELECT g.id, here, g.task, 'done', g.priority,
		    g.attempts, g.crashes, g.lease_no, g.run_at, g.created_at,
		    g.claimed_at + start_us * interval '1 us',
		    g.claimed_at + (start_us + took_us)
		        * interval '1 us',
		    g.unique_key, g.unique_until, g.concurrency_key,
		    g.wait_until, g.input, g.meta, g.tags, made::jsonb,
		    facts::jsonb, g.log
		FROM gone g
	)
	SELECT coalesce((SELECT g.id FROM gone g),
	    CASE WHEN strict THEN afterwork.lease_lost() END);
END;
