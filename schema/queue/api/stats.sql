-- How queues do, at a cost that does not grow with what they hold or held.
--
-- Nothing is counted where jobs are enqueued, claimed or settled.  What waits is
-- counted by index up to 10,000, and beyond that as the planner expects it.
-- What ended in the last hour is added up by minute, by those who ask: a minute
-- that is over and complete is read once, and the rest, the newest 10,000 jobs
-- of it, each time.

-- The bucket of a span: each is a tenth wider than the one before, the first
-- ends at 0.1 ms, the last begins after some days.
CREATE OR REPLACE FUNCTION afterwork.bucket(span interval)
RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN span <= interval '0.1 ms' THEN 0
	    ELSE least(ceil(ln(extract(epoch FROM span)::float8 * 10000)
	        / ln(1.1::float8)), 255) END::smallint
$$;

-- p50, p95 and p99 of a histogram in milliseconds, to within a twentieth; null
-- of an empty one.
CREATE OR REPLACE FUNCTION afterwork.percentiles(buckets smallint[],
	counts bigint[])
RETURNS double precision[] LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
	WITH h AS (
		SELECT b.bucket, sum(sum(b.n)) OVER (ORDER BY b.bucket) AS upto,
		    sum(sum(b.n)) OVER () AS n
		FROM unnest(buckets, counts) AS b (bucket, n) GROUP BY b.bucket
	)
	SELECT array_agg((
		SELECT round((0.1 * 1.1 ^ (min(h.bucket) - 0.5))::numeric, 3)::float8
		FROM h WHERE h.upto >= p.p * h.n) ORDER BY p.p)
	FROM (VALUES (0.5), (0.95), (0.99)) AS p (p)
$$;

