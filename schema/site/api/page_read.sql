-- Pages as they are read.

-- The pages with these ids, n being an id's place among them; what is not there
-- has no row.  layout is the stored one, without its galleries, which are
-- {"<block id>": {"autoSyncMedia": true, "images": [id, …]}}; both are null
-- without with_layout.  snapshot is that of the whole statement: what a
-- document shows and what its reader could have seen are the same.
--
-- Together they are at most so many bytes large, but the first one comes in any
-- case: fits is false where layout and galleries are left out for that.  What is
-- stored too large is told without reading it.
--
-- Reads as the caller.  A function, so that its plan is kept: who asks says
-- which pages in a statement that is never the same for long.  It goes by
-- indexes, also when it is made while the tables are small.
CREATE OR REPLACE FUNCTION site.page_docs(ids bigint[], with_layout boolean,
	bytes bigint)
RETURNS TABLE (n bigint, id bigint, title text, slug text, created_at text,
	updated_at text, snapshot text, layout text, galleries text,
	fits boolean)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH docs AS MATERIALIZED (
		SELECT p.n, p.id, p.title, p.slug,
			site.iso(p.created_at) AS created_at,
			site.iso(p.updated_at) AS updated_at,
			pg_current_snapshot()::text AS snapshot,
			CASE WHEN page_docs.with_layout
				AND (p.n = 1 OR p.stored <= page_docs.bytes)
				THEN p.layout::text END AS layout,
			CASE WHEN page_docs.with_layout THEN (
				SELECT coalesce(json_object_agg(g.block_id,
					json_build_object('autoSyncMedia', g.auto_sync,
					'images', (
						SELECT coalesce(json_agg(i.media_id
							ORDER BY i.position), '[]')
						FROM site.gallery_image i
						WHERE i.gallery_id = g.id))), '{}')
				FROM site.gallery g
				WHERE g.page_id = p.id)::text END AS galleries
		FROM (
			SELECT x.n, p.id, p.title, p.slug, p.layout, p.created_at,
				p.updated_at,
				sum(pg_column_size(p.layout)) OVER (ORDER BY x.n) AS stored
			FROM unnest(page_docs.ids) WITH ORDINALITY AS x(id, n)
			JOIN site.page p ON p.id = x.id) AS p
	), sized AS (
		SELECT d.*, d.n = 1 OR (d.layout IS NOT NULL AND
			sum(octet_length(d.layout) + octet_length(d.galleries))
			OVER (ORDER BY d.n) <= page_docs.bytes) AS fits
		FROM docs d
	)
	SELECT s.n, s.id, s.title, s.slug, s.created_at, s.updated_at, s.snapshot,
		CASE WHEN s.fits THEN s.layout END,
		CASE WHEN s.fits THEN s.galleries END,
		s.fits OR NOT page_docs.with_layout
	FROM sized s;
END
$$;
