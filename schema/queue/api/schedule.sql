-- Schedules: jobs that are made when their time has come.
--
-- There is no scheduler.  An entry of a task's "schedule" is a row that knows
-- when it is to be looked at next; every claim asks whether any is due and
-- calls schedules_run() if so.  A slot is a moment at which an entry wants a
-- job; its row is unique, so that it gets one job, however many claim at once.
--
-- The rules of time (schema/README.md has them for people):
--   * day of month and weekday: if neither begins with "*", a day that fits
--     one of them will do; else it must fit both, as cron has it;
--   * an hour that does not begin with "*" means times of day.  One that a
--     change of the clock leaves out comes at the first moment after the gap,
--     and several such ones come there once; one that comes twice counts the
--     first time;
--   * an hour that begins with "*" follows the clock: every minute in which it
--     shows such a time, twice where it comes twice, never where it does not.

-- The numbers of one field, ascending; refuses what is none.  "n/step" goes to
-- stop.
CREATE OR REPLACE FUNCTION afterwork.cron_field(field text, lowest integer,
	highest integer, stop integer)
RETURNS integer[] LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	item    text;
	part    text[];	-- star, first, last, step
	first   integer;
	last    integer;
	numbers integer[] := '{}';
BEGIN
	FOREACH item IN ARRAY string_to_array(field, ',') LOOP
		part := regexp_match(item, '^(?:(\*)|([0-9]{1,2})'
		    '(?:-([0-9]{1,2}))?)(?:/([0-9]{1,4}))?$');
		first := coalesce(part[2]::integer, lowest);
		last := CASE WHEN part[3] IS NOT NULL THEN part[3]::integer
		    WHEN part[1] IS NOT NULL THEN stop
		    WHEN part[4] IS NOT NULL THEN greatest(first, stop)
		    ELSE first END;
		IF part IS NULL OR first < lowest OR last > highest
		   OR first > last OR part[4]::integer < 1 THEN
			numbers := '{}';
			EXIT;
		END IF;
		numbers := numbers || ARRAY(SELECT generate_series(first, last,
		    coalesce(part[4]::integer, 1)));
	END LOOP;
	IF numbers = '{}' THEN
		PERFORM afterwork.refuse('schedule', format(
		    '"%s" is no field of a cron expression.', left(field, 64)));
	END IF;
	RETURN ARRAY(SELECT DISTINCT n FROM unnest(numbers) AS n ORDER BY n);
END
$$;

CREATE OR REPLACE FUNCTION afterwork.cron_parse(expression text)
RETURNS afterwork.cron LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	f text[] := string_to_array(expression, ' ');
	c afterwork.cron;
BEGIN
	IF cardinality(f) IS DISTINCT FROM 5 THEN
		PERFORM afterwork.refuse('schedule',
		    'A cron expression has five fields.');
	END IF;
	c.minutes := afterwork.cron_field(f[1], 0, 59, 59);
	c.hours := afterwork.cron_field(f[2], 0, 23, 23);
	c.days := afterwork.cron_field(f[3], 1, 31, 31);
	c.months := afterwork.cron_field(f[4], 1, 12, 12);
	c.weekdays := ARRAY(SELECT DISTINCT d % 7
	    FROM unnest(afterwork.cron_field(f[5], 0, 7, 6)) AS d ORDER BY 1);
	c.each_hour := f[2] LIKE '*%';
	c.either := f[3] NOT LIKE '*%' AND f[5] NOT LIKE '*%';
	RETURN c;
END
$$;

-- The slots after one moment up to another, in no order.
--
-- Every time of day that fits is put where the clock shows it.  On a day
-- around which the zone's distance from UTC stays what it is there is one such
-- moment.  On another there is the moment by the larger distance (early) and
-- the one by the smaller (late); the clock shows the time at both, at one, or
-- at neither: then it is in the gap, which ends between the two.
CREATE OR REPLACE FUNCTION afterwork.cron_slots(c afterwork.cron, zone text,
	after timestamptz, until timestamptz)
