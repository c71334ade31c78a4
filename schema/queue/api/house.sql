-- Keeping house: what is to be done once an hour, in bounds that hold whatever
-- the tables hold.
--
-- It is two statements, so that nothing that sweeps can hold up, or undo, the
-- partitions; and each stops by itself long before a login's statement_timeout.

-- Keep one half of the house, or (null) both: 'partitions' of history, and
-- 'sweeps'.  Runs once an hour, after outlook() said so, and again in a minute
-- while a sweep is not through; does nothing when another runner is at it.
--
-- 'ping' does neither: it notes that a run call came, for the doctor.  Run calls
-- alone do so, and only when outlook() says so, every ten minutes.
CREATE OR REPLACE FUNCTION afterwork.keep_house(keep interval,
	half text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '250ms' AS $$
DECLARE
	more boolean := false;
BEGIN
	PERFORM FROM afterwork.upkeep FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	IF half = 'ping' THEN
		UPDATE afterwork.upkeep SET pinged_at = now();
		RETURN;
	END IF;
	-- Partitions last, where it is one transaction: they shut history.
	IF half IS DISTINCT FROM 'partitions' THEN
		BEGIN
			more := afterwork.sweep(keep);
		EXCEPTION WHEN lock_not_available THEN
			more := true;	-- somebody has the queues' own table
		END;
	END IF;
	IF half IS DISTINCT FROM 'sweeps' THEN
		PERFORM afterwork.partitions_keep(keep);
	END IF;
	UPDATE afterwork.upkeep SET next_at = now()
	    + CASE WHEN more THEN interval '1 minute' ELSE '1 hour' END;
END
$$;

-- Partitions of history for today and three days to come, and none whose last
-- day is older than keep.
--
-- Making or dropping one shuts history, and with it every settle(), from then
-- to the end of the transaction.  Hence nothing comes after one that had to wait
-- in vain.
CREATE OR REPLACE FUNCTION afterwork.partitions_keep(keep interval)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	day  date;
	part text;
BEGIN
	FOR day IN SELECT generate_series((now() AT TIME ZONE 'UTC')::date,
	    (now() AT TIME ZONE 'UTC')::date + 3, interval '1 day') LOOP
		BEGIN
			EXECUTE format('CREATE TABLE IF NOT EXISTS afterwork.%I '
			    'PARTITION OF afterwork.history FOR VALUES FROM (%L) TO (%L)',
			    'history_' || to_char(day, 'YYYYMMDD'),
			    day || ' 00:00+00', (day + 1) || ' 00:00+00');
		EXCEPTION
		WHEN check_violation THEN
			NULL;	-- the default partition has rows of that day
		WHEN lock_not_available THEN
			RETURN;	-- ... and takes them until the next hour
		END;
	END LOOP;
	FOR part IN
		SELECT c.relname FROM pg_catalog.pg_inherits i
		JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'afterwork.history'::regclass
		  AND c.relname ~ '^history_[0-9]{8}$'
		  AND to_date(right(c.relname, 8), 'YYYYMMDD') + 1
		      < (now() - keep) AT TIME ZONE 'UTC'
		ORDER BY c.relname
	LOOP
		BEGIN
			EXECUTE format('DROP TABLE afterwork.%I', part);
		EXCEPTION
		WHEN dependent_objects_still_exist THEN
			NULL;	-- somebody made a view of it
		WHEN lock_not_available THEN
			RETURN;	-- somebody reads it; next hour
		END;
	END LOOP;
END
$$;

-- Sweep what is over: rows of history that have no day's partition; schedules;
-- and, queue by queue, places, periods and the queue itself.  That goes piece by
-- piece and ends after span, and the next call goes on from there: true, there
-- is more.
CREATE OR REPLACE FUNCTION afterwork.sweep(keep interval,
	span interval DEFAULT '1 s')
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ends  timestamptz := clock_timestamp() + span;
	here  text;
	what  text;
	after text;
	more  boolean;
	gone  integer := 0;
	held  boolean := false;	-- somebody has a table, or a row, for long
BEGIN
	BEGIN
		DELETE FROM afterwork.history_default h
		WHERE h.ctid = ANY (ARRAY(
		    SELECT o.ctid FROM afterwork.history_default o
		    WHERE o.finished_at < now() - keep LIMIT 10000));
		GET DIAGNOSTICS gone = ROW_COUNT;
	EXCEPTION WHEN lock_not_available THEN
		held := true;
	END;
	SELECT u.left_off[1], u.left_off[2], u.left_off[3]
	INTO what, here, after FROM afterwork.upkeep u;
	what := coalesce(what, 'schedules');
	LOOP
		BEGIN
			CASE what
			WHEN 'schedules' THEN
				after := afterwork.schedules_keep(keep,
				    behind => coalesce(after, '0')::bigint);
			WHEN 'places' THEN
				after := afterwork.places_keep(here, coalesce(after, ''));
			WHEN 'periods' THEN
				after := afterwork.periods_keep(here, coalesce(after, ''));
			WHEN 'queue' THEN
				PERFORM afterwork.queue_keep(here);
			END CASE;
		EXCEPTION WHEN lock_not_available THEN
			held := true;
			after := NULL;	-- on to the next kind
		END;
		IF after IS NULL AND what IN ('schedules', 'queue') THEN
			what := 'places';
			here := afterwork.queue_behind(coalesce(here, ''));
			EXIT WHEN here IS NULL;
		ELSIF after IS NULL THEN
			what := CASE what WHEN 'places' THEN 'periods' ELSE 'queue' END;
		END IF;
		EXIT WHEN clock_timestamp() >= ends;
	END LOOP;
	more := here IS NOT NULL OR what = 'schedules';
	UPDATE afterwork.upkeep
	SET left_off = CASE WHEN more THEN ARRAY[what, here, after] END;
	RETURN more OR held OR gone = 10000;
END
$$;

-- Unique keys whose time is over go.  Looks at most keys behind after, in their
-- order, and returns the last one; null: there are no more.
CREATE OR REPLACE FUNCTION afterwork.periods_keep(here text,
	after text DEFAULT '', most integer DEFAULT 10000)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	names text[];	-- the keys, ascending
BEGIN
	names := ARRAY(
		SELECT u.unique_key FROM afterwork.unique_period u
		WHERE u.queue = here AND u.unique_key > after
		ORDER BY u.unique_key LIMIT most);
	DELETE FROM afterwork.unique_period u
	WHERE u.queue = here AND u.unique_key = ANY (ARRAY(
		SELECT o.unique_key FROM afterwork.unique_period o
		WHERE o.queue = here AND o.unique_key > after
		  AND o.unique_key <= names[cardinality(names)]
		  AND o.until < now()
		FOR UPDATE SKIP LOCKED));
	RETURN names[most];
END
$$;
