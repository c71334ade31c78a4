-- Queues come with the first job that names them and go when nobody has needed
-- them for a day.
--
-- A job whose queue has no row is never claimed.  So who stores one in a queue
-- that may go (idle_since is set) locks its row FOR KEY SHARE to the end of his
-- transaction, which hinders nobody but him who removes it; and that one, who
-- has the row alone, looks again before he does.  A queue in use is not locked
-- at all: it is marked as idle first, and a day is longer than any transaction
-- that may have seen it unmarked.  (Should one have been open for longer, the
-- queue comes back within the hour: see queue_keep.)

-- The queue of this name is there and stays, at least until the caller's
-- transaction has ended.
CREATE OR REPLACE FUNCTION afterwork.need_queue(name text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off AS $$
DECLARE
	idle boolean;
BEGIN
	LOOP
		SELECT q.idle_since IS NOT NULL INTO idle FROM afterwork.queue q
		WHERE q.name = need_queue.name;
		IF idle IS NULL THEN
			INSERT INTO afterwork.queue (name) VALUES (need_queue.name)
			ON CONFLICT DO NOTHING;
		ELSIF idle THEN
			PERFORM FROM afterwork.queue q
			WHERE q.name = need_queue.name FOR KEY SHARE;
		END IF;
		-- Not found: somebody else made it, or has just removed it.
		EXIT WHEN FOUND;
	END LOOP;
END
$$;

-- Does anything name the queue, or has anybody set something of it?  Its records
-- count: jobs are looked for queue by queue.
CREATE OR REPLACE FUNCTION afterwork.queue_needed(here text)
RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN here = 'default'
	    OR EXISTS (SELECT FROM afterwork.queue q
	        WHERE q.name = here AND (q.paused OR q.limited))
	    OR EXISTS (SELECT FROM afterwork.history h WHERE h.queue = here)
	    OR EXISTS (SELECT FROM afterwork.failed f WHERE f.queue = here)
	    OR EXISTS (SELECT FROM afterwork.job j WHERE j.queue = here)
	    OR EXISTS (SELECT FROM afterwork.unique_period u
	        WHERE u.queue = here)
	    OR EXISTS (SELECT FROM afterwork.task t
	        WHERE t.queue = here AND t.retired_at IS NULL)
	    OR EXISTS (SELECT FROM afterwork.schedule s WHERE s.queue = here);
END
$$;

-- Part of keep_house(): mark a queue that nothing needs, and remove it when that
-- was a day ago.  One that something needs loses its mark, and gets its row
-- again if that was taken from it.
CREATE OR REPLACE FUNCTION afterwork.queue_keep(here text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off AS $$
BEGIN
	IF afterwork.queue_needed(here) THEN
		INSERT INTO afterwork.queue (name)
		SELECT here WHERE NOT EXISTS (SELECT FROM afterwork.queue q
		    WHERE q.name = here)
		ON CONFLICT DO NOTHING;
		UPDATE afterwork.queue q SET idle_since = NULL
		WHERE q.name = (SELECT o.name FROM afterwork.queue o
		    WHERE o.name = here AND o.idle_since IS NOT NULL
		    FOR NO KEY UPDATE SKIP LOCKED);
		RETURN;
	END IF;
	UPDATE afterwork.queue q SET idle_since = now()
	WHERE q.name = (SELECT o.name FROM afterwork.queue o
	    WHERE o.name = here AND o.idle_since IS NULL
	    FOR NO KEY UPDATE SKIP LOCKED);
	PERFORM FROM afterwork.queue q
	WHERE q.name = here AND q.idle_since <= now() - interval '1 day'
	FOR UPDATE SKIP LOCKED;
	-- A snapshot that was taken before the lock says nothing.
	IF NOT FOUND OR afterwork.queue_needed(here)
	   OR current_setting('transaction_isolation') <> 'read committed' THEN
		RETURN;
	END IF;
	DELETE FROM afterwork.place p WHERE p.queue = here;
	DELETE FROM afterwork.owed w WHERE w.queue = here;
	DELETE FROM afterwork.minute m WHERE m.queue = here;
	DELETE FROM afterwork.queue q WHERE q.name = here;
END
$$;

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
