-- Documents as the REST API shows them.  Plain SQL without SET, so that the
-- planner can take them apart inside the statement that uses them.

-- 2026-07-20T12:34:56.789Z
CREATE OR REPLACE FUNCTION site.iso(t timestamptz)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- Every byte that is not a letter, a digit or one of these, as %XX.
CREATE OR REPLACE FUNCTION site.url_escape(name text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(CASE WHEN c ~ '^[A-Za-z0-9_.!~*''()-]$' THEN c
		ELSE regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')),
			'(..)', '%\1', 'g') END, '' ORDER BY n)
	FROM regexp_split_to_table(name, '') WITH ORDINALITY AS s(c, n)
$$;

-- As encodeURIComponent() has it.  Most names need none of it, and translate()
-- tells that in a tenth of the time of a regular expression.
CREATE OR REPLACE FUNCTION site.url_part(name text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN translate(name,
		'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
		'0123456789_.!~*''()-', '') = '' THEN name
	ELSE site.url_escape(name)
	END
$$;

CREATE OR REPLACE FUNCTION site.file_url(filename text, server_url text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT rtrim(server_url, '/') || '/api/media/file/'
		|| site.url_part(filename)
$$;

-- {"thumbnail": {"url", "width", ...}, ...}: as Payload has it, with nulls
-- where the picture is no larger.  A function of its own, since one that holds
-- it could not be taken apart.
CREATE OR REPLACE FUNCTION site.sizes_doc(media bigint, server_url text)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT json_object_agg(s.name, json_build_object(
		'url', site.file_url(s.filename, server_url),
		'width', s.width,
		'height', s.height,
		'mimeType', s.mime_type,
		'filesize', s.filesize,
		'filename', s.filename) ORDER BY s.name)
	FROM site.media_size s
	WHERE s.media_id = media
$$;

CREATE OR REPLACE FUNCTION site.thumbnail_url(media bigint, server_url text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT site.file_url(s.filename, server_url)
	FROM site.media_size s
	WHERE s.media_id = media AND s.name = 'thumbnail'
$$;

CREATE OR REPLACE FUNCTION site.media_doc(m site.media, server_url text)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT json_build_object(
		'id', m.id,
		'alt', m.alt,
		'filename', m.filename,
		'mimeType', m.mime_type,
		'filesize', m.filesize,
		'width', m.width,
		'height', m.height,
		'url', site.file_url(m.filename, server_url),
		'thumbnailURL', CASE WHEN m.sized
			THEN site.thumbnail_url(m.id, server_url) END,
		'focalX', CASE WHEN m.mime_type LIKE 'image/%' THEN 50 END,
		'focalY', CASE WHEN m.mime_type LIKE 'image/%' THEN 50 END,
		'sizes', CASE WHEN m.sized
			THEN site.sizes_doc(m.id, server_url) ELSE '{}' END,
		'createdAt', site.iso(m.created_at),
		'updatedAt', site.iso(m.updated_at))
$$;

CREATE OR REPLACE FUNCTION site.user_doc(u site.users)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT json_build_object(
		'id', u.id,
		'email', u.email,
		'role', u.role,
		'enableAPIKey', u.api_key_hash IS NOT NULL,
		'collection', 'users',
		'createdAt', site.iso(u.created_at),
		'updatedAt', site.iso(u.updated_at))
$$;
