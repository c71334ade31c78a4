-- What a hostile reading of the queue left to mend.  See schema/README.md,
-- "Places", "Unique keys" and "Queues".

-- Keys that have a place free although a job of theirs is blocked, since it was
-- locked when the place was given back: the next claim lets it in.  Nearly
-- always empty, so that every claim may look.  A row is written by who holds
-- the lock of the key's row in place.
CREATE TABLE afterwork.owed (
	queue text NOT NULL,
	key   text NOT NULL,
	PRIMARY KEY (queue, key)
);

-- How long the unique key was the job's, for one that is revived; null, of
-- what ended before: 'end'.
ALTER TABLE afterwork.history ADD COLUMN unique_until text;
ALTER TABLE afterwork.failed ADD COLUMN unique_until text;

-- Since when nothing needs the queue: no job, no record of one, no setting.
-- After a day it is removed; who stores a job in such a one locks it first.
ALTER TABLE afterwork.queue ADD COLUMN idle_since timestamptz;

-- It returns something now (api/place.sql).
DROP FUNCTION IF EXISTS afterwork.let_in(text, text[]);
