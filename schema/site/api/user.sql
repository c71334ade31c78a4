-- Accounts.

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

-- A new account.  outcome: 'ok', 'email taken' or 'key taken'.
CREATE OR REPLACE FUNCTION site.user_create(address text, hash text, role text,
	key_hash text, OUT outcome text, OUT account bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	violated text;
BEGIN
	INSERT INTO site.users AS u (email, password_hash, role, api_key_hash)
	VALUES (lower(address), hash, user_create.role, key_hash)
	RETURNING u.id INTO account;
	outcome := 'ok';
EXCEPTION WHEN unique_violation THEN
	GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
	outcome := CASE violated WHEN 'users_email_key' THEN 'email taken'
		ELSE 'key taken' END;
END
$$;

-- The first account, an admin; null when there is one already.  Of many at
-- once one wins: the lock holds off whoever else would add a row.
CREATE OR REPLACE FUNCTION site.user_first(address text, hash text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM site.users) THEN
		RETURN NULL;
	END IF;
	LOCK TABLE site.users IN SHARE ROW EXCLUSIVE MODE;
	IF EXISTS (SELECT FROM site.users) THEN
		RETURN NULL;
	END IF;
	PERFORM site.login_unlock(address); -- guesses made before
	RETURN (SELECT c.account
		FROM site.user_create(address, hash, 'admin', NULL) AS c);
END
$$;

-- Is this the only admin?  Holds all of them and the account until the
-- transaction ends, in one order, so that of two changes at once the second
-- sees what the first made.
CREATE OR REPLACE FUNCTION site.user_is_last_admin(account bigint)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM FROM site.users u
	WHERE u.role = 'admin' OR u.id = account
	ORDER BY u.id
	FOR UPDATE;
	RETURN EXISTS (SELECT FROM site.users u
		WHERE u.id = account AND u.role = 'admin')
	AND NOT EXISTS (SELECT FROM site.users u
		WHERE u.id <> account AND u.role = 'admin');
END
$$;

-- Change what is not null.  The API key: 'keep' it, 'none', 'new' or, if there
-- is none yet, 'first'; new_key tells whether key_hash has become it.  A new
-- password ends all sessions but the one kept, and forgets bad tries.
-- outcome: 'ok', 'missing', 'last admin', 'email taken' or 'key taken'.
CREATE OR REPLACE FUNCTION site.user_update(account bigint, address text,
	hash text, new_role text, key text, key_hash text, kept_sid_hash text,
	OUT outcome text, OUT new_key boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	before site.users;
	violated text;
BEGIN
	new_key := false;
	IF new_role <> 'admin' AND site.user_is_last_admin(account) THEN
		outcome := 'last admin';
		RETURN;
	END IF;
	SELECT u.id, u.email, u.api_key_hash
	INTO before.id, before.email, before.api_key_hash
	FROM site.users u
	WHERE u.id = account
	FOR UPDATE;
	IF NOT FOUND THEN
		outcome := 'missing';
		RETURN;
	END IF;
	new_key := key = 'new'
		OR (key = 'first' AND before.api_key_hash IS NULL);
	UPDATE site.users u
	SET email = coalesce(lower(address), u.email),
		password_hash = coalesce(hash, u.password_hash),
		role = coalesce(new_role, u.role),
		api_key_hash = CASE WHEN new_key THEN key_hash
			WHEN key <> 'none' THEN u.api_key_hash END,
		updated_at = clock_timestamp()
	WHERE u.id = account;
	IF hash IS NOT NULL THEN
		DELETE FROM site.session s
		WHERE s.user_id = account
		AND s.sid_hash <> coalesce(kept_sid_hash, '');
		PERFORM site.login_unlock(before.email);
	END IF;
	outcome := 'ok';
EXCEPTION WHEN unique_violation THEN
	GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
	outcome := CASE violated WHEN 'users_email_key' THEN 'email taken'
		ELSE 'key taken' END;
	new_key := false;
END
$$;

-- Remove an account with its sessions.  outcome: 'ok', 'missing' or 'last
-- admin'.
CREATE OR REPLACE FUNCTION site.user_delete(account bigint, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF site.user_is_last_admin(account) THEN
		outcome := 'last admin';
		RETURN;
	END IF;
	DELETE FROM site.users u
	WHERE u.id = account;
	outcome := CASE WHEN FOUND THEN 'ok' ELSE 'missing' END;
END
$$;
