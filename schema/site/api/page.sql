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
-- what it has.  switched: the galleries that take new pictures from now on.
CREATE OR REPLACE FUNCTION site.page_set_galleries(page bigint, blocks jsonb,
	OUT switched bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	g record;
	fresh bigint[];
BEGIN
	PERFORM 1 FROM site.gallery o
	WHERE o.page_id = page AND o.block_id NOT IN (
		SELECT b.block FROM jsonb_to_recordset(blocks) AS b(block text))
	ORDER BY o.id FOR UPDATE;
	WITH other AS (
		UPDATE site.gallery o SET auto_sync = b.auto
		FROM jsonb_to_recordset(blocks) AS b(block text, auto boolean)
		WHERE o.page_id = page AND o.block_id = b.block
		AND o.auto_sync <> b.auto
		RETURNING o.id, o.auto_sync
	)
	SELECT array_agg(o.id) FILTER (WHERE o.auto_sync) INTO switched
	FROM other o;
	WITH added AS (
		INSERT INTO site.gallery AS n (page_id, block_id, auto_sync)
		SELECT page, b.block, coalesce(b.auto, false)
		FROM jsonb_to_recordset(blocks) AS b(block text, auto boolean)
		WHERE NOT EXISTS (SELECT FROM site.gallery o
			WHERE o.page_id = page AND o.block_id = b.block)
		RETURNING n.id, n.auto_sync
	)
	SELECT array_agg(n.id) FILTER (WHERE n.auto_sync) INTO fresh
	FROM added n;
	switched := switched || fresh;
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

-- Every picture there is, locked against removal, for page_fill().  Who brings
-- a picture into the galleries (media_sync) is held off until the end of the
-- transaction: its picture is either here already, or its galleries are
-- looked for when the switch has been committed.
CREATE OR REPLACE FUNCTION site.page_all_images()
RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(site.sync_lock());
	RETURN ARRAY(SELECT m.id FROM site.media m ORDER BY m.id FOR KEY SHARE);
END
$$;

-- Append to these galleries what they lack of these pictures.
CREATE OR REPLACE FUNCTION site.page_fill(galleries bigint[], pictures bigint[])
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO site.gallery_image (gallery_id, media_id)
	SELECT g.id, m.id
	FROM unnest(galleries) AS g(id), unnest(pictures) AS m(id)
	ORDER BY g.id, m.id
	ON CONFLICT ON CONSTRAINT gallery_image_pkey DO NOTHING
$$;

-- The page's version, and with it the page, held until the transaction ends:
-- 'missing' when there is none, 'unmatched' when its version is none of
-- if_match, 'changed' when it is not the one known; null conditions are none.
CREATE OR REPLACE FUNCTION site.page_hold(page bigint, if_match text[],
	known text)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	version text;
BEGIN
	SELECT site.iso(p.updated_at) INTO version
	FROM site.page p WHERE p.id = page FOR UPDATE;
	RETURN CASE WHEN NOT FOUND THEN 'missing'
		WHEN version <> ALL (if_match) THEN 'unmatched'
		WHEN version <> known THEN 'changed'
		ELSE 'ok' END;
END
$$;

-- Create a page (page null) or change one; a null value changes nothing.
-- blocks are the galleries of layout, null when layout is.  With backfill those
-- of them that begin to take new pictures get all that are there.
--
-- updated_at is the page's version, as far as it is shown: it grows by at
-- least a millisecond with each change.
--
-- outcome: 'ok', or what page_hold() says, and then nothing is changed.
CREATE OR REPLACE FUNCTION site.page_save(page bigint, new_title text,
	new_slug text, new_layout jsonb, blocks jsonb, if_match text[],
	known text, backfill boolean, OUT outcome text, OUT saved bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	pictures bigint[];
	switched bigint[];
BEGIN
	outcome := 'ok';
	saved := page;
	IF backfill AND blocks IS NOT NULL THEN
		pictures := site.page_all_images();
	END IF;
	IF blocks IS NOT NULL THEN
		PERFORM site.page_lock_images(blocks);
	END IF;
	IF page IS NULL THEN
		INSERT INTO site.page AS p (title, slug, layout)
		VALUES (new_title, new_slug, coalesce(new_layout, '[]'))
		RETURNING p.id INTO saved;
	ELSE
		outcome := site.page_hold(page, if_match, known);
		IF outcome <> 'ok' THEN
			RETURN;
		END IF;
		UPDATE site.page p
		SET title = coalesce(new_title, p.title),
			slug = coalesce(new_slug, p.slug),
			layout = coalesce(new_layout, p.layout),
			updated_at = greatest(
				date_trunc('milliseconds', clock_timestamp()),
				date_trunc('milliseconds', p.updated_at)
					+ interval '1 ms')
		WHERE p.id = page;
	END IF;
	IF blocks IS NOT NULL THEN
		switched := site.page_set_galleries(saved, blocks);
		PERFORM site.page_fill(switched, pictures);
	END IF;
END
$$;

-- Remove a page with its galleries.  outcome is page_hold()'s.
CREATE OR REPLACE FUNCTION site.page_delete(page bigint, if_match text[],
	OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	outcome := site.page_hold(page, if_match, NULL);
	IF outcome <> 'ok' THEN
		RETURN;
	END IF;
	PERFORM 1 FROM site.gallery g WHERE g.page_id = page
	ORDER BY g.id FOR UPDATE;
	PERFORM 1 FROM site.gallery_image i
	WHERE i.gallery_id IN (
		SELECT g.id FROM site.gallery g WHERE g.page_id = page)
	ORDER BY i.gallery_id, i.media_id FOR UPDATE;
	DELETE FROM site.page p WHERE p.id = page;
END
$$;
