-- Ways in: afterwork.enqueue() and its relations.
--
-- Every one of them checks the task and its input here, in the database, so
-- that HTTP, SQL, C and the command refuse the same things with the same
-- words.  Refusals raise SQLSTATE P0001 with a message for people and the
-- field at fault as DETAIL; nothing is stored.

-- invoice:{invoiceId} and {"invoiceId": 7} make invoice:7; a field that is not
-- there makes nothing.
CREATE OR REPLACE FUNCTION afterwork.key_of(template text, input jsonb)
RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part text;
	key  text := split_part(template, '{', 1);
BEGIN
	FOREACH part IN ARRAY (string_to_array(template, '{'))[2:] LOOP
		key := key || coalesce(input ->> split_part(part, '}', 1), '')
		    || substr(part, strpos(part, '}') + 1);
	END LOOP;
	RETURN key;
END
$$;

-- Everything for which a job is refused, one after the other; and its queue is
-- made when there is none of that name, and kept from being removed.
CREATE OR REPLACE FUNCTION afterwork.check_job(task text, input jsonb,
	place text, run_at timestamptz, unique_key text, concurrency_key text,
	tags text[], unique_for interval, unique_until text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	fields jsonb;
	fault  record;
BEGIN
	SELECT d.input_schema INTO fields FROM afterwork.task d
	WHERE d.slug = task AND d.retired_at IS NULL;
	IF NOT FOUND THEN
		PERFORM afterwork.refuse('task', format(
		    'The task "%s" is not registered.',
		    left(coalesce(task, ''), 64)));
	END IF;
	SELECT * INTO fault FROM afterwork.check_input(fields, input);
	IF FOUND THEN
		PERFORM afterwork.refuse(fault.field, fault.message);
	END IF;
	IF length(unique_key) NOT BETWEEN 1 AND 255 THEN
		PERFORM afterwork.refuse('uniqueKey',
		    'A key has 1 to 255 characters.');
	END IF;
	IF length(concurrency_key) NOT BETWEEN 1 AND 255 THEN
		PERFORM afterwork.refuse('concurrencyKey',
		    'A key has 1 to 255 characters.');
	END IF;
	-- No interval leads to or from infinity: every sum over it would fail.
	IF NOT isfinite(run_at) THEN
		PERFORM afterwork.refuse('waitUntil',
		    'This field must be a date such as 2026-07-20T12:00:00Z.');
	END IF;
	IF unique_for <= interval '0' OR unique_for > interval '10 years' THEN
		PERFORM afterwork.refuse('uniqueFor',
		    'A key is held for a time of up to ten years.');
	END IF;
	IF unique_until NOT IN ('start', 'end') THEN
		PERFORM afterwork.refuse('uniqueUntil',
		    'A key is held until the start or until the end.');
	END IF;
	IF cardinality(tags) > 16 OR EXISTS (SELECT FROM unnest(tags) t (tag)
	    WHERE length(t.tag) NOT BETWEEN 1 AND 64 OR t.tag IS NULL) THEN
		PERFORM afterwork.refuse('tags',
		    'A job has up to 16 tags of 1 to 64 characters.');
	END IF;
	IF place !~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$' THEN
		PERFORM afterwork.refuse('queue',
		    'A queue name has 1 to 100 letters, digits or . _ : - '
		    'and begins with a letter or digit.');
	END IF;
	IF NOT EXISTS (SELECT FROM afterwork.queue q
	    WHERE q.name = place AND q.idle_since IS NULL) THEN
		PERFORM afterwork.need_queue(place);
	END IF;
END
$$;

-- With replace: the waiting holder of a unique key, which is of the same task,
-- takes this input and time.  Its id, or null: none waits.  It keeps its turn;
-- if it is to wait for its time, or gets another concurrency key, it leaves its
-- turn, and its place, to others.
CREATE OR REPLACE FUNCTION afterwork.replace_job(place text, unique_key text,
	new_task text, new_input jsonb, new_run_at timestamptz, new_key text)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	old record;
BEGIN
	LOOP	-- until it stays what it was when it was looked at, as in cancel()
		SELECT j.id, j.task, j.concurrency_key AS key INTO old
		FROM afterwork.job j
		WHERE j.queue = place AND j.unique_key = replace_job.unique_key
		  AND NOT j.unique_free AND j.lease_until IS NULL
		  AND j.cancel IS NULL;
		IF NOT FOUND THEN
			RETURN NULL;
		ELSIF old.task <> new_task THEN
			PERFORM afterwork.refuse('uniqueKey', format(
			    'A job of the task "%s" has this key.', old.task));
		ELSIF afterwork.change_waiting(place, old.id, old.key, new_input,
		    new_run_at, new_key) THEN
			RETURN old.id;
		END IF;
		PERFORM afterwork.await_job(place, old.id);
	END LOOP;
END
$$;

-- Of replace_job(): this job, which waits and has this concurrency key, is
-- changed; or false, with nothing left locked: somebody has it locked, or it is
-- another's or has another key by now.
CREATE OR REPLACE FUNCTION afterwork.change_waiting(here text, job_id bigint,
	old_key text, new_input jsonb, new_run_at timestamptz, new_key text)
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old    record;
	later  boolean := coalesce(new_run_at > clock_timestamp(), false);
	leaves boolean := later OR old_key IS DISTINCT FROM new_key;
	places text[];
BEGIN
	-- A key before its jobs, as in end_waiting().
	PERFORM FROM afterwork.place p
	WHERE p.queue = here AND p.key = old_key FOR UPDATE;
	SELECT j.has_place, j.has_queue_place INTO old FROM afterwork.job j
	WHERE j.queue = here AND j.id = job_id
	  AND j.concurrency_key IS NOT DISTINCT FROM old_key
	  AND NOT j.unique_free AND j.lease_until IS NULL AND j.cancel IS NULL
	FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RAISE SQLSTATE 'AW001';
	END IF;
	UPDATE afterwork.job j
	SET input = new_input,
	    state = CASE WHEN later THEN 'delayed'
	        WHEN j.state = 'blocked' AND NOT leaves THEN j.state
	        ELSE 'ready' END,
	    run_at = CASE WHEN later THEN new_run_at
	        ELSE least(j.run_at, clock_timestamp()) END,
	    wait_until = new_run_at,
	    concurrency_key = new_key,
	    has_place = j.has_place AND NOT leaves,
	    has_queue_place = j.has_queue_place AND NOT later
	WHERE j.queue = here AND j.id = job_id;
	places := CASE WHEN leaves AND old.has_place THEN ARRAY[old_key] END
	    || CASE WHEN later AND old.has_queue_place THEN ARRAY[''] END;
	IF places IS NOT NULL THEN
		PERFORM afterwork.give_places(here, places);
	END IF;
	IF leaves AND NOT old.has_place AND old_key IS NOT NULL THEN
		PERFORM afterwork.let_in(here, ARRAY[old_key]);
	END IF;
	RETURN true;
EXCEPTION WHEN SQLSTATE 'AW001' THEN
	RETURN false;
END
$$;

-- Store one job and return its id; minus the id of the job that holds
-- unique_key, when it is in use.  The core of all ways in, so it does what a
-- plain job needs with one statement.  Arguments as enqueue() has them.
--
-- Every call begins its statements anew, and opening a table to read it from
-- end to end costs more than a look at an index, however few tasks there are.
CREATE OR REPLACE FUNCTION afterwork.store_job(
	task text, input jsonb, queue text, run_at timestamptz, priority integer,
	unique_key text, concurrency_key text, meta jsonb, tags text[],
	unique_for interval, unique_until text, replace boolean)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
	place  text;
	rank   integer;
	fits   boolean;
	rule   jsonb;		-- the task's concurrency
	known  boolean;		-- is there such a queue, and in use?
	job    bigint;
	holder bigint;
	state  text;
BEGIN
	-- Most jobs are plain: the task's queue (it was made with the task, and
	-- stays with it), an input that fits, and nothing else to look after.
	IF run_at IS NULL AND unique_key IS NULL AND concurrency_key IS NULL
	   AND tags IS NULL AND unique_for IS NULL AND unique_until IS NULL THEN
		INSERT INTO afterwork.job AS j (queue, task, state, priority,
		    run_at, input, meta)
		SELECT d.queue, d.slug, 'ready',
		    coalesce(store_job.priority, d.priority),
		    clock_timestamp(), store_job.input, store_job.meta
		FROM afterwork.task d
		WHERE d.slug = store_job.task AND d.retired_at IS NULL
		  AND d.concurrency IS NULL
		  AND d.queue = coalesce(store_job.queue, d.queue)
		  AND jsonb_path_match(store_job.input, d.input_ok, '{}', true)
		RETURNING j.id INTO job;
		IF FOUND THEN
			RETURN job;
		END IF;
	END IF;
	state := CASE WHEN run_at > clock_timestamp() THEN 'delayed'
	    ELSE 'ready' END;
	SELECT coalesce(store_job.queue, d.queue),
	    coalesce(store_job.priority, d.priority),
	    jsonb_path_match(input, d.input_ok, '{}', true), d.concurrency,
	    EXISTS (SELECT FROM afterwork.queue q
	        WHERE q.name = coalesce(store_job.queue, d.queue)
	          AND q.idle_since IS NULL)
	INTO place, rank, fits, rule, known
	FROM afterwork.task d
	WHERE d.slug = store_job.task AND d.retired_at IS NULL;
	IF rule IS NOT NULL AND concurrency_key IS NULL THEN
		concurrency_key := afterwork.key_of(rule ->> 'key', input);
	END IF;
	IF fits IS NOT TRUE OR known IS NOT TRUE OR run_at IS NOT NULL
	   OR unique_key IS NOT NULL OR concurrency_key IS NOT NULL
	   OR tags IS NOT NULL OR unique_for IS NOT NULL
	   OR unique_until IS NOT NULL THEN
		PERFORM afterwork.check_job(task, input, place, run_at, unique_key,
		    concurrency_key, tags, unique_for, unique_until);
	END IF;
	IF unique_key IS NOT NULL THEN
		job := nextval('afterwork.job_id');
		holder := afterwork.hold_period(place, unique_key, unique_for, job);
		IF holder IS NOT NULL THEN
			IF replace THEN
				PERFORM afterwork.replace_job(place, unique_key, task,
				    input, run_at, concurrency_key);
			END IF;
			RETURN -holder;
		END IF;
		LOOP
			INSERT INTO afterwork.job (id, queue, task, state, priority,
			    run_at, wait_until, unique_key, unique_until,
			    concurrency_key, input, meta, tags)
			VALUES (job, place, task, state, rank,
			    coalesce(run_at, clock_timestamp()), run_at,
			    unique_key, coalesce(unique_until, 'end'),
			    concurrency_key, input, meta, tags)
			ON CONFLICT (queue, unique_key)
			    WHERE unique_key IS NOT NULL AND NOT unique_free
			DO NOTHING;
			EXIT WHEN FOUND;
			holder := afterwork.meet_unique(place, unique_key, replace,
			    task, input, run_at, concurrency_key, job);
			IF holder IS NOT NULL THEN
				RETURN -holder;
			END IF;
		END LOOP;
	ELSE
		INSERT INTO afterwork.job AS j (queue, task, state, priority,
		    run_at, wait_until, concurrency_key, input, meta, tags)
		VALUES (place, task, state, rank,
		    coalesce(run_at, clock_timestamp()), run_at,
		    concurrency_key, input, meta, tags)
		RETURNING j.id INTO job;
	END IF;
	IF (rule -> 'supersedes') = 'true'::jsonb THEN
		PERFORM afterwork.supersede(place, concurrency_key, job);
	END IF;
	RETURN job;
