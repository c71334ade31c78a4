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
done_testing
