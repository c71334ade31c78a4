-- Places: how many jobs of a concurrency key, or of a queue, may run at a time.
--
-- A job that has a key takes one of the key's places when it is claimed and
-- keeps it while it is claimed, through the end of its lease and the claim
-- that rescues it: the place is the job's, not its runner's, so that nothing
-- leaks when a runner dies.  It gives the place back when it ends and, unless
-- the key has one place only, when it waits for another try; a key with one
-- place runs its jobs in order, other tries included.
--
-- A job that finds no place is set to 'blocked', where no claim sees it, and
-- comes back when a place of its key is given back.  Whoever looks at a key's
-- free places, or changes them, has locked its row: so no job is blocked while
-- a place of it is given back unseen.  A claim never waits for such a lock
-- (what it can't lock it leaves), those who give back lock in the order of the
-- keys, and nobody waits for a job while he holds a key: so nobody waits in a
-- circle.

-- Of these claimable jobs of one queue, in their order, those that have a
-- place now, which they take; the others are blocked, or left as they are
-- where somebody else has locked their key, which is busy then.  A key's only
-- place is for its first job, even if the caller has not seen that one: another
-- claim may have locked it, or it was let in a moment ago.
--
-- keys     (null: needs no place) and tasks run in parallel to ids, and may be
--          longer
-- awaited  somebody waits for a place of one of these keys
--
-- Statements find rows and a loop counts, at half of what a statement with a
-- window over joined arrays costs.  A claim forbids sorts; here they are of its
-- few jobs, and without them the planner would walk the whole index of the
-- queue's keys for its order.  A nested loop would look at each of a hundred keys
-- for each of a hundred jobs.
CREATE OR REPLACE FUNCTION afterwork.take_places(here text, ids bigint[],
	keys text[], tasks text[], OUT kept bigint[], OUT busy text[],
	OUT awaited boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = on
SET enable_nestloop = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	n        integer := cardinality(ids);
	slugs    text[];	-- the tasks, each once
	maxima   integer[];	-- and how many of a key's jobs may run
	held     text[];	-- keys that are locked now, ascending
	used     integer[];	-- how many of their places are taken
	noted    integer[];	-- and the maximum that their rows have
	too_many bigint[];
	shut     text[] := '{}';	-- the keys of those
	left_ids bigint[];	-- of busy keys; parallel to busy
	left_of  text[];	-- and their tasks
	other    boolean := false;	-- is a maximum not what a row has?
	at       integer;	-- the key's place in held, if it is there
	most     integer;
	fits     boolean;
BEGIN
	SELECT array_agg(t.slug),
	    array_agg(coalesce((t.concurrency ->> 'max')::integer, 1))
	INTO slugs, maxima
	FROM afterwork.task t WHERE t.slug = ANY (tasks[:n]);
	SELECT array_agg(l.key), array_agg(l.taken), array_agg(l.max),
	    coalesce(bool_or(l.waiting), false)
	INTO held, used, noted, awaited
	FROM (SELECT p.key, p.taken, p.max, p.waiting FROM afterwork.place p
	      WHERE p.queue = here AND p.key = ANY (keys[:n])
	      ORDER BY p.key FOR UPDATE SKIP LOCKED) l;
	FOR i IN 1 .. n LOOP
		at := width_bucket(keys[i], held);
		most := maxima[array_position(slugs, tasks[i])];
		IF keys[i] IS NULL THEN
			kept := kept || ids[i];
			CONTINUE;
		ELSIF held[at] IS DISTINCT FROM keys[i] THEN
			busy := busy || keys[i];
			left_ids := left_ids || ids[i];
			left_of := left_of || tasks[i];
			CONTINUE;
		END IF;
		other := other OR noted[at] <> most;
		fits := used[at] < most;
		IF fits AND most = 1 AND keys[i] = ANY (shut) THEN
			fits := false;
		ELSIF fits AND most = 1 THEN
			-- Is it the first?  Not asked with the locks: a statement
			-- may see what was so before it had them.  One look a
			-- state: the key's jobs of each lie in claim order.
			fits := NOT EXISTS (
				SELECT FROM unnest('{ready,blocked,delayed}'::text[])
				    AS s (state)
				WHERE (SELECT o.id FROM afterwork.job o
				    WHERE o.queue = here
				      AND o.concurrency_key = keys[i]
				      AND o.state = s.state
				      AND (o.priority, o.run_at, o.id) < (
				          SELECT j.priority, j.run_at, j.id
				          FROM afterwork.job j
				          WHERE j.queue = here AND j.id = ids[i])
				      AND (o.state <> 'delayed'
				          OR o.run_at <= statement_timestamp())
				      AND NOT o.has_place
				    LIMIT 1) IS NOT NULL);
		END IF;
		IF fits THEN
			kept := kept || ids[i];
			used[at] := used[at] + 1;
		ELSE
			too_many := too_many || ids[i];
			shut := shut || keys[i];
		END IF;
	END LOOP;
	UPDATE afterwork.place p SET taken = used[width_bucket(p.key, held)]
	WHERE p.queue = here AND p.key = ANY (held);
	IF other OR too_many IS NOT NULL THEN
		UPDATE afterwork.place p
		SET max = r.max, waiting = p.waiting OR r.some_wait
		FROM (SELECT w.key, coalesce(bool_or(w.id = ANY (too_many)), false)
		          AS some_wait, max(maxima[
		          array_position(slugs, w.task)]) AS max
		      FROM unnest(ids, keys[:n], tasks[:n]) AS w (id, key, task)
		      GROUP BY w.key) r
		WHERE p.queue = here AND p.key = ANY (held) AND p.key = r.key;
	END IF;
	IF too_many IS NOT NULL THEN
		UPDATE afterwork.job j SET state = 'blocked'
		WHERE j.queue = here AND j.id = ANY (too_many);
		-- A place is free and they had to stand back behind one that is
		-- blocked, before all that are ready: nobody is left who would
		-- let that one in.
		INSERT INTO afterwork.owed (queue, key)
		SELECT here, p.key FROM afterwork.place p
		WHERE p.queue = here AND p.taken < p.max AND p.key = ANY (shut)
		  AND (SELECT o.id FROM afterwork.job o
			WHERE o.queue = here AND o.concurrency_key = p.key
			  AND o.state = 'blocked'
			ORDER BY o.priority, o.run_at, o.id LIMIT 1)
		      <> ALL (too_many)
		  AND (SELECT o.id FROM afterwork.job o
			WHERE o.queue = here AND o.concurrency_key = p.key
			  AND o.state = 'ready' AND NOT o.has_place
			  AND (o.priority, o.run_at, o.id) < (
				SELECT b.priority, b.run_at, b.id
				FROM afterwork.job b
				WHERE b.queue = here AND b.concurrency_key = p.key
				  AND b.state = 'blocked'
				ORDER BY b.priority, b.run_at, b.id LIMIT 1)
			LIMIT 1) IS NULL
		ON CONFLICT DO NOTHING;
		awaited := true;
	END IF;
	IF busy IS NOT NULL THEN
		-- Some may be new.  One look at the index a key: as NOT EXISTS it
		-- would be a join, with every key of the queue.
		INSERT INTO afterwork.place (queue, key, max, waiting)
		SELECT here, k.key, 1, false
		FROM unnest(busy) AS k (key)
		WHERE (SELECT p.key FROM afterwork.place p
		    WHERE p.queue = here AND p.key = k.key) IS NULL
		ORDER BY k.key
		ON CONFLICT DO NOTHING;
		IF FOUND THEN
			SELECT take_places.kept || t.kept, t.busy,
			    take_places.awaited OR t.awaited
			INTO kept, busy, awaited
			FROM afterwork.take_places(here, left_ids, busy, left_of) t;
		END IF;
	END IF;
	kept := coalesce(kept, '{}');
END
$$;

-- How many jobs of a queue with a maximum may be claimed now, its row locked;
-- null: somebody else claims there.  0: every place is taken, but one of their
-- leases may have run out; -1: every place is taken.
CREATE OR REPLACE FUNCTION afterwork.queue_room(here text)
RETURNS integer LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place record;
BEGIN
	SELECT greatest(o.max - o.taken, 0) AS room,
	    o.look_at <= clock_timestamp() AS look
	INTO place
	FROM afterwork.place o
	WHERE o.queue = here AND o.key = ''
	FOR UPDATE SKIP LOCKED;
	IF place IS NULL OR place.room > 0 THEN
		RETURN place.room;
	ELSIF NOT place.look THEN
		RETURN -1;
	END IF;
	-- Looked at again when the next lease may end, and soon while one has:
	-- this caller may not be the one that can take it.
	UPDATE afterwork.place o
	SET look_at = coalesce((
	        SELECT min(greatest(j.lease_until,
	            clock_timestamp() + interval '1 s'))
	        FROM afterwork.job j
	        WHERE j.queue = here AND j.state = 'ready'
	          AND j.has_queue_place), 'infinity')
	WHERE o.queue = here AND o.key = '';
	RETURN 0;
END
$$;

-- These jobs are claimed in a queue with a maximum.
CREATE OR REPLACE FUNCTION afterwork.take_queue_places(here text, ids bigint[])
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
BEGIN
	UPDATE afterwork.place p
	SET taken = p.taken + c.fresh, look_at = least(p.look_at, c.ends_at)
	FROM (SELECT count(*) FILTER (WHERE NOT j.has_queue_place) AS fresh,
	          clock_timestamp() + min(t.timeout_ms + 30000)
	              * interval '1 ms' AS ends_at
	      FROM afterwork.job j, afterwork.task t
	      WHERE j.queue = here AND j.id = ANY (ids) AND t.slug = j.task) c
	WHERE p.queue = here AND p.key = '';
END
$$;

-- Places that are given back, a key ('' is the queue) for each of them; who
-- waits for one becomes ready.
CREATE OR REPLACE FUNCTION afterwork.give_places(here text, keys text[])
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	names  text[];		-- the keys, each once, ascending
	counts integer[];	-- how often each of them is there
	freed  text[];		-- where somebody may wait
BEGIN
	SELECT array_agg(k.key), array_agg(k.n) INTO names, counts
	FROM (SELECT u.key, count(*) AS n FROM unnest(keys) AS u (key)
	      GROUP BY u.key ORDER BY u.key) k;
	-- Without a join: so the rows are met, and locked, as the index has them.
	WITH given AS (
		UPDATE afterwork.place p
		SET taken = greatest(p.taken
		    - counts[width_bucket(p.key, names)], 0)
		WHERE p.queue = here AND p.key = ANY (names)
		RETURNING p.key, p.waiting
	)
	SELECT array_agg(g.key) INTO freed
	FROM given g WHERE g.waiting AND g.key <> '';
	IF freed IS NOT NULL THEN
		PERFORM afterwork.let_in(here, freed);
	END IF;
END
$$;

-- Blocked jobs of these keys, whose rows are locked, become ready: as many of
-- each as there are free places, in claim order.  Whoever settles does not wait
-- for a transaction that has locked one (a caller's, which is about to end or
-- change it, or a claim's, which saw it while it was still ready): such a key is
-- noted as owed, and the next claim tries again.  Those keys are returned.
--
-- Nobody is let in past a job that is locked: of a key with one place he could
-- not run before it, and the lock is either short or on all who wait.
CREATE OR REPLACE FUNCTION afterwork.let_in(here text, keys text[])
RETURNS text[] LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_nestloop = on SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	next_ones bigint[];
	let       bigint[];
	left_over text[] := '{}';
BEGIN
	next_ones := ARRAY(
		SELECT b.id FROM afterwork.place p, LATERAL (
			SELECT j.id FROM afterwork.job j
			WHERE j.queue = here AND j.concurrency_key = p.key
			  AND j.state = 'blocked'
			ORDER BY j.priority, j.run_at, j.id
			LIMIT greatest(p.max - p.taken, 0)) b
		WHERE p.queue = here AND p.key = ANY (keys));
	IF next_ones <> '{}' THEN
		WITH ready AS (
			UPDATE afterwork.job j SET state = 'ready'
			WHERE j.queue = here AND j.id = ANY (ARRAY(
				SELECT b.id FROM afterwork.job b
				WHERE b.queue = here AND b.id = ANY (next_ones)
				  AND b.state = 'blocked'
				FOR UPDATE SKIP LOCKED))
			RETURNING j.id
		)
		SELECT array_agg(r.id) INTO let FROM ready r;
	END IF;
	IF cardinality(next_ones) > coalesce(cardinality(let), 0) THEN
		left_over := ARRAY(
			SELECT DISTINCT j.concurrency_key FROM afterwork.job j
			WHERE j.queue = here AND j.id = ANY (next_ones)
			  AND j.state = 'blocked');
		INSERT INTO afterwork.owed (queue, key)
		SELECT here, k.key FROM unnest(left_over) AS k (key)
		ON CONFLICT DO NOTHING;
	END IF;
	UPDATE afterwork.place p SET waiting = false
	WHERE p.queue = here AND p.key = ANY (keys) AND p.waiting
	  AND (SELECT count(*) FROM (SELECT FROM afterwork.job j
	      WHERE j.queue = here AND j.concurrency_key = p.key
	        AND j.state = 'blocked' LIMIT 1) b) = 0;
	RETURN left_over;
END
$$;

-- What is owed to keys of this queue, as far as it can be given now.
CREATE OR REPLACE FUNCTION afterwork.let_in_owed(here text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off AS $$
DECLARE
	keys text[];
	left_over text[];
BEGIN
	keys := ARRAY(
		SELECT p.key FROM afterwork.place p
		WHERE p.queue = here AND p.key = ANY (ARRAY(
			SELECT w.key FROM afterwork.owed w
			WHERE w.queue = here LIMIT 100))
		FOR UPDATE SKIP LOCKED);
	left_over := afterwork.let_in(here, keys);
	DELETE FROM afterwork.owed w
	WHERE w.queue = here AND w.key = ANY (keys)
	  AND w.key <> ALL (left_over);
END
$$;

-- Part of keep_house(): rows of keys that nobody needs any more go; and where a
-- key's row was gone or its maximum is another while jobs are blocked, row and
-- jobs come back.  That is the maximum of the job which is next.
--
-- Looks at most keys behind after, in their order, and returns the last one;
-- null: there are no more.  Of a key's jobs, which may be a million, it looks at
-- one.  It waits for nobody: a key that somebody has locked is left alone.
CREATE OR REPLACE FUNCTION afterwork.places_keep(here text,
	after text DEFAULT '', most integer DEFAULT 1000)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	names  text[];		-- the keys, ascending
	maxima integer[];	-- of those with a blocked job; else null
	held   text[];		-- keys whose row is to change, locked
BEGIN
	-- Each step of the recursion goes to the next key's first job.
	names := ARRAY((
		WITH RECURSIVE k AS (
			(SELECT j.concurrency_key AS key FROM afterwork.job j
			WHERE j.queue = here AND j.concurrency_key > after
			ORDER BY j.concurrency_key LIMIT 1)
			UNION ALL
			SELECT (SELECT j.concurrency_key FROM afterwork.job j
				WHERE j.queue = here AND j.concurrency_key > k.key
				ORDER BY j.concurrency_key LIMIT 1)
			FROM k WHERE k.key IS NOT NULL
		)
		SELECT k.key FROM k WHERE k.key IS NOT NULL LIMIT most
	) UNION (
		SELECT p.key FROM afterwork.place p
		WHERE p.queue = here AND p.key > after
		ORDER BY p.key LIMIT most
	) UNION (
		SELECT w.key FROM afterwork.owed w
		WHERE w.queue = here AND w.key > after
		ORDER BY w.key LIMIT most
	) ORDER BY 1 LIMIT most);
	maxima := ARRAY(
		SELECT (SELECT coalesce((
			SELECT (t.concurrency ->> 'max')::integer
			FROM afterwork.task t WHERE t.slug = j.task), 1)
		    FROM afterwork.job j
		    WHERE j.queue = here AND j.concurrency_key = k.key
		      AND j.state = 'blocked'
		    ORDER BY j.priority, j.run_at, j.id LIMIT 1)
		FROM unnest(names) WITH ORDINALITY AS k (key, n) ORDER BY k.n);
	BEGIN
		INSERT INTO afterwork.place (queue, key, max)
		SELECT here, k.key, k.max
		FROM unnest(names, maxima) AS k (key, max)
		WHERE k.max IS NOT NULL AND (SELECT p.key FROM afterwork.place p
		    WHERE p.queue = here AND p.key = k.key) IS NULL
		ON CONFLICT DO NOTHING;
		held := ARRAY(
			SELECT p.key
			FROM unnest(names, maxima) AS k (key, max),
			    afterwork.place p
			WHERE p.queue = here AND p.key = k.key
			  AND CASE WHEN k.max IS NULL THEN p.taken = 0
			      ELSE p.max <> k.max OR p.taken < k.max END
			FOR UPDATE OF p SKIP LOCKED);
		UPDATE afterwork.place p SET max = k.max
		FROM unnest(names, maxima) AS k (key, max)
		WHERE p.queue = here AND p.key = ANY (held) AND p.key = k.key
		  AND p.max <> k.max;
		PERFORM afterwork.let_in(here, held);
		DELETE FROM afterwork.place p
		WHERE p.queue = here AND p.key = ANY (held) AND p.taken = 0
		  AND NOT p.waiting
		  AND (SELECT j.id FROM afterwork.job j
			WHERE j.queue = here AND j.concurrency_key = p.key
			  AND j.state = 'blocked' LIMIT 1) IS NULL;
		DELETE FROM afterwork.owed w
		WHERE w.queue = here AND w.key = ANY (names)
		  AND (SELECT p.key FROM afterwork.place p
			WHERE p.queue = here AND p.key = w.key) IS NULL;
	EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
		NULL;	-- somebody makes the row of such a key; next time
	END;
	RETURN names[most];
END
$$;
