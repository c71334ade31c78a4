#!/bin/bash
# users-bulk.t: PATCH and DELETE of /api/users change the accounts that a where
# chooses, each by itself and by the rules of one; the last admin stays.
. tests/lib.sh
. tests/people.sh
stack_start
mark=crowd$$
ids=()
for n in a b c; do
	post /api/users "{\"email\":\"$mark-$n@example.com\",\"password\":\"password of $n\"}"
	status_is 201 "(account $n)"
	ids+=("$(jqr .doc.id)")
done
person editor
other=$email editor=$key editor_id=$(sql "SELECT id FROM site.users WHERE email = '$email'")
mine="where%5Bemail%5D%5Blike%5D=$mark"
# What the accounts are, and what any other has become.
roles() {
	sql "SELECT string_agg(substr(email, $((${#mark} + 2)), 1) || ':' || role, ' ' ORDER BY email)
		FROM site.users WHERE email LIKE '$mark-%'"
}
accounts() {
	sql "SELECT md5(string_agg(u::text, ',' ORDER BY u.id)) FROM site.users u"
}
said() {
	jqr '[(.docs | length), (.errors | length), .message] | @csv'
}

patch "/api/users?$mine&where%5Bemail%5D%5Bnot_like%5D=$mark-c" '{"role":"operator","id":7,"createdAt":"2001-01-01"}'
status_is 200 'two are changed'
body_is '[(.docs | map(.role) | join(" ")), (.docs[0] | has("apiKey")), (keys_unsorted | join(" "))] | @csv' \
	'"operator operator",false,"docs errors message"' 'and shown'
is "$(said)" '2,0,"Updated 2 Users successfully."' 'as Payload says it'
is "$(roles)" 'a:operator b:operator c:editor' 'the third stays as it was'
sql_is "SELECT role FROM site.users WHERE email = '$other'" editor 'and so does another'
patch "/api/users?$mine&sort=-email&limit=1&select%5Brole%5D=true" '{"role":"operator"}'
is "$status $(said) $(jqr '.docs[0] | [(keys_unsorted | join(" ")), .role] | @csv')" \
	'200 1,0,"Updated 1 User successfully." "id role","operator"' 'the last one, in part'
is "$(roles)" 'a:operator b:operator c:operator' '  is that one'
patch "/api/users?$mine&where%5Brole%5D%5Bequals%5D=admin" '{"role":"editor"}'
is "$status $(said)" '200 0,0,"Updated 0 Users successfully."' 'none'

