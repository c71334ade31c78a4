-- An attempt as a job's log keeps it.  Used by the other files here.

-- Time as Payload writes it: 2026-07-20T12:34:56.789Z.
CREATE OR REPLACE FUNCTION afterwork.iso(t timestamptz)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
	SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- One entry of a job's log.  What detail may hold (all by the runner, for an
-- executable): exitStatus or signal, cpuSeconds, peakMemoryBytes, log, progress,
-- and output, unless the job is done by it: then that is the job's.
CREATE OR REPLACE FUNCTION afterwork.attempt(attempt integer, lease_no bigint,
	op text, started_at timestamptz, finished_at timestamptz, error text,
	detail jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object('attempt', attempt, 'leaseNo', lease_no,
	    'outcome', CASE op WHEN 'done' THEN 'succeeded'
	        WHEN 'crash' THEN 'crashed' WHEN 'snooze' THEN 'snoozed'
	        WHEN 'cancelled' THEN 'cancelled' WHEN 'lost' THEN 'lost'
	        ELSE 'failed' END,
	    'startedAt', afterwork.iso(started_at),
	    'finishedAt', afterwork.iso(finished_at), 'error', error)
	    || coalesce(detail, '{}')
$$;

-- The log, cut to its newest 49 entries, so that one more makes 50.
CREATE OR REPLACE FUNCTION afterwork.last_attempts(log jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN log IS NULL THEN '[]'::jsonb
	    WHEN jsonb_array_length(log) < 50 THEN log
	    ELSE log - 0 END
$$;

-- The log of a job whose lease ran out, with the attempt that nobody ended: it
-- held the job until then, and how it fared nobody knows.
CREATE OR REPLACE FUNCTION afterwork.log_lost(log jsonb, attempt integer,
	lease_no bigint, claimed_at timestamptz, lease_until timestamptz)
RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT afterwork.last_attempts(log) || afterwork.attempt(attempt, lease_no,
	    'lost', claimed_at, lease_until,
	    'Nothing was heard of the attempt until its lease ran out.', NULL)
$$;
