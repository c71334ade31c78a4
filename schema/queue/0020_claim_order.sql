-- claim() gives no nth out any more, claim_behind() takes the place of
-- claim_plain(), take_places() asks for less (api/claim.sql, api/place.sql).
DROP FUNCTION IF EXISTS afterwork.claim(text[], text, text[], text[], integer,
	bigint, text[], boolean);
DROP FUNCTION IF EXISTS afterwork.claim_plain(text, text[], text[], integer,
	bigint, text[], integer, timestamptz, bigint);
DROP FUNCTION IF EXISTS afterwork.take_places(text, bigint[], text[], text[],
	integer[], timestamptz[]);
