-- What is wrong in the database, for `afterwork doctor`.
--
-- A finding is a topic, a level (ok, warn, bad), what there is to see, and what
-- to do about it.  Each function here looks at one matter and returns only what
-- is not well; doctor() puts them together, with a line for each matter that
-- is.  Everything is bounded: of a queue's waiting jobs the first 10,000 in
-- claim order are looked at.

-- For a test that wants the clock elsewhere.
CREATE OR REPLACE FUNCTION afterwork.doctor_now()
RETURNS timestamptz LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
	SELECT clock_timestamp()
$$;

-- A time for people: "3 days", "2 h", "5 min".
CREATE OR REPLACE FUNCTION afterwork.doctor_span(span interval)
RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN span >= interval '2 days'
	        THEN floor(extract(epoch FROM span) / 86400) || ' days'
	    WHEN span >= interval '2 hours'
	        THEN floor(extract(epoch FROM span) / 3600) || ' h'
	    WHEN span >= interval '2 minutes'
	        THEN floor(extract(epoch FROM span) / 60) || ' min'
	    ELSE floor(extract(epoch FROM span)) || ' s' END
$$;

-- The server: its version and settings that lose jobs or let tables rot.
CREATE OR REPLACE FUNCTION afterwork.doctor_server(
	version integer DEFAULT current_setting('server_version_num')::integer)
