-- Limits (of a concurrency key, of a queue), unique keys that hold for other
-- times than a job's life, and tags.  See schema/README.md, "Places" and
-- "Unique keys".

-- A state more; a text, since an enum cannot grow inside a transaction.
DROP INDEX afterwork.job_claim;
DROP INDEX afterwork.job_delayed;
DROP INDEX afterwork.job_unique;
DROP VIEW IF EXISTS afterwork.jobs CASCADE;
ALTER TABLE afterwork.job
	ALTER COLUMN state TYPE text,
	ADD CHECK (state IN (
		'ready',	-- may be claimed, or is claimed: see lease_until
		'delayed',	-- run_at was still to come when it was stored
		'blocked')),	-- its key had no place when it was to be claimed
	-- The job has a place of its key; of its queue: counted in place.taken.
	ADD COLUMN has_place boolean NOT NULL DEFAULT false,
	ADD COLUMN has_queue_place boolean NOT NULL DEFAULT false,
	-- Another job may have this one's unique key.
	ADD COLUMN unique_free boolean NOT NULL DEFAULT false,
	-- When it becomes so: 'start' of its first attempt, or its end.
	ADD COLUMN unique_until text NOT NULL DEFAULT 'end'
		CHECK (unique_until IN ('start', 'end')),
	ADD COLUMN tags text[];
DROP TYPE afterwork.job_state;
ALTER TABLE afterwork.history ADD COLUMN tags text[];
ALTER TABLE afterwork.failed ADD COLUMN tags text[];

-- The claim reads this from its start and stops: rows lie in claim order.
CREATE INDEX job_claim ON afterwork.job (queue, priority, run_at, id)
	WHERE state = 'ready';
-- What comes due next, and what has come due.
CREATE INDEX job_delayed ON afterwork.job (queue, run_at, id)
	WHERE state = 'delayed';
-- A key is free again when its job has ended, since the row is gone.
CREATE UNIQUE INDEX job_unique ON afterwork.job (queue, unique_key)
	WHERE unique_key IS NOT NULL AND NOT unique_free;
-- Of one key: whom to let in next, and whom a newer job supersedes.
CREATE INDEX job_key ON afterwork.job
	(queue, concurrency_key, state, priority, run_at, id)
	WHERE concurrency_key IS NOT NULL;

-- How many jobs of a concurrency key hold a place, and how many may.  Key ''
-- is the queue itself; its row is there only while the queue has a maximum.
-- A key's row comes with its first claim and goes when nobody needs it.
CREATE TABLE afterwork.place (
	queue text NOT NULL,
	key   text NOT NULL,
	taken integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
	max   integer NOT NULL CHECK (max > 0),
	-- Of a queue: no lease of a counted job ends before.
	look_at timestamptz NOT NULL DEFAULT 'infinity',
	PRIMARY KEY (queue, key)
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.02,
	autovacuum_vacuum_threshold = 500);
-- Has the queue a row of its own in place?
ALTER TABLE afterwork.queue DROP COLUMN max_running,
	ADD COLUMN limited boolean NOT NULL DEFAULT false;

-- Unique keys that were taken for a while: until then the key is job_id's,
-- whether that job has ended or not.
CREATE TABLE afterwork.unique_period (
	queue      text NOT NULL,
	unique_key text NOT NULL,
	job_id     bigint NOT NULL,
	until      timestamptz NOT NULL,
	PRIMARY KEY (queue, unique_key)
);

-- Their arguments or results are others now (api/*.sql).
DROP FUNCTION IF EXISTS afterwork.claim(text[], text, text[], text[], integer,
	bigint);
DROP FUNCTION IF EXISTS afterwork.claim(text[], text, text[], text[], integer,
	bigint, text[], boolean);
DROP FUNCTION IF EXISTS afterwork.outlook(text[]);
DROP FUNCTION IF EXISTS afterwork.settle(text, bigint[], bigint[], text[],
	bigint[], bigint[], bigint[], text[], text[], text[]);
DROP FUNCTION IF EXISTS afterwork.enqueue(text, jsonb, text, timestamptz,
	integer, text, text, jsonb);
DROP FUNCTION IF EXISTS afterwork.enqueue_job(text, jsonb, text, timestamptz,
	integer, text, text, jsonb);
