#!/bin/bash
# jobs-read.t: what operators see of jobs: the list, one job with its attempts,
# figures, health; and who may see them.
. tests/lib.sh
. tests/people.sh
stack_shared
jobs=/api/payload-jobs
q=read-$$
job() {
	sql "SELECT afterwork.enqueue('$1', '${2-{\}}', queue => '$q')"
}
# A runner that lingers after what came before would take the jobs of this.
await 10 '[ -z "$(runner_pids)" ]' || bail 'a runner stays'
error() {
	is "$(jqr '.errors[0].data.errors[0].path')" "$1" "$2"
}

# --- a job's life, as its document tells it ---
id=$(job fail '{"times":2}')
get "$jobs/$id"
status_is 200 'a job that waits'
is "$(jqr 'keys_unsorted | sort | join(" ")')" \
	'attempts completedAt concurrencyKey crashes createdAt error hasError id input leaseNo log meta output priority processing progress queue runAt state tags taskSlug taskStatus totalTried uniqueKey updatedAt waitUntil workflowSlug' \
	'has the fields of Payload and ours'
body_is '[.id, .taskSlug, .queue, .state, .totalTried, .hasError, .processing, .completedAt, .workflowSlug, (.log | length)] | @csv' \
	"$id,\"fail\",\"$q\",\"ready\",0,false,false,,,0" 'with nothing tried'
body_like .createdAt '^20[0-9-]{8}T[0-9:]{8}\.[0-9]{3}Z$' 'and times as Payload writes them'
for _ in 1 2 3; do
	run_jobs "queue=$q"
	sleep 0.4 # its next try is due after 200, then 300 ms
done
get "$jobs/$id"
body_is '[.state, .totalTried, .hasError, .error] | @csv' '"done",3,false,' 'in the end it is done'
body_is '.completedAt >= .createdAt' true 'and when'
body_is '.taskStatus.fail["1"] | [.complete, .taskSlug, .totalTried, .input.times] | @csv' \
	'true,"fail",3,2' 'taskStatus sums it up'
body_is '[.log[] | .state] | join(" ")' 'failed failed succeeded' 'its attempts, oldest first'
body_is '[.log[] | .error.message // "none"] | join(" / ")' \
	'this was attempt 1 of 2 that fail / this was attempt 2 of 2 that fail / none' 'each with its error'
body_is '[.log[] | .executedAt <= .completedAt] | all' true 'with its times'
body_is '.log | [.[0].completedAt <= .[1].executedAt, .[1].completedAt <= .[2].executedAt] | all' \
	true 'one after another'
body_is '.log[2] | [.attempt, .outcome, .taskSlug, .taskID, .input.times] | @csv' \
	'3,"succeeded","fail","1",2' 'and what it was'
body_is '[.log[].leaseNo] | . == (sort | unique)' true 'each under a lease of its own, ever growing'
body_is '.leaseNo == .log[2].leaseNo' true 'the last of which is the job'"'"'s'
lost=$(job fail '{"times":1,"forGood":true}')
run_jobs "queue=$q"
get "$jobs/$lost"
body_is '[.state, .hasError, .error.message, .completedAt] | @csv' \
	'"failed",true,"this was attempt 1 of 1 that fail",' 'one that failed keeps why'
for bad in 999999999999 0 -1 x 1x 1.5 '%20' 9223372036854775808 stats2; do
	get "$jobs/$bad"
	status_is 404 "no job: $bad"
	body_is '.errors[0].message' 'Not Found' '  as Payload says it'
done

# --- the list ---
get "$jobs?limit=2"
status_is 200 'the list'
is "$(jqr 'keys_unsorted | join(" ")')" \
	'docs hasNextPage hasPrevPage limit nextPage page pagingCounter prevPage totalDocs totalPages' \
	'its ten fields'
body_is '[.docs[].id] | join(" ")' "$lost $id" 'the newest first'
body_is '.docs[1].log | length' 3 'whole documents'
total=$(jqr .totalDocs)
is "$total" "$(sql 'SELECT count(*) FROM afterwork.jobs')" 'all are counted'
is "$(jqr .totalPages)" $(((total + 1) / 2)) 'in pages'
get "$jobs?limit=1&page=2"
body_is '[.docs[0].id, .page, .hasPrevPage, .prevPage, .pagingCounter] | @csv' "$id,2,true,1,2" 'the second page'
get "$jobs?limit=1&sort=id"
body_is '.docs[0].id' "$(sql 'SELECT min(id) FROM afterwork.jobs')" 'the oldest first'
get "$jobs?limit=1&sort=-id"
body_is '.docs[0].id' "$lost" 'by id, downwards'
get "$jobs?limit=3&sort=createdAt&page=$((total + 10))"
body_is '[(.docs | length), .hasNextPage] | @csv' 0,false 'behind the last: empty'
get "$jobs/count"
body_is '. | tojson' "{\"totalDocs\":$total}" 'the count'
while read -r query field; do
	get "$jobs?$query"
	status_is 400 "refused: $query"
	error "$field" '  and named'