END
$$;

-- With a time, the key is job's until that is over, unless it is another's:
-- then that one's id.
CREATE OR REPLACE FUNCTION afterwork.hold_period(place text, key text,
	period interval, job bigint)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	holder bigint;
BEGIN
	IF period IS NULL THEN
		SELECT u.job_id INTO holder FROM afterwork.unique_period u
		WHERE u.queue = place AND u.unique_key = key
		  AND u.until > clock_timestamp();
		RETURN holder;
	END IF;
	INSERT INTO afterwork.unique_period AS u (queue, unique_key, job_id,
	    until)
	VALUES (place, key, job, clock_timestamp() + period)
	ON CONFLICT ON CONSTRAINT unique_period_pkey DO UPDATE
	SET job_id = excluded.job_id, until = excluded.until
	WHERE u.until <= clock_timestamp();
	IF NOT FOUND THEN
		SELECT u.job_id INTO holder FROM afterwork.unique_period u
		WHERE u.queue = place AND u.unique_key = key;
	END IF;
	RETURN holder;
END
$$;

-- A live job has the unique key.  With replace, one that waits is changed, and
-- one that runs gives its key away, so that what came last is run.  The
-- holder's id, or null: the key is free now, try again.
CREATE OR REPLACE FUNCTION afterwork.meet_unique(place text, key text,
	replace boolean, new_task text, new_input jsonb, new_run_at timestamptz,
	new_key text, job bigint)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	holder bigint;
