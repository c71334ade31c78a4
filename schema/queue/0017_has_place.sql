-- A claim tells which jobs hold a place: their end may let others in.
-- Its result is another now (api/claim.sql).
DROP FUNCTION IF EXISTS afterwork.claim(text[], text, text[], text[], integer,
	bigint, text[], boolean);
