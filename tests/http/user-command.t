#!/bin/bash
# user-command.t: an account made by the operator can sign in, and its API key
# counts until the next one is made.
. tests/lib.sh
stack_shared

user() {
	"$B/afterwork" user "$@" >"$work/out" 2>&1 </dev/null
	code=$?
	out=$(cat "$work/out")
}

login() {
	as nobody
	post /api/users/login "$(jq -cn --arg email "$1" --arg password "$2" \
		'{$email, $password}')"
}

email=made-$$@example.com
user add "$email" --api-key
is "$code" 0 'an account is made'
password=$(sed -n 's/^password: //p' "$work/out")
key=$(sed -n 's/^API key: //p' "$work/out")
like "$password" '^[0-9a-f]{24}$' 'its password is made up and shown'
like "$key" '^[0-9a-f]{64}$' 'and so is its API key'
sql_is "SELECT role FROM site.users WHERE email = '$email'" editor \
	'it may do the least'
sql_is "SELECT count(*) FROM site.users WHERE password_hash LIKE '%$password%'
	OR api_key_hash = '$key'" 0 'neither is stored as it is'
login "$email" "$password"
status_is 200 'it can sign in'
as "users API-Key $key"
get /api/users/me
body_is .user.email "$email" 'its API key counts'

user api-key "$email"
again=$(sed -n 's/^API key: //p' "$work/out")
is "$code" 0 'another API key is made'
as "users API-Key $again"
get /api/users/me
body_is .user.email "$email" 'it counts'
as "users API-Key $key"
get /api/users/me
body_is '.user.email // "nobody"' nobody 'the old one no longer does'

user add "${email^^}"
is "$code" 1 'an address that has an account is refused, whatever its case'
like "$out" '^afterwork: ' 'in a line'
unlike "$out" 'password:' 'that shows no password'
echo 'a better password' >"$work/password"
user add "$email" --or-update --role operator --password-file "$work/password"
is "$code" 0 'unless it is to be updated'
unlike "$out" 'better' 'a password that was given is not shown'
login "$email" "$password"
status_is 401 'the old password no longer counts'
login "$email" 'a better password'
status_is 200 'the new one does'
body_is .user.role operator 'and the new role'

user add not-an-address
is "$code" 1 'what is no address is refused'
echo short >"$work/password"
user add "short-$$@example.com" --password-file "$work/password"
is "$code" 1 'a short password is refused'
user add "none-$$@example.com" --password-file "$work/nothing"
is "$code" 1 'a file that is not there is told'
: >"$work/password"
user add "none-$$@example.com" --password-file "$work/password"
is "$code" 1 'an empty file is told'
sql_is "SELECT count(*) FROM site.users
	WHERE email IN ('short-$$@example.com', 'none-$$@example.com')" 0 \
	'and none of them has an account'
user api-key "none-$$@example.com"
is "$code" 1 'nobody has no API key'

# --- the other things that an operator does ---
listed() {
	user list
	awk -v email="$email" '$NF == email { print $2, $3, $4, $5 }' "$work/out"
}
is "$(listed)" 'operator yes 1 no' 'an account is listed: role, key, sessions, locked'
user role "$email" editor
is "$code:$out" "0:$email is editor" 'a role is given'
user api-key "$email" --remove
is "$code:$out" "0:$email has no API key" 'a key is taken away'
as "users API-Key $again"
get /api/users/me
body_is .user null 'and counts no more'
for _ in 1 2 3 4 5; do
	login "$email" wrong
done
is "$(listed)" 'editor no 1 yes' 'after five wrong passwords it is locked'
user unlock "${email^^}"
is "$code" 0 'it is unlocked'
login "$email" 'a better password'
status_is 200 'and can sign in'
token=$(jqr .token)
is "$(listed)" 'editor no 2 no' 'which opened a session'
user logout "$email"
is "$(listed)" 'editor no 0 no' 'that an operator can end'
as "JWT $token"
get /api/users/me
body_is .user null 'for good'
echo 'the third password' >"$work/password"
user password "$email" --password-file "$work/password"
is "$code" 0 'a password is set'
login "$email" 'the third password'
status_is 200 'and is good'
user remove "$email"
is "$code:$out" "0:removed $email" 'it is removed'
sql_is "SELECT count(*) FROM site.users WHERE email = '$email'" 0 'and is gone'
for what in 'role editor' password unlock logout remove; do
	read -ra words <<<"$what"
	user "${words[0]}" "$email" "${words[@]:1}"
	is "$code:$out" '1:afterwork: There is no user with this address.' "$what of nobody"
done
done_testing
