-- What a runner that is no longer fresh asks when it could claim nothing and
-- outlook() says that something is claimable: does that wait for more time?

-- Is there a job that claim() leaves to a caller with fit_ms left for its
-- task's timeout alone, and gives to one with whole_ms?  The others are as
-- claim() has them.  Mostly no task is so long, and no job is looked at.
CREATE OR REPLACE FUNCTION afterwork.outlasts(queues text[], tasks text[],
	lacks text[], fit_ms bigint, whole_ms bigint)
RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	slugs text[] := ARRAY(
		SELECT t.slug FROM afterwork.task t
		WHERE t.retired_at IS NULL
		  AND t.timeout_ms > outlasts.fit_ms
		  AND t.timeout_ms < outlasts.whole_ms
		  AND (t.slug = ANY (outlasts.tasks) OR t.handler IS NOT NULL)
		  AND t.slug <> ALL (outlasts.lacks));
BEGIN
	IF slugs = '{}' THEN
		RETURN false;
	END IF;
	RETURN afterwork.claimable(queues, NULL, slugs);
END
$$;