RETURNS TABLE (topic text, level text, what text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'postgresql', CASE WHEN version < 150000 THEN 'bad' ELSE 'warn' END,
	    format('PostgreSQL %s.%s', version / 10000, version % 10000),
	    CASE WHEN version < 150000 THEN 'use PostgreSQL 15 or later'
	    ELSE format('update to %s.%s or later, which mends what can lose or '
	        'expose data', m.major, m.minor) END
	FROM (VALUES (15, 8), (16, 4), (17, 1)) AS m (major, minor)
	WHERE (m.major = version / 10000 AND m.minor > version % 10000)
	   OR (version < 150000 AND m.major = 15)
	UNION ALL
	SELECT 'durability', 'bad', s.name || ' is off', 'set ' || s.name
	    || ' = on: a crash of the machine destroys the database'
	FROM pg_catalog.pg_settings s
	WHERE s.name IN ('fsync', 'full_page_writes') AND s.setting = 'off'
	UNION ALL
	SELECT 'durability', 'warn', 'synchronous_commit is off', 'set '
	    'synchronous_commit = on: after a crash of the server jobs that were '
	    'answered for are gone, and others run twice'
	WHERE current_setting('synchronous_commit') = 'off'
	UNION ALL
	SELECT 'durability', 'warn', format('synchronous_commit is off for %s',
	        string_agg(coalesce(r.rolname, CASE s.setdatabase
	            WHEN 0 THEN 'all logins' ELSE 'this database' END), ', '
	        ORDER BY r.rolname)), string_agg(DISTINCT CASE
	        WHEN s.setrole = 0 AND s.setdatabase = 0 THEN 'ALTER ROLE ALL'
	        WHEN s.setrole = 0 THEN 'ALTER DATABASE …'
	        WHEN s.setdatabase = 0 THEN 'ALTER ROLE …'
	        ELSE 'ALTER ROLE … IN DATABASE …' END
	        || ' RESET synchronous_commit', '; ')
	FROM pg_catalog.pg_db_role_setting s
	LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
	JOIN pg_catalog.pg_database d ON d.datname = current_database()
	WHERE s.setdatabase IN (0, d.oid)
	  AND (r.rolname LIKE 'afterwork%' OR s.setrole = 0)
	  AND s.setconfig @> ARRAY['synchronous_commit=off']
	HAVING count(*) > 0
	UNION ALL
	SELECT 'autovacuum', 'bad', s.name || ' is off', 'set ' || s.name
	    || ' = on: every claim reads past what nobody clears away'
	FROM pg_catalog.pg_settings s
	WHERE s.name IN ('autovacuum', 'track_counts') AND s.setting = 'off'
	UNION ALL
	SELECT 'autovacuum', 'bad', format('autovacuum is off for %s',
	    c.oid::regclass), format('ALTER TABLE %s RESET (autovacuum_enabled)',
	    c.oid::regclass)
	FROM pg_catalog.pg_class c
	WHERE c.relnamespace = 'afterwork'::regnamespace
	  AND c.reloptions::text ~ 'autovacuum_enabled=(false|off|no|0)'
$$;

-- Who keeps dead rows from being cleared away: transactions, also prepared
-- ones, and replication slots.
CREATE OR REPLACE FUNCTION afterwork.doctor_transactions(patience interval)
RETURNS TABLE (topic text, level text, what text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'transactions',
	    CASE WHEN o.age > patience * 12 THEN 'bad' ELSE 'warn' END,
	    format('a transaction of %s (process %s, %s) is open for %s',
	        o.usename, o.pid, coalesce(nullif(o.application_name, ''), 'no name'),
	        afterwork.doctor_span(o.age)),
	    format('end it: SELECT pg_terminate_backend(%s); while it is open, '
	        'dead rows stay and claims grow slow', o.pid)
	FROM (SELECT a.usename, a.pid, a.application_name,
	          clock_timestamp() - a.xact_start AS age
	      FROM pg_catalog.pg_stat_activity a
	      WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
	        AND a.backend_type = 'client backend'
	        AND a.xact_start < clock_timestamp() - patience
	      ORDER BY a.xact_start LIMIT 5) o
	UNION ALL
	SELECT 'transactions', 'bad',
	    format('the prepared transaction "%s" of %s waits for %s', p.gid,
	        p.owner, afterwork.doctor_span(clock_timestamp() - p.prepared)),
	    format('COMMIT PREPARED or ROLLBACK PREPARED %L', p.gid)
	FROM pg_catalog.pg_prepared_xacts p
	WHERE p.database = current_database()
	  AND p.prepared < clock_timestamp() - patience
	UNION ALL
	SELECT 'transactions', 'warn',
	    format('the replication slot "%s" holds back %s transactions',
	        s.slot_name, greatest(age(s.xmin), age(s.catalog_xmin))),
	    'let its standby catch up, or drop it'
	FROM pg_catalog.pg_replication_slots s
	WHERE greatest(age(s.xmin), age(s.catalog_xmin)) > 1000000
	UNION ALL
	SELECT 'transactions', 'warn',
	    format('%s connections of other logins cannot be looked at', count(*)),
	    format('GRANT pg_read_all_stats TO %I', current_user)
	FROM pg_catalog.pg_stat_activity a
	WHERE a.datname = current_database() AND a.backend_type IS NULL
	  AND NOT pg_has_role('pg_read_all_stats', 'USAGE')
	HAVING count(*) > 0
$$;

-- Hot tables with more dead rows, or more pages, than live rows account for.
CREATE OR REPLACE FUNCTION afterwork.doctor_bloat()
RETURNS TABLE (topic text, level text, what text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'bloat', CASE WHEN t.dead > 10 * t.live + 500000 THEN 'bad'
	        ELSE 'warn' END,
	    format('afterwork.%s has %s dead rows beside %s', t.relname, t.dead,
	        t.live),
	    format('end old transactions, then VACUUM afterwork.%s', t.relname)
	FROM (SELECT s.relname, s.n_dead_tup AS dead, s.n_live_tup AS live
	      FROM pg_catalog.pg_stat_all_tables s
	      WHERE s.schemaname = 'afterwork' AND s.relname IN ('job', 'place',
	          'queue', 'upkeep', 'unique_period')) t
	WHERE t.dead > 50000 AND t.dead > 2 * t.live
	UNION ALL
	SELECT 'bloat', 'warn', format('afterwork.%s takes %s for %s rows',
	        t.relname, pg_size_pretty(t.bytes), t.live),
	    format('when it is quiet: VACUUM FULL afterwork.%s', t.relname)
	FROM (SELECT s.relname, s.n_live_tup AS live,
	          pg_relation_size(s.relid) AS bytes
	      FROM pg_catalog.pg_stat_all_tables s
	      WHERE s.schemaname = 'afterwork' AND s.relname = 'job'
	        AND s.n_dead_tup <= 50000) t
	WHERE t.bytes > 64 * 1024 * 1024 AND t.bytes > (t.live + 10000) * 4096
$$;

-- History's partitions.
CREATE OR REPLACE FUNCTION afterwork.doctor_history()
RETURNS TABLE (topic text, level text, what text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'history', CASE WHEN m.day = m.today THEN 'bad' ELSE 'warn' END,
	    format('there is no partition for %s', to_char(m.day, 'YYYY-MM-DD')),
	    CASE WHEN EXISTS (SELECT FROM afterwork.history_default h
	        WHERE h.finished_at >= m.day::timestamp AT TIME ZONE 'UTC')
	    THEN 'move that day''s rows out of afterwork.history_default, then '
	        'afterwork migrate'
	    ELSE 'afterwork migrate, and see that pings come' END
	FROM (SELECT t.today, t.today + n AS day
	      FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) t,
	          generate_series(0, 1) n) m
	WHERE to_regclass('afterwork.history_' || to_char(m.day, 'YYYYMMDD'))
	    IS NULL
	UNION ALL
	SELECT 'history', 'warn', format('%s%s ended jobs lie in '
	        'afterwork.history_default', least(count(*), 10000),
	        CASE WHEN count(*) > 10000 THEN '+' ELSE '' END),
	    'they came while a day''s partition was missing; they go with '
	    'RETENTION, row by row'
	FROM (SELECT FROM afterwork.history_default LIMIT 10001) h
	HAVING count(*) > 0
$$;

-- Do pings come, is the house kept, and do schedules come?  A ping that finds
-- nothing to do leaves no trace but pinged_at, every ten minutes; the house may
-- be kept by any runner, and tells of no ping.
CREATE OR REPLACE FUNCTION afterwork.doctor_pings()
RETURNS TABLE (topic text, level text, what text, remedy text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- (plpgsql, since schedules_late() comes in a later file.)
	RETURN QUERY SELECT 'pings', CASE
	        WHEN u.pinged_at > now() - interval '2 hours' THEN 'warn'
	        ELSE 'bad' END,
	    CASE WHEN u.pinged_at IS NULL THEN 'no ping has ever been seen'
	    ELSE format('no ping has been seen since %s (UTC)',
	        to_char(u.pinged_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
	    END,
	    'see that the scheduler calls /api/payload-jobs/run?allQueues=true '
	    'every minute and is answered 200: afterwork cron --print crontab; '
	    'a ping that finds no slot free is not seen: if none ever does, '
	    'raise RUNNER_SLOTS'
	FROM afterwork.upkeep u
	WHERE coalesce(u.pinged_at < now() - interval '1 hour', true)
	UNION ALL
	SELECT 'house', CASE WHEN u.next_at < now() - interval '1 hour'
	        THEN 'bad' ELSE 'warn' END,
	    CASE WHEN isfinite(u.next_at) THEN format('it was to be kept at %s '
	        '(UTC), and no runner has done so',
	        to_char(u.next_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
	    ELSE 'no runner has ever kept it' END,
	    'see that pings come; if they do, see why the log of run says "could '
	    'not keep the house"'
	FROM afterwork.upkeep u
	WHERE u.next_at < now() - interval '10 minutes'
	UNION ALL
	SELECT 'schedules', CASE WHEN l.problem = 'passed' THEN 'warn'
	        ELSE 'bad' END,
	    format('%s, "%s" %s: %s', l.task, l.cron, l.timezone,
	    CASE l.problem
	        WHEN 'late' THEN format('due since %s (UTC)',
	            to_char(l.since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
	        WHEN 'passed' THEN format('slots since %s (UTC) were passed over',
	            to_char(l.since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
	        ELSE coalesce(l.error, 'its job cannot be made') END),
	    CASE l.problem
	        WHEN 'late' THEN 'see that pings come, without disableScheduling'
	        WHEN 'passed' THEN 'let pings come oftener, or give it "missed": '
	            '"one"'
	        ELSE 'mend the task, then afterwork tasks sync' END
	FROM afterwork.schedules_late() l;
END
$$;

-- What waits: jobs that nobody takes, whose task is gone, whose lease ran out
-- and nobody came; and failed ones that nobody looks after.
CREATE OR REPLACE FUNCTION afterwork.doctor_jobs()
RETURNS TABLE (topic text, level text, what text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH seen AS MATERIALIZED (
		SELECT q.name, q.paused, q.limited, w.task, w.run_at, w.lease_no,
		    w.lease_until, t.slug, t.retired_at
		FROM afterwork.queue q, LATERAL (
			SELECT j.task, j.run_at, j.lease_no, j.lease_until
			FROM afterwork.job j
			WHERE j.queue = q.name AND j.state = 'ready'
			ORDER BY j.priority, j.run_at, j.id LIMIT 10000) w
		LEFT JOIN afterwork.task t ON t.slug = w.task
	)
	SELECT 'tasks', 'bad', format('%s jobs in "%s" are of "%s", which is '
	        'not registered', count(*), s.name, s.task),
	    format('put its folder into TASKS_DIR and run afterwork tasks sync, '
	        'or cancel them')
	FROM seen s WHERE s.slug IS NULL OR s.retired_at IS NOT NULL
	GROUP BY s.name, s.task
	UNION ALL
	SELECT 'tasks', 'bad', format('%s jobs of "%s" in "%s" wait for %s, and '
	        'no runner takes them', w.n, w.task, w.name,
	        afterwork.doctor_span(now() - w.first)),
	    'is its handler on a host that runs jobs, may the runner''s user '
	    'execute it, and does its timeout fit MAX_DURATION?'
	FROM (SELECT s.task, s.name, min(s.run_at) AS first, count(*) AS n
	      FROM seen s
	      WHERE s.retired_at IS NULL AND s.slug IS NOT NULL AND NOT s.paused
	        AND s.lease_no IS NULL
	        AND s.run_at < now() - interval '10 minutes'
	      GROUP BY s.task, s.name) w
	-- Later ones of that queue have been taken.
	WHERE EXISTS (SELECT FROM afterwork.history h
	    WHERE h.queue = w.name AND h.finished_at > now() - interval '1 hour'
	      AND h.run_at > w.first)
	UNION ALL
	SELECT 'backlog', 'warn', format('the oldest job of "%s" waits for %s',
	        s.name, afterwork.doctor_span(now() - min(s.run_at))),
	    CASE WHEN bool_or(s.limited) THEN 'raise the queue''s limit, or '
	        'RUNNER_SLOTS, or add hosts'
	    ELSE 'see that pings come; raise RUNNER_SLOTS or add hosts' END
	FROM seen s WHERE NOT s.paused AND s.lease_until IS NULL
	GROUP BY s.name HAVING min(s.run_at) < now() - interval '10 minutes'
	UNION ALL
	SELECT 'backlog', 'warn', format('queue "%s" is paused, and %s%s jobs '
	        'wait in it', s.name, least(count(*), 9999),
	        CASE WHEN count(*) > 9999 THEN '+' ELSE '' END),
	    'POST /api/payload-jobs/queues/' || s.name || '/resume'
	FROM seen s WHERE s.paused GROUP BY s.name
	UNION ALL
	SELECT 'leases', 'bad', format('%s jobs in "%s": the lease ran out %s ago '
	        'and nobody took them up', count(*), s.name,
	        afterwork.doctor_span(now() - min(s.lease_until))),
	    'runners died and no other came: see that pings come'
	FROM seen s
	WHERE s.lease_until < now() - interval '5 minutes' AND NOT s.paused
	GROUP BY s.name
	UNION ALL
	SELECT 'failed', 'warn', format('%s%s jobs of "%s" failed in the last '
	        'day, the last one: %s', least(f.n, 1000),
	        CASE WHEN f.n > 1000 THEN '+' ELSE '' END, q.name,
	        coalesce(left(f.error, 120), 'without a word')),
	    'mend the cause; then POST /api/payload-jobs/:id/retry for each'
	FROM afterwork.queue q, LATERAL (
		SELECT count(*) AS n,
		    (array_agg(d.error ORDER BY d.finished_at DESC))[1] AS error
		FROM (SELECT d.error, d.finished_at FROM afterwork.failed d
		      WHERE d.queue = q.name
		        AND d.finished_at > now() - interval '1 day'
		      ORDER BY d.finished_at DESC LIMIT 1001) d) f
	WHERE f.n >= 100
	UNION ALL
	SELECT 'failed', 'warn', format('%s failed jobs in all', sum(c.n)),
	    'retry or delete them: nobody else does'
	FROM afterwork.queue q, LATERAL (
		SELECT count(*) AS n FROM (SELECT FROM afterwork.failed f
		    WHERE f.queue = q.name LIMIT 10000) f) c
	HAVING sum(c.n) >= 10000
$$;

-- Connections: those that the hosts may want at a time against those there are.
CREATE OR REPLACE FUNCTION afterwork.doctor_connections(wanted integer)
RETURNS TABLE (topic text, level text, what text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'connections', CASE WHEN wanted > c.room THEN 'bad' ELSE 'warn' END,
	    CASE WHEN wanted > c.room THEN format('this host may want %s '
	        'connections, %s may be made', wanted, c.room)
	    ELSE format('%s of %s connections are in use', c.used, c.room) END,
	    'raise max_connections, lower RUNNER_SLOTS or FCGI_CHILDREN, or put '
	    'PgBouncer between (DATABASE_POOLED=1)'
	FROM (SELECT current_setting('max_connections')::integer
	          - current_setting('superuser_reserved_connections')::integer
	          AS room,
	          count(*) AS used
	      FROM pg_catalog.pg_stat_activity a WHERE a.datname IS NOT NULL
	      UNION ALL
	      SELECT d.datconnlimit, (SELECT count(*)
	          FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid)
	      FROM pg_catalog.pg_database d
	      WHERE d.datname = current_database() AND d.datconnlimit >= 0) c
	WHERE wanted > c.room OR c.used > 0.8 * c.room
$$;

-- Everything, worst first; the topics that are well have one line.
CREATE OR REPLACE FUNCTION afterwork.doctor(wanted_connections integer,
	patience interval DEFAULT '5 minutes')
RETURNS TABLE (topic text, level text, what text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH found AS MATERIALIZED (
		SELECT * FROM afterwork.doctor_server()
		UNION ALL SELECT * FROM afterwork.doctor_transactions(patience)
		UNION ALL SELECT * FROM afterwork.doctor_bloat()
		UNION ALL SELECT * FROM afterwork.doctor_history()
		UNION ALL SELECT * FROM afterwork.doctor_pings()
		UNION ALL SELECT * FROM afterwork.doctor_jobs()
		UNION ALL SELECT *
		    FROM afterwork.doctor_connections(wanted_connections)
	)
	SELECT t.topic, coalesce(f.level, 'ok'), coalesce(f.what, t.well),
	    coalesce(f.remedy, '')
	FROM (VALUES
	    (1, 'postgresql', 'PostgreSQL '
	        || current_setting('server_version')),
	    (2, 'durability', 'what is committed stays'),
	    (3, 'autovacuum', 'dead rows are cleared away'),
	    (4, 'transactions', 'none is old'),
	    (5, 'bloat', 'hot tables are as large as their rows'),
	    (6, 'history', 'there are partitions for today and tomorrow'),
	    (7, 'pings', 'they come'),
	    (8, 'house', 'it is kept'),
	    (9, 'schedules', 'none is late'),
	    (10, 'tasks', 'what waits can be run'),
	    (11, 'backlog', 'nothing waits for long'),
	    (12, 'leases', 'none ran out unseen'),
	    (13, 'failed', 'failed jobs do not pile up'),
	    (14, 'connections', 'there are enough')) AS t (n, topic, well)
	LEFT JOIN found f ON f.topic = t.topic
	ORDER BY CASE f.level WHEN 'bad' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END,
	    t.n, f.what
$$;