RETURNS SETOF timestamptz LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = on SET enable_sort = on SET jit = off AS $$
BEGIN
	RETURN QUERY
	WITH day AS (
		SELECT d AS midnight,
		    (d - interval '1 day') AT TIME ZONE 'UTC' AT TIME ZONE zone
		        - (d - interval '1 day') AS before,
		    (d + interval '2 days') AT TIME ZONE 'UTC' AT TIME ZONE zone
		        - (d + interval '2 days') AS behind
		FROM generate_series(
		    date_trunc('day', after AT TIME ZONE zone) - interval '1 day',
		    date_trunc('day', until AT TIME ZONE zone) + interval '1 day',
		    interval '1 day') AS d
		WHERE extract(month FROM d)::integer = ANY (c.months)
		  AND CASE WHEN c.either
		    THEN extract(day FROM d)::integer = ANY (c.days)
		        OR extract(dow FROM d)::integer = ANY (c.weekdays)
		    ELSE extract(day FROM d)::integer = ANY (c.days)
		        AND extract(dow FROM d)::integer = ANY (c.weekdays) END
	), hour AS (
		SELECT d.before, d.behind,
		    d.midnight + make_interval(hours => h) AS begins
		FROM day d, unnest(c.hours) AS h
	), reading AS (
		SELECT l.shown, h.before <> h.behind AS changes,
		    (l.shown - greatest(h.before, h.behind)) AT TIME ZONE 'UTC'
		        AS early,
		    (l.shown - least(h.before, h.behind)) AT TIME ZONE 'UTC'
		        AS late
		FROM hour h, unnest(c.minutes) AS m,
		LATERAL (SELECT h.begins + make_interval(mins => m) AS shown) l
		-- Most hours are not in question.
		WHERE h.before <> h.behind
		   OR (h.begins - h.before) AT TIME ZONE 'UTC'
		      BETWEEN after - interval '1 hour' AND until
	)
	SELECT DISTINCT s.slot FROM reading r,
	LATERAL unnest(CASE
	    WHEN NOT r.changes THEN ARRAY[r.early]
	    WHEN c.each_hour THEN ARRAY[
	        CASE WHEN r.early AT TIME ZONE zone = r.shown THEN r.early END,
	        CASE WHEN r.late AT TIME ZONE zone = r.shown THEN r.late END]
	    WHEN r.early AT TIME ZONE zone = r.shown THEN ARRAY[r.early]
	    WHEN r.late AT TIME ZONE zone = r.shown THEN ARRAY[r.late]
	    ELSE ARRAY[(SELECT min(t)
	        FROM generate_series(r.early, r.late, interval '1 minute') AS t
	        WHERE t AT TIME ZONE zone > r.shown)]
	    END) AS s (slot)
	WHERE s.slot > after AND s.slot <= until;
END
$$;

-- The first slot after a moment; infinity: none in 41 years (29 February on
-- one weekday can be 40 years off).
CREATE OR REPLACE FUNCTION afterwork.cron_next(c afterwork.cron, zone text,
	after timestamptz)
RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	seen  timestamptz := after;
	slot  timestamptz;
	reach interval;
BEGIN
	FOREACH reach IN ARRAY ARRAY[interval '1 hour', '2 days', '40 days',
	    '400 days', '9 years', '41 years'] LOOP
		SELECT min(s) INTO slot FROM afterwork.cron_slots(c, zone, seen,
		    after + reach) AS s;
		IF slot IS NOT NULL THEN
			RETURN slot;
		END IF;
		seen := after + reach;
	END LOOP;
	RETURN 'infinity';
END
$$;

-- The last slot after one moment up to another, or null.
CREATE OR REPLACE FUNCTION afterwork.cron_last(c afterwork.cron, zone text,
	after timestamptz, until timestamptz)
RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	seen  timestamptz := until;
	low   timestamptz;
	slot  timestamptz;
	reach interval := '1 hour';
BEGIN
	WHILE seen > after LOOP
		low := greatest(after, seen - reach);
		SELECT max(s) INTO slot FROM afterwork.cron_slots(c, zone, low,
		    seen) AS s;
		IF slot IS NOT NULL THEN
			RETURN slot;
		END IF;
		seen := low;
		reach := reach * 4;
	END LOOP;
	RETURN NULL;
END
$$;

-- The first slots, at most that many, after one moment up to another.
CREATE OR REPLACE FUNCTION afterwork.cron_first(c afterwork.cron, zone text,
	after timestamptz, until timestamptz, most integer)
RETURNS timestamptz[] LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	seen  timestamptz := after;
	high  timestamptz;
	slots timestamptz[] := '{}';
	reach interval := '1 hour';
