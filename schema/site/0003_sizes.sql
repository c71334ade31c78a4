-- Smaller forms of a picture, made by the task makeThumbnails.
--
-- filename is null where the picture is no larger than that size: then there
-- is no file.
CREATE TABLE site.media_size (
	media_id	bigint NOT NULL
			REFERENCES site.media ON DELETE CASCADE,
	name		text NOT NULL,		-- "thumbnail"
	filename	text UNIQUE,		-- photo-400x300.jpg
	storage_key	text UNIQUE,
	mime_type	text,
	filesize	bigint CHECK (filesize > 0),
	width		integer CHECK (width > 0),
	height		integer CHECK (height > 0),
	PRIMARY KEY (media_id, name),
	CHECK (num_nulls(filename, storage_key, mime_type, filesize, width,
		height) IN (0, 6))
);

-- So that a picture without sizes costs no look for them.
ALTER TABLE site.media ADD COLUMN sized boolean NOT NULL DEFAULT false;