-- Jobs of one queue that ended well in [since, till): how many, and histograms.
-- Reads the newest most of them (null: all); then oldest is where it stopped,
-- else since.
CREATE OR REPLACE FUNCTION afterwork.ended_well(here text, since timestamptz,
	till timestamptz, most bigint, OUT done bigint, OUT oldest timestamptz,
	OUT latency_buckets smallint[], OUT latency_counts bigint[],
	OUT duration_buckets smallint[], OUT duration_counts bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET jit = off AS $$
BEGIN
	WITH h AS MATERIALIZED (
		SELECT h.finished_at,
		    afterwork.bucket(h.started_at - h.run_at) AS latency,
		    afterwork.bucket(h.finished_at - h.started_at) AS duration
		FROM afterwork.history h
		WHERE h.queue = here AND h.finished_at >= since
		  AND h.finished_at < till AND h.state = 'done'
		ORDER BY h.finished_at DESC LIMIT most
	), l AS (
		SELECT array_agg(g.latency) AS b, array_agg(g.n) AS n
		FROM (SELECT h.latency, count(*) AS n FROM h GROUP BY h.latency) g
	), d AS (
		SELECT array_agg(g.duration) AS b, array_agg(g.n) AS n
		FROM (SELECT h.duration, count(*) AS n FROM h GROUP BY h.duration) g
	)
	SELECT a.n, CASE WHEN a.n < most THEN since ELSE a.oldest END,
	    coalesce(l.b, '{}'), coalesce(l.n, '{}'),
	    coalesce(d.b, '{}'), coalesce(d.n, '{}')
	INTO done, oldest, latency_buckets, latency_counts, duration_buckets,
	    duration_counts
	FROM (SELECT count(*) AS n, min(h.finished_at) AS oldest FROM h) a, l, d;
END
$$;

-- Add up minutes that are complete: their end lies two minutes back, and every
-- transaction that had begun to write by then has ended, so that none of their
-- rows is still to come.  (A transaction of a runner lives half an hour at
-- most; one of somebody else's that is older holds this up no longer.)  At most
-- 50,000 rows a call, or one minute; one caller at a time, others go on with
-- what there is.  What lies more than an hour back is of no interest.
CREATE OR REPLACE FUNCTION afterwork.stats_roll(
	moment timestamptz DEFAULT clock_timestamp())
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	mark afterwork.stats_mark;
	here text;
	r    record;
	room bigint := 50000;
BEGIN
	SELECT m.* INTO mark FROM afterwork.stats_mark m FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	mark.upto := greatest(mark.upto,
	    date_trunc('minute', moment) - interval '1 hour');
	IF mark.goal <= mark.upto THEN
		mark.goal := date_trunc('minute', moment - interval '2 minutes');
		-- Not the snapshot's xmax: one that runs may be beyond it.
		mark.fence := pg_current_xact_id();
	END IF;
	IF pg_snapshot_xmin(pg_current_snapshot()) >= mark.fence
	   OR mark.goal < moment - interval '35 minutes' THEN
		WHILE mark.upto < mark.goal AND room > 0 LOOP
			FOR here IN SELECT q.name FROM afterwork.queue q LOOP
				r := afterwork.ended_well(here, mark.upto,
				    mark.upto + interval '1 minute', NULL);
				CONTINUE WHEN r.done = 0;
				room := room - r.done;
				INSERT INTO afterwork.minute (queue, minute, done,
				    latency_buckets, latency_counts,
				    duration_buckets, duration_counts)
				VALUES (here, mark.upto, r.done, r.latency_buckets,
				    r.latency_counts, r.duration_buckets,
				    r.duration_counts)
				ON CONFLICT DO NOTHING;
			END LOOP;
			mark.upto := mark.upto + interval '1 minute';
		END LOOP;
		FOR here IN SELECT q.name FROM afterwork.queue q LOOP
			DELETE FROM afterwork.minute m
			WHERE m.queue = here
			  AND m.minute < moment - interval '2 hours';
		END LOOP;
	END IF;
	UPDATE afterwork.stats_mark m
	SET upto = mark.upto, goal = mark.goal, fence = mark.fence
	WHERE (m.upto, m.goal) <> (mark.upto, mark.goal);
END
$$;

-- How many, when some were counted and there are more: what the planner expects
-- where that is larger.
CREATE OR REPLACE FUNCTION afterwork.beyond(counted bigint, relation text,
	here text, state text)
RETURNS bigint LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN counted <= 10000 THEN counted
	ELSE greatest(counted, afterwork.expected_rows(format(
	    'SELECT FROM afterwork.%I j WHERE j.queue = %L AND j.state = %L',
	    relation, here, state))) END
$$;

-- What waits in one queue.  Each number is counted up to 10,000 (approximate
-- tells that one was beyond); held jobs are looked for among the first 10,000
-- in claim order, where claims leave them.
CREATE OR REPLACE FUNCTION afterwork.stats_live(here text, OUT ready bigint,
	OUT delayed bigint, OUT blocked bigint, OUT running bigint,
	OUT failed bigint, OUT oldest_ready_ms bigint, OUT approximate boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
	seen  bigint;
	keyed bigint;
BEGIN
	SELECT count(*), count(*) FILTER (WHERE
	    j.lease_until > clock_timestamp())
	INTO seen, running
	FROM (SELECT j.lease_until FROM afterwork.job j
	      WHERE j.queue = here AND j.state = 'ready'
	      ORDER BY j.priority, j.run_at, j.id LIMIT 10001) j;
	SELECT count(*) INTO delayed
	FROM (SELECT FROM afterwork.job j
	      WHERE j.queue = here AND j.state = 'delayed'
	      ORDER BY j.run_at, j.id LIMIT 10001) j;
	SELECT count(*), count(*) FILTER (WHERE j.state = 'blocked')
	INTO keyed, blocked
	FROM (SELECT j.state FROM afterwork.job j
	      WHERE j.queue = here AND j.concurrency_key IS NOT NULL
	      ORDER BY j.concurrency_key, j.state, j.priority, j.run_at, j.id
	      LIMIT 10001) j;
	SELECT count(*) INTO failed
	FROM (SELECT FROM afterwork.failed f WHERE f.queue = here
	      ORDER BY f.finished_at LIMIT 10001) f;
	approximate := greatest(seen, delayed, keyed, failed) > 10000;
	IF approximate THEN
		seen := afterwork.beyond(seen, 'job', here, 'ready');
		delayed := afterwork.beyond(delayed, 'job', here, 'delayed');
		failed := afterwork.beyond(failed, 'failed', here, 'failed');
		IF keyed > 10000 THEN
			blocked := greatest(blocked, afterwork.expected_rows(format(
			    'SELECT FROM afterwork.job j WHERE j.queue = %L '
			    'AND j.state = %L', here, 'blocked')));
		END IF;
	END IF;
	ready := seen - running;
	oldest_ready_ms := (extract(epoch FROM clock_timestamp()
	    - afterwork.oldest_ready(here)) * 1000)::bigint;
END
$$;

-- When the job that waits longest came due: the first of each priority (of up
-- to 100) that nobody holds.
CREATE OR REPLACE FUNCTION afterwork.oldest_ready(here text)
RETURNS timestamptz LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET jit = off AS $$
DECLARE
	rank   integer := -2147483648;
	due    timestamptz;
	oldest timestamptz;
BEGIN
	FOR turn IN 1..100 LOOP
		SELECT j.priority INTO rank FROM afterwork.job j
		WHERE j.queue = here AND j.state = 'ready' AND j.priority >= rank
		ORDER BY j.priority, j.run_at, j.id LIMIT 1;
		EXIT WHEN NOT FOUND;
		SELECT j.run_at INTO due FROM afterwork.job j
		WHERE j.queue = here AND j.state = 'ready' AND j.priority = rank
		  AND (j.lease_until IS NULL
		       OR j.lease_until <= clock_timestamp())
		ORDER BY j.priority, j.run_at, j.id LIMIT 1;
		oldest := least(oldest, due);
		EXIT WHEN rank = 2147483647;
		rank := rank + 1;
	END LOOP;
	RETURN oldest;
END
$$;

-- The minutes of one queue in [since, till), added up.
CREATE OR REPLACE FUNCTION afterwork.minutes(here text, since timestamptz,
	till timestamptz, OUT done bigint,
	OUT latency_buckets smallint[], OUT latency_counts bigint[],
	OUT duration_buckets smallint[], OUT duration_counts bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET jit = off AS $$
BEGIN
	WITH m AS MATERIALIZED (
		SELECT m.* FROM afterwork.minute m
		WHERE m.queue = here AND m.minute >= since AND m.minute < till
	), l AS (
		SELECT array_agg(g.bucket) AS b, array_agg(g.n) AS n
		FROM (SELECT u.bucket, sum(u.n)::bigint AS n
		      FROM m, unnest(m.latency_buckets, m.latency_counts)
		          AS u (bucket, n)
		      GROUP BY u.bucket) g
	), d AS (
		SELECT array_agg(g.bucket) AS b, array_agg(g.n) AS n
		FROM (SELECT u.bucket, sum(u.n)::bigint AS n
		      FROM m, unnest(m.duration_buckets, m.duration_counts)
		          AS u (bucket, n)
		      GROUP BY u.bucket) g
	)
	SELECT (SELECT coalesce(sum(m.done), 0) FROM m),
	    coalesce(l.b, '{}'), coalesce(l.n, '{}'),
	    coalesce(d.b, '{}'), coalesce(d.n, '{}')
	INTO done, latency_buckets, latency_counts, duration_buckets,
	    duration_counts
	FROM l, d;
END
$$;

-- An older form of this file let whoever asks say when it is: minutes that
-- have not come would be closed, and those that count thrown away.
DROP FUNCTION IF EXISTS afterwork.stats(timestamptz);

-- What stats() says, as of moment.  For the owner alone: no login that asks for
-- figures may say when it is.
CREATE OR REPLACE FUNCTION afterwork.stats_at(moment timestamptz)
RETURNS TABLE (queue text, paused boolean, ready bigint, delayed bigint,
	blocked bigint, running bigint, failed bigint, done_last_hour bigint,
	oldest_ready_ms bigint, latency_ms double precision[],
	duration_ms double precision[], approximate boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	since timestamptz := moment - interval '1 hour';
	upto  timestamptz;
	q     record;
	live  record;
	fresh record;
	old   record;
	part  double precision; -- of the time that is not added up: looked at
BEGIN
	PERFORM afterwork.stats_roll(moment);
	SELECT greatest(m.upto, since) INTO upto FROM afterwork.stats_mark m;
	FOR q IN SELECT k.name, k.paused FROM afterwork.queue k ORDER BY k.name
	LOOP
		live := afterwork.stats_live(q.name);
		fresh := afterwork.ended_well(q.name, upto, 'infinity', 10001);
		old := afterwork.minutes(q.name, since, upto);
		part := CASE WHEN fresh.oldest > upto
		    THEN least(greatest(extract(epoch FROM moment - fresh.oldest),
		        0.001) / greatest(extract(epoch FROM moment - upto), 0.001),
		        1)
		    ELSE 1 END;
		queue := q.name;
		paused := q.paused;
		ready := live.ready;
		delayed := live.delayed;
		blocked := live.blocked;
		running := live.running;
		failed := live.failed;
		oldest_ready_ms := live.oldest_ready_ms;
		done_last_hour := old.done + (fresh.done / part)::bigint;
		approximate := live.approximate OR fresh.oldest > upto;
		IF part < 1 THEN
			fresh.latency_counts := ARRAY(SELECT (c.n / part)::bigint
			    FROM unnest(fresh.latency_counts) WITH ORDINALITY
			    AS c (n, i) ORDER BY c.i);
			fresh.duration_counts := ARRAY(SELECT (c.n / part)::bigint
			    FROM unnest(fresh.duration_counts) WITH ORDINALITY
			    AS c (n, i) ORDER BY c.i);
		END IF;
		latency_ms := afterwork.percentiles(
		    fresh.latency_buckets || old.latency_buckets,
		    fresh.latency_counts || old.latency_counts);
		duration_ms := afterwork.percentiles(
		    fresh.duration_buckets || old.duration_buckets,
		    fresh.duration_counts || old.duration_counts);
		RETURN NEXT;
	END LOOP;
END
$$;

-- How a queue does: one row a queue.  Latency is from run_at to the start,
-- duration from the start to the end: p50, p95 and p99 in milliseconds, to
-- within a twentieth, of the jobs that ended well in the last hour (to the
-- minute).  approximate: something was more than is counted; then numbers are
-- the planner's, and of what is not added up yet the newest 10,000 stand for
-- the rest.
CREATE OR REPLACE FUNCTION afterwork.stats()
RETURNS TABLE (queue text, paused boolean, ready bigint, delayed bigint,
	blocked bigint, running bigint, failed bigint, done_last_hour bigint,
	oldest_ready_ms bigint, latency_ms double precision[],
	duration_ms double precision[], approximate boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT s.* FROM afterwork.stats_at(clock_timestamp()) s
$$;

-- The same as the API answers it.
CREATE OR REPLACE FUNCTION afterwork.stats_doc()
RETURNS jsonb LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object('queues', coalesce(jsonb_agg(
	    jsonb_build_object('queue', s.queue, 'paused', s.paused,
	        'ready', s.ready, 'delayed', s.delayed, 'blocked', s.blocked,
	        'running', s.running, 'failed', s.failed,
	        'doneLastHour', s.done_last_hour,
	        'oldestReadyAgeMs', s.oldest_ready_ms,
	        'latencyMs', jsonb_build_object('p50', s.latency_ms[1],
	            'p95', s.latency_ms[2], 'p99', s.latency_ms[3]),
	        'durationMs', jsonb_build_object('p50', s.duration_ms[1],
	            'p95', s.duration_ms[2], 'p99', s.duration_ms[3]),
	        'approximate', s.approximate)
	    ORDER BY s.queue), '[]'))
	FROM afterwork.stats() s
$$;
