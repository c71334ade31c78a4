-- What operators and deployments do: registering tasks, cancelling, reviving,
-- pausing.

-- Register one task as its task.json says, in the shape that `afterwork tasks
-- sync` sends: slug, label, handler (null: compiled in), folder, inputSchema,
-- queue, priority, timeoutMs, retries {attempts, backoffType, delayMs, maxMs,
-- jitter}, concurrency, schedule, limits, settings (names).  'added', 'changed'
-- or 'unchanged'.
CREATE OR REPLACE FUNCTION afterwork.task_register(def jsonb)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old afterwork.task;
	new afterwork.task;
BEGIN
	-- Two hosts may register at once; readers do not wait for this.
	LOCK TABLE afterwork.task IN SHARE ROW EXCLUSIVE MODE;
	SELECT * INTO old FROM afterwork.task t WHERE t.slug = def ->> 'slug';
	new.slug := def ->> 'slug';
	new.label := coalesce(def ->> 'label', def ->> 'slug');
	new.handler := def ->> 'handler';
	new.folder := def ->> 'folder';
	new.input_schema := coalesce(nullif(def -> 'inputSchema', 'null'), '[]');
	new.input_ok := afterwork.input_path(new.input_schema);
	new.queue := coalesce(def ->> 'queue', 'default');
	new.priority := coalesce((def ->> 'priority')::integer, 100);
	new.timeout_ms := coalesce((def ->> 'timeoutMs')::integer, 30000);
	new.retries := coalesce((def #>> '{retries,attempts}')::integer, 3);
	new.backoff := coalesce(def #>> '{retries,backoffType}', 'exponential');
	new.delay_ms := coalesce((def #>> '{retries,delayMs}')::bigint, 1000);
	new.max_delay_ms := coalesce((def #>> '{retries,maxMs}')::bigint, 3600000);
	new.jitter := coalesce((def #>> '{retries,jitter}')::boolean, true);
	new.concurrency := nullif(def -> 'concurrency', 'null');
	new.schedule := nullif(def -> 'schedule', 'null');
	new.limits := nullif(def -> 'limits', 'null');
	new.settings := ARRAY(SELECT jsonb_array_elements_text(
	    nullif(def -> 'settings', 'null')));
	IF new.settings = '{}' THEN
		new.settings := NULL;
	END IF;
	new.registered_at := coalesce(old.registered_at, now());

	PERFORM afterwork.need_queue(new.queue);
	PERFORM afterwork.schedules_sync(new.slug, new.schedule, new.queue);
	IF old.slug IS NULL THEN
		INSERT INTO afterwork.task SELECT new.*;
		RETURN 'added';
	ELSIF old::text = new::text THEN	-- a jsonpath has no operator =
		RETURN 'unchanged';
	END IF;
	DELETE FROM afterwork.task t WHERE t.slug = new.slug;
	INSERT INTO afterwork.task SELECT new.*;
	RETURN 'changed';
END
$$;

-- Retire every registered task whose slug is not in keep; their slugs.  Their
-- waiting jobs are ended, with the reason, by the next runner; their schedules
-- are no more.
CREATE OR REPLACE FUNCTION afterwork.task_retire(keep text[])
RETURNS SETOF text LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	WITH gone AS (
		UPDATE afterwork.task SET retired_at = now()
		WHERE retired_at IS NULL AND slug <> ALL (keep)
		RETURNING slug
	), unplanned AS (
		DELETE FROM afterwork.schedule s USING gone g
		WHERE s.task = g.slug
	)
	SELECT g.slug FROM gone g
$$;

-- In which queue the job with this id is, live or ended; null: nowhere.
CREATE OR REPLACE FUNCTION afterwork.queue_of(job_id bigint)
RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off AS $$
	SELECT q.name FROM afterwork.queue q
	WHERE EXISTS (SELECT FROM afterwork.job j
	        WHERE j.queue = q.name AND j.id = job_id)
	   OR EXISTS (SELECT FROM afterwork.failed f
	        WHERE f.queue = q.name AND f.id = job_id)
	   OR EXISTS (SELECT FROM afterwork.history h
	        WHERE h.queue = q.name AND h.id = job_id)
	LIMIT 1
$$;

-- End a job; its record stays as cancelled, with who asked and why where that
-- is given.  'cancelled'; 'cancelling' (a runner has it: it is told within a
-- second, or sees it when the attempt ends before that); 'ended' (nothing left
-- to cancel), or null (no such job).
CREATE OR REPLACE FUNCTION afterwork.cancel(job_id bigint,
	asked_by text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	here  text := afterwork.queue_of(job_id);
	words text := 'The job was cancelled' || coalesce(' by ' || asked_by, '')
	    || coalesce(': ' || reason, '.');
BEGIN
	IF here IS NULL THEN
		RETURN NULL;
	END IF;
	-- Until it stays what it was when it was looked at.  No turn leaves a key
	-- locked for the next: who settles has his job locked and wants the key.
	LOOP
		UPDATE afterwork.job j SET cancel = words
		WHERE j.queue = here AND j.id = job_id
		  AND j.lease_until > clock_timestamp();
		IF FOUND THEN
			RETURN 'cancelling';
		END IF;
		IF afterwork.end_waiting(here, ARRAY[job_id], words) > 0 THEN
			RETURN 'cancelled';
		END IF;
		PERFORM FROM afterwork.job j
		WHERE j.queue = here AND j.id = job_id;
		IF NOT FOUND THEN
			RETURN 'ended';
		END IF;
		PERFORM afterwork.await_job(here, job_id);
	END LOOP;
END
$$;

-- End these jobs, which nobody holds, as cancelled with these words: all of
-- them, or none and 0, with nothing left locked, where somebody has claimed or
-- locked one.  How many.
--
-- heir, a job of the same key that follows them, gets the places that one of
-- them had and needs nobody to let it in: then no key is locked, which a long
-- transaction would keep from those who give places back.  (One that waits for
-- its time leaves the queue's place to others, though.)
CREATE OR REPLACE FUNCTION afterwork.end_waiting(here text, ids bigint[],
	words text, heir bigint DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
DECLARE
	keys   text[];
	queues text[];	-- '' for each place of the queue
	heirs  text[];	-- keys of jobs that were next, but had no place yet
	ended  bigint;
BEGIN
	-- A key before its jobs: whoever gives a place back holds the key, and
	-- passes by blocked jobs that he finds locked.
	IF heir IS NULL THEN
		PERFORM FROM afterwork.place p
		WHERE p.queue = here AND p.key = ANY (ARRAY(
		        SELECT j.concurrency_key FROM afterwork.job j
		        WHERE j.queue = here AND j.id = ANY (ids)
		          AND j.concurrency_key IS NOT NULL))
		ORDER BY p.key FOR UPDATE;
	END IF;
	WITH gone AS (
		-- What somebody has locked is being claimed, settled or changed.
		DELETE FROM afterwork.job j
		WHERE j.queue = here AND j.id = ANY (ARRAY(
			SELECT w.id FROM afterwork.job w
			WHERE w.queue = here AND w.id = ANY (ids)
			  AND (w.lease_until IS NULL
			       OR w.lease_until <= clock_timestamp())
			FOR UPDATE SKIP LOCKED))
		RETURNING j.*
	), kept AS (
		INSERT INTO afterwork.history (id, queue, task, state, priority,
		    attempts, crashes, lease_no, run_at, created_at, finished_at,
		    unique_key, unique_until, concurrency_key, wait_until, input,
		    meta, tags, error, log)
		SELECT g.id, here, g.task, 'cancelled', g.priority, g.attempts,
		    g.crashes, g.lease_no, g.run_at, g.created_at,
		    clock_timestamp(), g.unique_key, g.unique_until,
		    g.concurrency_key, g.wait_until, g.input, g.meta, g.tags,
		    words, g.log
		FROM gone g
	)
	SELECT count(*), array_agg(g.concurrency_key) FILTER (WHERE g.has_place),
	    array_agg(''::text) FILTER (WHERE g.has_queue_place),
	    array_agg(DISTINCT g.concurrency_key) FILTER (WHERE NOT g.has_place
	        AND g.concurrency_key IS NOT NULL)
	INTO ended, keys, queues, heirs FROM gone g;
	IF ended < cardinality(ids) THEN
		RAISE SQLSTATE 'AW001';
	END IF;
	IF heir IS NOT NULL THEN
		UPDATE afterwork.job j SET has_place = keys IS NOT NULL,
		    has_queue_place = queues IS NOT NULL AND j.state = 'ready'
		WHERE j.queue = here AND j.id = heir
		  AND (keys IS NOT NULL OR queues IS NOT NULL);
		keys := keys[2:];
		IF (SELECT j.has_queue_place FROM afterwork.job j
		    WHERE j.queue = here AND j.id = heir) THEN
			queues := queues[2:];
		END IF;
	END IF;
	keys := nullif(keys || queues, '{}');
	IF keys IS NOT NULL THEN
		PERFORM afterwork.give_places(here, keys);
	END IF;
	IF heirs IS NOT NULL AND heir IS NULL THEN
		PERFORM afterwork.let_in(here, heirs);
	END IF;
	RETURN ended;
EXCEPTION WHEN SQLSTATE 'AW001' THEN
	RETURN 0;
END
$$;

-- Come back when nobody has this job, which nobody held, locked: then look
-- again at what it is.  Wait here with no key and no job locked: whoever has it
-- may want that next.  No longer than the caller's lock_timeout, or than five
-- seconds where he has none (55P03): it may be locked by a transaction of
-- somebody else's that stays open.
CREATE OR REPLACE FUNCTION afterwork.await_job(here text, job_id bigint)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
BEGIN
	IF current_setting('lock_timeout') = '0' THEN
		PERFORM set_config('lock_timeout', '5s', true);
	END IF;
	PERFORM FROM afterwork.job j
	WHERE j.queue = here AND j.id = job_id
	  AND (j.lease_until IS NULL OR j.lease_until <= clock_timestamp())
	FOR UPDATE;
	RAISE SQLSTATE 'AW001';	-- so that lock and setting are undone
EXCEPTION WHEN SQLSTATE 'AW001' THEN
	NULL;
END
$$;

-- Make a job ready now: one that waits (for its time or its next try) comes
-- due, one that has ended starts over with all its tries, under its old id.
-- 'ready', 'running' (a runner has it), or null (no such job).  One that had
-- ended takes its unique key again, for as long as it was to have it; a key that
-- another live job has taken meanwhile raises 23505, and nothing is changed.
CREATE OR REPLACE FUNCTION afterwork.revive(job_id bigint)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	here text := afterwork.queue_of(job_id);
BEGIN
	IF here IS NULL THEN
		RETURN NULL;
	END IF;
	UPDATE afterwork.job j SET run_at = least(j.run_at, clock_timestamp()),
	    state = CASE WHEN j.state = 'blocked' THEN j.state ELSE 'ready' END
	WHERE j.queue = here AND j.id = job_id
	  AND (j.lease_until IS NULL OR j.lease_until <= clock_timestamp());
	IF FOUND THEN
		RETURN 'ready';
	END IF;
	PERFORM FROM afterwork.job j WHERE j.queue = here AND j.id = job_id;
	IF FOUND THEN
		RETURN 'running';
	END IF;
	WITH parked AS (
		DELETE FROM afterwork.failed f
		WHERE f.queue = here AND f.id = job_id RETURNING f.*
	), kept AS (
		DELETE FROM afterwork.history h
		WHERE h.queue = here AND h.id = job_id RETURNING h.*
	), ended AS (
		SELECT * FROM parked UNION ALL SELECT * FROM kept
	)
	INSERT INTO afterwork.job (id, queue, task, state, priority, run_at,
	    created_at, lease_no, unique_key, unique_until, concurrency_key,
	    wait_until, input, meta, tags, log)
	SELECT e.id, e.queue, e.task, 'ready', e.priority, clock_timestamp(),
	    e.created_at, e.lease_no, e.unique_key,
	    coalesce(e.unique_until, 'end'), e.concurrency_key,
	    e.wait_until, e.input, e.meta, e.tags,
	    CASE WHEN e.started_at IS NULL THEN e.log
	    ELSE afterwork.last_attempts(e.log) || afterwork.attempt(e.attempts,
	        e.lease_no, e.state, e.started_at, e.finished_at, e.error,
	        e.detail) END
	FROM ended e;
	RETURN 'ready';
END
$$;

-- Stop (true) or resume (false) claiming from a queue; jobs that run go on.
-- False: there is no such queue.
CREATE OR REPLACE FUNCTION afterwork.pause(queue_name text, stop boolean)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE afterwork.queue q SET paused = stop WHERE q.name = queue_name;
	RETURN FOUND;
END
$$;

-- At most so many jobs of a queue run at a time, on all hosts together; null:
-- as many as there are runners.  Jobs that were claimed while there was no
-- maximum are not counted, so it holds in full when those have ended; those
-- that were claimed under one stay counted when it goes, so that its row is
-- right when there is one again, and nobody waits here for a job.  False: there
-- is no such queue.
CREATE OR REPLACE FUNCTION afterwork.limit_queue(queue_name text,
	max_running integer)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF max_running < 1 THEN
		PERFORM afterwork.refuse('max', 'A queue runs at least one job; '
		    'pause it to run none.');
	END IF;
	UPDATE afterwork.queue q SET limited = max_running IS NOT NULL
	WHERE q.name = queue_name;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	IF max_running IS NOT NULL THEN
		INSERT INTO afterwork.place AS p (queue, key, max)
		VALUES (queue_name, '', max_running)
		ON CONFLICT ON CONSTRAINT place_pkey
			DO UPDATE SET max = excluded.max;
	END IF;
	RETURN true;
END
$$;
