#!/bin/bash
# users-first.t: of forty who register first at once one wins; the last admin
# stays; accounts and sessions are kept by a migration; passwords take little
# memory, whatever the number of processes.
. tests/lib.sh
stack_start PROCESSES=8

# forty METHOD PATH: each with its own body; how many got which status.
forty() {
	seq 40 | xargs -P 40 -I{} curl -sS -m 60 -o /dev/null -w '%{http_code}\n' -X "$1" \
		-H "Authorization: ${authorization:-none}" -H 'Content-Type: application/json' \
		-d "${3-}" "$SERVER_URL$2" | sort | uniq -c | sed 's/^ *//'
}

# --- what an older schema holds stays ---
name=users_$$
of() {
	direct=${direct/\/afterwork\?/\/$name?} sql "$1"
}
sql_as postgres "CREATE DATABASE $name OWNER afterwork" || bail 'no database'
of "SET client_min_messages = warning; $(cat schema/site/000[123]_*.sql)"
of "INSERT INTO site.secret VALUES ('token', repeat('k', 64));
	INSERT INTO site.users (email, password_hash, role, api_key_hash)
	VALUES ('old@example.com', 'h', 'admin', 'k');
	INSERT INTO site.session (sid_hash, user_id, expires_at) VALUES ('s', 1, '2100-01-01')"
of "SET client_min_messages = warning; $(cat schema/site/0004_*.sql)"
is "$(of "SELECT u.email, u.password_hash, u.role, u.api_key_hash, s.sid_hash, s.expires_at::date
	FROM site.users u JOIN site.session s ON s.user_id = u.id")" \
	'old@example.com|h|admin|k|s|2100-01-01' 'accounts, keys and sessions outlive the migration'
sql_as postgres "DROP DATABASE $name"

# --- the first ---
sql 'DELETE FROM site.users'
as nobody
get /api/users/init
is "$body" '{"initialized":false}' 'there is no account'
post /api/users/first-register '{"email":"x","password":"long enough"}'
status_is 400 'what is no address is refused'
post /api/users/first-register '{"email":"x@example.com"}'
status_is 400 'a password is needed'
answers=$(forty POST /api/users/first-register '{"email":"first-{}@example.com","password":"password {}","role":"editor","id":77}')
note "$answers"
ok 'of forty at once one wins' grep -qx '1 200' <<<"$answers"
is "$(grep -vE ' (200|403|503)$' <<<"$answers")" '' 'the others may not'
sql_is 'SELECT count(*) FROM site.users' 1 'there is one account'
sql_is "SELECT string_agg(role || (id <> 77)::text, ',') FROM site.users" admintrue 'and is an admin'
get /api/users/init
is "$body" '{"initialized":true}' 'there is one now'
post /api/users/first-register '{"email":"x@example.com","password":"long enough"}'
is "$status $(jqr '.errors[0].message')" '403 You are not allowed to perform this action.' 'and no second'

# --- the last admin ---
work_as() {
	as nobody
	post /api/users/login "{\"email\":\"$1\",\"password\":\"$2\"}"
	as "JWT $(jqr .token)"
}
first=$(sql 'SELECT email FROM site.users') n=$(sql "SELECT substring(email FROM '[0-9]+') FROM site.users")
work_as "$first" "password $n"
id=$(sql 'SELECT id FROM site.users')
patch "/api/users/$id" '{"role":"editor"}'
status_is 409 'the last admin keeps his role'
delete "/api/users/$id"
status_is 409 'and his account'
post /api/users '{"email":"second@example.com","password":"long enough","role":"admin","enableAPIKey":true}'
second=$(jqr .doc.id) key=$(jqr .doc.apiKey)
# Both at once, again and again: never none.
for round in 1 2 3 4; do
	sql "UPDATE site.users SET role = 'admin'" >/dev/null
	request PATCH "/api/users/$id" -H 'Content-Type: application/json' -d '{"role":"editor"}' &
	pid=$!
	curl -sS -m 60 -o /dev/null -X PATCH -H "Authorization: users API-Key $key" \
		-H 'Content-Type: application/json' -d '{"role":"editor"}' "$SERVER_URL/api/users/$second"
	wait $pid
	sql_is "SELECT count(*) FROM site.users WHERE role = 'admin'" 1 "two at once, round $round: one stays"
done
sql "UPDATE site.users SET role = 'admin'" >/dev/null
# One change waits for the other's transaction, then sees what it made.
waits() {
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")" -gt 0 ]
}
{
	echo "BEGIN; SELECT outcome FROM site.user_delete($second);"
	await 30 waits
	echo 'COMMIT;'
} | psql -XqAt "$direct" >"$work/deleted" &
pid=$!
await 30 '[ -s "$work/deleted" ]'
delete "/api/users/$id"
wait $pid
is "$(cat "$work/deleted") $status" 'ok 409' 'the other of two admins is the last'

# --- memory ---
# What all processes of the function hold at one moment, in MiB: read by one
# program, since a moment is short.
held() {
	awk '/^VmRSS/ { sum += $2 } END { print int(sum / 1024) }' \
		"${statuses[@]}" 2>/dev/null
}
as nobody
pids=$(function_pids users)
mapfile -t statuses < <(sed 's|.*|/proc/&/status|' <<<"$pids")
ok 'eight processes serve' [ "$(wc -w <<<"$pids")" -ge 8 ]
calm=$(held) most=0
forty POST /api/users/login '{"email":"many-{}@example.com","password":"wrong"}' >"$work/answers" &
pid=$! start_ms=$(now_ms)
while kill -0 $pid 2>/dev/null; do
	now=$(held)
	[ "$now" -le "$most" ] || most=$now
done
wait $pid
end_ms=$(now_ms)
note "MiB: $calm before, at most $most; $(tr '\n' ' ' <"$work/answers")"
# Refused is only who waited five seconds, and each of the eight processes can
# do so once in five seconds: none, unless the whole took longer than that.
took_ms=$((end_ms - start_ms))
looked=$(sed -n 's/ 401$//p' "$work/answers") refused=$(sed -n 's/ 503$//p' "$work/answers")
is "$((${looked:-0} + ${refused:-0}))" 40 'forty passwords are looked at, or wait in vain'
ok "of which no more do than can: ${refused:-0} in $took_ms ms" [ "${refused:-0}" -le $((took_ms / 5000 * 8)) ]
ok 'one hash takes its 46 MiB' [ "$((most - calm))" -ge 20 ]
ok 'no more than two do so at a time' [ "$((most - calm))" -le 120 ]
done_testing
