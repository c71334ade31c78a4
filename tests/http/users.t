#!/bin/bash
# users.t: signing in and out, tokens, cookies, API keys.
. tests/lib.sh
. tests/people.sh
stack_shared
login() {
	post /api/users/login "$(jq -cn --arg e "$1" --arg p "$2" '{email: $e, password: $p}')" "${@:3}"
}

# Wrong passwords lock an account: not the one that other tests use.
person admin
ADMIN_EMAIL=$email ADMIN_PASSWORD=$password API_KEY=$key
as nobody
login "$ADMIN_EMAIL" "$ADMIN_PASSWORD"
status_is 200 'signed in'
body_is '[.message, .user.email, .user.role, .user._strategy] | @csv' "\"Authentication Passed\",\"$ADMIN_EMAIL\",\"admin\",\"local-jwt\"" 'as Payload says it'
body_is '.exp - now | . > 7100 and . < 7300' true 'for two hours'
body_is '[.user | has("password", "password_hash", "passwordHash", "apiKey")] | any' false 'no secret in it'
token=$(jqr .token)
cookie=$(header set-cookie)
like "$cookie" "^payload-token=$token; Expires=[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} GMT; Path=/; HttpOnly; SameSite=Lax$" 'the cookie'
claims=$(cut -d. -f2 <<<"$token" | tr '_-' '/+')
claims=$(base64 -d 2>/dev/null <<<"$claims==")
is "$(jq -r 'keys_unsorted | @csv' <<<"$claims")" '"id","collection","email","sid","iat","exp"' 'the claims of the token'
sql_is "SELECT count(*) FROM site.session WHERE sid_hash = '$(jq -r .sid <<<"$claims")'" 0 'the session id itself is not stored'

for who in "JWT $token" "Bearer $token" "bearer   $token" "users API-Key $API_KEY"; do
	as "$who"
	get /api/users/me
	body_is '[.user.email, .message] | @csv' "\"$ADMIN_EMAIL\",\"Account\"" "known by ${who:0:14}"
done
body_is '[.strategy, .user._strategy, .exp, .token] | @csv' '"api-key","api-key",,' 'a key does not end, and is no token'
as nobody
get /api/users/me -H "Cookie: x=1; payload-token=$token"
body_is '[.user.email, .strategy, .collection, .token] | @csv' "\"$ADMIN_EMAIL\",\"local-jwt\",\"users\"," 'known by the cookie, whose token no script reads'
get /api/users/me
status_is 200 'nobody may ask too'
body_is '. | tojson' '{"user":null,"message":"Account"}' 'and is nobody'

# What is not a token.
head=${token%.*} tail=${token##*.}
none=$(printf '{"alg":"none","typ":"JWT"}' | base64 | tr -d '=\n')
forged=$(jq -c '.id = 1 | .exp = 99999999999' <<<"$claims" | tr -d '\n' | base64 -w0 | tr -d '=' | tr '/+' '_-')
for bad in "$head." "$head.${tail:1}" "$head.${tail}A" "$none.$(cut -d. -f2 <<<"$token")." \
	"$none.$(cut -d. -f2 <<<"$token").$tail" "${token%%.*}.$forged.$tail" \
	'a.b.c' '...' "$token.$tail"; do
	as "JWT $bad"
	get /api/users/me
	body_is .user null "no token: ${bad:0:20}…${bad: -8}"
done
for bad in "users API-Key ${API_KEY}0" "users API-Key ${API_KEY:1}" 'users API-Key x' "users api-Key$API_KEY" "Basic $API_KEY" "$API_KEY"; do
	as "$bad"
	patch /api/media/1 '{}'
	status_is 403 "no key: ${bad:0:18}"
done

# The cookie counts for changes only where the page is our own.
as nobody
upload "$(picture c.jpg)" '' -H "Cookie: payload-token=$token"
status_is 403 'a cookie alone starts nothing'
upload "$(picture c.jpg)" '' -H "Cookie: payload-token=$token" -H 'Sec-Fetch-Site: cross-site'
status_is 403 'nor from another site'
upload "$(picture c.jpg)" '' -H "Cookie: payload-token=$token" -H 'Sec-Fetch-Site: same-origin'
status_is 201 'but from our own'

as "JWT $token"
post /api/users/refresh-token '{}'
status_is 200 'refreshed'
body_is '[.message, .setCookie, .strategy, .user._strategy, .user.email] | @csv' "\"Token refresh successful.\",true,\"local-jwt\",\"local-jwt\",\"$ADMIN_EMAIL\"" 'as Payload says it'
fresh=$(jqr .refreshedToken)
as "users API-Key $API_KEY"
post /api/users/refresh-token '{}'
status_is 403 'a key has nothing to refresh'
as "JWT $fresh"
post /api/users/logout '{}'
status_is 200 'signed out'
body_is .message 'Logout successful.' 'as Payload says it'
like "$(header set-cookie)" '^payload-token=; Expires=Thu, 01 Jan 1970 ' 'the cookie ends'
for old in "$token" "$fresh"; do
	as "JWT $old"
	get /api/users/me
	body_is .user null 'every token of the session has ended'
done
post /api/users/refresh-token '{}'
status_is 403 'and is not refreshed'
post /api/users/logout '{}'
status_is 400 'nobody can sign out'

# Two sessions, all ended by one.
as nobody
login "$ADMIN_EMAIL" "$ADMIN_PASSWORD"
one=$(jqr .token)
login "${ADMIN_EMAIL^^}" "$ADMIN_PASSWORD"
status_is 200 'capitals in an address do not matter'
two=$(jqr .token)
as "JWT $two"
post '/api/users/logout?allSessions=maybe' '{}'
status_is 400 'a wrong value is refused'
post '/api/users/logout?allSessions=true' '{}'
as "JWT $one"
get /api/users/me
body_is .user null 'all sessions end at once'

# A session that is over, by the database's clock.
as nobody
login "$ADMIN_EMAIL" "$ADMIN_PASSWORD"
as "JWT $(jqr .token)"
get /api/users/me
body_is .user.email "$ADMIN_EMAIL" 'alive'
sql "UPDATE site.session SET expires_at = now() - interval '1 second'"
get /api/users/me
body_is .user null 'over'
as nobody
login "$ADMIN_EMAIL" "$ADMIN_PASSWORD"
sql_is "SELECT count(*) FROM site.session s JOIN site.users u ON u.id = s.user_id WHERE s.expires_at <= now() AND u.email = lower('$ADMIN_EMAIL')" 0 'the next login sweeps what is over'

# Refusals.
login "$ADMIN_EMAIL" 'wrong password'
status_is 401 'a wrong password'
said=$body
login nobody@example.com 'wrong password'
status_is 401 'an unknown address'
is "$body" "$said" 'told apart by nothing'
while IFS='|' read -r json field; do
	post /api/users/login "$json"
	status_is 400 "refused: $json"
	body_is '.errors[0].data.errors[0].path' "$field" 'and named'
done <<'END'
{}|email
{"email":"a@example.com"}|password
{"email":"a@example.com","password":""}|password
{"email":"a@example.com","password":7}|password
{"email":["a"],"password":"x"}|email
END
post /api/users/login '[]'
status_is 400 'no object'
put /api/users/login
status_is 405 'login is a POST'
done_testing
