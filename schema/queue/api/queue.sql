-- Queues.

-- The next name, in their order, of a queue or of a live job's; null: no more.
CREATE OR REPLACE FUNCTION afterwork.queue_behind(name text)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN least((
		SELECT q.name FROM afterwork.queue q
		WHERE q.name > queue_behind.name ORDER BY q.name LIMIT 1
	), (
		SELECT j.queue FROM afterwork.jobs j
		WHERE j.store = 'live' AND j.queue > queue_behind.name
		ORDER BY j.queue LIMIT 1
	));
END
$$;