BEGIN
	IF replace THEN
		holder := afterwork.replace_job(place, key, new_task, new_input,
		    new_run_at, new_key);
		IF holder IS NULL THEN
			UPDATE afterwork.job j SET unique_free = true
			WHERE j.queue = place AND j.unique_key = key
			  AND NOT j.unique_free
			  AND (j.lease_until IS NOT NULL OR j.cancel IS NOT NULL);
		END IF;
	ELSE
		SELECT j.id INTO holder FROM afterwork.job j
		WHERE j.queue = place AND j.unique_key = key
		  AND NOT j.unique_free;
	END IF;
	UPDATE afterwork.unique_period u SET job_id = holder
	WHERE u.queue = place AND u.unique_key = key AND u.job_id = job
	  AND holder IS NOT NULL;
	RETURN holder;
END
$$;

-- A newer job of this key makes the waiting ones needless, those whose lease
-- ran out with them: they are cancelled, their record says by which.  One
-- transaction at a time does so for a key; two that do not see one another's
-- job would leave both.
--
-- A claim may have locked one of them for a moment, and take it or leave it:
-- only then is it known whether that one still waits or runs.
CREATE OR REPLACE FUNCTION afterwork.supersede(place text, key text,
	newer bigint)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old    bigint[];
	job_id bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(place || ' ' || key, 0));
	LOOP
		old := ARRAY(
			SELECT j.id FROM afterwork.job j
			WHERE j.queue = place AND j.concurrency_key = key
			  AND j.id <> newer AND (j.lease_until IS NULL
			       OR j.lease_until <= clock_timestamp()));
		EXIT WHEN old = '{}' OR afterwork.end_waiting(place, old,
		    format('The job was superseded by job %s.', newer), newer) > 0;
		FOREACH job_id IN ARRAY old LOOP
			PERFORM afterwork.await_job(place, job_id);
		END LOOP;
	END LOOP;
