-- The doctor tells when pings stopped coming, whatever else starts runners.  See
-- schema/README.md, "The doctor".

-- When a run call came last, to within ten minutes.  Null: none ever did.
ALTER TABLE afterwork.upkeep ADD COLUMN pinged_at timestamptz;

-- Their results are others now (api/claim.sql).
DROP FUNCTION IF EXISTS afterwork.claim(text[], text, text[], text[], integer,
	bigint, text[], boolean);
DROP FUNCTION IF EXISTS afterwork.outlook(text[]);