BEGIN
	WHILE seen < until AND cardinality(slots) < most LOOP
		high := least(until, seen + reach);
		slots := slots || ARRAY(
			SELECT s FROM afterwork.cron_slots(c, zone, seen, high) AS s
			ORDER BY s LIMIT most - cardinality(slots));
		seen := high;
		reach := reach * 4;
	END LOOP;
	RETURN slots;
END
$$;

-- Which of an entry's slots, up to this moment, are to have a job: of those
-- that were missed
--   skip   the ones of the last five minutes; if there is none, the newest if
--          it is not an hour old yet, so that rare pings miss nothing
--   one    the newest
--   all    every one, room at a time
CREATE OR REPLACE FUNCTION afterwork.schedule_due(s afterwork.schedule,
	moment timestamptz, room integer)
RETURNS timestamptz[] LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	after timestamptz := coalesce(s.due_at, s.next_at) - interval '1 us';
	slots timestamptz[];
BEGIN
	IF s.missed = 'all' THEN
		RETURN afterwork.cron_first(s.fields, s.timezone, after, moment,
		    room);
	ELSIF s.missed = 'one' THEN
		RETURN array_remove(ARRAY[afterwork.cron_last(s.fields,
		    s.timezone, after, moment)], NULL);
	END IF;
	slots := afterwork.cron_first(s.fields, s.timezone,
	    greatest(after, moment - interval '5 minutes'), moment, room);
	IF slots = '{}' THEN
		slots := array_remove(ARRAY[afterwork.cron_last(s.fields,
		    s.timezone, greatest(after, moment - interval '1 hour'),
		    moment)], NULL);
	END IF;
	RETURN slots;
END
$$;

-- Make the jobs of one entry's slots, those that have none yet; the slots.  The
-- caller is a claim, which cannot wait for a transaction that somebody leaves
-- open (one that stores a job of the key which this one supersedes): it fails
-- with 55P03 then.
CREATE OR REPLACE FUNCTION afterwork.schedule_make(s afterwork.schedule,
	slots timestamptz[])
RETURNS timestamptz[] LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
	slot timestamptz;
	job  bigint;
	made timestamptz[] := '{}';
BEGIN
	FOREACH slot IN ARRAY slots LOOP
		INSERT INTO afterwork.schedule_slot (schedule_id, slot_at)
		VALUES (s.id, slot)
		ON CONFLICT DO NOTHING;
		CONTINUE WHEN NOT FOUND;
		SELECT j.id INTO job FROM afterwork.enqueue_job(task => s.task,
		    queue => s.queue, run_at => slot,
		    meta => jsonb_build_object('scheduled', true,
		        'slot', afterwork.iso(slot))) AS j;
		UPDATE afterwork.schedule_slot k SET job_id = job
		WHERE k.schedule_id = s.id AND k.slot_at = slot;
		made := made || slot;
	END LOOP;
	RETURN made;
END
$$;

