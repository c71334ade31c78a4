-- A claim gives out its columns in another order, and does itself what
-- claim_any() did (api/claim.sql).
DROP FUNCTION IF EXISTS afterwork.claim(text[], text, text[], text[], integer,
	bigint, text[], boolean);
DROP FUNCTION IF EXISTS afterwork.claim_any(text[], text, text[], text[],
	integer, bigint, text[], boolean);
