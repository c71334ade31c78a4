#!/bin/bash
# roles.t: each function's login can do its own work in the queue, and is denied
# everybody else's.  (The site's half: site-roles.t.)
. tests/lib.sh
stack_shared
logins='upload run status jobs media pages users thumbnails'

# may ROLE: the queue's functions that it can call.
may() {
	sql "SELECT string_agg(DISTINCT p.proname, ' ' ORDER BY p.proname)
		FROM pg_proc p WHERE p.pronamespace = 'afterwork'::regnamespace
		AND has_function_privilege('afterwork_$1', p.oid, 'EXECUTE')
		AND has_schema_privilege('afterwork_$1', 'afterwork', 'USAGE')"
}
documents='attempt attempts_of iso job_by_id job_doc job_page job_total stats stats_doc'
is "$(may run)" \
	'assert_lease claim claim_behind claim_first handle_schedules heed keep_house outlasts outlook settle settle_first' \
	'run claims, minds its lease and settles'
is "$(may status)" "$documents" 'status reads'
is "$(may jobs | xargs -n 1 | grep -vxF "${documents// /$'\n'}" | xargs)" \
	'cancel enqueue enqueue_job enqueue_many pause revive store_job' 'jobs enqueues and decides'
is "$(may producer)" 'enqueue enqueue_job enqueue_many store_job' 'what is a producer enqueues'
for role in upload media pages users thumbnails; do
	is "$(may $role)" '' "$role has nothing to do with the queue"
done

# tables ROLE: what it has rights on, and which.
tables() {
	sql "SELECT string_agg(c.relname || ':' || p.name, ' '
			ORDER BY c.relname, p.name)
		FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE',
			'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p(name)
		WHERE c.relnamespace = 'afterwork'::regnamespace
		AND c.relkind IN ('r', 'p', 'v')
		AND (has_table_privilege('afterwork_$1', c.oid, p.name)
			OR p.name IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
			AND has_any_column_privilege('afterwork_$1', c.oid, p.name))"
}
for role in $logins; do
	case $role in
	status | jobs) want='jobs:SELECT queue:SELECT task:SELECT' ;;
	*) want= ;;
	esac
	is "$(tables "$role")" "$want" "$role: tables it may touch: ${want:-none}"
done
is "$(sql "SELECT string_agg(c.relname, ' ') FROM pg_class c, unnest(string_to_array('$logins', ' ')) AS r(name)
	WHERE c.relkind = 'S' AND c.relnamespace IN ('afterwork'::regnamespace, 'site'::regnamespace)
	AND (has_sequence_privilege('afterwork_' || r.name, c.oid, 'USAGE')
		OR has_sequence_privilege('afterwork_' || r.name, c.oid, 'UPDATE'))")" '' \
	'no login counts a sequence on'

# The same by trying it.
# ROLE | STATEMENT
while IFS='|' read -r role statement; do
	like "$(sql_as "afterwork_$role" "$statement")" 'permission denied' \
		"$role is denied: ${statement:0:64}"
