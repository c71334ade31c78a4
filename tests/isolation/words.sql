-- What the specs of this folder say with: who holds which job, and what came of
-- it.  isolation.t loads it into a database of its own.  A spec's own blocks
-- hold no braces, so whatever needs them is here.
CREATE SCHEMA iso;
CREATE TABLE iso.holds (who text, job bigint, lease_no bigint,
	effects bigint,  -- that the job had when it was claimed
	ended bigint);   -- jobs that had ended then
CREATE TABLE iso.effect (who text, job bigint, lease_no bigint);
CREATE TABLE iso.enqueued (who text, job bigint, created boolean);
CREATE TABLE iso.said (answer text);  -- by cancel()

-- As if nothing had been before.
CREATE FUNCTION iso.fresh() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM afterwork.job;
	DELETE FROM afterwork.history;
	DELETE FROM afterwork.failed;
	DELETE FROM afterwork.place;
	DELETE FROM afterwork.owed;
	PERFORM afterwork.limit_queue('default', NULL);
	DELETE FROM iso.holds;
	DELETE FROM iso.effect;
	DELETE FROM iso.enqueued;
	DELETE FROM iso.said;
END
$$;

-- Claims up to n jobs; how many it got.
CREATE FUNCTION iso.claim(who text, n integer DEFAULT 1) RETURNS bigint
LANGUAGE sql AS $$
	WITH taken AS (
		INSERT INTO iso.holds
		SELECT claim.who, c.id, c.lease_no,
		    (SELECT count(*) FROM iso.effect f WHERE f.job = c.id),
		    (SELECT count(*) FROM afterwork.history)
		FROM afterwork.claim(ARRAY['default'], '', '{work,one,two,newest}',
		    '{work,one,two,newest}', n, 60000, '{}', false) c
		WHERE c.id IS NOT NULL
		RETURNING 1)
	SELECT count(*) FROM taken
$$;

-- As a runner does that goes on; what it can't take is for a look at everything.
CREATE FUNCTION iso.go_on(who text, n integer DEFAULT 1) RETURNS bigint
LANGUAGE sql AS $$
	WITH taken AS (
		INSERT INTO iso.holds
		SELECT go_on.who, c.id, c.lease_no,
		    (SELECT count(*) FROM iso.effect f WHERE f.job = c.id),
		    (SELECT count(*) FROM afterwork.history)
		FROM afterwork.claim_behind('default', '{work,one,two,newest}',
		    '{work,one,two,newest}', n, 60000, '{}', -1, '-infinity', 0) c
		RETURNING 1)
	SELECT CASE count(*) WHEN 0 THEN iso.claim(who, n) ELSE count(*) END
	FROM taken
$$;

-- The same by a session's first claim: one job, if it is a plain one.
CREATE FUNCTION iso.first(who text) RETURNS bigint LANGUAGE sql AS $$
	WITH taken AS (
		INSERT INTO iso.holds
		SELECT first.who, c.id, c.lease_no,
		    (SELECT count(*) FROM iso.effect f WHERE f.job = c.id),
		    (SELECT count(*) FROM afterwork.history)
		FROM afterwork.claim_first('default', '{work,one,two,newest}',
		    60000) c
		RETURNING 1)
	SELECT count(*) FROM taken
$$;

-- As a runner begins: what its first claim leaves is for the next.
CREATE FUNCTION iso.begin(who text) RETURNS bigint LANGUAGE sql AS $$
	SELECT CASE iso.first(who) WHEN 0 THEN iso.claim(who) ELSE 1 END
$$;

-- The leases of all that run are over.
CREATE FUNCTION iso.lapse() RETURNS void LANGUAGE sql AS $$
	UPDATE afterwork.job SET lease_until = clock_timestamp() - interval '1 s'
	WHERE lease_until IS NOT NULL
$$;

