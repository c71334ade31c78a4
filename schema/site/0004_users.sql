-- Guesses at passwords, sessions that are counted, lists of users.
--
-- One row an address, whether it has an account or not, so that neither
-- answer nor time tells which.  The address is kept as a keyed hash: people
-- type passwords where the address belongs.
CREATE TABLE site.login_attempt (
	address		text PRIMARY KEY,	-- site.attempt_key()
	n		bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	tried		integer NOT NULL CHECK (tried > 0),
	until		timestamptz NOT NULL	-- then it is forgotten
);
CREATE INDEX login_attempt_until ON site.login_attempt (until);

-- The key of these hashes: 244 random bits of PostgreSQL's.
INSERT INTO site.secret (name, value)
VALUES ('attempts', replace(gen_random_uuid()::text
	|| gen_random_uuid()::text, '-', ''));

-- The oldest of a user's sessions is found without reading all of them.
DROP INDEX site.session_account;
CREATE INDEX session_account ON site.session (user_id, created_at, sid_hash);

CREATE INDEX users_created ON site.users (created_at, id);

-- The last admin is looked for at every change of a role.
CREATE INDEX users_admin ON site.users (id) WHERE role = 'admin';

-- Its successor is told which password was checked.
DROP FUNCTION IF EXISTS site.session_open(bigint, text, integer);
