-- Signing in: how often a password may be tried, and sessions.
--
-- Five tries that were not good lock an address for ten minutes.  A try is
-- counted before the password is looked at, so that of many at once no more
-- than five are looked at; a good one takes the count away.  The rows are
-- bounded: what is over goes when others come, and beyond a hundred thousand
-- the oldest goes.

CREATE OR REPLACE FUNCTION site.attempt_key(address text)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT encode(sha256(convert_to(s.value || encode(sha256(convert_to(
		s.value || lower(attempt_key.address), 'UTF8')), 'hex'),
		'UTF8')), 'hex')
	FROM site.secret s
	WHERE s.name = 'attempts'
$$;

-- Two rows that are over, and two of those too many.  Rows that somebody
-- holds are left for the next.
CREATE OR REPLACE FUNCTION site.attempts_sweep(newest bigint)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM site.login_attempt a
	WHERE a.n IN (
		SELECT o.n
		FROM site.login_attempt o
		WHERE o.until <= clock_timestamp()
		ORDER BY o.until
		LIMIT 2
		FOR UPDATE SKIP LOCKED);

	DELETE FROM site.login_attempt a
	WHERE a.n IN (
		SELECT o.n
		FROM site.login_attempt o
		WHERE o.n <= newest - 100000
		ORDER BY o.n
		LIMIT 2
		FOR UPDATE SKIP LOCKED)
$$;

-- Count a try; false: the address is locked, and none is counted.
CREATE OR REPLACE FUNCTION site.attempt_count(key text)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made bigint;
BEGIN
	LOOP
		UPDATE site.login_attempt a
		SET tried = CASE WHEN a.until <= clock_timestamp() THEN 1
			ELSE a.tried + 1 END,
			until = clock_timestamp() + interval '10 minutes'
		WHERE a.address = key
		AND (a.tried < 5 OR a.until <= clock_timestamp());
		IF FOUND THEN
			RETURN true;
		END IF;
		PERFORM FROM site.login_attempt a
		WHERE a.address = key;
		IF FOUND THEN
			RETURN false;
		END IF;
		-- Not at once with ON CONFLICT: that takes a number each
		-- time, and numbers are what the oldest are known by.
		INSERT INTO site.login_attempt AS a (address, tried, until)
		VALUES (key, 1, clock_timestamp() + interval '10 minutes')
		ON CONFLICT ON CONSTRAINT login_attempt_pkey DO NOTHING
		RETURNING a.n INTO made;
		IF FOUND THEN
			PERFORM site.attempts_sweep(made);
			RETURN true;
		END IF;
	END LOOP;
END
$$;

-- Forget the tries of an address.
CREATE OR REPLACE FUNCTION site.login_unlock(address text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM site.login_attempt a
	WHERE a.address = site.attempt_key(login_unlock.address);
	RETURN FOUND;
END
$$;

-- Count a try at this address, then say what its password is checked against:
-- one row, with nulls where it has no account.
CREATE OR REPLACE FUNCTION site.login_begin(address text, OUT locked boolean,
	OUT id bigint, OUT role text, OUT email text, OUT password_hash text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	locked := NOT site.attempt_count(site.attempt_key(address));
	SELECT u.id, u.role, u.email, u.password_hash
	INTO id, role, email, password_hash
	FROM site.users u
	WHERE u.email = lower(address);
END
$$;

-- Open a session of so many seconds for the account whose password was
-- checked against this hash; no row when it has another one by now, so that a
-- change of the password leaves no session behind.  Sessions that are over go,
-- and the oldest of more than fifty.
CREATE OR REPLACE FUNCTION site.session_open(account bigint, checked text,
	hash text, seconds integer)
RETURNS TABLE (issued bigint, expires bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	address text;
BEGIN
	SELECT u.email INTO address
	FROM site.users u
	WHERE u.id = account AND u.password_hash = checked
	FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	PERFORM site.login_unlock(address);
	DELETE FROM site.session s
	WHERE s.user_id = account AND s.expires_at <= now();
	DELETE FROM site.session s
	WHERE s.sid_hash IN (
		SELECT o.sid_hash
		FROM site.session o
		WHERE o.user_id = account
		ORDER BY o.created_at DESC, o.sid_hash
		OFFSET 49);
	RETURN QUERY
	INSERT INTO site.session AS s (sid_hash, user_id, expires_at,
		created_at)
	VALUES (hash, account, date_trunc('second', now())
		+ make_interval(secs => seconds), clock_timestamp())
	RETURNING extract(epoch FROM date_trunc('second', now()))::bigint,
		extract(epoch FROM s.expires_at)::bigint;
END
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
