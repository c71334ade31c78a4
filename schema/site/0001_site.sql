-- The site that the built-in task works on: people, media, pages, galleries.
--
-- Pictures in galleries are rows, so that adding one never rewrites a page:
-- an upload's job and an editor's change to the same page cannot overwrite
-- one another.  A page's layout keeps every block as it was sent, except that
-- a gallery block's pictures and its switch live in the two tables below and
-- are put back when the page is read.

CREATE SCHEMA site;

CREATE TABLE site.users (
	id		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	email		text NOT NULL UNIQUE
			CHECK (email = lower(email) AND email LIKE '_%@_%'
				AND octet_length(email) <= 254),
	password_hash	text NOT NULL,
	role		text NOT NULL
			CHECK (role IN ('admin', 'operator', 'editor')),
	api_key_hash	text UNIQUE,	-- of the key, never the key
	created_at	timestamptz NOT NULL DEFAULT now(),
	updated_at	timestamptz NOT NULL DEFAULT now()
);

-- One row a login.  A token is good while its session is here and not over.
CREATE TABLE site.session (
	sid_hash	text PRIMARY KEY,
	user_id		bigint NOT NULL
			REFERENCES site.users ON DELETE CASCADE,
	expires_at	timestamptz NOT NULL,
	created_at	timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX session_account ON site.session (user_id);

CREATE TABLE site.secret (
	name		text PRIMARY KEY,
	value		text NOT NULL CHECK (length(value) >= 32)
);

CREATE TABLE site.media (
	id		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	filename	text NOT NULL UNIQUE,	-- the client's, made safe
	storage_key	text NOT NULL UNIQUE,	-- ours; where the bytes are
	mime_type	text NOT NULL,
	filesize	bigint NOT NULL CHECK (filesize > 0),
	hash		text NOT NULL,		-- BLAKE2b-256 of the bytes
	alt		text,
	width		integer CHECK (width > 0),
	height		integer CHECK (height > 0),
	created_at	timestamptz NOT NULL DEFAULT now(),
	updated_at	timestamptz NOT NULL DEFAULT now(),
	created_by	bigint REFERENCES site.users ON DELETE SET NULL
);
CREATE INDEX media_created ON site.media (created_at, id);
CREATE INDEX media_created_by ON site.media (created_by)
	WHERE created_by IS NOT NULL;

-- The last number given to a name that was taken: photo.jpg 2 means that
-- photo-2.jpg was the last one tried.  Names never taken have no row.
CREATE TABLE site.media_name (
	filename	text PRIMARY KEY,
	last		bigint NOT NULL
);

CREATE TABLE site.page (
	id		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	title		text NOT NULL,
	slug		text NOT NULL UNIQUE,
	layout		jsonb NOT NULL DEFAULT '[]'
			CHECK (jsonb_typeof(layout) = 'array'),
	created_at	timestamptz NOT NULL DEFAULT now(),
	updated_at	timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX page_created ON site.page (created_at, id);

CREATE TABLE site.gallery (
	id		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	page_id		bigint NOT NULL
			REFERENCES site.page ON DELETE CASCADE,
	block_id	text NOT NULL,	-- "id" of the block in the layout
	auto_sync	boolean NOT NULL DEFAULT false,
	UNIQUE (page_id, block_id)
);
-- All that a sync reads, in the order in which it locks.
CREATE INDEX gallery_auto_sync ON site.gallery (id) WHERE auto_sync;

CREATE SEQUENCE site.gallery_image_position AS bigint;

-- added_xid is the transaction that put the picture in: with the snapshot
-- that a reader was given it tells whether the reader could have seen it.
CREATE TABLE site.gallery_image (
	gallery_id	bigint NOT NULL
			REFERENCES site.gallery ON DELETE CASCADE,
	media_id	bigint NOT NULL
			REFERENCES site.media ON DELETE CASCADE,
	position	bigint NOT NULL
			DEFAULT nextval('site.gallery_image_position'),
	added_xid	xid8 NOT NULL DEFAULT pg_current_xact_id(),
	PRIMARY KEY (gallery_id, media_id)
);
CREATE INDEX gallery_image_media ON site.gallery_image (media_id);
ALTER SEQUENCE site.gallery_image_position
	OWNED BY site.gallery_image.position;
