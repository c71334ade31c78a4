-- The claim, and what a runner asks when there is nothing to claim.
--
-- Each of these walks one index, from its start or a place in it, and stops.
-- A queue is mostly empty when its statistics are taken, so before a burst the
-- planner expects a handful of rows and would rather fetch and sort all there
-- are, again at every claim.  That is what the settings forbid.

-- The tasks whose jobs the caller of a claim can take: those that are retired,
-- and of the rest what is compiled into it or has a handler of its own, unless
-- the caller lacks that, in fit_ms (null: however long).  It is made part of the
-- statement that asks, so it costs no call; settings of its own would prevent
-- that.
CREATE OR REPLACE FUNCTION afterwork.can_run(tasks text[], lacks text[],
	fit_ms bigint)
RETURNS SETOF text LANGUAGE sql STABLE AS $$
	SELECT t.slug FROM afterwork.task t
	WHERE t.retired_at IS NOT NULL
	   OR ((can_run.fit_ms IS NULL OR t.timeout_ms <= can_run.fit_ms)
	       AND (t.slug = ANY (can_run.tasks) OR t.handler IS NOT NULL)
	       AND t.slug <> ALL (can_run.lacks))
$$;

-- Take up to max_jobs jobs, those that come first by priority, run_at and id,
-- and commit with the caller's transaction; the rows come in any order.  Each
-- job gets a new lease number and is held until its task's timeout and 30 s of
-- grace have passed; the attempt is charged now, so that an execution that never
-- reports is counted.
--
-- queues    null: every queue that is not paused, looked at in name order
--           beginning behind after_queue, until one yields something; jobs of
--           one call are of one queue
-- tasks     what is compiled into the caller; tasks with a handler of their
--           own come too, and a retired task's jobs (the caller ends them)
-- lacks     tasks whose handler the caller has looked for in vain
-- fast      tasks short enough to be claimed together; a job of another task,
--           and one whose lease ran out, is claimed alone, so that a crash
--           tells which job it was
-- fit_ms    time the caller has left: a task with a longer timeout is left
-- schedules first make the jobs of slots that are due, of all queues
--
-- more      whether somebody else could claim something right now
-- cancelled the job is not to be run but to be settled so
-- has_place it holds a place of its key or queue: its end may let another in
-- awaited   somebody waits for a place that one of these jobs holds, or may: the
--           end of that one lets in a job which comes before others
-- A lease that ran out while the job was claimed alone counts as a crash and
-- gives its attempt back; alone or not, the attempt goes to the log as lost.
--
-- With nothing to claim there is one row without an id, which says what
-- outlook() does: more, next_ms, upkeep_due and ping_due.
CREATE OR REPLACE FUNCTION afterwork.claim(
	queues text[], after_queue text, tasks text[], fast text[],
	max_jobs integer, fit_ms bigint, lacks text[] DEFAULT '{}',
	schedules boolean DEFAULT true)
