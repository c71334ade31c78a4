-- claim() and claim_plain() tell where the last job stands, and the latter goes on
-- behind it (api/claim.sql).
DROP FUNCTION IF EXISTS afterwork.claim(text[], text, text[], text[], integer,
	bigint, text[], boolean);
DROP FUNCTION IF EXISTS afterwork.claim_plain(text, text[], text[], text[],
	integer, bigint, text[]);
