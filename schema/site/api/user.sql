-- Accounts.  user_save is for the operator's command, which is the owner.

-- Keep the key that signs login tokens: the first one offered stays.
CREATE OR REPLACE FUNCTION site.secret_ensure(value text)
RETURNS boolean
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	WITH kept AS (
		INSERT INTO site.secret (name, value)
		VALUES ('token', secret_ensure.value)
		ON CONFLICT ON CONSTRAINT secret_pkey DO NOTHING
		RETURNING name
	)
	SELECT EXISTS (SELECT FROM kept)
$$;

-- Open a session of so many seconds; drop the user's sessions that are over.
CREATE OR REPLACE FUNCTION site.session_open(account bigint, hash text,
	seconds integer, OUT issued bigint, OUT expires bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM site.session s
	WHERE s.user_id = account AND s.expires_at <= now();

	INSERT INTO site.session AS s (sid_hash, user_id, expires_at)
	VALUES (hash, account, date_trunc('second', now())
		+ make_interval(secs => seconds))
	RETURNING extract(epoch FROM date_trunc('second', now()))::bigint,
		extract(epoch FROM s.expires_at)::bigint
$$;

-- Let a session that still lives last so many seconds from now; no row when
-- it is over.
CREATE OR REPLACE FUNCTION site.session_extend(account bigint, hash text,
	seconds integer)
RETURNS TABLE (issued bigint, expires bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE site.session s
	SET expires_at = date_trunc('second', now())
		+ make_interval(secs => seconds)
	WHERE s.sid_hash = hash AND s.user_id = account
	AND s.expires_at > now()
	RETURNING extract(epoch FROM date_trunc('second', now()))::bigint,
		extract(epoch FROM s.expires_at)::bigint
$$;

-- End one session, or with hash null all sessions of the account.
CREATE OR REPLACE FUNCTION site.session_close(account bigint, hash text)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	WITH ended AS (
		DELETE FROM site.session s
		WHERE s.user_id = account
		AND s.sid_hash = coalesce(hash, s.sid_hash)
		RETURNING s.sid_hash
	)
	SELECT count(*) FROM ended
$$;
