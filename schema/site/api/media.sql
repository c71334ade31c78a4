-- Ways in which media change.  They run as the schema's owner, so that a
-- function's own login needs no write access to any table.
--
-- Order of locks, everywhere in the site: sync_lock(), media (by id), page,
-- galleries (by id), pictures in galleries (by gallery).  All that follow it can wait for
-- one another but never in a circle.

-- Insert under the wanted file name, or the first free one of photo-1.jpg,
-- photo-2.jpg, ...  A free name costs one insert.  A taken one queues at the
-- row of that name in media_name, so that any number of uploads of one name
-- get theirs one after the other, without a retry; the loop turns again only
-- where a client uploaded a name like photo-1.jpg itself.
--
-- The name of another picture's size is taken, too (api/size.sql).
--
-- The picture's job is stored with it: both are there or neither.  doc is the
-- picture as the API shows it.
CREATE OR REPLACE FUNCTION site.media_create(filename text, storage_key text,
	mime_type text, filesize bigint, hash text, alt text, width integer,
	height integer, created_by bigint, server_url text, OUT doc json,
	OUT job bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	m site.media;
	want text := filename;
BEGIN
	LOOP
		IF NOT site.is_size(want) THEN
			INSERT INTO site.media AS new (filename, storage_key, mime_type,
				filesize, hash, alt, width, height, created_by)
			VALUES (want, storage_key, mime_type,
				filesize, hash, alt, width, height, created_by)
			ON CONFLICT ON CONSTRAINT media_filename_key DO NOTHING
			RETURNING new.* INTO m;
			EXIT WHEN FOUND;
		END IF;
		want := site.next_name(filename);
	END LOOP;
	job := afterwork.enqueue('syncMediaToGalleries',
		jsonb_build_object('mediaId', m.id));
	doc := site.media_doc(m, server_url);
END
$$;

-- photo.jpg and 2 make photo-2.jpg; a name that is all ending gets it behind.
CREATE OR REPLACE FUNCTION site.numbered(filename text, n bigint)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(substring(filename FROM '^(.+)\.[^.]*$'), filename)
		|| '-' || n
		|| coalesce(substring(filename FROM '^.+(\.[^.]*)$'), '')
$$;

-- Change a picture: its text where has_alt, and where there is a storage_key
-- its file.  Then all that tells of the old bytes goes, its sizes with it, and
-- gone has the keys, with a space between, that no row names any more.  A file
-- of the same name keeps it; else the new name is found as for a new picture.
-- doc is null when there is no such picture.
CREATE OR REPLACE FUNCTION site.media_change(media bigint, filename text,
	storage_key text, mime_type text, filesize bigint, hash text,
	has_alt boolean, alt text, width integer, height integer,
	server_url text, OUT doc json, OUT gone text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	m site.media;
BEGIN
	SELECT p.* INTO m FROM site.media p WHERE p.id = media FOR UPDATE;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	IF storage_key IS NOT NULL THEN
		gone := m.storage_key;
		WITH size AS (
			DELETE FROM site.media_size s WHERE s.media_id = media
			RETURNING s.storage_key
		)
		SELECT concat_ws(' ', gone, string_agg(s.storage_key, ' '))
		INTO gone FROM size s;
		m.storage_key := storage_key;
		m.mime_type := mime_type;
		m.filesize := filesize;
		m.hash := hash;
		m.width := width;
		m.height := height;
		m.sized := false;
		IF filename <> m.filename THEN
			m.filename := site.media_rename(media, filename);
		END IF;
	END IF;
	IF has_alt THEN
		m.alt := alt;
	END IF;
	IF has_alt OR storage_key IS NOT NULL THEN
		m.updated_at := now();
		UPDATE site.media p
		SET storage_key = m.storage_key, mime_type = m.mime_type,
			filesize = m.filesize, hash = m.hash, alt = m.alt,
			width = m.width, height = m.height, sized = m.sized,
			updated_at = m.updated_at
		WHERE p.id = media;
	END IF;
	doc := site.media_doc(m, server_url);
END
$$;

-- Give a picture the wanted file name, or the first free one, and return it.
CREATE OR REPLACE FUNCTION site.media_rename(media bigint, filename text)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	want text := filename;
BEGIN
	LOOP
		IF NOT site.is_size(want) THEN
			BEGIN
				UPDATE site.media m SET filename = want
				WHERE m.id = media;
				RETURN want;
			EXCEPTION WHEN unique_violation THEN
				NULL;	-- taken
			END;
		END IF;
		want := site.next_name(filename);
	END LOOP;
END
$$;

-- The next name to try for a file whose own is taken.
CREATE OR REPLACE FUNCTION site.next_name(filename text)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	n bigint;
BEGIN
	INSERT INTO site.media_name AS taken (filename, last)
	VALUES (filename, 1)
	ON CONFLICT ON CONSTRAINT media_name_pkey
		DO UPDATE SET last = taken.last + 1
	RETURNING taken.last INTO n;
	RETURN site.numbered(filename, n);
END
$$;

-- The only field that a person edits.
CREATE OR REPLACE FUNCTION site.media_set_alt(media bigint, text_or_null text)
RETURNS site.media
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE site.media AS m
	SET alt = text_or_null, updated_at = now()
	WHERE m.id = media
	RETURNING m.*
$$;

-- Remove a picture, from every gallery too, and return what it was; the
-- caller then removes the bytes under its storage key.
CREATE OR REPLACE FUNCTION site.media_delete(media bigint)
RETURNS SETOF site.media
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM 1 FROM site.media m WHERE m.id = media FOR UPDATE;
	PERFORM 1 FROM site.gallery_image i WHERE i.media_id = media
	ORDER BY i.gallery_id FOR UPDATE;
	RETURN QUERY DELETE FROM site.media m WHERE m.id = media RETURNING m.*;
END
$$;

-- The advisory lock that a sync shares, and that a backfill has alone.  It comes
-- before all other locks.
CREATE OR REPLACE FUNCTION site.sync_lock()
RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT hashtextextended('site.sync', 0)
$$;

-- Put a picture into every gallery that takes new ones.  Once more does
-- nothing.  The picture and the galleries are locked against removal first:
-- the foreign keys would lock them anyway, but after the insert and with an
-- error instead of a skip for a gallery that went meanwhile.
CREATE OR REPLACE FUNCTION site.media_sync(media bigint, OUT present boolean,
	OUT pages bigint, OUT galleries bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(site.sync_lock());
	WITH picture AS MATERIALIZED (
		SELECT m.id FROM site.media m
		WHERE m.id = media
		FOR KEY SHARE
	), target AS MATERIALIZED (
		SELECT g.id, g.page_id FROM site.gallery g
		WHERE g.auto_sync AND EXISTS (SELECT FROM picture)
		ORDER BY g.id
		FOR KEY SHARE
	), added AS (
		INSERT INTO site.gallery_image (gallery_id, media_id)
		SELECT t.id, media FROM target t
		ORDER BY t.id
		ON CONFLICT ON CONSTRAINT gallery_image_pkey DO NOTHING
		RETURNING gallery_id
	)
	SELECT EXISTS (SELECT FROM picture),
		count(DISTINCT t.page_id), count(*)
	INTO present, pages, galleries
	FROM added a
	JOIN target t ON t.id = a.gallery_id;
END
$$;
