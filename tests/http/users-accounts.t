#!/bin/bash
# users-accounts.t: accounts over HTTP: an admin's and one's own, API keys,
# passwords and sessions, and what a body may not say.
. tests/lib.sh
. tests/people.sh
stack_shared
one=$$-$RANDOM

post /api/users "{\"email\":\"New-$one@Example.com\",\"password\":\"first password\",
	\"id\":999999999,\"createdAt\":\"2001-01-01T00:00:00Z\",\"hash\":\"x\",\"salt\":\"x\",
	\"sessions\":[{\"id\":\"x\"}],\"loginAttempts\":9,\"lockUntil\":\"2100-01-01\",\"apiKeyIndex\":\"x\"}"
status_is 201 'an admin makes an account'
body_is .message 'User successfully created.' 'as Payload says it'
body_is '.doc | [.email, .role, .enableAPIKey, .id != 999999999, .createdAt[0:4] != "2001"] | @csv' \
	"\"new-$one@example.com\",\"editor\",false,true,true" 'which may do the least; what is not its to say is ignored'
body_is '.doc | keys | @csv' '"collection","createdAt","email","enableAPIKey","id","role","updatedAt"' 'and no secret is shown'
id=$(jqr .doc.id) created=$(jqr .doc.createdAt)
get "/api/users/$id"
body_is '[.id, .email] | @csv' "$id,\"new-$one@example.com\"" 'it is read'
get '/api/users?limit=1&sort=-id'
body_is '[.docs[0].id >= '"$id"', .limit, (.totalDocs == '"$(sql 'SELECT count(*) FROM site.users')"')] | @csv' 'true,1,true' 'and listed'

while IFS='|' read -r json field; do
	post /api/users "$json"
	status_is 400 "refused: ${json:0:60}"
	body_is '.errors[0].data.errors[0].path' "$field" "  for its $field"
done <<END
{"password":"long enough"}|email
{"email":"x-$one@example.com"}|password
{"email":"not an address","password":"long enough"}|email
{"email":"x-$one@example.com","password":"short"}|password
{"email":"x-$one@example.com","password":"long enough","role":"king"}|role
{"email":"x-$one@example.com","password":"long enough","role":7}|role
{"email":"NEW-$one@example.com","password":"long enough"}|email
{"email":"x-$one@example.com","password":"long enough","enableAPIKey":"yes"}|enableAPIKey
{"email":"x-$one@example.com","password":"long enough","enableAPIKey":true,"apiKey":"too short"}|apiKey
END
sql_is "SELECT count(*) FROM site.users WHERE email = 'x-$one@example.com'" 0 'none of these was made'

# --- one's own ---
login() {
	as nobody
	post /api/users/login "{\"email\":\"new-$one@example.com\",\"password\":\"$1\"}"
	jqr .token
}
first=$(login 'first password') second=$(login 'first password')
isnt "$first" "$second" 'every login is a session of its own'
as "JWT $first"
patch "/api/users/$id" '{"role":"admin","id":1,"createdAt":"2001-01-01","hash":"x","loginAttempts":0,"email":"renamed-'"$one"'@example.com"}'
status_is 200 'a user changes himself'
body_is '.doc | [.role, .id, .createdAt, .email] | @csv' "\"editor\",$id,\"$created\",\"renamed-$one@example.com\"" 'but not what he is'
for other in 1 999999999; do
	for method in GET PATCH DELETE; do
		request_json "$method" "/api/users/$other" '{"email":"mine@example.com"}'
		status_is 403 "$method of another, $other"
	done
done
patch "/api/users/$id" '{"password":"second password"}'
status_is 200 'a new password'
get /api/users/me
body_is .user.id "$id" 'leaves the session that set it'
body_is '.token == "'"$first"'"' true 'whose token me repeats'
as "JWT $second"
get /api/users/me
body_is .user null 'and ends the others'
sql "UPDATE site.users SET email = 'new-$one@example.com' WHERE id = $id"
login 'first password' >"$work/token"
is "$(cat "$work/token")" null 'the old password is none'
isnt "$(login 'second password')" null 'the new one is'
as admin
patch "/api/users/$id" '{"role":"operator","password":"third password"}'
body_is .doc.role operator 'an admin gives a role and a password'
as "JWT $first"
get /api/users/me
body_is .user null 'and all sessions end'

# Sessions are bounded.
third=$(login 'third password')
sql "INSERT INTO site.session (sid_hash, user_id, expires_at, created_at)
	SELECT 'many-$one-' || i, $id, now() + interval '1 hour', now() + make_interval(secs => i)
	FROM generate_series(1, 60) AS i" >/dev/null
isnt "$(login 'third password')" null 'another login'
sql_is "SELECT count(*) FROM site.session WHERE user_id = $id" 50 'a user has fifty sessions'
as "JWT $third"
get /api/users/me
body_is .user null 'the oldest are gone'

# --- API keys ---
as admin
key_of() {
	as "users API-Key $1"
	get /api/users/me
	jqr '.user.id // "nobody"'
	as admin
}
patch "/api/users/$id" '{"enableAPIKey":true}'
k1=$(jqr .doc.apiKey)
like "$k1" '^[0-9a-f]{64}$' 'a key is made and shown'
is "$(key_of "$k1")" "$id" 'and counts'
get "/api/users/$id"
body_is '[has("apiKey"), .enableAPIKey] | @csv' 'false,true' 'once only'
sql_is "SELECT count(*) FROM site.users u WHERE u::text LIKE '%$k1%'" 0 'it is not stored'
patch "/api/users/$id" "$(jq -c . <<<"$body")"
body_is '[.doc | has("apiKey"), .enableAPIKey] | @csv' 'false,true' 'a document sent back as it was read changes no key'
is "$(key_of "$k1")" "$id" 'the key counts on'
patch "/api/users/$id" '{"enableAPIKey":true,"apiKey":""}'
k2=$(jqr .doc.apiKey)
isnt "$k2" "$k1" 'another one'
is "$(key_of "$k1") $(key_of "$k2")" "nobody $id" 'takes its place'
uuid=$(cat /proc/sys/kernel/random/uuid)
patch "/api/users/$id" "{\"enableAPIKey\":true,\"apiKey\":\"$uuid\"}"
is "$(key_of "$uuid")" "$id" 'so does one that the client made, as Payload'"'"'s pages do'
person editor
patch "/api/users/$(sql "SELECT id FROM site.users WHERE email = '$email'")" "{\"enableAPIKey\":true,\"apiKey\":\"$uuid\"}"
is "$status $(jqr '.errors[0].data.errors[0].path')" '400 apiKey' 'but not for two'
patch "/api/users/$id" '{"enableAPIKey":false}'
is "$(key_of "$uuid") $(jqr '.doc.enableAPIKey')" 'nobody false' 'taken away'

# --- cross-site login ---
as nobody
post /api/users/login "{\"email\":\"new-$one@example.com\",\"password\":\"third password\"}" -H 'Sec-Fetch-Site: cross-site'
is "$status $(header set-cookie)" '200 ' 'a page of another site signs its visitor in as nobody'

as admin
delete "/api/users/$id"
is "$status $(jqr '.message + " " + .doc.email')" "200 Deleted successfully. new-$one@example.com" 'removed'
delete "/api/users/$id"
is "$status" 404 'once'
patch "/api/users/$id" '{"role":"editor"}'
is "$status" 404 'and is no more'
for path in forgot-password reset-password verify/x; do
	post "/api/users/$path" '{"email":"a@example.com"}'
	is "$status $(jqr .message)" "404 Route not found \"/api/users/$path\"" "there is no $path"
done
done_testing