END
$$;

-- Store one job and return its id; with unique_key in use, the id of the job
-- that holds it.  Call it inside your own transaction:
--     SELECT afterwork.enqueue('sendInvoice', '{"invoiceId": 7}');
--
-- run_at           not before then; null: at once
-- unique_key       1 to 255 characters; no second job of its queue has it until
--                  the job ends (unique_until 'end') or starts ('start'), and
--                  for as long as unique_for from now, even if it ends before
-- replace          a waiting holder of the key takes this input and run_at
-- concurrency_key  null: as the task's "concurrency" has it
-- tags             up to 16 of 1 to 64 characters
-- null is "as the task has it", or none.
--
-- A role of yours may call it once it is a member of afterwork_producer.
-- (Plain SQL without SET, so that a statement which calls it contains it.)
CREATE OR REPLACE FUNCTION afterwork.enqueue(
	task text, input jsonb DEFAULT '{}', queue text DEFAULT NULL,
	run_at timestamptz DEFAULT NULL, priority integer DEFAULT NULL,
	unique_key text DEFAULT NULL, concurrency_key text DEFAULT NULL,
	meta jsonb DEFAULT NULL, tags text[] DEFAULT NULL,
	unique_for interval DEFAULT NULL, unique_until text DEFAULT NULL,
	replace boolean DEFAULT NULL)
RETURNS bigint LANGUAGE sql AS $$
	SELECT pg_catalog.abs(afterwork.store_job(task, input, queue, run_at,
	    priority, unique_key, concurrency_key, meta, tags, unique_for,
	    unique_until, replace))
