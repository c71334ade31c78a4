-- While a job runs: how its runner hears that it must stop, how it says how far
-- it is, and how its own SQL makes sure that it still has the job.

-- What the holder of a lease should know: 'go on', 'cancel' (somebody wants
-- the job ended) or 'lost' (it is not the holder's any more).  said: progress
-- to be shown, or null.  Touches no index.
CREATE OR REPLACE FUNCTION afterwork.heed(here text, job_id bigint,
	held_as bigint, said jsonb DEFAULT NULL)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off AS $$
DECLARE
	wanted boolean;
BEGIN
	IF said IS NULL THEN
		SELECT j.cancel IS NOT NULL INTO wanted FROM afterwork.job j
		WHERE j.queue = here AND j.id = job_id AND j.lease_no = held_as
		  AND j.lease_until IS NOT NULL;
	ELSE
		UPDATE afterwork.job j
		SET progress = said || jsonb_build_object('leaseNo', held_as)
		WHERE j.queue = here AND j.id = job_id AND j.lease_no = held_as
		  AND j.lease_until IS NOT NULL
		RETURNING j.cancel IS NOT NULL INTO wanted;
	END IF;
	RETURN CASE wanted WHEN true THEN 'cancel' WHEN false THEN 'go on'
	    ELSE 'lost' END;
END
$$;

-- For a task's own SQL, inside its own transaction: fails, and the transaction
-- with it, unless the job is still held under this lease number; and keeps it
-- so until the transaction ends, since nobody else can claim or settle it
-- meanwhile.  So call it late, right before the commit.
--     SELECT afterwork.assert_lease($AFTERWORK_JOB_ID, $AFTERWORK_LEASE);
-- The error is 40001 (serialization_failure): who has the job now does the
-- work.  Both numbers are given, rather than read from a setting, because a
-- setting would have to be made in the same transaction, by the same caller.
CREATE OR REPLACE FUNCTION afterwork.assert_lease(job bigint, lease_no bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off AS $$
DECLARE
	here text := afterwork.queue_of(assert_lease.job);
BEGIN
	PERFORM FROM afterwork.job j
	WHERE j.queue = here AND j.id = assert_lease.job
	  AND j.lease_no = assert_lease.lease_no AND j.lease_until IS NOT NULL
	FOR SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
		    MESSAGE = format('Job %s is no longer held under lease %s.',
		        assert_lease.job, assert_lease.lease_no);
	END IF;
END
$$;
