#!/bin/bash
# run-answers.t: what a call of the run endpoint takes, runs and answers.
. tests/lib.sh
# One slot: a runner that a call wakes would else take jobs of that call.
stack_start RUNNER_SLOTS=1
run=/api/payload-jobs/run
q=run-$$
as cron

# job TASK [INPUT [QUEUE]]: a job that no runner was woken for; prints its id.
job() {
	sql "SELECT afterwork.enqueue('$1', '${2-{\}}', queue => '${3-$q}')"
}

# ran WANT WHAT: which jobs the last call ran and how, by id.
ran() {
	body_is '.result.jobStatus | to_entries | sort_by(.key | tonumber) | map("\(.key)=\(.value.status)") | join(" ")' \
		"$1" "$2"
}

# A call that leaves more than one job wakes a runner, which lingers and would
# be faster than the next call.
quiet() {
	await 10 '[ -z "$(runner_pids)" ]' || bail 'a runner stays'
}

state() {
	sql "SELECT state FROM afterwork.jobs WHERE id = $1"
}

# --- the shape ---
quiet
get "$run?queue=$q"
status_is 200 'an empty queue'
is "$(jq -c 'del(.executionTimeMs)' <<<"$body")" \
	'{"success":true,"message":"Success","result":{"jobStatus":{}},"noJobsRemaining":true,"remainingJobsFromQueried":0}' \
	'its answer'
body_is '.executionTimeMs | type' number 'with the time it took'
header_is content-type application/json 'as JSON'
header_is cache-control no-store 'not to be stored'
quiet
a=$(job noop) b=$(job noop)
get "$run?queue=$q"
ran "$a=success $b=success" 'two jobs are run'
body_is '.result.jobStatus | map_values(keys_unsorted) | tojson' \
	"{\"$a\":[\"status\"],\"$b\":[\"status\"]}" 'a status each, and no more'
body_is .noJobsRemaining true 'and none is left'
is "$(state "$a") $(state "$b")" 'done done' 'they are done when it is answered'
quiet
a=$(job noop)
post "$run?queue=$q"
ran "$a=success" 'POST does the same'
a=$(job nap '{"ms":300}')
get "$run?queue=$q"
body_is '.executionTimeMs >= 300 and .executionTimeMs < 5000' true \
	'the time is that of the run'

# --- statuses ---
quiet
once=$(job fail '{"times":1}')
for_good=$(job fail '{"times":9,"forGood":true}')
good=$(job noop)
get "$run?queue=$q"
ran "$once=error $for_good=error-reached-max-retries $good=success" \
	'success, error, error-reached-max-retries'
status_is 200 'jobs that fail are no error of the call'
body_is '[.success, .noJobsRemaining, .remainingJobsFromQueried] | @csv' \
	true,true,1 'those that will be tried again are counted'
is "$(state "$for_good")" failed 'the one that will not has failed'
eventually 5 "[ \"\$(state $once)\" = done ]" 'and is run again by a runner'
quiet
once=$(job fail '{"times":1}')
get "$run?queue=$q"
ran "$once=error" 'one alone'
body_is .noJobsRemaining true 'leaves nothing to do now'
sleep 0.4
get "$run?queue=$q"
ran "$once=success" 'when its time has come it is run again'
never=$(job fail '{"times":9}')
said=
for _ in 1 2 3; do
	get "$run?queue=$q"
	said+="$(jqr ".result.jobStatus[\"$never\"].status") "
	sleep 0.4
done
is "$said" 'error error error-reached-max-retries ' \
	'two retries are three executions'
is "$(state "$never")" failed 'then it has failed'

# --- which queue ---
quiet
in_default=$(job noop '{}' default) in_own=$(job noop) in_other=$(job noop '{}' "$q-2")
get "$run?queue=$q"
ran "$in_own=success" 'a named queue, and no other'
is "$(state "$in_default") $(state "$in_other")" 'ready ready' 'the others wait'
get "$run?limit=1000"
body_is ".result.jobStatus[\"$in_default\"].status" success \
	'the queue default, when none is named'
body_is ".result.jobStatus[\"$in_other\"]" null 'and no other'
is "$(state "$in_other")" ready 'which waits'
quiet
in_default=$(job noop '{}' default) in_own=$(job noop)
get "$run?allQueues=true&limit=1000&queue=$q"
body_is "[.result.jobStatus[\"$in_default\", \"$in_own\", \"$in_other\"].status] | @csv" \
	'"success","success","success"' 'all queues'
get "$run?queue=nothing-of-the-kind-$$"
ran '' 'an unknown queue is an empty one'
sql_is "SELECT count(*) FROM afterwork.queue WHERE name = 'nothing-of-the-kind-$$'" \
	0 'and is not made'

