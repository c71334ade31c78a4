-- Ways in which pages change; see media.sql for rights and order of locks.

-- Raise the error of one bad value in a gallery block: path is the field.
CREATE OR REPLACE FUNCTION site.refuse(path text, message text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = message,
		DETAIL = path;
END
$$;

-- Lock the pictures that the blocks name against removal; an unknown one is
-- refused, naming where it stands.
CREATE OR REPLACE FUNCTION site.page_lock_images(blocks jsonb)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted bigint[];
	known bigint[];
	bad record;
BEGIN
	SELECT array_agg(DISTINCT i.id::bigint) INTO wanted
	FROM jsonb_to_recordset(blocks) AS b(images jsonb),
		jsonb_array_elements_text(coalesce(b.images, '[]')) AS i(id);
	SELECT array_agg(l.id) INTO known
	FROM (SELECT m.id FROM site.media m WHERE m.id = ANY (wanted)
		ORDER BY m.id FOR KEY SHARE) AS l;
	IF cardinality(wanted) IS NOT DISTINCT FROM cardinality(known) THEN
		RETURN;
	END IF;
	SELECT b.path || '.images.' || (i.n - 1) AS path, i.id INTO bad
	FROM jsonb_to_recordset(blocks) AS b(path text, images jsonb),
		jsonb_array_elements_text(coalesce(b.images, '[]'))
			WITH ORDINALITY AS i(id, n)
	WHERE (i.id::bigint = ANY (known)) IS NOT TRUE
	LIMIT 1;
	PERFORM site.refuse(bad.path, format('There is no media %s.', bad.id));
END
$$;

-- The snapshot that a reader got as imagesAsOf.
CREATE OR REPLACE FUNCTION site.page_snapshot(as_of text, path text)
RETURNS pg_snapshot
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN as_of::pg_snapshot;
EXCEPTION WHEN data_exception THEN
	PERFORM site.refuse(path || '.imagesAsOf',
		'This is not a value that a page was read with.');
END
$$;

-- Make a gallery's pictures those of the list, in its order.  as_of: what the
-- list's writer had seen; a picture that came later stays, behind the list.
-- An xid at or above the end of the present snapshot is from the cluster that
-- this database was restored from, so everybody has seen it.
--
-- Places are numbers from one sequence and only ever grow.  As far as the
-- wanted order agrees with the numbers there are, they stay; from the first
-- that does not, new numbers are dealt.  To append is therefore one insert.
CREATE OR REPLACE FUNCTION site.gallery_set(gallery bigint, list bigint[],
	as_of pg_snapshot)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM site.gallery_image i
	WHERE i.gallery_id = gallery AND i.media_id <> ALL (list)
	AND (as_of IS NULL OR pg_visible_in_snapshot(i.added_xid, as_of)
		OR i.added_xid >= pg_snapshot_xmax(pg_current_snapshot()));

	WITH wanted AS (
		SELECT l.id AS media_id, l.n, i.position
		FROM unnest(list) WITH ORDINALITY AS l(id, n)
		LEFT JOIN site.gallery_image i
			ON i.gallery_id = gallery AND i.media_id = l.id
		UNION ALL
		SELECT i.media_id, cardinality(list) + row_number()
			OVER (ORDER BY i.position), i.position
		FROM site.gallery_image i
		WHERE i.gallery_id = gallery AND i.media_id <> ALL (list)
	), compared AS (
		SELECT w.media_id, w.n, w.position,
			w.position > coalesce(lag(w.position)
				OVER (ORDER BY w.n), -1) AS fits
		FROM wanted w
	), judged AS (
		SELECT c.media_id, c.n, c.position,
			bool_and(c.fits IS TRUE) OVER (ORDER BY c.n) AS stays
		FROM compared c
	), dealt AS MATERIALIZED (
		SELECT j.media_id, j.position IS NULL AS fresh,
			nextval('site.gallery_image_position') AS position
		FROM (SELECT media_id, position FROM judged WHERE NOT stays
			ORDER BY n) AS j
	), moved AS (
		UPDATE site.gallery_image i
		SET position = d.position
		FROM dealt d
		WHERE i.gallery_id = gallery AND i.media_id = d.media_id
		AND NOT d.fresh
	)
	INSERT INTO site.gallery_image AS i (gallery_id, media_id, position)
	SELECT gallery, d.media_id, d.position FROM dealt d
	WHERE d.fresh
	ORDER BY d.media_id
	ON CONFLICT ON CONSTRAINT gallery_image_pkey
		DO UPDATE SET position = excluded.position;
$$;

-- Bring the page's gallery rows in line with its blocks: [{"block", "path",
-- "auto", "images", "asOf"}], null where the block does not say and keeps
-- what it has.
CREATE OR REPLACE FUNCTION site.page_set_galleries(page bigint, blocks jsonb)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	g record;
BEGIN
	PERFORM 1 FROM site.gallery o
	WHERE o.page_id = page AND o.block_id NOT IN (
		SELECT b.block FROM jsonb_to_recordset(blocks) AS b(block text))
	ORDER BY o.id FOR UPDATE;
	UPDATE site.gallery o SET auto_sync = b.auto
	FROM jsonb_to_recordset(blocks) AS b(block text, auto boolean)
	WHERE o.page_id = page AND o.block_id = b.block
	AND o.auto_sync <> b.auto;
	INSERT INTO site.gallery (page_id, block_id, auto_sync)
	SELECT page, b.block, coalesce(b.auto, false)
	FROM jsonb_to_recordset(blocks) AS b(block text, auto boolean)
	WHERE NOT EXISTS (SELECT FROM site.gallery o
		WHERE o.page_id = page AND o.block_id = b.block);
	FOR g IN
		SELECT o.id, b.block, b.path, b."asOf" AS as_of,
			CASE WHEN b.images IS NOT NULL THEN ARRAY(
				SELECT i.id::bigint
				FROM jsonb_array_elements_text(b.images)
					WITH ORDINALITY AS i(id, n)
				ORDER BY i.n) END AS list
		FROM site.gallery o
		LEFT JOIN jsonb_to_recordset(blocks) AS b(block text, path text,
			images jsonb, "asOf" text) ON b.block = o.block_id
		WHERE o.page_id = page
		ORDER BY o.id
	LOOP
		IF g.block IS NULL THEN
			DELETE FROM site.gallery o WHERE o.id = g.id;
		ELSIF g.list IS NOT NULL THEN
			PERFORM site.gallery_set(g.id, g.list,
				site.page_snapshot(g.as_of, g.path));
		END IF;
	END LOOP;