# --- keys: each has its own ---
patch "/api/users?$mine" '{"enableAPIKey":true}'
mapfile -t keys < <(jqr '.docs[] | [.id, .apiKey] | join(" ")')
is "$status $(printf '%s\n' "${keys[@]#* }" | sort -u | grep -c '^[0-9a-f]\{64\}$')" '200 3' 'three keys are made'
for line in "${keys[@]}"; do
	as "users API-Key ${line#* }"
	get /api/users/me
	body_is .user.id "${line% *}" '  and this one counts'
done
as admin
patch "/api/users?$mine&sort=id" "{\"enableAPIKey\":true,\"apiKey\":\"$(cat /proc/sys/kernel/random/uuid)\"}"
is "$status $(said)" '400 1,2,"Unable to update 2 out of 3 Users."' 'a key of the client is for one of them'
body_is '.errors[0] | [.id, .message, .isPublic] | @csv' "${ids[1]},\"The following field is invalid: apiKey\",true" '  which is said of the others'
patch "/api/users?$mine" '{"enableAPIKey":false}'
is "$status $(said)" '200 3,0,"Updated 3 Users successfully."' 'no more keys'
sql_is "SELECT count(api_key_hash) FROM site.users WHERE email LIKE '$mark-%'" 0 '  at all'
patch "/api/users?$mine&sort=id" "{\"email\":\"$mark-z@example.com\"}"
is "$status $(said)" '400 1,2,"Unable to update 2 out of 3 Users."' 'an address is for one of them, too'
sql "UPDATE site.users SET email = '$mark-a@example.com' WHERE id = ${ids[0]}"

# --- passwords ---
token_of() {
	as nobody
	post /api/users/login "{\"email\":\"$1\",\"password\":\"$2\"}"
	jqr .token
}
is_in() {
	as "JWT $1"
	get /api/users/me
	jqr '.user.id // "nobody"'
}
a=$(token_of "$mark-a@example.com" 'password of a')
admin=$(token_of "$ADMIN_EMAIL" "$ADMIN_PASSWORD")
as admin
patch "/api/users?$mine" '{"password":"short"}'
is "$status $(said)" '400 0,3,"Unable to update 3 out of 3 Users."' 'a password that is too short'
is "$(is_in "$a")" "${ids[0]}" '  ends no session'
as "JWT $admin"
patch "/api/users?where%5Bor%5D%5B0%5D%5Bemail%5D%5Blike%5D=$mark&where%5Bor%5D%5B1%5D%5Bemail%5D%5Bequals%5D=$ADMIN_EMAIL" \
	'{"password":"one for all of them"}'
is "$status $(said)" '200 4,0,"Updated 4 Users successfully."' "a new password, the caller's own account among them"
is "$(is_in "$a")" nobody '  ends the sessions of the others'
isnt "$(is_in "$admin")" nobody '  but not the one that set it'
isnt "$(token_of "$mark-c@example.com" 'one for all of them')" null '  and is good'
sql_is "SELECT count(DISTINCT password_hash) FROM site.users WHERE email LIKE '$mark-%'" 3 '  each with a hash of its own'
as admin

# --- what is refused before anything is done ---
before=$(accounts)
while IFS='|' read -r json field; do
	patch "/api/users?$mine" "$json"
	is "$status $(jqr '.errors[0].data.errors[0].path')" "400 $field" "refused once: $json"
done <<'END'
{"role":"king"}|role
{"role":7}|role
{"email":7}|email
{"enableAPIKey":true,"apiKey":"too short"}|apiKey
END
for method in PATCH DELETE; do
	for query in '' '?' '?where=' '?where=%7B%7D' '?where%5Bor%5D=' '?limit=1'; do
		request_json $method "/api/users$query" '{"role":"editor"}'
		is "$status $(jqr '.errors[0].message' | sed 's/ of.*//')" "400 Missing 'where' query" "$method /api/users$query"
	done
	request_json $method '/api/users?where%5Bpassword_hash%5D%5Blike%5D=a' '{"role":"editor"}'
	is "$status $(jqr '.errors[0].name')" '400 QueryError' "$method by what is no field"
	request_json $method "/api/users?$mine&select%5Brole%5D=maybe" '{"role":"editor"}'
	status_is 400 "$method with a select that is none"
	for who in nobody cron "users API-Key $editor" "JWT $(token_of "$mark-b@example.com" 'one for all of them')"; do
		as "$who"
		for where in "$mine" "where%5Bid%5D%5Bequals%5D=$editor_id"; do
			request_json $method "/api/users?$where" '{"role":"admin"}'
			is "$status $(jqr '.errors[0].message')" '403 You are not allowed to perform this action.' \
				"$method by ${who:0:8}, ${where:8:5}"
		done
	done
	as admin
done
is "$(accounts)" "$before" 'nothing has changed'

# --- the last admin ---
all='where%5Bid%5D%5Bexists%5D=true'
only=$(sql "SELECT id FROM site.users WHERE role = 'admin'")
post /api/users "{\"email\":\"$mark-x@example.com\",\"password\":\"long enough\",\"role\":\"admin\"}"
patch "/api/users?$all&sort=-id" '{"role":"editor"}'
is "$status $(said)" '400 5,1,"Unable to update 1 out of 6 Users."' 'all may become editors but one'
body_is '.errors[0] | [.id, .message, .isPublic] | @csv' \
	"$only,\"This is the last admin. Make another one first.\",true" '  the last admin'
sql_is "SELECT string_agg(id::text, ' ') FROM site.users WHERE role = 'admin'" "$only" '  who still is one'
patch "/api/users?where%5Bemail%5D%5Bequals%5D=$mark-x@example.com" '{"role":"admin"}'
delete "/api/users?where%5Brole%5D%5Bequals%5D=admin&sort=-id"
is "$status $(said)" '400 1,1,"Unable to delete 1 out of 2 Users."' 'of two admins one may go'
sql_is "SELECT string_agg(id::text, ' ') FROM site.users WHERE role = 'admin'" "$only" '  the other stays'

# --- deleting ---
delete "/api/users?$mine&where%5Bemail%5D%5Bcontains%5D=-c@"
is "$status $(said) $(jqr '.docs[0] | [.id, .email] | @csv')" \
	"200 1,0,\"Deleted 1 User successfully.\" ${ids[2]},\"$mark-c@example.com\"" 'one'
delete "/api/users?$mine&select%5Bemail%5D=true"
is "$status $(said) $(jqr '.docs[0] | keys_unsorted | join(" ")')" \
	'200 2,0,"Deleted 2 Users successfully." id email' 'the rest'
sql_is "SELECT count(*) FROM site.users WHERE email LIKE '$mark-%'" 0 'they are gone'
sql_is "SELECT count(*) FROM site.session s WHERE s.user_id IN (${ids[0]}, ${ids[1]}, ${ids[2]})" 0 'with their sessions'
sql_is "SELECT email FROM site.users WHERE id = $editor_id" "$other" 'and nobody else'
done_testing