$$;

-- The same, and whether a job was made: created is false when unique_key was
-- in use.
CREATE OR REPLACE FUNCTION afterwork.enqueue_job(
	task text, input jsonb DEFAULT '{}', queue text DEFAULT NULL,
	run_at timestamptz DEFAULT NULL, priority integer DEFAULT NULL,
	unique_key text DEFAULT NULL, concurrency_key text DEFAULT NULL,
	meta jsonb DEFAULT NULL, tags text[] DEFAULT NULL,
	unique_for interval DEFAULT NULL, unique_until text DEFAULT NULL,
	replace boolean DEFAULT NULL, OUT id bigint, OUT created boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	id := afterwork.store_job(task, input, queue, run_at, priority, unique_key,
	    concurrency_key, meta, tags, unique_for, unique_until, replace);
	created := id > 0;
	id := abs(id);
END
$$;

-- Store one job of a task for each element of inputs, all or none; their ids
-- in the order of the inputs.  An input that does not fit is refused with its
-- place in the list, counted from 0, before the field's name.
CREATE OR REPLACE FUNCTION afterwork.enqueue_many(task text, inputs jsonb,
	queue text DEFAULT NULL, run_at timestamptz DEFAULT NULL,
	priority integer DEFAULT NULL, tags text[] DEFAULT NULL)
RETURNS SETOF bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	place   text;
	rank    integer;
	path    jsonpath;
	fields  jsonb;
	rule    jsonb;
	at_once boolean := coalesce(run_at <= clock_timestamp(), true);
	fault   record;
BEGIN
	IF jsonb_typeof(inputs) IS DISTINCT FROM 'array' THEN
		PERFORM afterwork.refuse('inputs', 'The inputs must be a list.');
	END IF;
	IF inputs = '[]' THEN
		RETURN;
	END IF;
	SELECT coalesce(queue, d.queue), coalesce(priority, d.priority),
	    d.input_ok, d.input_schema, d.concurrency
	INTO place, rank, path, fields, rule
	FROM afterwork.task d
	WHERE d.slug = task AND d.retired_at IS NULL;
	SELECT i.n - 1 AS n, f.* INTO fault
	FROM jsonb_array_elements(inputs) WITH ORDINALITY AS i (input, n),
	    LATERAL afterwork.check_input(fields, i.input) f
	WHERE jsonb_path_match(i.input, path, '{}', true) IS NOT TRUE
	ORDER BY i.n LIMIT 1;
	IF FOUND THEN
		PERFORM afterwork.refuse(format('%s.%s', fault.n, fault.field),
		    fault.message);
	END IF;
	PERFORM afterwork.check_job(task, coalesce(inputs -> 0, '{}'), place,
	    run_at, NULL, NULL, tags, NULL, NULL);
	IF EXISTS (SELECT FROM jsonb_array_elements(inputs) AS i (input)
	    WHERE length(afterwork.key_of(rule ->> 'key', i.input))
	        NOT BETWEEN 1 AND 255) THEN
		PERFORM afterwork.refuse('concurrencyKey',
		    'A key has 1 to 255 characters.');
	END IF;
	IF (rule -> 'supersedes') = 'true'::jsonb THEN
		RETURN QUERY SELECT afterwork.store_job(task, i.input, place, run_at,
		    rank, NULL, NULL, NULL, tags, NULL, NULL, NULL)
		FROM jsonb_array_elements(inputs) WITH ORDINALITY AS i (input, n)
		ORDER BY i.n;
		RETURN;
	END IF;
	RETURN QUERY
	INSERT INTO afterwork.job AS j (queue, task, state, priority, run_at,
	    wait_until, concurrency_key, input, tags)
	SELECT place, task, CASE WHEN at_once THEN 'ready' ELSE 'delayed' END,
	    rank, coalesce(run_at, clock_timestamp()), run_at,
	    CASE WHEN rule IS NOT NULL
	        THEN afterwork.key_of(rule ->> 'key', i.input) END,
	    i.input, tags
	FROM jsonb_array_elements(inputs) AS i (input)
	RETURNING j.id;
END
$$;