done <<'END'
upload|SELECT * FROM afterwork.claim(NULL, '', '{}', '{}', 1, 1)
upload|SELECT afterwork.settle('default', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')
upload|SELECT * FROM afterwork.jobs
upload|SELECT * FROM afterwork.job
upload|SELECT * FROM afterwork.job_page(true, 1, 0)
upload|SELECT afterwork.enqueue('noop')
upload|SELECT afterwork.enqueue_job('noop')
upload|SELECT afterwork.cancel(1)
upload|SELECT afterwork.assert_lease(1, 1)
upload|INSERT INTO afterwork.job (queue, task, state, priority, run_at, input) VALUES ('default', 'x', 'ready', 1, now(), '{}')
upload|INSERT INTO site.media (filename, storage_key, mime_type, filesize, hash) VALUES ('x', 'x', 'x', 1, 'x')
upload|UPDATE site.media SET alt = 'x'
upload|SELECT * FROM site.media
status|SELECT afterwork.enqueue('noop')
status|SELECT afterwork.cancel(1)
status|SELECT afterwork.pause('default', true)
status|SELECT afterwork.heed('default', 1, 1, '{}')
status|SELECT * FROM afterwork.claim(NULL, '', '{}', '{}', 1, 1)
status|UPDATE afterwork.queue SET paused = true
status|UPDATE afterwork.task SET retired_at = now()
status|DELETE FROM afterwork.job
status|DELETE FROM afterwork.history
status|SELECT * FROM afterwork.failed
status|SELECT password_hash FROM site.users
status|SELECT * FROM afterwork.stats_at('2100-01-01')
status|SELECT afterwork.stats_roll('2100-01-01')
status|DELETE FROM afterwork.minute
run|SELECT afterwork.enqueue('noop')
run|SELECT * FROM afterwork.jobs
run|SELECT * FROM afterwork.job
run|SELECT afterwork.pause('default', true)
run|SELECT password_hash FROM site.users
run|SELECT * FROM site.users
run|UPDATE site.users SET role = 'admin'
run|SELECT * FROM site.media
run|SELECT site.media_delete(1)
jobs|SELECT * FROM afterwork.claim(NULL, '', '{}', '{}', 1, 1)
jobs|SELECT afterwork.task_register('{"slug":"x"}')
jobs|SELECT afterwork.task_retire('{}')
jobs|DELETE FROM afterwork.job
jobs|SELECT site.media_sync(1)
media|SELECT afterwork.enqueue('noop')
media|SELECT * FROM afterwork.jobs
pages|SELECT afterwork.enqueue('noop')
pages|SELECT site.media_delete(1)
users|SELECT * FROM afterwork.jobs
users|UPDATE site.users SET role = 'admin'
users|SELECT * FROM site.page
END
for role in $logins; do
	for statement in 'CREATE TABLE public.x (a int)' 'CREATE TABLE afterwork.x (a int)' \
		'CREATE TABLE site.x (a int)' 'CREATE SCHEMA x' 'CREATE TEMPORARY TABLE x (a int)' \
		'CREATE ROLE x' 'SET ROLE afterwork' \
		'SELECT * FROM afterwork.migration' 'SELECT * FROM afterwork.upkeep'; do
		like "$(sql_as "afterwork_$role" "$statement")" 'permission denied' \
			"$role is denied: $statement"
	done
done

# What each does for a living works, so that the denials above mean something.
sql "INSERT INTO afterwork.queue (name, paused) VALUES ('roles', true)
	ON CONFLICT DO NOTHING"
id=$(sql_as afterwork_jobs "SELECT afterwork.enqueue('noop', queue => 'roles')")
like "$id" '^[0-9]+$' 'jobs enqueues'
is "$(sql_as afterwork_status "SELECT state FROM afterwork.job_by_id($id)")" ready 'status reads it'
is "$(sql_as afterwork_status "SELECT paused FROM afterwork.stats() WHERE queue = 'roles'")" t \
	'and figures'
like "$(sql_as afterwork_status "SELECT * FROM afterwork.stats('2100-01-01')")" \
	'function afterwork.stats\(unknown\) does not exist' 'but as of now only'
is "$(sql_as afterwork_jobs "SELECT afterwork.cancel($id)")" cancelled 'jobs cancels it'
is "$(sql_as afterwork_run "SELECT count(id) FROM afterwork.claim('{roles}', '', '{noop}', '{}', 1, 60000)")" \
	0 'run looks for it in vain'

# --- who owns what ---
is "$(sql "SELECT string_agg(r.rolname, ' ') FROM pg_roles r
	WHERE r.rolname LIKE 'afterwork\_%' AND (r.rolsuper OR r.rolinherit
	OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
	OR EXISTS (SELECT FROM pg_shdepend d WHERE d.refobjid = r.oid AND d.deptype = 'o')
	OR EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid))")" '' \
	'no login owns, inherits or may make anything'
is "$(sql "SELECT count(*) FROM pg_roles WHERE rolcanlogin
	AND rolname = ANY (string_to_array('afterwork_' || replace('$logins', ' ', ' afterwork_'), ' '))")" \
	8 'there are eight'
is "$(sql "SELECT string_agg(DISTINCT pg_get_userbyid(c.relowner), ' ') FROM pg_class c
	WHERE c.relnamespace IN ('afterwork'::regnamespace, 'site'::regnamespace)")" afterwork \
	'all tables are the owner'"'"'s'

# --- functions that run as the owner ---
is "$(sql "SELECT string_agg(p.proname, ' ') FROM pg_proc p
	WHERE p.pronamespace IN ('afterwork'::regnamespace, 'site'::regnamespace)
	AND p.prosecdef AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)")" '' \
	'they look nothing up by the caller'"'"'s path'
is "$(sql "SELECT string_agg(p.proname, ' ') FROM pg_proc p,
		aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
	WHERE p.pronamespace IN ('afterwork'::regnamespace, 'site'::regnamespace)
	AND a.grantee = 0")" '' 'no function is everybody'"'"'s'
is "$(sql "SELECT string_agg(c.relname, ' ') FROM pg_class c,
		aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
	WHERE c.relnamespace IN ('afterwork'::regnamespace, 'site'::regnamespace)
	AND c.relkind IN ('r', 'p', 'v') AND a.grantee = 0")" '' 'nor is a table'
is "$(sql "SELECT has_schema_privilege('public', 'afterwork', 'USAGE')
	OR has_schema_privilege('public', 'site', 'USAGE')")" f 'nor a schema'
done_testing