# --- how many ---
quiet
ids=()
for i in 1 2 3 4 5; do
	ids+=("$(job noop)")
done
get "$run?queue=$q&limit=2"
ran "${ids[0]}=success ${ids[1]}=success" 'a limit takes the first ones'
body_is .noJobsRemaining false 'and says that some are left'
eventually 10 '[ "$(state "${ids[4]}")" = done ]' \
	'which a runner takes that the call leaves behind'
eventually 5 '[ -z "$(runner_pids)" ]' 'and which goes again'
ids=()
sql "SELECT afterwork.enqueue('noop', '{}', queue => '$q')
	FROM generate_series(1, 12)" >/dev/null
get "$run?queue=$q"
body_is '.result.jobStatus | length' 10 'ten when nothing is said'
body_is .noJobsRemaining false 'the rest is left to a runner'
quiet

for value in 1 5 1000 007; do
	get "$run?queue=$q&limit=$value"
	status_is 200 "limit=$value"
done
while IFS='|' read -r query field; do
	get "$run?$query"
	status_is 400 "refused: $query"
	body_is '.errors[0] | [.name, .data.errors[0].path] | join(" ")' \
		"ValidationError $field" '  and named'
done <<'END'
limit=|limit
limit=0|limit
limit=1001|limit
limit=-1|limit
limit=1e9|limit
limit=1000000000|limit
limit=99999999999999999999|limit
limit=%2B5|limit
limit=+5|limit
limit=%205|limit
limit=5%20|limit
limit=5x|limit
limit=5.0|limit
limit=0x5|limit
limit=NaN|limit
limit=%D9%A5|limit
queue=|queue
allQueues=|allQueues
allQueues=yes|allQueues
allQueues=2|allQueues
sequential=maybe|sequential
silent=0x1|silent
disableScheduling=no|disableScheduling
END
get "$run?queue=$(printf 'q%.0s' {1..101})"
status_is 400 'a name of 101 characters'
get "$run?limit=%zz"
status_is 400 'a query that cannot be decoded'
left=$(job noop)
for flag in sequential silent disableScheduling; do
	for value in true false 1 0; do
		get "$run?queue=$q-none&$flag=$value"
		status_is 200 "$flag=$value"
	done
done
get "$run?queue=$q&sequential=true&silent=true&disableScheduling=true&allQueues=false"
ran "$left=success" 'all of them together'
get "$run?queue=$q&where=x&unknown[]=1"
status_is 200 'what is not known is ignored'

# --- a queue that is paused ---
quiet
held=$(job noop)
as admin
post "/api/payload-jobs/queues/$q/pause"
as cron
get "$run?queue=$q"
ran '' 'nothing is taken from a queue that is paused'
as admin
post "/api/payload-jobs/queues/$q/resume"
eventually 10 '[ "$(state "$held")" = done ]' 'when it is resumed a runner comes'
eventually 5 '[ -z "$(runner_pids)" ]' 'and goes'
as cron

# --- no slot is free ---
slots=1
naps=()
for ((i = 0; i < slots; i++)); do
	as admin
	post /api/payload-jobs "{\"task\":\"nap\",\"queue\":\"$q\",\"input\":{\"ms\":1800}}"
	naps+=("$(jqr .doc.id)")
done
as cron
eventually 5 "[ \"\$(sql \"SELECT count(*) FROM afterwork.jobs
	WHERE queue = '$q' AND state = 'running'\")\" = $slots ]" \
	'every slot has a runner'
waiting=$(job noop)
get "$run?queue=$q"
status_is 200 'a call without a free slot'
body_is '[.success, (.result.jobStatus | length), .noJobsRemaining, .remainingJobsFromQueried] | @csv' \
	true,0,false,0 'runs nothing and says so'
body_is '.executionTimeMs < 1000' true 'without waiting for one'
for id in "${naps[@]}" "$waiting"; do
	eventually 10 "[ \"\$(state $id)\" = done ]" "job $id is done by those"
done

# --- methods ---
quiet
for method in HEAD PUT DELETE PATCH; do
	held=$(job noop)
	request "$method" "$run?queue=$q"
	status_is 405 "$method"
	header_is allow 'GET, POST' 'is told what would do'
	is "$(state "$held")" ready 'and runs nothing'
	get "$run?queue=$q"
done
get /api/payload-jobs/handle-schedules
status_is 200 'handle-schedules'
body_is '. | tojson' '{"message":"No jobs to schedule."}' 'as Payload says it'
post /api/payload-jobs/handle-schedules
status_is 405 'not with POST'
header_is allow GET 'but with GET'
done_testing
