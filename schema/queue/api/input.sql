-- Does an input fit its task?  Field by field, which finds the words for a
-- refusal, and as one path, which is quick.

-- Why input does not fit schema (Payload's field notation: name, type,
-- required, hasMany, options, min, max), as the field at fault and a message;
-- no row when it fits.  Fields the schema does not name are let through.
CREATE OR REPLACE FUNCTION afterwork.check_input(schema jsonb, input jsonb)
RETURNS TABLE (field text, message text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
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
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
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
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
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
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
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
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING MESSAGE = message, DETAIL = field;
END
$$;