-- Look at every entry that is due (of these queues; null: of all), make at
-- most so many jobs, and say which.  What is left is done by the next call.
-- An entry that another call is at is that one's.
--
-- An entry whose job is refused (its task's input does not fit), or whose zone
-- the database no longer knows, keeps the reason in error and holds up nobody:
-- it comes back with job_id null.  One whose job would have to wait for
-- somebody's transaction is left with its slots, and is looked at again five
-- seconds later.
CREATE OR REPLACE FUNCTION afterwork.schedules_run(
	queues text[] DEFAULT NULL,
	moment timestamptz DEFAULT statement_timestamp(),
	most integer DEFAULT 100)
RETURNS TABLE (schedule_id bigint, slot_at timestamptz, job_id bigint,
	error text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = on SET enable_bitmapscan = on SET enable_sort = on
SET jit = off AS $$
DECLARE
	s     afterwork.schedule;
	slots timestamptz[];
	made  timestamptz[];
	later timestamptz;	-- when to look at it again
	fault text;
	busy  boolean;
	room  integer := most;
BEGIN
	FOR s IN
		SELECT d.* FROM afterwork.schedule d
		WHERE d.next_at <= moment
		  AND (queues IS NULL OR d.queue = ANY (queues))
		ORDER BY d.next_at, d.id LIMIT most
		FOR UPDATE SKIP LOCKED
	LOOP
		EXIT WHEN room <= 0;
		slots := '{}';
		made := '{}';
		later := NULL;
		fault := NULL;
		busy := false;
		BEGIN
			slots := afterwork.schedule_due(s, moment, room);
			later := afterwork.cron_next(s.fields, s.timezone,
			    CASE WHEN cardinality(slots) < room THEN moment
			    ELSE slots[room] END);
			made := afterwork.schedule_make(s, slots);
		EXCEPTION
		WHEN raise_exception OR invalid_parameter_value THEN
			fault := SQLERRM;
		WHEN lock_not_available OR deadlock_detected THEN
			busy := true;
		END;
		IF busy THEN
			UPDATE afterwork.schedule d
			SET next_at = moment + interval '5 s',
			    due_at = coalesce(d.due_at, d.next_at)
			WHERE d.id = s.id;
			CONTINUE;
		END IF;
		UPDATE afterwork.schedule d
		SET next_at = coalesce(later, moment + interval '1 hour'),
		    due_at = NULL,
		    passed_at = CASE WHEN coalesce(d.due_at, d.next_at)
		            < coalesce(slots[1], later)
		        THEN coalesce(d.due_at, d.next_at) ELSE d.passed_at END,
		    error = fault
		WHERE d.id = s.id;
		room := room - cardinality(made);
		IF fault IS NOT NULL THEN
			RETURN QUERY SELECT s.id, slots[1], NULL::bigint, fault;
		ELSE
			RETURN QUERY SELECT s.id, k.slot_at, k.job_id, NULL::text
			FROM afterwork.schedule_slot k
			WHERE k.schedule_id = s.id AND k.slot_at = ANY (made)
			ORDER BY k.slot_at;
		END IF;
	END LOOP;
END
$$;

-- An entry as Payload shows it.
CREATE OR REPLACE FUNCTION afterwork.schedule_doc(s afterwork.schedule,
	slot_at timestamptz)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object('scheduleConfig', jsonb_build_object(
	        'cron', s.cron, 'timezone', s.timezone, 'queue', s.queue,
	        'missed', s.missed),
	    'taskConfig', jsonb_build_object('slug', s.task),
	    'waitUntil', afterwork.iso(slot_at))
$$;

-- schedules_run() now, with Payload's answer: queued, with the job; errored,
-- with why; skipped, the entries that were not due, with when they will be.
CREATE OR REPLACE FUNCTION afterwork.handle_schedules(queues text[],
	OUT doc jsonb, OUT queued bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	looked bigint[];
BEGIN
	queued := 0;
	PERFORM FROM afterwork.schedule LIMIT 1;
	IF NOT FOUND THEN
		doc := jsonb_build_object('message', 'No jobs to schedule.');
		RETURN;
	END IF;
	SELECT jsonb_build_object('message', 'Success',
	        'queued', coalesce(jsonb_agg(afterwork.schedule_doc(s, r.slot_at)
	            || jsonb_build_object('job', jsonb_build_object('id', r.job_id)))
	            FILTER (WHERE r.error IS NULL), '[]'),
	        'errored', coalesce(jsonb_agg(afterwork.schedule_doc(s, r.slot_at)
	            || jsonb_build_object('error', r.error))
	            FILTER (WHERE r.error IS NOT NULL), '[]')),
	    count(r.job_id), coalesce(array_agg(s.id), '{}')
	INTO doc, queued, looked
	FROM afterwork.schedules_run(queues) r
	JOIN afterwork.schedule s ON s.id = r.schedule_id;
	doc := doc || jsonb_build_object('skipped', (
		SELECT coalesce(jsonb_agg(afterwork.schedule_doc(s,
		        coalesce(s.due_at, s.next_at))
		    ORDER BY coalesce(s.due_at, s.next_at), s.id), '[]')
		FROM afterwork.schedule s
		WHERE s.id <> ALL (looked)
		  AND (queues IS NULL OR s.queue = ANY (queues))));
END
$$;

-- Bring a task's entries in step with its task.json: what is as it was stays,
-- with the slot it waits for; what is new begins now; the rest goes.
CREATE OR REPLACE FUNCTION afterwork.schedules_sync(slug text, entries jsonb,
	home text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted jsonb;
	w      record;
	c      afterwork.cron;
	first  timestamptz;
BEGIN
	SELECT coalesce(jsonb_agg(jsonb_build_object(
	    'cron', btrim(regexp_replace(e ->> 'cron', '[ \t]+', ' ', 'g')),
	    'timezone', coalesce(e ->> 'timezone', 'UTC'),
	    'queue', coalesce(e ->> 'queue', home),
	    'missed', coalesce(e ->> 'missed', 'skip'))), '[]')
	INTO wanted FROM jsonb_array_elements(entries) AS e;

	DELETE FROM afterwork.schedule s
	WHERE s.task = slug AND NOT EXISTS (
		SELECT FROM jsonb_to_recordset(wanted) AS n (cron text,
		    timezone text, queue text)
		WHERE n.cron = s.cron AND n.timezone = s.timezone
		  AND n.queue = s.queue);
	FOR w IN
		SELECT n.cron, n.timezone, n.queue, n.missed
		FROM jsonb_to_recordset(wanted) AS n (cron text, timezone text,
		    queue text, missed text)
	LOOP
		UPDATE afterwork.schedule s SET missed = w.missed
		WHERE s.task = slug AND s.cron = w.cron
		  AND s.timezone = w.timezone AND s.queue = w.queue
		  AND s.missed <> w.missed;
		PERFORM FROM afterwork.schedule s
		WHERE s.task = slug AND s.cron = w.cron
		  AND s.timezone = w.timezone AND s.queue = w.queue;
		CONTINUE WHEN FOUND;
		c := afterwork.cron_parse(w.cron);
		first := afterwork.cron_next(c, w.timezone, clock_timestamp());
		IF NOT isfinite(first) THEN
			PERFORM afterwork.refuse('schedule', format(
			    'The cron expression "%s" never comes.', w.cron));
		END IF;
		-- Now, so that the call that makes a job need not.
		PERFORM afterwork.need_queue(w.queue);
		INSERT INTO afterwork.schedule (task, cron, timezone, queue,
		    missed, fields, next_at)
		VALUES (slug, w.cron, w.timezone, w.queue, w.missed, c, first);
	END LOOP;
END
$$;

-- Part of keep_house(): slots go as the jobs they made do, and an entry that
-- waits for a later slot than its next (the clock was ahead, and was set back)
-- waits for that one again; a slot that had its job does not get another.
-- Looks at most entries behind the one with this id, in their order, and returns
-- the last one's; null: there are no more.
CREATE OR REPLACE FUNCTION afterwork.schedules_keep(keep interval,
	moment timestamptz DEFAULT now(), behind bigint DEFAULT 0,
	most integer DEFAULT 50)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s     afterwork.schedule;
	first timestamptz;
	n     integer := 0;
BEGIN
	DELETE FROM afterwork.schedule_slot k
	WHERE k.ctid = ANY (ARRAY(SELECT o.ctid FROM afterwork.schedule_slot o
	    WHERE o.slot_at < moment - keep LIMIT 10000));
	FOR s IN
		SELECT d.* FROM afterwork.schedule d
		WHERE d.id > behind ORDER BY d.id LIMIT most
	LOOP
		n := n + 1;
		CONTINUE WHEN s.next_at <= moment;
		BEGIN
			first := afterwork.cron_next(s.fields, s.timezone, moment);
			UPDATE afterwork.schedule d SET next_at = first
			WHERE d.id = s.id AND d.next_at > first;
		EXCEPTION WHEN invalid_parameter_value OR lock_not_available THEN
			NULL;	-- a zone that is gone: error tells; else next time
		END;
	END LOOP;
	RETURN CASE WHEN n = most THEN s.id END;
END
$$;

-- What is wrong with schedules, for `afterwork doctor`; no row: nothing.
--   late     due for two minutes and more: nobody pings, or only with
--            disableScheduling; or a transaction that is left open keeps its
--            job from being made
--   passed   slots were passed over in the last day: pings are too rare for
--            "missed": "skip", or did not come
--   failing  the last jobs could not be made
CREATE OR REPLACE FUNCTION afterwork.schedules_late(
	moment timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (problem text, task text, cron text, timezone text, queue text,
	missed text, since timestamptz, error text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.problem, s.task, s.cron, s.timezone, s.queue, s.missed, p.since,
	    s.error
	FROM afterwork.schedule s, LATERAL (VALUES
	    ('late', coalesce(s.due_at, s.next_at), coalesce(s.due_at, s.next_at)
	        < moment - interval '2 minutes'),
	    ('passed', s.passed_at, s.missed = 'skip'
	        AND s.passed_at > moment - interval '1 day'),
	    ('failing', NULL, s.error IS NOT NULL)
	) AS p (problem, since, holds)
	WHERE p.holds
	ORDER BY s.task, s.id, p.problem
$$;
