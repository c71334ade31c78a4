-- Schedules: when a task's jobs are to be made, and which were made.  The
-- rules are in schema/README.md, the functions in api/schedule.sql.
--
-- Both tables are small and the same for every queue: a handful of entries,
-- and a row a slot for as long as finished jobs are kept.

-- A cron expression, read once: what its five fields hold, ascending.
CREATE TYPE afterwork.cron AS (
	minutes   integer[],
	hours     integer[],
	days      integer[],
	months    integer[],
	weekdays  integer[],    -- 0 is Sunday
	each_hour boolean,      -- the hour begins with *: follows the clock
	either    boolean       -- a day that fits day or weekday will do
);

-- An entry of a task's "schedule".  It is known again by what the unique
-- constraint names, so that registering a task anew leaves it alone.
CREATE TABLE afterwork.schedule (
	id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	task      text NOT NULL,
	cron      text NOT NULL,
	timezone  text NOT NULL,
	queue     text NOT NULL,
	missed    text NOT NULL CHECK (missed IN ('skip', 'one', 'all')),
	fields    afterwork.cron NOT NULL,
	next_at   timestamptz NOT NULL, -- no slot before it is to be looked at
	passed_at timestamptz,  -- the first of the slots last passed over
	error     text,         -- why the last slots' jobs could not be made
	UNIQUE (task, cron, timezone, queue)
);
-- What every claim asks: is anything due?
CREATE INDEX schedule_next ON afterwork.schedule (next_at);

-- A slot that has its job.  The key is what makes it one job a slot, whoever
-- looks at it how often.
CREATE TABLE afterwork.schedule_slot (
	schedule_id bigint NOT NULL,
	slot_at     timestamptz NOT NULL,
	job_id      bigint,
	PRIMARY KEY (schedule_id, slot_at)
);
CREATE INDEX schedule_slot_at ON afterwork.schedule_slot (slot_at);
