-- site.media_create() does what this and its caller did together.
DROP FUNCTION IF EXISTS site.media_add(text, text, text, bigint, text, text,
	integer, integer, bigint);

-- created_by says who uploaded, also when the account has gone since.  The
-- foreign key locked the uploader's row for each upload: eight at a time of
-- one user wrote a MultiXact each.
ALTER TABLE site.media DROP CONSTRAINT media_created_by_fkey;
DROP INDEX site.media_created_by;
