-- Ways in: afterwork.enqueue() and its relations.
--
-- Every one of them checks the task and its input here, in the database, so
-- that HTTP, SQL, C and the command refuse the same things with the same
-- words.  Refusals raise SQLSTATE P0001 with a message for people and the
-- field at fault as DETAIL; nothing is stored.

-- Why input does not fit schema (Payload's field notation: name, type,
-- required, hasMany, options, min, max), as the field at fault and a message;
-- no row when it fits.  Fields the schema does not name are let through.
CREATE OR REPLACE FUNCTION afterwork.check_input(schema jsonb, input jsonb)
RETURNS TABLE (field text, message text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
DECLARE
	f     jsonb;
	v     jsonb;
	one   jsonb;
	fault text;
BEGIN
	IF jsonb_typeof(input) IS DISTINCT FROM 'object' THEN
		RETURN QUERY SELECT 'input'::text, 'The input must be an object.'::text;
		RETURN;
	END IF;
	FOR f IN SELECT jsonb_array_elements(schema) LOOP
		v := input -> (f ->> 'name');
		IF v IS NULL OR v = 'null'::jsonb THEN
			IF (f -> 'required') = 'true'::jsonb THEN
				RETURN QUERY SELECT f ->> 'name',
				    'This field is required.'::text;
				RETURN;
			END IF;
			CONTINUE;
		END IF;
		IF (f -> 'hasMany') = 'true'::jsonb THEN
			IF jsonb_typeof(v) <> 'array' THEN
				RETURN QUERY SELECT f ->> 'name',
				    'This field must be a list.'::text;
				RETURN;
			END IF;
		ELSE
			v := jsonb_build_array(v);
		END IF;
		FOR one IN SELECT jsonb_array_elements(v) LOOP
			fault := afterwork.check_value(f, one);
			IF fault IS NOT NULL THEN
				RETURN QUERY SELECT f ->> 'name', fault;
				RETURN;
			END IF;
		END LOOP;
	END LOOP;
END
$$;

-- Why one value does not fit one field; null when it does.
CREATE OR REPLACE FUNCTION afterwork.check_value(field jsonb, value jsonb)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
DECLARE
	type text := jsonb_typeof(value);
	want text := field ->> 'type';
	size numeric;
BEGIN
	IF want = 'number' THEN
		IF type <> 'number' THEN
			RETURN 'This field must be a number.';
		END IF;
		size := (value #>> '{}')::numeric;
	ELSIF want = 'checkbox' THEN
		IF type <> 'boolean' THEN
			RETURN 'This field must be true or false.';
		END IF;
	ELSIF want IN ('json', 'group', 'array', 'blocks') THEN
		NULL;
	ELSIF want = 'relationship' OR want = 'upload' THEN
		IF type NOT IN ('number', 'string') THEN
			RETURN 'This field must be an id.';
		END IF;
	ELSE
		IF type <> 'string' THEN
			RETURN 'This field must be a text.';
		END IF;
		size := length(value #>> '{}');
	END IF;
	IF (field -> 'options') IS NOT NULL AND NOT EXISTS (
		SELECT FROM jsonb_array_elements(field -> 'options') o (choice)
		WHERE choice = value OR choice -> 'value' = value) THEN
		RETURN 'This field has an invalid selection.';
	END IF;
	IF size < coalesce(field ->> 'min', field ->> 'minLength')::numeric THEN
		RETURN format('This field must be at least %s.',
		    coalesce(field ->> 'min', field ->> 'minLength'));
	END IF;
	IF size > coalesce(field ->> 'max', field ->> 'maxLength')::numeric THEN
		RETURN format('This field must be at most %s.',
		    coalesce(field ->> 'max', field ->> 'maxLength'));
	END IF;
	RETURN NULL;
END
$$;

-- Fields as a jsonpath predicate that is true for an input only if
-- check_input() finds nothing; null when a field has a check that such a path
-- can't make.  A text that looks like a path never gets into it: names and
-- options stand in it as the JSON strings they are.
CREATE OR REPLACE FUNCTION afterwork.input_path(schema jsonb)
RETURNS jsonpath
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
DECLARE
	f     jsonb;
	at    text;
	fits  text;
	path  text := '$.type() == "object"';
BEGIN
	FOR f IN SELECT jsonb_array_elements(schema) LOOP
		CONTINUE WHEN f ->> 'name' IS NULL;
		at := '$.' || (f -> 'name')::text;
		-- A filter would look into lists in a list, too.
		fits := CASE WHEN (f -> 'hasMany') IS DISTINCT FROM 'true'::jsonb
		    THEN afterwork.value_path(f, at) END;
		IF (f -> 'required') IS DISTINCT FROM 'true'::jsonb THEN
			fits := '(!exists(' || at || ') || ' || at
			    || '.type() == "null" || ' || fits || ')';
		END IF;
		path := path || ' && ' || fits;
	END LOOP;
	RETURN path::jsonpath;
END
$$;

-- check_value() as a predicate on the value at; null when it can't be.
CREATE OR REPLACE FUNCTION afterwork.value_path(field jsonb, at text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
DECLARE
	want text := field ->> 'type';
	low  numeric := coalesce(field ->> 'min', field ->> 'minLength');
	high numeric := coalesce(field ->> 'max', field ->> 'maxLength');
	fits text;
BEGIN
	IF want IN ('json', 'group', 'array', 'blocks') THEN
		-- A comparison would look into lists.
		IF field ? 'options' THEN
			RETURN NULL;
		END IF;
		fits := at || '.type() != "null"';
	ELSIF want IN ('relationship', 'upload') THEN
		fits := format('(%s.type() == "number" || %s.type() == "string")',
		    at, at);
	ELSE
		fits := format('%s.type() == "%s"', at, CASE want
		    WHEN 'number' THEN 'number' WHEN 'checkbox' THEN 'boolean'
		    ELSE 'string' END);
	END IF;
	IF want = 'number' THEN
		fits := concat_ws(' && ', fits, at || ' >= ' || low,
		    at || ' <= ' || high);
	ELSIF low IS NOT NULL OR high IS NOT NULL THEN
		RETURN NULL;
	END IF;
	IF field -> 'options' = '[]'
	   OR EXISTS (SELECT FROM jsonb_array_elements(field -> 'options') o (choice)
	    WHERE jsonb_typeof(coalesce(choice -> 'value', choice))
	        NOT IN ('string', 'number', 'boolean')) THEN
		RETURN NULL;
	END IF;
	IF field ? 'options' THEN
		fits := concat(fits, ' && (', (
		    SELECT string_agg(at || ' == ' || coalesce(choice -> 'value',
		        choice)::text, ' || ')
		    FROM jsonb_array_elements(field -> 'options') o (choice)), ')');
	END IF;
	RETURN fits;
END
$$;

CREATE OR REPLACE FUNCTION afterwork.refuse(field text, message text)
RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	RAISE EXCEPTION USING MESSAGE = message, DETAIL = field;
END
$$;

-- Store one job.  created is false when unique_key is in use in its queue:
-- then id is the job that holds it.  null means "as the task has it".
CREATE OR REPLACE FUNCTION afterwork.enqueue_job(
	task text, input jsonb DEFAULT '{}', queue text DEFAULT NULL,
	run_at timestamptz DEFAULT NULL, priority integer DEFAULT NULL,
	unique_key text DEFAULT NULL, concurrency_key text DEFAULT NULL,
	meta jsonb DEFAULT NULL, OUT id bigint, OUT created boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
	t       record;
	fault   record;
	at_once boolean := coalesce(enqueue_job.run_at <= clock_timestamp(), true);
	place   text;
BEGIN
	SELECT d.input_schema, d.input_ok, d.priority,
	    coalesce(enqueue_job.queue, d.queue) AS queue, EXISTS (
	        SELECT FROM afterwork.queue q
	        WHERE q.name = coalesce(enqueue_job.queue, d.queue)) AS has_queue
	INTO t
	FROM afterwork.task d
	WHERE d.slug = enqueue_job.task AND d.retired_at IS NULL;
	IF NOT FOUND THEN
		PERFORM afterwork.refuse('task', format(
		    'The task "%s" is not registered.',
		    left(coalesce(enqueue_job.task, ''), 64)));
	END IF;
	IF jsonb_path_match(enqueue_job.input, t.input_ok, '{}', true)
	   IS NOT TRUE THEN
		SELECT * INTO fault FROM afterwork.check_input(t.input_schema,
		    enqueue_job.input);
		IF FOUND THEN
			PERFORM afterwork.refuse(fault.field, fault.message);
		END IF;
	END IF;
	IF length(enqueue_job.unique_key) NOT BETWEEN 1 AND 255 THEN
		PERFORM afterwork.refuse('uniqueKey',
		    'A key has 1 to 255 characters.');
	END IF;
	IF length(enqueue_job.concurrency_key) NOT BETWEEN 1 AND 255 THEN
		PERFORM afterwork.refuse('concurrencyKey',
		    'A key has 1 to 255 characters.');
	END IF;
	-- No interval leads to or from infinity: every sum over it would fail.
	IF NOT isfinite(enqueue_job.run_at) THEN
		PERFORM afterwork.refuse('waitUntil',
		    'This field must be a date such as 2026-07-20T12:00:00Z.');
	END IF;

	place := t.queue;
	IF NOT t.has_queue THEN
		IF place !~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$' THEN
			PERFORM afterwork.refuse('queue',
			    'A queue name has 1 to 100 letters, digits or . _ : - '
			    'and begins with a letter or digit.');
		END IF;
		INSERT INTO afterwork.queue (name) VALUES (place)
		ON CONFLICT DO NOTHING;
	END IF;

	LOOP
		INSERT INTO afterwork.job AS j (queue, task, state, priority,
		    run_at, wait_until, unique_key, concurrency_key, input, meta)
		VALUES (place, enqueue_job.task,
		    CASE WHEN at_once THEN 'ready' ELSE 'delayed'
		    END::afterwork.job_state,
		    coalesce(enqueue_job.priority, t.priority),
		    coalesce(enqueue_job.run_at, clock_timestamp()),
		    enqueue_job.run_at, enqueue_job.unique_key,
		    enqueue_job.concurrency_key, enqueue_job.input,
		    enqueue_job.meta)
		ON CONFLICT (queue, unique_key) WHERE unique_key IS NOT NULL
		DO NOTHING
		RETURNING j.id INTO enqueue_job.id;
		IF FOUND THEN
			enqueue_job.created := true;
			RETURN;
		END IF;
		SELECT j.id INTO enqueue_job.id FROM afterwork.job j
		WHERE j.queue = place AND j.unique_key = enqueue_job.unique_key;
		IF FOUND THEN
			enqueue_job.created := false;
			RETURN;
		END IF;
		-- The holder ended in between: its key is free, try again.
	END LOOP;
END
$$;

-- Store one job and return its id; with unique_key in use, the id of the job
-- that holds it.  Call it inside your own transaction:
--     SELECT afterwork.enqueue('sendInvoice', '{"invoiceId": 7}');
-- (plpgsql, since a function in SQL would be planned anew by every call.)
CREATE OR REPLACE FUNCTION afterwork.enqueue(
	task text, input jsonb DEFAULT '{}', queue text DEFAULT NULL,
	run_at timestamptz DEFAULT NULL, priority integer DEFAULT NULL,
	unique_key text DEFAULT NULL, concurrency_key text DEFAULT NULL,
	meta jsonb DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	RETURN id FROM afterwork.enqueue_job(task, input, queue, run_at,
	    priority, unique_key, concurrency_key, meta);
END
$$;

-- Store one job of a task for each element of inputs, all or none; their ids
-- in the order of the inputs.
CREATE OR REPLACE FUNCTION afterwork.enqueue_many(task text, inputs jsonb)
RETURNS SETOF bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = '' AS $$
#variable_conflict use_column
BEGIN
	IF jsonb_typeof(inputs) IS DISTINCT FROM 'array' THEN
		PERFORM afterwork.refuse('inputs', 'The inputs must be a list.');
	END IF;
	RETURN QUERY SELECT j.id
	FROM jsonb_array_elements(inputs) WITH ORDINALITY AS i (input, n),
	    LATERAL afterwork.enqueue_job(enqueue_many.task, i.input) j
	ORDER BY i.n;
END
$$;