-- Its jobs' own SQL: one effect each.
CREATE FUNCTION iso.work(who text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO iso.effect
	SELECT h.who, h.job, h.lease_no FROM iso.holds h WHERE h.who = work.who
$$;

-- Settles its jobs; as the runner does it, what is done fails as a whole when
-- one of them is not its own any more.  How many were.
CREATE FUNCTION iso.finish(who text, op text DEFAULT 'done') RETURNS integer
LANGUAGE sql AS $$
	SELECT cardinality(afterwork.settle('default', a.ids, a.leases, a.ops,
	    a.none, a.none, a.none, a.texts, a.texts, a.texts, op = 'done'))
	FROM (SELECT array_agg(h.job) AS ids, array_agg(h.lease_no) AS leases,
	    array_agg(finish.op) AS ops, array_agg(0::bigint) AS none,
	    array_agg(NULL::text) AS texts
	    FROM iso.holds h WHERE h.who = finish.who HAVING count(*) > 0) a
$$;

-- The same of the job that the first claim gave.
CREATE FUNCTION iso.finish_first(who text) RETURNS bigint LANGUAGE sql AS $$
	SELECT afterwork.settle_first('default', h.job, h.lease_no, 0, 0, NULL,
	    NULL, true)
	FROM iso.holds h WHERE h.who = finish_first.who
$$;

-- For a task's own transaction.
CREATE FUNCTION iso.assert(who text) RETURNS void LANGUAGE sql AS $$
	SELECT afterwork.assert_lease(h.job, h.lease_no)
	FROM iso.holds h WHERE h.who = "assert".who
$$;

CREATE FUNCTION iso.enqueue(who text, key text DEFAULT NULL,
	task text DEFAULT 'work')
RETURNS boolean LANGUAGE sql AS $$
	INSERT INTO iso.enqueued SELECT enqueue.who, e.id, e.created
	FROM afterwork.enqueue_job(enqueue.task, unique_key => enqueue.key) e
	RETURNING created
$$;

-- The same, in the place of what waits with that unique key.
CREATE FUNCTION iso.replace(who text, key text, task text)
RETURNS boolean LANGUAGE sql AS $$
	INSERT INTO iso.enqueued SELECT replace.who, e.id, e.created
	FROM afterwork.enqueue_job(replace.task, '{"new": true}',
	    unique_key => replace.key, replace => true) e
	RETURNING created
$$;

-- One job of this task that was, so that its key has a row, and is gone.
CREATE FUNCTION iso.past(task text) RETURNS void LANGUAGE sql AS $$
	SELECT iso.enqueue('past', NULL, task);
	SELECT iso.claim('past');
	SELECT iso.work('past');
	SELECT iso.finish('past');
$$;

-- Somebody cancels the job that this one enqueued.
CREATE FUNCTION iso.cancel(whose text) RETURNS text LANGUAGE sql AS $$
	INSERT INTO iso.said SELECT afterwork.cancel(q.job)
	FROM iso.enqueued q WHERE q.who = whose
	RETURNING answer
$$;

-- What must hold of jobs and effects after every interleaving, whatever it was.
CREATE FUNCTION iso.law()
RETURNS TABLE (word text, holds boolean, law text) LANGUAGE sql AS $$
	WITH ended AS (
		SELECT id, state, attempts, lease_no FROM afterwork.history
		UNION ALL
		SELECT id, state, attempts, lease_no FROM afterwork.failed
	), made AS (
		SELECT id FROM ended UNION ALL SELECT id FROM afterwork.job
	)
	SELECT 'law', NOT EXISTS (SELECT FROM made GROUP BY id
	    HAVING count(*) > 1), 'a job is in one place'
	UNION ALL SELECT 'law', NOT EXISTS (SELECT FROM iso.effect
	    GROUP BY job HAVING count(*) > 1), 'no job has two effects'
	UNION ALL SELECT 'law', NOT EXISTS (
	    SELECT FROM iso.effect f LEFT JOIN ended e
	    ON e.id = f.job AND e.lease_no = f.lease_no AND e.state = 'done'
	    WHERE e.id IS NULL), 'an effect is of the lease that ended the job'
	UNION ALL SELECT 'law', (SELECT count(*) FROM iso.effect) = (
	    SELECT count(*) FROM ended WHERE state = 'done'),
	    'a job that is done has its effect'
	UNION ALL SELECT 'law', NOT EXISTS (SELECT FROM iso.holds
	    GROUP BY lease_no HAVING count(*) > 1),
	    'no lease number is given twice'
	UNION ALL SELECT 'law', NOT EXISTS (SELECT FROM afterwork.job
	    WHERE attempts NOT IN (0, 1) OR lease_until > clock_timestamp()
	    AND attempts = 0), 'a job that is held is charged once'
	UNION ALL SELECT 'law', NOT EXISTS (SELECT FROM ended WHERE attempts <> 1
	    AND state <> 'cancelled'),
	    'an ended one as well'
	UNION ALL SELECT 'law', NOT EXISTS (SELECT FROM afterwork.job
	    WHERE unique_key IS NOT NULL AND NOT unique_free
	    GROUP BY unique_key HAVING count(*) > 1), 'a key has one live job'
	UNION ALL SELECT 'law', NOT EXISTS (SELECT FROM iso.enqueued q
	    WHERE NOT EXISTS (SELECT FROM made m WHERE m.id = q.job)),
	    'an id that was answered is a job'
	UNION ALL SELECT 'law', (SELECT count(DISTINCT job) FROM iso.enqueued)
	    >= (SELECT count(*) FROM iso.enqueued WHERE created),
	    'each that was made is another job'
	UNION ALL SELECT 'law', NOT EXISTS (
	    SELECT FROM (
	        SELECT concurrency_key AS key, count(*) AS n
	        FROM afterwork.job WHERE has_place GROUP BY 1
	        UNION ALL SELECT '', count(*) FROM afterwork.job
	        WHERE has_queue_place HAVING count(*) > 0) AS h
	    FULL JOIN afterwork.place p USING (key)
	    WHERE coalesce(h.n, 0) <> coalesce(p.taken, 0) OR p.taken > p.max),
	    'places are counted, and there are enough'
	UNION ALL SELECT 'law', NOT EXISTS (
	    SELECT FROM afterwork.job j LEFT JOIN afterwork.place p
	    ON p.key = j.concurrency_key
	    WHERE j.state = 'blocked' AND coalesce(p.max, 1) > (
	        SELECT coalesce(p.taken, 0) + count(*) FROM afterwork.job o
	        WHERE o.concurrency_key = j.concurrency_key
	          AND o.state <> 'blocked' AND NOT o.has_place)),
	    'nobody is blocked while there is a place for him'
$$;

-- And of the key whose newer jobs make the waiting ones needless.
CREATE FUNCTION iso.newest()
RETURNS TABLE (word text, holds boolean, law text) LANGUAGE sql AS $$
	WITH waits AS (
		SELECT id FROM afterwork.job WHERE concurrency_key = 'k'
		AND (lease_until IS NULL OR lease_until <= clock_timestamp())
	)
	SELECT 'law', count(*) <= 1, 'one waits' FROM waits
	UNION ALL SELECT 'law', count(*) <= 1, 'one is held' FROM afterwork.job
	WHERE concurrency_key = 'k' AND lease_until > clock_timestamp()
	UNION ALL SELECT 'law', NOT EXISTS (SELECT FROM afterwork.history h,
	    waits w WHERE w.id < h.id), 'what waits is the newest'
	UNION ALL SELECT 'law', NOT EXISTS (SELECT FROM iso.effect f,
	    afterwork.history h WHERE h.id = f.job AND h.state = 'cancelled'),
	    'what was made needless had no effect'
$$;

-- The row that says which outcome it was.
CREATE FUNCTION iso.came(outcome text)
RETURNS TABLE (word text, holds boolean, law text) LANGUAGE sql AS $$
	SELECT 'came', NULL::boolean, coalesce(outcome, 'nothing')
$$;

-- There is a queue that nobody has needed for two days.
CREATE FUNCTION iso.idle(queue text) RETURNS void LANGUAGE sql AS $$
	DELETE FROM afterwork.queue q WHERE q.name = idle.queue;
	INSERT INTO afterwork.queue (name, idle_since)
	VALUES (idle.queue, now() - interval '2 days');
$$;

CREATE FUNCTION iso.enqueue_into(who text, queue text) RETURNS bigint
LANGUAGE sql AS $$
	INSERT INTO iso.enqueued SELECT enqueue_into.who,
	    afterwork.enqueue('work', queue => enqueue_into.queue), true
	RETURNING job
$$;