END
$$;

-- Create a page (page null) or change one; a null value changes nothing.
-- blocks are the galleries of layout, null when layout is.
CREATE OR REPLACE FUNCTION site.page_save(page bigint, new_title text,
	new_slug text, new_layout jsonb, blocks jsonb)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF blocks IS NOT NULL THEN
		PERFORM site.page_lock_images(blocks);
	END IF;
	IF page IS NULL THEN
		INSERT INTO site.page AS p (title, slug, layout)
		VALUES (new_title, new_slug, coalesce(new_layout, '[]'))
		RETURNING p.id INTO page;
	ELSE
		UPDATE site.page p
		SET title = coalesce(new_title, p.title),
			slug = coalesce(new_slug, p.slug),
			layout = coalesce(new_layout, p.layout),
			updated_at = now()
		WHERE p.id = page;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'P0002',
				MESSAGE = 'Not Found';
		END IF;
	END IF;
	IF blocks IS NOT NULL THEN
		PERFORM site.page_set_galleries(page, blocks);
	END IF;
	RETURN page;
END
$$;

-- Remove a page with its galleries; false when there is none.
CREATE OR REPLACE FUNCTION site.page_delete(page bigint)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM 1 FROM site.page p WHERE p.id = page FOR UPDATE;
	PERFORM 1 FROM site.gallery g WHERE g.page_id = page
	ORDER BY g.id FOR UPDATE;
	PERFORM 1 FROM site.gallery_image i
	WHERE i.gallery_id IN (
		SELECT g.id FROM site.gallery g WHERE g.page_id = page)
	ORDER BY i.gallery_id, i.media_id FOR UPDATE;
	DELETE FROM site.page p WHERE p.id = page;
	RETURN FOUND;
END
$$;
