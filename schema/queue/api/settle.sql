-- The end of an attempt.  The only place, with claim.sql and admin.sql, where
-- a job changes state.

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
-- those are returned.  A caller whose work is in the same transaction must
-- roll back when one is missing: somebody else has it now.
CREATE OR REPLACE FUNCTION afterwork.settle(here text, ids bigint[],
	lease_nos bigint[], ops text[], delays_ms bigint[], starts_us bigint[],
	tooks_us bigint[], outputs text[], errors text[], details text[])
RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = '' SET enable_seqscan = off SET jit = off AS $$
BEGIN
	RETURN QUERY
	WITH r AS MATERIALIZED (
		SELECT * FROM unnest(ids, lease_nos, ops, delays_ms, starts_us,
		    tooks_us, outputs, errors, details) AS r (id, lease_no, op,
		    delay_ms, start_us, took_us, output, error, detail)
	), gone AS (
		DELETE FROM afterwork.job j USING r
		WHERE j.queue = here AND j.id = ANY (ids)
		  AND j.id = r.id AND j.lease_no = r.lease_no
		  AND j.lease_until IS NOT NULL
		  AND r.op IN ('done', 'failed', 'park', 'cancelled')
		RETURNING j.id, j.task, j.priority, j.attempts,
		    j.crashes + (r.op = 'park')::integer AS crashes,
		    j.lease_no, j.run_at, j.created_at,
		    j.claimed_at + r.start_us * interval '1 us' AS started_at,
		    j.claimed_at + (r.start_us + r.took_us) * interval '1 us'
		        AS finished_at,
		    j.unique_key, j.concurrency_key, j.wait_until, j.input, j.meta,
		    r.output::jsonb AS output, CASE WHEN r.op = 'cancelled'
		        THEN coalesce(j.cancel, r.error) ELSE r.error END AS error,
		    j.log,
		    r.op, r.detail::jsonb AS detail
	), kept AS (
		INSERT INTO afterwork.history (id, queue, task, state, priority,
		    attempts, crashes, lease_no, run_at, created_at, started_at,
		    finished_at, unique_key, concurrency_key, wait_until, input,
		    meta, output, error, detail, log)
		SELECT g.id, here, g.task, g.op, g.priority, g.attempts,
		    g.crashes, g.lease_no, g.run_at, g.created_at, g.started_at,
		    g.finished_at, g.unique_key, g.concurrency_key, g.wait_until,
		    g.input, g.meta, g.output, g.error, g.detail, g.log
		FROM gone g WHERE g.op IN ('done', 'cancelled')
	), parked AS (
		INSERT INTO afterwork.failed (id, queue, task, state, priority,
		    attempts, crashes, lease_no, run_at, created_at, started_at,
		    finished_at, unique_key, concurrency_key, wait_until, input,
		    meta, output, error, detail, log)
		SELECT g.id, here, g.task, 'failed', g.priority, g.attempts,
		    g.crashes, g.lease_no, g.run_at, g.created_at, g.started_at,
		    g.finished_at, g.unique_key, g.concurrency_key, g.wait_until,
		    g.input, g.meta, g.output, g.error, g.detail, g.log
		FROM gone g WHERE g.op IN ('failed', 'park')
	), back AS (
		UPDATE afterwork.job j
		SET lease_until = NULL,
		    -- One that is to be cancelled comes back at once: the next
		    -- claim ends it.
		    state = CASE WHEN r.delay_ms > 0 AND j.cancel IS NULL
		        THEN 'delayed' ELSE 'ready' END::afterwork.job_state,
		    run_at = CASE WHEN r.delay_ms > 0 AND j.cancel IS NULL
		        THEN clock_timestamp() + r.delay_ms * interval '1 ms'
		        ELSE j.run_at END,
		    attempts = j.attempts - (r.op <> 'retry')::integer,
		    crashes = j.crashes + (r.op = 'crash')::integer,
		    log = CASE WHEN r.op = 'release' THEN j.log
		        ELSE afterwork.last_attempts(j.log)
		            || afterwork.attempt(j.attempts, j.lease_no, r.op,
		            j.claimed_at + r.start_us * interval '1 us',
		            j.claimed_at
		                + (r.start_us + r.took_us) * interval '1 us',
		            r.error, r.detail::jsonb) END
		FROM r
		WHERE j.queue = here AND j.id = ANY (ids)
		  AND j.id = r.id AND j.lease_no = r.lease_no
		  AND j.lease_until IS NOT NULL
		  AND r.op IN ('retry', 'release', 'crash', 'snooze')
		RETURNING j.id
	)
	SELECT g.id FROM gone g UNION ALL SELECT b.id FROM back b;
END
$$;
