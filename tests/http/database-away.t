#!/bin/bash
# database-away.t: without its database a function answers 503 and lives on; one
# that was restarted between two requests fails neither.
. tests/lib.sh
stack_start
run=/api/payload-jobs/run

functions() {
	local name
	for name in upload media run status jobs pages users; do
		function_pids $name
	done | sort -n
}

# all: every function answers as it does on a good day.
all() {
	as admin
	upload "$(picture "$1.jpg")"
	status_is 201 "$1: upload"
	job=$(jqr .job.id)
	get '/api/media?limit=1'
	status_is 200 "$1: media"
	get '/api/pages?limit=1'
	status_is 200 "$1: pages"
	get /api/users/me
	body_is .user.role admin "$1: users"
	get /api/payload-jobs/count
	status_is 200 "$1: status"
	get /healthz
	is "$status $body" '200 {"status":"ok"}' "$1: health"
	post /api/payload-jobs '{"task":"noop"}'
	status_is 201 "$1: jobs"
	as cron
	get "$run"
	status_is 200 "$1: run"
	as admin
}

all 'at first'
pids=$(functions)
rows=$(sql 'SELECT count(*) FROM site.media')
eventually 10 '[ -z "$(runner_pids)" ]' 'runners leave'
files=$(find "$STATE/media" -type f | wc -l)

# --- restarted between two requests, links open ---
ok 'the database is restarted' stack_part restart postgresql
all 'after a restart'
is "$(functions)" "$pids" 'by the same processes'
eventually 10 '[ -z "$(runner_pids)" ]' 'runners leave again'
rows=$(sql 'SELECT count(*) FROM site.media')
files=$(find "$STATE/media" -type f | wc -l)

# --- away ---
ok 'the database is stopped' stack_part stop postgresql
away() {
	status_is 503 "$1 without a database"
	body_is '. | tojson' '{"errors":[{"message":"The service is briefly unavailable. Try again."}]}' \
		'  says what to do, and no more'
	header_is retry-after 2 '  and when'
	header_is content-type application/json '  as JSON'
}
for _ in 1 2; do
	upload "$(picture away.jpg)"
	away upload
	get '/api/media?limit=1'
	away media
	get /api/pages/1
	away pages
	post /api/pages '{"title":"x","slug":"x"}'
	away 'a page'
	get /api/users/me
	away users
	get /api/payload-jobs
	away status
	post /api/payload-jobs '{"task":"noop"}'
	away jobs
	get "$run"
	away 'run, asked by a user,'
done
as nobody
post /api/users/login '{"email":"a@example.com","password":"x"}'
away login
get /healthz
is "$status $body" '503 {"status":"unavailable"}' 'health says so, without detail'
as cron
get "$run"
status_is 503 'run with the secret cannot run'
broken=$(jq -c 'del(.executionTimeMs)' <<<"$body")
is "$broken" \
	'{"success":false,"message":"An unknown error has occurred.","result":{"jobStatus":{}},"noJobsRemaining":false,"remainingJobsFromQueried":0}' \
	'in the shape of a run, without detail'
as 'Bearer wrong'
get "$run"
status_is 401 'a wrong secret is still a wrong secret'
is "$(find "$STATE/media" -type f | wc -l)" "$files" 'no upload left a file'
is "$(functions)" "$pids" 'no process ended'
is "$(runner_pids)" '' 'and no runner was started'

# --- back ---
ok 'the database comes back' stack_part start postgresql
sql_is 'SELECT count(*) FROM site.media' "$rows" 'no upload left a row'
all 'when it is back'
ok 'and the job of an upload is run' job_done "$job"
is "$(functions)" "$pids" 'all by the same processes'

# --- there, but not as it should be ---
await 10 '[ -z "$(runner_pids)" ]'
sql 'ALTER FUNCTION afterwork.claim RENAME TO claim_that_was'
run_jobs
status_is 500 'a run that finds no claim() is broken'
is "$(jq -c 'del(.executionTimeMs)' <<<"$body")" "$broken" 'and says no more of it'
sql 'ALTER FUNCTION afterwork.claim_that_was RENAME TO claim'
run_jobs
status_is 200 'until it is there'
done_testing
