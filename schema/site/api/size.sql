-- Sizes of pictures: what the task makeThumbnails reads and records.
--
-- All file names, of pictures and of their sizes, are told apart by name only.
-- An upload looks for a size of its name just where the name looks like one;
-- both sides hold a lock on such a name while they look and take it.

-- (Plain SQL without SET, so that a statement which calls it contains it.)
CREATE OR REPLACE FUNCTION site.looks_sized(filename text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT filename OPERATOR(pg_catalog.~) '-[0-9]+x[0-9]+(-[0-9]+)?(\.[^.]*)?$'
$$;

-- Until the transaction ends nobody else takes this name.
CREATE OR REPLACE FUNCTION site.lock_sized(filename text)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT pg_advisory_xact_lock(hashtextextended('site.' || filename, 0))
$$;

-- Is it the name of a size?  Locks it, where it looks like one.
CREATE OR REPLACE FUNCTION site.is_size(want text)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT site.looks_sized(want) THEN
		RETURN false;
	END IF;
	PERFORM site.lock_sized(want);
	RETURN EXISTS (SELECT FROM site.media_size s WHERE s.filename = want);
END
$$;

-- The picture that sizes are to be made of; no row when it is gone.  keys are
-- those of its sizes by name, null where there is no file.
CREATE OR REPLACE FUNCTION site.size_source(media bigint)
RETURNS TABLE (filename text, storage_key text, mime_type text, keys json)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT m.filename, m.storage_key, m.mime_type, (
		SELECT json_object_agg(s.name, s.storage_key)
		FROM site.media_size s WHERE s.media_id = m.id)
	FROM site.media m
	WHERE m.id = media
$$;

-- Record what was made of the picture whose bytes are under source, in the
-- place of what was there: [{"name", "filename", "key", "mimeType", "filesize",
-- "width", "height"}], of a size without a file {"name"} alone.  A name that is
-- taken gets a number.  recorded is false when the picture is gone, or is
-- another; unused are keys that no row names any more.
CREATE OR REPLACE FUNCTION site.sizes_record(media bigint, source text,
	sizes jsonb, OUT recorded boolean, OUT unused text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	one record;
	want text;
	n bigint;
BEGIN
	UPDATE site.media m SET sized = true
	WHERE m.id = media AND m.storage_key = source;
	recorded := FOUND;
	IF NOT recorded THEN
		RETURN;
	END IF;
	WITH gone AS (
		DELETE FROM site.media_size s WHERE s.media_id = media
		RETURNING s.storage_key
	)
	SELECT array_agg(g.storage_key) INTO unused FROM gone g
	WHERE g.storage_key IS NOT NULL;
	FOR one IN
		SELECT * FROM jsonb_to_recordset(sizes) AS s (name text,
			filename text, key text, "mimeType" text,
			filesize bigint, width integer, height integer)
	LOOP
		want := one.filename;
		n := 0;
		WHILE want IS NOT NULL LOOP
			PERFORM site.lock_sized(want);
			EXIT WHEN NOT EXISTS (SELECT FROM site.media m
				WHERE m.filename = want)
			    AND NOT EXISTS (SELECT FROM site.media_size s
				WHERE s.filename = want);
			n := n + 1;
			want := site.numbered(one.filename, n);
		END LOOP;
		INSERT INTO site.media_size (media_id, name, filename,
			storage_key, mime_type, filesize, width, height)
		VALUES (media, one.name, want, one.key, one."mimeType",
			one.filesize, one.width, one.height);
	END LOOP;
END
$$;
