-- Who may do what in the site.  The logins themselves are made by the queue's
-- roles.sql.  Tables are only read directly; every change is a function that
-- runs as the owner and does one thing.

REVOKE ALL ON ALL TABLES IN SCHEMA site FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA site FROM PUBLIC;

GRANT USAGE ON SCHEMA site TO afterwork_upload, afterwork_run,
	afterwork_status, afterwork_jobs, afterwork_media, afterwork_pages,
	afterwork_users, afterwork_thumbnails;

-- Who is calling: every function may ask, none sees a password.
GRANT SELECT (id, email, role, api_key_hash) ON site.users
	TO afterwork_upload, afterwork_run, afterwork_status, afterwork_jobs,
	afterwork_media, afterwork_pages, afterwork_users;
GRANT SELECT ON site.session, site.secret
	TO afterwork_upload, afterwork_run, afterwork_status, afterwork_jobs,
	afterwork_media, afterwork_pages, afterwork_users;

GRANT EXECUTE ON FUNCTION site.iso(timestamptz), site.url_part(text),
	site.url_escape(text), site.media_doc(site.media, text),
	site.file_url(text, text), site.sizes_doc(bigint, text),
	site.thumbnail_url(bigint, text)
	TO afterwork_media, afterwork_pages;

GRANT EXECUTE ON FUNCTION site.media_create(text, text, text, bigint, text,
	text, integer, integer, bigint, text),
	site.media_change(bigint, text, text, text, bigint, text, boolean,
	text, integer, integer, text)
	TO afterwork_upload;

GRANT EXECUTE ON FUNCTION site.media_sync(bigint) TO afterwork_run;

-- The task makeThumbnails.
GRANT EXECUTE ON FUNCTION site.size_source(bigint),
	site.sizes_record(bigint, text, jsonb)
	TO afterwork_thumbnails;

GRANT SELECT ON site.media, site.media_size
	TO afterwork_media, afterwork_pages;
GRANT EXECUTE ON FUNCTION site.media_set_alt(bigint, text),
	site.media_delete(bigint)
	TO afterwork_media;

GRANT SELECT ON site.page, site.gallery, site.gallery_image
	TO afterwork_pages;
GRANT EXECUTE ON FUNCTION site.page_docs(bigint[], boolean, bigint),
	site.page_save(bigint, text, text, jsonb, jsonb,
	text[], text, boolean),
	site.page_delete(bigint, text[])
	TO afterwork_pages;

GRANT SELECT ON site.users TO afterwork_users;
GRANT EXECUTE ON FUNCTION site.iso(timestamptz), site.user_doc(site.users),
	site.login_begin(text), site.login_unlock(text),
	site.session_open(bigint, text, text, integer),
	site.session_extend(bigint, text, integer),
	site.session_close(bigint, text),
	site.user_create(text, text, text, text), site.user_first(text, text),
	site.user_update(bigint, text, text, text, text, text, text),
	site.user_delete(bigint)
	TO afterwork_users;