RETURNS TABLE (more boolean, id bigint, lease_no bigint, task text,
	input jsonb, attempt integer, crashes integer, lease_ms bigint,
	timeout_ms integer, retries integer, backoff text, delay_ms bigint,
	max_delay_ms bigint, jitter boolean, retired boolean,
	cancelled boolean, handler text, folder text, memory_bytes bigint,
	cpu_ms bigint, traceparent text, settings text, priority integer,
	run_at timestamptz, has_place boolean, awaited boolean, queue text,
	next_ms bigint, upkeep_due boolean, ping_due boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_sort = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	q       record;
	here    text;
	ids     bigint[];	-- in claim order: first all that were seen
	singles boolean[];	-- which of those go alone
	keys    text[];		-- of which they have to take a place
	keyed   boolean;	-- has any of them to?
	slugs   text[];
	most    integer;	-- of them may be taken
	room    integer;	-- places of the queue; null: no limit
	busy    text[];		-- keys that somebody else has locked
	locked  text[];
	placed  boolean;	-- has any of them one?
	waits   boolean;	-- for places of these jobs, somebody
	seen    integer;
	missed  boolean := false;	-- something that others hold back
BEGIN
	IF claim.schedules THEN
		PERFORM afterwork.schedules_run() WHERE EXISTS (
			SELECT FROM afterwork.schedule s
			WHERE s.next_at <= statement_timestamp());
	END IF;
	FOR q IN
		SELECT o.name, o.limited,
		    (SELECT count(*) > 1 FROM afterwork.queue) AS several,
		    EXISTS (
			SELECT FROM afterwork.job j
			WHERE j.queue = o.name AND j.state = 'delayed'
			  AND j.run_at <= statement_timestamp()) AS due,
		    EXISTS (
			SELECT FROM afterwork.owed w
			WHERE w.queue = o.name) AS owes
		FROM afterwork.queue o
		WHERE NOT o.paused
		  AND (claim.queues IS NULL OR o.name = ANY (claim.queues))
		ORDER BY o.name <= claim.after_queue, o.name
	LOOP
		here := q.name;
		IF q.due THEN
			PERFORM afterwork.promote(here);
		END IF;
		IF q.owes THEN
			PERFORM afterwork.let_in_owed(here);
		END IF;
		room := NULL;
		IF q.limited THEN
			room := afterwork.queue_room(here);
			missed := missed OR room IS NULL;
			CONTINUE WHEN room IS NULL OR room < 0;
		END IF;
		most := least(claim.max_jobs, nullif(room, 0));
		busy := '{}';
		waits := q.limited;
		-- Each turn blocks what has no place, until something has one.
		FOR turn IN 1 .. 20 LOOP
			SELECT array_agg(s.id), array_agg(s.single), array_agg(s.key),
			    count(s.key) > 0, array_agg(s.task), bool_or(s.placed)
			INTO ids, singles, keys, keyed, slugs, placed
			FROM (
				SELECT j.id, j.lease_until IS NOT NULL
				    OR j.task <> ALL (claim.fast) AS single,
				    CASE WHEN NOT j.has_place
				        THEN j.concurrency_key END AS key,
				    j.task, j.has_place AS placed
				FROM afterwork.job j
				WHERE j.queue = here AND j.state = 'ready'
				  AND (j.lease_until IS NULL
				       OR j.lease_until <= statement_timestamp())
				  AND (room IS NULL OR room > 0 OR j.has_queue_place)
				  AND (j.concurrency_key IS NULL OR j.has_place
				       OR j.concurrency_key <> ALL (busy))
				  AND j.task = ANY (ARRAY(
					SELECT r.slug FROM afterwork.can_run(
					    claim.tasks, claim.lacks, claim.fit_ms) r (slug)))
				ORDER BY j.priority, j.run_at, j.id
				LIMIT most + 1
				FOR UPDATE SKIP LOCKED) s;
			EXIT WHEN ids IS NULL;
			seen := cardinality(ids);
			ids := ids[:CASE WHEN singles[1] THEN 1 ELSE least(most,
			    array_position(singles, true) - 1) END];
			waits := waits OR placed;
			EXIT WHEN NOT keyed;
			SELECT t.kept, t.busy, waits OR t.awaited
			INTO ids, locked, waits
			FROM afterwork.take_places(here, ids, keys, slugs) t;
			busy := busy || locked;
			missed := missed OR locked IS NOT NULL OR turn = 20;
			EXIT WHEN ids <> '{}';
		END LOOP;
		CONTINUE WHEN ids IS NULL OR ids = '{}';
		IF q.limited THEN
			PERFORM afterwork.take_queue_places(here, ids);
		END IF;
		missed := missed OR seen > cardinality(ids) OR (q.several
		    AND afterwork.claimable(claim.queues, here, ARRAY(
			SELECT r.slug FROM afterwork.can_run(
			    claim.tasks, claim.lacks, NULL) r (slug))));
		RETURN QUERY
		UPDATE afterwork.job j
		SET lease_no = nextval('afterwork.lease_no'),
		    claimed_at = clock_timestamp(),
		    lease_until = clock_timestamp()
		        + (t.timeout_ms + 30000) * interval '1 ms',
		    attempts = j.attempts + (j.lease_until IS NULL)::integer,
		    crashes = j.crashes
		        + (j.lease_until IS NOT NULL AND j.alone)::integer,
		    log = CASE WHEN j.lease_until IS NULL THEN j.log
		        ELSE afterwork.log_lost(j.log, j.attempts, j.lease_no,
		            j.claimed_at, j.lease_until) END,
		    alone = cardinality(ids) = 1,
		    has_place = j.concurrency_key IS NOT NULL,
		    has_queue_place = j.has_queue_place OR q.limited,
		    unique_free = j.unique_free OR j.unique_until = 'start'
		FROM afterwork.task t
		WHERE j.queue = here AND j.id = ANY (ids) AND t.slug = j.task
		RETURNING missed, j.id, j.lease_no, j.task, j.input,
		    j.attempts, j.crashes,
		    (t.timeout_ms + 30000)::bigint, t.timeout_ms, t.retries,
		    t.backoff, t.delay_ms, t.max_delay_ms, t.jitter,
		    t.retired_at IS NOT NULL, j.cancel IS NOT NULL, t.handler,
		    t.folder, (t.limits ->> 'memoryBytes')::bigint,
		    (t.limits ->> 'cpuMs')::bigint, j.meta ->> 'traceparent',
		    array_to_string(t.settings, ' '), j.priority, j.run_at,
		    j.has_place OR j.has_queue_place, waits, j.queue, NULL::bigint,
		    NULL::boolean, NULL::boolean;
		RETURN;
	END LOOP;
	SELECT o.claimable OR missed, o.next_ms, o.upkeep_due, o.ping_due
	INTO more, next_ms, upkeep_due, ping_due
	FROM afterwork.outlook(claim.queues) o;
	RETURN NEXT;
END
$$;

-- The jobs that come next in a queue, behind the last that the caller has claimed
-- there a moment ago (after_*), with the same columns; or none, where claim() has
-- more to do than to take them: the lease of one that it sees has run out, or one
-- has a place already; the queue is paused or limited; none has a place of its
-- key (they are blocked then).  more: of this queue, and behind.  What has come
-- before that place meanwhile, what has come due, and other queues are not looked
-- at: the caller must claim() again soon, and at once after awaited ones.  No row
-- says nothing.
CREATE OR REPLACE FUNCTION afterwork.claim_behind(here text, tasks text[],
	fast text[], max_jobs integer, fit_ms bigint, lacks text[],
	after_priority integer, after_run_at timestamptz, after_id bigint)
RETURNS TABLE (more boolean, id bigint, lease_no bigint, task text,
	input jsonb, attempt integer, crashes integer, lease_ms bigint,
	timeout_ms integer, retries integer, backoff text, delay_ms bigint,
	max_delay_ms bigint, jitter boolean, retired boolean,
	cancelled boolean, handler text, folder text, memory_bytes bigint,
	cpu_ms bigint, traceparent text, settings text, priority integer,
	run_at timestamptz, has_place boolean, awaited boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_sort = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	ids    bigint[];	-- in claim order: first all that were seen
	kinds  text[];
	keys   text[];		-- of which they have to take a place
	keyed  boolean;		-- has any of them to?
	slugs  text[];
	seen   integer;
	waits  boolean := false;	-- for places of these jobs, somebody
BEGIN
	SELECT array_agg(w.id), array_agg(w.kind), array_agg(w.key),
	    count(w.key) > 0, array_agg(w.task)
	INTO ids, kinds, keys, keyed, slugs
	FROM (
		SELECT j.id, j.task,
		    CASE WHEN j.lease_until IS NOT NULL OR j.has_place
		        THEN 'other'
		    WHEN j.task = ANY (claim_behind.fast) THEN 'together'
		    ELSE 'alone' END AS kind,
		    j.concurrency_key AS key
		FROM afterwork.job j
		WHERE j.queue = here AND j.state = 'ready'
		  AND (SELECT NOT q.paused AND NOT q.limited
		       FROM afterwork.queue q WHERE q.name = here)
		  AND (j.priority, j.run_at, j.id)
		      > (after_priority, after_run_at, after_id)
		  AND (j.lease_until IS NULL
		       OR j.lease_until <= statement_timestamp())
		  AND j.task = ANY (ARRAY(
			SELECT r.slug FROM afterwork.can_run(claim_behind.tasks,
			    claim_behind.lacks, claim_behind.fit_ms) r (slug)))
		ORDER BY j.priority, j.run_at, j.id
		LIMIT claim_behind.max_jobs + 1
		FOR UPDATE SKIP LOCKED) w;
	IF ids IS NULL OR 'other' = ANY (kinds) THEN
		RETURN;
	END IF;
	seen := cardinality(ids);
	ids := ids[:CASE WHEN kinds[1] = 'alone' THEN 1
	    ELSE least(claim_behind.max_jobs,
	        array_position(kinds, 'alone') - 1) END];
	IF keyed THEN
		SELECT t.kept, t.awaited INTO ids, waits
		FROM afterwork.take_places(here, ids, keys, slugs) t;
	END IF;
	RETURN QUERY
	UPDATE afterwork.job j
	SET lease_no = nextval('afterwork.lease_no'),
	    claimed_at = clock_timestamp(),
	    lease_until = clock_timestamp()
	        + (t.timeout_ms + 30000) * interval '1 ms',
	    attempts = j.attempts + 1,
	    alone = cardinality(ids) = 1,
	    has_place = j.concurrency_key IS NOT NULL,
	    unique_free = j.unique_free OR j.unique_until = 'start'
	FROM afterwork.task t
	WHERE j.queue = here AND j.id = ANY (ids) AND t.slug = j.task
	RETURNING seen > cardinality(ids), j.id, j.lease_no, j.task, j.input,
	    j.attempts, j.crashes,
	    (t.timeout_ms + 30000)::bigint, t.timeout_ms, t.retries,
	    t.backoff, t.delay_ms, t.max_delay_ms, t.jitter,
	    t.retired_at IS NOT NULL, j.cancel IS NOT NULL, t.handler,
	    t.folder, (t.limits ->> 'memoryBytes')::bigint,
	    (t.limits ->> 'cpuMs')::bigint, j.meta ->> 'traceparent',
	    array_to_string(t.settings, ' '), j.priority, j.run_at,
	    j.has_place, waits;
END
$$;

-- Delayed jobs of one queue that have come due become ready, 1,000 at a time.
CREATE OR REPLACE FUNCTION afterwork.promote(here text)
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_sort = off SET jit = off AS $$
	UPDATE afterwork.job j SET state = 'ready'
	WHERE j.queue = here AND j.id = ANY (ARRAY(
		SELECT d.id FROM afterwork.job d
		WHERE d.queue = here AND d.state = 'delayed'
		  AND d.run_at <= statement_timestamp()
		ORDER BY d.run_at, d.id LIMIT 1000
		FOR UPDATE SKIP LOCKED))
$$;

-- Is there a job of these tasks (null: of any) that could be claimed now, in a
-- queue other than but?  Takes no locks.
CREATE OR REPLACE FUNCTION afterwork.claimable(queues text[], but text,
	tasks text[])
RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_sort = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN EXISTS (
		SELECT FROM afterwork.queue q
		WHERE NOT q.paused
		  AND q.name IS DISTINCT FROM but
		  AND (queues IS NULL OR q.name = ANY (queues))
		  AND NOT (q.limited AND EXISTS (
			SELECT FROM afterwork.place p
			WHERE p.queue = q.name AND p.key = ''
			  AND p.taken >= p.max
			  AND p.look_at > clock_timestamp()))
		  AND (EXISTS (
			SELECT FROM afterwork.job j
			WHERE j.queue = q.name AND j.state = 'ready'
			  AND (j.lease_until IS NULL
			       OR j.lease_until <= statement_timestamp())
			  AND (tasks IS NULL OR j.task = ANY (tasks)))
		   OR EXISTS (
			SELECT FROM afterwork.job j
			WHERE j.queue = q.name AND j.state = 'delayed'
			  AND j.run_at <= statement_timestamp()
			  AND (tasks IS NULL OR j.task = ANY (tasks)))));
END
$$;

-- What a runner that found nothing wants to know: is something claimable after
-- all (by anybody), in how many milliseconds the next delayed job comes due
-- (null: none waits), whether the house should be kept, and, for a run call,
-- whether it should be noted that one came.
CREATE OR REPLACE FUNCTION afterwork.outlook(queues text[],
	OUT claimable boolean, OUT next_ms bigint, OUT upkeep_due boolean,
	OUT ping_due boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_sort = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	claimable := afterwork.claimable(queues, NULL, NULL);
	SELECT ceil(extract(epoch FROM min(d.run_at) - clock_timestamp())
	    * 1000)::bigint
	INTO next_ms
	FROM afterwork.queue q, LATERAL (
		SELECT j.run_at FROM afterwork.job j
		WHERE j.queue = q.name AND j.state = 'delayed'
		ORDER BY j.run_at LIMIT 1) d
	WHERE NOT q.paused AND (queues IS NULL OR q.name = ANY (queues));
	-- A key that is owed something is looked at again soon.
	IF EXISTS (SELECT FROM afterwork.owed w, afterwork.queue q
	    WHERE w.queue = q.name AND NOT q.paused
	      AND (queues IS NULL OR q.name = ANY (queues))) THEN
		next_ms := least(coalesce(next_ms, 100), 100);
	END IF;
	SELECT u.next_at <= clock_timestamp(), coalesce(u.pinged_at
	    < clock_timestamp() - interval '10 minutes', true)
	INTO upkeep_due, ping_due
	FROM afterwork.upkeep u;
END
$$;
