-- What a built-in executable is given of the runner's settings, by name.  Only
-- names are stored here; null: none.
ALTER TABLE afterwork.task ADD COLUMN settings text[];

-- It returns them now (api/claim.sql).
DROP FUNCTION IF EXISTS afterwork.claim(text[], text, text[], text[], integer,
	bigint, text[], boolean);
