#!/bin/bash
# site-roles.t: what each function's login may do in the site, and may not.
. tests/lib.sh
stack_shared
tables=$(sql "SELECT string_agg('site.' || tablename, ' ' ORDER BY tablename)
	FROM pg_tables WHERE schemaname = 'site'")

for role in upload run status jobs media pages users thumbnails; do
	is "$(sql "SELECT count(*) FROM unnest(string_to_array('$tables', ' ')) AS t(name),
		unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p(name)
		WHERE has_table_privilege('afterwork_$role', t.name, p.name)
		OR (p.name IN ('INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege('afterwork_$role', t.name, p.name))")" \
		0 "$role writes no table directly"
	is "$(sql "SELECT has_schema_privilege('afterwork_$role', 'site', 'CREATE')
		OR has_database_privilege('afterwork_$role', current_database(), 'CREATE')")" \
		f "$role makes nothing"
done

# may ROLE: the functions of the site that change something and that it calls.
may() {
	sql "SELECT string_agg(p.proname, ' ' ORDER BY p.proname) FROM pg_proc p
		WHERE p.pronamespace = 'site'::regnamespace AND p.provolatile = 'v'
		AND has_function_privilege('afterwork_$1', p.oid, 'EXECUTE')"
}
is "$(may upload)" 'media_change media_create' 'upload makes media, and replaces their files'
is "$(may run)" 'media_sync' 'run syncs'
is "$(may status)" '' 'status changes nothing'
is "$(may jobs)" '' 'jobs changes nothing here'
is "$(may media)" 'media_delete media_set_alt' 'media changes and deletes media'
is "$(may pages)" 'page_delete page_save' 'pages saves and deletes pages'
is "$(may thumbnails)" 'sizes_record' 'thumbnails records sizes'
is "$(may users)" 'login_begin login_unlock session_close session_extend session_open user_create user_delete user_first user_update' \
	'users has accounts and sessions'

reads() {
	sql "SELECT string_agg(t.name, ' ' ORDER BY t.name) FROM unnest(string_to_array('$tables', ' ')) AS t(name)
		WHERE has_table_privilege('afterwork_$1', t.name, 'SELECT')"
}
is "$(reads upload)" 'site.secret site.session' 'upload reads who is calling'
is "$(reads thumbnails)" '' 'thumbnails reads no table'
is "$(reads run)" 'site.secret site.session' 'run too'
is "$(reads pages)" 'site.gallery site.gallery_image site.media site.media_size site.page site.secret site.session' 'pages reads pages and media'
for role in upload run status jobs media pages; do
	like "$(sql_as "afterwork_$role" 'SELECT password_hash FROM site.users')" 'permission denied' \
		"$role sees no password"
done
is "$(sql "SELECT string_agg(p.proname, ' ') FROM pg_proc p WHERE p.pronamespace = 'site'::regnamespace
	AND p.prosecdef AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)")" '' \
	'what runs as the owner looks nothing up by a caller'"'"'s path'
is "$(sql "SELECT string_agg(p.proname, ' ') FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
	WHERE p.pronamespace = 'site'::regnamespace AND a.grantee = 0")" '' 'nothing is everybody'"'"'s'
done_testing
