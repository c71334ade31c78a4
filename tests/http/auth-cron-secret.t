#!/bin/bash
# auth-cron-secret.t: the run endpoint takes the scheduler's secret and nothing
# that looks like it; every refusal is the same, and costs no connection.
. tests/lib.sh
. tests/people.sh
secret=$(printf '%064d' 7) previous=$(printf 'p%.0s' {1..32})
stack_start CRON_SECRET="$secret" CRON_SECRET_PREVIOUS="$previous"
run=/api/payload-jobs/run

# The last answer, without what differs from one request to the next.
answer() {
	grep -viE '^(date|x-request-id):' <<<"$headers"
	cat "$work/body"
}

as nobody
get "$run"
status_is 401 'nobody'
is "$body" '{"errors":[{"message":"Unauthorized, you must be logged in to make this request."}]}' \
	'the body'
header_is www-authenticate Bearer 'and what would do'
same=$(answer)

refused() {
	is "$(answer)" "$same" "$1"
}

# wrong WHERE: all that must not pass, whatever secret is set.
wrong() {
	local value
	for value in 'Bearer' 'Bearer ' 'Bearer undefined' 'Bearer null' \
		'bearer undefined' 'Bearer 0' 'Bearer ""' 'Bearer true' \
		"Bearer ${secret%?}" "Bearer ${secret}0" "Bearer 1${secret#?}" \
		"bearer ${secret%?}1" "BEARER 0$secret" "bEaReR x$secret" \
		"Bearer $secret $secret" "Bearer $secret,$secret" \
		"Bearer $secret, Bearer $secret" "Bearer $secret," \
		"Bearer =$secret" "Bearer \"$secret\"" "Bearer <$secret>" \
		"Bearer:$secret" "Bearer$secret" "Bearer	$secret" \
		"Bearer $secret	x" $'Bearer \x01'"$secret" \
		"Bearer $secret"$'\x01' $'Bearer \x7f'"$secret" \
		$'\x01Bearer '"$secret" "Bearer č$secret" $'Bearer \xff'"$secret" \
		"Bearer $(printf 'x%.0s' {1..4000})" "$secret" "Token $secret" \
		"Basic $secret" "Basic $(printf 'cron:%s' "$secret" | base64 -w0)" \
		"JWT $secret" "users $secret" "Cron $secret" \
		"Digest $secret" ', Bearer' "Bearer  ${secret%?}" \
		"CRON_SECRET $secret" "Bearer CRON_SECRET" 'Bearer *' 'Bearer %' \
		"Bearer $(tr 0-9a-f A-P <<<"$secret")"; do
		as "$value"
		get "$run"
		refused "$1: $(head -c 40 <<<"$value" | cat -v)"
	done
	as nobody
	get "$run" -H 'x-vercel-cron: 1'
	refused "$1: x-vercel-cron"
	get "$run" -H 'x-vercel-cron-schedule: * * * * *' -A vercel-cron/1.0
	refused "$1: the user agent of Vercel's scheduler"
	get "$run" -H 'x-vercel-cron: 1' -A vercel-cron/1.0 \
		-H 'Authorization: Bearer undefined' -H "x-cron-secret: $secret"
	refused "$1: all of them together"
	get "$run?secret=$secret&token=$secret&CRON_SECRET=$secret"
	refused "$1: the secret in the query"
	get "$run" -H "Cookie: payload-token=$secret; CRON_SECRET=$secret"
	refused "$1: the secret in a cookie"
	post "$run" '' -H "Authorization: Bearer ${secret%?}x"
	refused "$1: with POST"
	get /api/payload-jobs/handle-schedules
	refused "$1: handle-schedules"
}

# passes WHAT: the last answer is that of a run.
passes() {
	status_is 200 "$1"
	body_is .success true '  and runs'
}

# set_secret VALUE: as the operator would, and run is started again.
set_secret() {
	printf '%s\n' "$1" >"$STATE/secret/cron"
	stack_part restart run || bail 'run does not start'
}

# --- with a secret ---
wrong 'a secret is set'
is "$(links_of afterwork_run)" 0 \
	'not one of these refusals took a database connection'
for scheme in Bearer bearer BEARER bEaReR; do
	as "$scheme $secret"
	get "$run"
	passes "the secret under $scheme"
done
# A run's worker has left by now; this function keeps its link for a while.
get /api/payload-jobs/stats
as admin
get /api/payload-jobs/handle-schedules
status_is 200 'a user'
isnt "$(links_of afterwork_run)" 0 'does take one: it would be seen'
as "Bearer     $secret"
get "$run"
passes 'several spaces do not matter'
as "Bearer $secret"
get "$run" -H 'x-vercel-cron: 1' -A vercel-cron/1.0
passes 'what the scheduler adds does not matter'
get "$run" -H 'Cookie: payload-token=x.y.z'
passes 'nor does a cookie beside it'
post "$run"
passes 'POST does the same'
as "Bearer $previous"
get "$run"
passes 'the previous secret counts while it is rotated'
as "Bearer ${previous%?}"
get "$run"
refused 'a part of it does not'
as "Bearer $secret"
get "$run" -H "Authorization: Bearer $secret"
status_is 400 'two headers, both right: nginx itself takes that for no request'
body_is '.errors[0].message' 'The request is not valid HTTP.' '  and says so'
get /api/payload-jobs
status_is 403 'the secret lists no jobs'
upload "$(picture x.jpg)"
status_is 403 'and uploads nothing'
get /metrics
status_is 200 'but reads the metrics'

# --- users ---
as "users API-Key $secret"
get "$run"
refused 'the secret is no API key'
for role in admin operator; do
	person "$role"
	as "users API-Key $key"
	get "$run"
	passes "an $role"
done
as nobody
post /api/users/login "$(jq -cn --arg email "$email" \
	--arg password "$password" '{$email, $password}')"
token=$(jqr .token)
as "bearer $token"
get "$run"
passes 'a login token as bearer'
as nobody
get "$run" -H "Cookie: payload-token=$token"
refused 'a cookie that any page could make a browser send'
get "$run" -H "Cookie: payload-token=$token" -H 'Sec-Fetch-Site: same-origin'
passes 'the same cookie from our own page'
person editor
as "users API-Key $key"
get "$run"
refused 'an editor'
as "Bearer ${token%?}x"
get "$run"
refused 'a token that was tampered with'

# --- the secret is in no log ---
is "$(grep -rlE "$secret|${secret%?}|$previous" "$STATE/log" | wc -l)" 0 \
	'no log holds a secret, right or wrong'

# --- a secret that is none ---
for bad in '' undefined short "$(printf 'x%.0s' {1..31})" \
	"$(printf 'x%.0s' {1..20}) $(printf 'x%.0s' {1..20})"; do
	export CRON_SECRET_PREVIOUS=
	set_secret "$bad"
	as nobody
	get "$run"
	refused "the secret is \"$bad\": nobody"
	for value in "Bearer $bad" "Bearer $secret" "Bearer $previous" \
		'Bearer undefined'; do
		as "$value"
		get "$run"
		refused "the secret is \"$bad\": ${value:0:30}"
	done
done
like "$(cat "$STATE/log/run.log")" 'CRON_SECRET is shorter than 32 characters and counts as none' \
	'each start logs that a short one counts as none'
rm "$STATE/secret/cron"
stack_part restart run
wrong 'none is set'
as admin
get "$run"
passes 'with none set, a user still may'
done_testing
