-- What executables need: a job that runs can be told to stop, and tells how
-- far it is.

-- cancel: set while a runner holds the job and somebody wants it ended; the
-- words that its record will have.  A job that comes back with it set is not
-- run again.
-- progress: what the attempt last said of itself, with its leaseNo, so that
-- the next attempt does not inherit it and neither claim nor settle must
-- clear it.
ALTER TABLE afterwork.job
	ADD COLUMN cancel text,
	ADD COLUMN progress jsonb;

-- Their arguments or columns are others now (api/claim.sql, api/admin.sql).
DROP FUNCTION IF EXISTS afterwork.claim(text[], text, text[], text[], integer,
	bigint);
DROP FUNCTION IF EXISTS afterwork.cancel(bigint);
