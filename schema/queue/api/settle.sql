-- The end of an attempt.  (Who else changes a job's state: schema/README.md, "A
-- job's life".)

-- The jobs and what became of them are joined by hashing: a nested loop, which
-- the planner prefers for what it takes to be a handful, would look at each of
-- a hundred for each of a hundred.

-- Settle jobs of one queue that the caller holds.  The arrays run in parallel,
-- one element a job:
--
-- op         done     it succeeded: to history
--            failed   it will not be tried again: to failed, with error
--            retry    once more, delay_ms from now
--            release  never started: ready again, attempt given back
--            crash    it took its runner along: ready again, attempt given
--                     back, crash counted
--            park     crash counted, but it will not be tried again: to failed
--            snooze   once more, delay_ms from now, attempt given back
--            cancelled  it was stopped, or not started, because somebody asked
--                     (job.cancel has their words): to history
-- start_us   from the claim to the start, took_us from the start to the end,
--            both measured by the runner's steady clock
-- output     jsonb text or null; error: text or null
-- detail     further facts of the attempt for its log (object) or null
--
-- Only a job whose lease number is still the caller's is touched; the ids of
-- those are returned.  With strict, one that is missing (somebody else has it
-- now) makes the whole call fail, with 40001: for a caller whose work is in the
-- same transaction.
CREATE OR REPLACE FUNCTION afterwork.settle(here text, ids bigint[],
	lease_nos bigint[], ops text[], delays_ms bigint[], starts_us bigint[],
	tooks_us bigint[], outputs text[], errors text[], details text[],
	strict boolean DEFAULT false)
RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET enable_nestloop = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	ended bigint[];
	back  bigint[];
	keys  text[];	-- of places that are given back
	more  text[];
BEGIN
	IF cardinality(ids) = 1 AND ops[1] = 'done' THEN
		WITH gone AS (
			DELETE FROM afterwork.job j
			WHERE j.queue = here AND j.id = ids[1]
			  AND j.lease_no = lease_nos[1]
			  AND j.lease_until IS NOT NULL
			RETURNING j.*
		), kept AS (
			INSERT INTO afterwork.history (id, queue, task, state,
			    priority, attempts, crashes, lease_no, run_at, created_at,
			    started_at, finished_at, unique_key, unique_until,
			    concurrency_key, wait_until, input, meta, tags, output,
			    detail, log)
			SELECT g.id, here, g.task, 'done', g.priority, g.attempts,
			    g.crashes, g.lease_no, g.run_at, g.created_at,
			    g.claimed_at + starts_us[1] * interval '1 us',
			    g.claimed_at + (starts_us[1] + tooks_us[1])
			        * interval '1 us', g.unique_key, g.unique_until,
			    g.concurrency_key, g.wait_until, g.input, g.meta, g.tags,
			    outputs[1]::jsonb, details[1]::jsonb, g.log
			FROM gone g
		)
		SELECT ARRAY[g.id],
		    CASE WHEN g.has_place THEN ARRAY[g.concurrency_key] END
		        || CASE WHEN g.has_queue_place THEN ARRAY[''::text] END
		INTO ended, keys FROM gone g;
	ELSIF 'done' = ALL (ops) THEN
		WITH gone AS (
			DELETE FROM afterwork.job j
			USING unnest(ids, lease_nos, starts_us, tooks_us, outputs,
			    details) AS r (id, lease_no, start_us, took_us, output,
			    detail)
			WHERE j.queue = here AND j.id = ANY (ids)
			  AND j.id = r.id AND j.lease_no = r.lease_no
			  AND j.lease_until IS NOT NULL
			RETURNING j.*, r.output, r.detail,
			    j.claimed_at + r.start_us * interval '1 us' AS started_at,
			    j.claimed_at + (r.start_us + r.took_us)
			        * interval '1 us' AS finished_at
		), kept AS (
			INSERT INTO afterwork.history (id, queue, task, state,
			    priority, attempts, crashes, lease_no, run_at, created_at,
			    started_at, finished_at, unique_key, unique_until,
			    concurrency_key, wait_until, input, meta, tags, output,
			    detail, log)
			SELECT g.id, here, g.task, 'done', g.priority, g.attempts,
			    g.crashes, g.lease_no, g.run_at, g.created_at,
			    g.started_at, g.finished_at, g.unique_key,
			    g.unique_until, g.concurrency_key, g.wait_until, g.input,
			    g.meta, g.tags, g.output::jsonb, g.detail::jsonb, g.log
			FROM gone g
		)
		SELECT array_agg(g.id),
		    array_agg(g.concurrency_key) FILTER (WHERE g.has_place)
		        || array_agg(''::text) FILTER (WHERE g.has_queue_place)
		INTO ended, keys FROM gone g;
	ELSE
		SELECT e.ended, e.keys INTO ended, keys
		FROM afterwork.settle_ended(here, ids, lease_nos, ops, starts_us,
		    tooks_us, outputs, errors, details) e;
		SELECT b.back, b.keys INTO back, more
		FROM afterwork.settle_back(here, ids, lease_nos, ops, delays_ms,
		    starts_us, tooks_us, errors, details) b;
		ended := ended || back;
		keys := keys || more;
	END IF;
	IF strict AND cardinality(ids) <> coalesce(cardinality(ended), 0) THEN
		RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
		    MESSAGE = 'A lease was lost.';
	END IF;
	IF keys IS NOT NULL THEN
		PERFORM afterwork.give_places(here, keys);
	END IF;
	RETURN coalesce(ended, '{}');
END
$$;

-- Of settle(): the jobs that end, however they do.
CREATE OR REPLACE FUNCTION afterwork.settle_ended(here text, ids bigint[],
	lease_nos bigint[], ops text[], starts_us bigint[], tooks_us bigint[],
	outputs text[], errors text[], details text[], OUT ended bigint[],
	OUT keys text[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET enable_nestloop = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	WITH gone AS (
		DELETE FROM afterwork.job j
		USING unnest(ids, lease_nos, ops, starts_us, tooks_us, outputs,
		    errors, details) AS r (id, lease_no, op, start_us, took_us,
		    output, error, detail)
		WHERE j.queue = here AND j.id = ANY (ids)
		  AND j.id = r.id AND j.lease_no = r.lease_no
		  AND j.lease_until IS NOT NULL
		  AND r.op IN ('done', 'failed', 'park', 'cancelled')
		RETURNING j.*, r.op, r.output, r.detail,
		    CASE WHEN r.op = 'cancelled' THEN coalesce(j.cancel, r.error)
		    ELSE r.error END AS error,
		    j.claimed_at + r.start_us * interval '1 us' AS started_at,
		    j.claimed_at + (r.start_us + r.took_us) * interval '1 us'
		        AS finished_at
	), kept AS (
		INSERT INTO afterwork.history (id, queue, task, state, priority,
		    attempts, crashes, lease_no, run_at, created_at, started_at,
		    finished_at, unique_key, unique_until, concurrency_key,
		    wait_until, input, meta, tags, output, error, detail, log)
		SELECT g.id, here, g.task, g.op, g.priority, g.attempts,
		    g.crashes, g.lease_no, g.run_at, g.created_at, g.started_at,
		    g.finished_at, g.unique_key, g.unique_until,
		    g.concurrency_key, g.wait_until, g.input, g.meta, g.tags,
		    g.output::jsonb, g.error, g.detail::jsonb, g.log
		FROM gone g WHERE g.op IN ('done', 'cancelled')
	), parked AS (
		INSERT INTO afterwork.failed (id, queue, task, state, priority,
		    attempts, crashes, lease_no, run_at, created_at, started_at,
		    finished_at, unique_key, unique_until, concurrency_key,
		    wait_until, input, meta, tags, output, error, detail, log)
		SELECT g.id, here, g.task, 'failed', g.priority, g.attempts,
		    g.crashes + (g.op = 'park')::integer, g.lease_no, g.run_at,
		    g.created_at, g.started_at, g.finished_at, g.unique_key,
		    g.unique_until, g.concurrency_key, g.wait_until, g.input,
		    g.meta, g.tags, g.output::jsonb, g.error, g.detail::jsonb,
		    g.log
		FROM gone g WHERE g.op IN ('failed', 'park')
	)
	SELECT array_agg(g.id),
	    array_agg(g.concurrency_key) FILTER (WHERE g.has_place)
	        || array_agg(''::text) FILTER (WHERE g.has_queue_place)
	INTO ended, keys FROM gone g;
END
$$;

-- Of settle(): the jobs that come back.  A place of a key stays with a job
-- that was only given back, and with one that waits for another try while its
-- key has no other place.
CREATE OR REPLACE FUNCTION afterwork.settle_back(here text, ids bigint[],
	lease_nos bigint[], ops text[], delays_ms bigint[], starts_us bigint[],
	tooks_us bigint[], errors text[], details text[], OUT back bigint[],
	OUT keys text[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET enable_nestloop = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	WITH held AS MATERIALIZED (
		SELECT j.id, j.concurrency_key AS key, j.has_queue_place, r.op,
		    r.delay_ms, r.start_us, r.took_us, r.error, r.detail,
		    j.has_place AND r.op IN ('retry', 'snooze')
		        AND coalesce((t.concurrency ->> 'max')::integer, 1) > 1
		        AS leaves
		FROM unnest(ids, lease_nos, ops, delays_ms, starts_us, tooks_us,
		    errors, details) AS r (id, lease_no, op, delay_ms, start_us,
		    took_us, error, detail)
		JOIN afterwork.job j ON j.queue = here AND j.id = ANY (ids)
		    AND j.id = r.id AND j.lease_no = r.lease_no
		    AND j.lease_until IS NOT NULL
		JOIN afterwork.task t ON t.slug = j.task
		WHERE r.op IN ('retry', 'release', 'crash', 'snooze')
		FOR UPDATE OF j
	), freed AS (
		UPDATE afterwork.job j
		SET lease_until = NULL,
		    -- One that is to be cancelled comes back at once: the next
		    -- claim ends it.
		    state = CASE WHEN h.delay_ms > 0 AND j.cancel IS NULL
		        THEN 'delayed' ELSE 'ready' END,
		    run_at = CASE WHEN h.delay_ms > 0 AND j.cancel IS NULL
		        THEN clock_timestamp() + h.delay_ms * interval '1 ms'
		        ELSE j.run_at END,
		    attempts = j.attempts - (h.op <> 'retry')::integer,
		    crashes = j.crashes + (h.op = 'crash')::integer,
		    has_place = j.has_place AND NOT h.leaves,
		    has_queue_place = false,
		    log = CASE WHEN h.op = 'release' THEN j.log
		        ELSE afterwork.last_attempts(j.log)
		            || afterwork.attempt(j.attempts, j.lease_no, h.op,
		            j.claimed_at + h.start_us * interval '1 us',
		            j.claimed_at
		                + (h.start_us + h.took_us) * interval '1 us',
		            h.error, h.detail::jsonb) END
		FROM held h
		WHERE j.queue = here AND j.id = ANY (ids) AND j.id = h.id
		RETURNING j.id, h.key, h.leaves, h.has_queue_place
	)
	SELECT array_agg(f.id), array_agg(f.key) FILTER (WHERE f.leaves)
	        || array_agg(''::text) FILTER (WHERE f.has_queue_place)
	INTO back, keys FROM freed f;
END
$$;