done <<'END'
limit=x limit
limit=-1 limit
limit=1001 limit
limit= limit
page=0 page
page=x page
sort=secret sort
pagination=perhaps pagination
END

# --- figures ---
waiting=$(job noop) later=$(sql "SELECT afterwork.enqueue('noop', '{}', queue => '$q', run_at => now() + interval '1 day')")
get "$jobs/stats"
status_is 200 'the figures'
stats=$(jqr ".queues[] | select(.queue == \"$q\")")
is "$(jq -r 'keys_unsorted | sort | join(" ")' <<<"$stats")" \
	'approximate blocked delayed doneLastHour durationMs failed latencyMs oldestReadyAgeMs paused queue ready running' 'of each queue'
is "$(jq -r '[.paused, .ready, .delayed, .running, .failed, .doneLastHour] | @csv' <<<"$stats")" \
	'false,1,1,0,1,1' 'how many are in which state'
is "$(jq -r '.oldestReadyAgeMs >= 0 and .oldestReadyAgeMs < 60000' <<<"$stats")" true 'how long the oldest waits'
is "$(jq -r '[.latencyMs, .durationMs | .p50, .p95, .p99] | map(type == "number" and . >= 0) | all' <<<"$stats")" \
	true 'and how long jobs waited and ran'
is "$(jq -r '.queues | map(.queue) | . == sort' <<<"$body")" true 'queues by name'
as cron
get "$jobs/stats"
status_is 200 'for the scheduler too'
get /metrics
status_is 200 'the same for Prometheus'
like "$(header content-type)" '^text/plain; version=0\.0\.4' 'in its format'
is "$(grep -c "^afterwork_jobs{queue=\"$q\",state=\"" "$work/body")" 5 'five states of the queue'
ok 'one ready' grep -qxF "afterwork_jobs{queue=\"$q\",state=\"ready\"} 1" "$work/body"
ok 'one failed' grep -qxF "afterwork_jobs{queue=\"$q\",state=\"failed\"} 1" "$work/body"
is "$(grep -vcE '^(# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+\{queue="[^"]+"(,state="[a-z]+")?\} [0-9.e+-]+)$' "$work/body")" \
	0 'every line is one'
get /healthz
status_is 200 'health'
is "$body" '{"status":"ok"}' 'and nothing more'
request HEAD /healthz
status_is 200 'HEAD too'

# --- who may ---
for path in "$jobs" "$jobs/count" "$jobs/$id" "$jobs/stats" /metrics; do
	for who in nobody 'Bearer wrong' 'users API-Key wrong'; do
		as "$who"
		get "$path"
		# Where the scheduler's secret counts, a refusal asks for it.
		want=403 says='You are not allowed to perform this action.'
		case $path in
		*/stats | /metrics)
			want=401
			says='Unauthorized, you must be logged in to make this request.'
			;;
		esac
		status_is $want "$path is not for ${who% wrong}"
		body_is '.errors[0].message' "$says" '  and says so'
	done
done
person editor
editor="users API-Key $key"
person operator
for path in "$jobs" "$jobs/count" "$jobs/$id"; do
	as "$editor"
	get "$path"
	status_is 403 "$path is not for an editor"
	as cron
	get "$path"
	status_is 403 "$path is not for the scheduler"
	as "users API-Key $key"
	get "$path"
	status_is 200 "$path is for an operator"
done
as "$editor"
get "$jobs/stats"
like "$status" '^40[13]$' 'the figures are not for an editor'
get /metrics
status_is 401 'nor the metrics'
as admin
get /metrics
status_is 401 'which are for the secret alone'

# --- methods ---
for method in PUT PATCH DELETE; do
	for path in "$jobs" "$jobs/$id" /healthz; do
		request "$method" "$path"
		like "$status" '^40[45]$' "$method $path"
	done
done
request PUT /healthz
status_is 405 'another method'
header_is allow GET 'is told what would do'
request DELETE "$jobs"
status_is 405 'nor is the list deleted'
like "$(header allow)" POST 'but added to'
sql_is "SELECT count(*) FROM afterwork.jobs WHERE id IN ($id, $waiting, $later)" 3 'nothing went'
post "$jobs/$later/cancel"
run_jobs "queue=$q"
done_testing
