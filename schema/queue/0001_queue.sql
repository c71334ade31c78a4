-- The queue: tables, states and indexes.  See schema/README.md for the
-- picture.  Needs nothing of the site; schema afterwork exists already
-- (afterwork migrate makes it, with the record of migrations).
--
-- Rules that every table here keeps:
--   * a hot table's primary key is (queue, id), its other indexes begin with
--     queue, no foreign key leaves it: the schema can be distributed by queue;
--   * claiming a job changes no indexed column, so the update stays on its
--     page (HOT);
--   * time is the database's: clock_timestamp() for leases, since now()
--     stands still inside a transaction.

CREATE TABLE afterwork.queue (
	name        text PRIMARY KEY
	            CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$'),
	paused      boolean NOT NULL DEFAULT false,
	max_running integer CHECK (max_running > 0),
	created_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO afterwork.queue (name) VALUES ('default');

-- What can be run: one row for each registered task.json.  A task that is no
-- longer there keeps its row with retired_at set, so that its waiting jobs
-- can be ended with a reason.
CREATE TABLE afterwork.task (
	slug          text PRIMARY KEY
	              CHECK (slug ~ '^[A-Za-z][A-Za-z0-9_-]{0,63}$'),
	label         text NOT NULL,
	handler       text,             -- executable; null: compiled in
	folder        text,             -- its working directory
	input_schema  jsonb NOT NULL DEFAULT '[]',
	queue         text NOT NULL DEFAULT 'default',
	priority      integer NOT NULL DEFAULT 100,
	timeout_ms    integer NOT NULL DEFAULT 30000 CHECK (timeout_ms > 0),
	retries       integer NOT NULL DEFAULT 3 CHECK (retries >= 0),
	backoff       text NOT NULL DEFAULT 'exponential'
	              CHECK (backoff IN ('fixed', 'exponential')),
	delay_ms      bigint NOT NULL DEFAULT 1000 CHECK (delay_ms >= 0),
	max_delay_ms  bigint NOT NULL DEFAULT 3600000 CHECK (max_delay_ms >= 0),
	jitter        boolean NOT NULL DEFAULT true,
	concurrency   jsonb,
	schedule      jsonb,
	limits        jsonb,
	registered_at timestamptz NOT NULL DEFAULT now(),
	retired_at    timestamptz
);

CREATE SEQUENCE afterwork.job_id;
-- One number for each claim, ever growing: the fence.
CREATE SEQUENCE afterwork.lease_no;

CREATE TYPE afterwork.job_state AS ENUM (
	'ready',	-- may be claimed, or is claimed: see lease_until
	'delayed'	-- run_at was still to come when it was stored
);

-- Live jobs, and only those.  Kept narrow: an input of more than a few hundred
-- bytes moves out of line (toast_tuple_target), so that a claim rewrites
-- little.
CREATE TABLE afterwork.job (
	id              bigint NOT NULL DEFAULT nextval('afterwork.job_id'),
	run_at          timestamptz NOT NULL,
	created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	lease_no        bigint,          -- of the last claim; null: never claimed
	claimed_at      timestamptz,     -- when that was
	lease_until     timestamptz,     -- null: nobody holds it
	state           afterwork.job_state NOT NULL,
	priority        integer NOT NULL,
	attempts        integer NOT NULL DEFAULT 0, -- charged at the claim
	crashes         integer NOT NULL DEFAULT 0, -- runners it took along
	alone           boolean NOT NULL DEFAULT false, -- claimed without others
	queue           text NOT NULL,
	task            text NOT NULL,
	unique_key      text,
	concurrency_key text,
	wait_until      timestamptz,     -- the run_at that was asked for
	input           jsonb NOT NULL,
	meta            jsonb,
	log             jsonb,           -- ended attempts, oldest first
	PRIMARY KEY (queue, id)
) WITH (
	fillfactor = 45, -- so that a claim of 100 neighbours stays on its page
	toast_tuple_target = 256,
	autovacuum_vacuum_scale_factor = 0.02,
	autovacuum_vacuum_threshold = 500,
	autovacuum_analyze_scale_factor = 0.05
);

-- The claim reads this from its start and stops: rows lie in claim order.
CREATE INDEX job_claim ON afterwork.job (queue, priority, run_at, id)
	WHERE state = 'ready';
-- What comes due next, and what has come due.
CREATE INDEX job_delayed ON afterwork.job (queue, run_at, id)
	WHERE state = 'delayed';
-- A key is free again when its job has ended, since the row is gone.
CREATE UNIQUE INDEX job_unique ON afterwork.job (queue, unique_key)
	WHERE unique_key IS NOT NULL;

-- Ended jobs.  Failed ones stay until somebody retries or deletes them;
-- the others go with their day's partition.  Both tables have the same
-- columns; started_at, finished_at, error and detail are the last attempt's.
CREATE TABLE afterwork.history (
	id              bigint NOT NULL,
	queue           text NOT NULL,
	task            text NOT NULL,
	state           text NOT NULL
	                CHECK (state IN ('done', 'failed', 'cancelled')),
	priority        integer NOT NULL,
	attempts        integer NOT NULL,
	crashes         integer NOT NULL,
	lease_no        bigint,
	run_at          timestamptz NOT NULL,
	created_at      timestamptz NOT NULL,
	started_at      timestamptz,     -- null: never ran
	finished_at     timestamptz NOT NULL,
	unique_key      text,
	concurrency_key text,
	wait_until      timestamptz,
	input           jsonb NOT NULL,
	meta            jsonb,
	output          jsonb,
	error           text,
	detail          jsonb,           -- further facts of the last attempt
	log             jsonb,           -- attempts before the last
	PRIMARY KEY (queue, id, finished_at)
) PARTITION BY RANGE (finished_at);
CREATE INDEX history_finished ON afterwork.history (queue, finished_at);
-- Catches what comes while a day's partition is missing; else empty.
CREATE TABLE afterwork.history_default PARTITION OF afterwork.history DEFAULT;

CREATE TABLE afterwork.failed (
	LIKE afterwork.history,
	CHECK (state = 'failed'),
	PRIMARY KEY (queue, id)
);
CREATE INDEX failed_finished ON afterwork.failed (queue, finished_at);

-- When the house was last kept (partitions made and dropped): one row.
CREATE TABLE afterwork.upkeep (
	one     boolean PRIMARY KEY DEFAULT true CHECK (one),
	next_at timestamptz NOT NULL
);
INSERT INTO afterwork.upkeep (next_at) VALUES ('-infinity');
