-- Who may do what in the queue: one login for each function, with the least
-- that it needs.  The site's grants are in site/roles.sql.  Applied again by
-- every migrate in which it changed.
--
-- This guards against SQL that slips into a statement, not against foreign
-- code running inside a function.

DO $$
DECLARE
	name text;
	setting text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles
	    WHERE rolname = 'afterwork_producer') THEN
		CREATE ROLE afterwork_producer NOLOGIN NOINHERIT;
	END IF;
	FOREACH name IN ARRAY ARRAY['upload', 'run', 'status', 'jobs', 'media',
	    'pages', 'users', 'thumbnails'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles
		    WHERE rolname = 'afterwork_' || name) THEN
			EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT',
			    'afterwork_' || name);
		END IF;
		EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I',
		    current_database(), 'afterwork_' || name);
		-- What an older form of this file granted goes.
		EXECUTE format('REVOKE ALL ON SCHEMA afterwork FROM %I',
		    'afterwork_' || name);
		EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA afterwork '
		    'FROM %I', 'afterwork_' || name);
		EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA afterwork '
		    'FROM %I', 'afterwork_' || name);
		-- What a direct link asks for itself (common/link/db_link.c);
		-- behind a pooler nobody does.  Logins are the cluster's: what is
		-- set is left, for two databases may be migrated at once.
		FOREACH setting IN ARRAY ARRAY['search_path=""',
		    'TimeZone=UTC', 'DateStyle=ISO', 'jit=off',
		    'lock_timeout=5000', 'statement_timeout=9800',
		    'idle_in_transaction_session_timeout=10000'] LOOP
			CONTINUE WHEN EXISTS (
				SELECT FROM pg_db_role_setting s
				WHERE s.setrole = ('afterwork_' || name)::regrole
				  AND s.setdatabase = 0
				  AND setting = ANY (s.setconfig));
			EXECUTE format('ALTER ROLE %I SET %s = %L',
			    'afterwork_' || name, split_part(setting, '=', 1),
			    replace(split_part(setting, '=', 2), '""', ''));
		END LOOP;
	END LOOP;
END
$$;

REVOKE ALL ON ALL TABLES IN SCHEMA afterwork FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA afterwork FROM PUBLIC;

-- An upload's job is stored by the site's own function, with its row, so that
-- upload's login needs nothing here.
GRANT USAGE ON SCHEMA afterwork TO afterwork_run, afterwork_status,
	afterwork_jobs;

-- Enqueue, and nothing else: for roles of your own programs, which become
-- members of it (GRANT afterwork_producer TO shop).
GRANT USAGE ON SCHEMA afterwork TO afterwork_producer;
GRANT EXECUTE ON FUNCTION
	afterwork.enqueue, afterwork.enqueue_job, afterwork.enqueue_many,
	afterwork.store_job
	TO afterwork_producer;

-- Enqueue and decide.
GRANT EXECUTE ON FUNCTION
	afterwork.enqueue, afterwork.enqueue_job, afterwork.enqueue_many,
	afterwork.store_job, afterwork.cancel, afterwork.revive, afterwork.pause
	TO afterwork_jobs;

-- Claim and settle.  A task's own login gets assert_lease() from whoever makes
-- that login.
GRANT EXECUTE ON FUNCTION
	afterwork.claim, afterwork.claim_behind, afterwork.claim_first,
	afterwork.settle_first,
	afterwork.heed, afterwork.assert_lease,
	afterwork.outlook, afterwork.outlasts, afterwork.handle_schedules,
	afterwork.settle,
	afterwork.keep_house
	TO afterwork_run;

-- Read.
GRANT EXECUTE ON FUNCTION
	afterwork.job_page(boolean, bigint, bigint),
	afterwork.job_by_id(bigint), afterwork.job_total(), afterwork.stats(),
	afterwork.stats_doc()
	TO afterwork_status, afterwork_jobs;
GRANT EXECUTE ON FUNCTION
	afterwork.job_doc(afterwork.jobs), afterwork.attempts_of(afterwork.jobs),
	afterwork.attempt(integer, bigint, text, timestamptz, timestamptz, text,
	    jsonb),
	afterwork.iso(timestamptz)
	TO afterwork_status, afterwork_jobs;
GRANT SELECT ON afterwork.jobs, afterwork.queue, afterwork.task
	TO afterwork_status, afterwork_jobs;
