-- Figures that cost the same at any size of history: what ended, by queue and
-- minute.  See schema/README.md, "Figures".

-- A minute's jobs that ended well, added up once, when no transaction can bring
-- any more of them; two hours are kept.  The histograms are pairs of arrays:
-- buckets (afterwork.bucket) and how many fell into each.
CREATE TABLE afterwork.minute (
	queue            text NOT NULL,
	minute           timestamptz NOT NULL,
	done             bigint NOT NULL,
	latency_buckets  smallint[] NOT NULL,
	latency_counts   bigint[] NOT NULL,
	duration_buckets smallint[] NOT NULL,
	duration_counts  bigint[] NOT NULL,
	PRIMARY KEY (queue, minute)
);

-- Up to where that has been done: one row.
CREATE TABLE afterwork.stats_mark (
	one   boolean PRIMARY KEY DEFAULT true CHECK (one),
	upto  timestamptz NOT NULL,	-- minutes before are added up
	-- The next goal, and the transaction that set it: it is reached when
	-- all before that one have ended.
	goal  timestamptz NOT NULL,
	fence xid8 NOT NULL
);
INSERT INTO afterwork.stats_mark (upto, goal, fence)
VALUES (date_trunc('minute', now()), date_trunc('minute', now()),
	pg_current_xact_id());

-- It has more columns now (api/stats.sql).
DROP FUNCTION IF EXISTS afterwork.stats_doc();
DROP FUNCTION IF EXISTS afterwork.stats();
