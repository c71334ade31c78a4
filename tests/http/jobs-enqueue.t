#!/bin/bash
# jobs-enqueue.t: an order for jobs is stored whole or refused with the reason.
. tests/lib.sh
. tests/people.sh
stack_shared
jobs=/api/payload-jobs
q=enqueue-$$
# Nothing here is run before the test says so.
sql "INSERT INTO afterwork.queue (name, paused) VALUES ('$q', true)"

# stored: how many jobs the queue has.
stored() {
	sql "SELECT count(*) FROM afterwork.jobs WHERE queue = '$q'"
}

# --- one ---
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",\"input\":{\"a\":[1,{\"b\":null}]},\"priority\":7,\"concurrencyKey\":\"c\",\"uniqueKey\":\"u\",\"meta\":{\"from\":\"test\"},\"unknown\":1}"
status_is 201 'a job is stored'
body_is .message 'Job successfully created.' 'with a message'
id=$(jqr .doc.id)
body_is '.doc | [.taskSlug, .queue, .state, .priority, .concurrencyKey, .uniqueKey, .waitUntil, .totalTried, .hasError, .processing, .completedAt] | @csv' \
	"\"noop\",\"$q\",\"ready\",7,\"c\",\"u\",,0,false,false," 'as it was ordered'
body_is '.doc | [.input, .meta] | tojson' '[{"a":[1,{"b":null}]},{"from":"test"}]' \
	'with its input and meta'
get "$jobs/$id"
body_is .meta.from test 'it can be read again'
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\"}"
status_is 201 'only a task is needed'
body_is '.doc | [.priority, (.input | tojson), .meta, .uniqueKey] | @csv' '100,"{}",,' \
	'the rest is the task'"'"'s'

# --- many ---
before=$(stored)
post $jobs "[{\"task\":\"noop\",\"queue\":\"$q\"},{\"task\":\"nap\",\"queue\":\"$q\",\"input\":{\"ms\":1}},{\"task\":\"noop\",\"queue\":\"$q\"}]"
status_is 201 'a list is stored'
body_is '[(.ids | length), .message] | @csv' '3,"Jobs successfully created."' 'and answered with ids'
sql_is "SELECT string_agg(task, ' ' ORDER BY id) FROM afterwork.jobs
	WHERE id IN ($(jqr '.ids | join(",")'))" 'noop nap noop' 'in its order'
is "$(stored)" $((before + 3)) 'these three'
before=$(stored)
post $jobs "[{\"task\":\"noop\",\"queue\":\"$q\"},{\"task\":\"nap\",\"queue\":\"$q\",\"input\":{\"ms\":-1}},{\"task\":\"noop\",\"queue\":\"$q\"}]"
status_is 400 'a list with one that does not fit'
body_is '.errors[0].data.errors[0].path' 1.ms 'which is named by its place'
is "$(stored)" "$before" 'stores none of them'
post $jobs "[{\"task\":\"noop\",\"queue\":\"$q\"},7]"
body_is '.errors[0].data.errors[0] | .path + " " + .message' '1 A job must be an object.' 'and so is one that is none'
post $jobs '[]'
status_is 400 'an empty list'
post $jobs "[$(printf '{"task":"noop"},%.0s' {1..1000}){\"task\":\"noop\"}]"
status_is 400 'a list of 1,001'

# --- what is refused ---
# BODY | FIELD | MESSAGE
while IFS='|' read -r json field what; do
	post $jobs "${json/@/$q}"
	status_is 400 "refused: ${json:0:60}"
	body_is '.errors[0].data.errors[0].path' "$field" '  and named'
	body_like '.errors[0].data.errors[0].message' "$what" '  and why'
	unlike "$body" 'SELECT|afterwork\.|PL/pgSQL|22P02' '  without SQL'
done <<'END'
{}|task|required
{"task":null}|task|required
{"task":7}|task|.
{"task":""}|task|not registered
{"task":"nothingOfTheKind","queue":"@"}|task|The task "nothingOfTheKind" is not registered
{"task":"noop'; DROP TABLE x --","queue":"@"}|task|not registered
{"task":"nap","queue":"@"}|ms|required
{"task":"nap","queue":"@","input":{}}|ms|required
{"task":"nap","queue":"@","input":{"ms":"1"}}|ms|must be a number
{"task":"nap","queue":"@","input":{"ms":60001}}|ms|at most 60000
{"task":"nap","queue":"@","input":{"ms":-1}}|ms|at least 0
{"task":"fail","queue":"@","input":{"times":1,"forGood":"yes"}}|forGood|true or false
{"task":"nap","queue":"@","input":[]}|input|must be an object
{"task":"noop","queue":"@","input":7}|input|must be an object
{"task":"noop","queue":"a b"}|queue|letters, digits
{"task":"noop","queue":""}|queue|letters, digits
{"task":"noop","queue":7}|queue|.
{"task":"noop","queue":"@","priority":"high"}|priority|.
{"task":"noop","queue":"@","priority":1.5}|priority|.
{"task":"noop","queue":"@","priority":2147483648}|priority|.
{"task":"noop","queue":"@","waitUntil":"soon"}|waitUntil|must be a date
{"task":"noop","queue":"@","waitUntil":"2026-02-30T00:00:00Z"}|waitUntil|must be a date
{"task":"noop","queue":"@","waitUntil":7}|waitUntil|.
{"task":"noop","queue":"@","uniqueKey":""}|uniqueKey|1 to 255
{"task":"noop","queue":"@","concurrencyKey":""}|concurrencyKey|1 to 255
END
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",\"uniqueKey\":\"$(printf 'é%.0s' {1..256})\"}"
status_is 400 'a key of 256 characters'
for bad in '' '{' '"noop"' 'null' '[7]' '{"task":"noop"} x' $'{"task":"a\xff"}'; do
	post $jobs "$bad"
	status_is 400 "no order: $bad"
done
request POST $jobs --data-binary '{"task":"noop"}' -H 'Content-Type: text/plain'
status_is 400 'another type'
is "$(stored)" "$before" 'nothing of it is stored'
sql_is "SELECT count(*) FROM afterwork.queue WHERE name = 'a b'" 0 'no queue is made'

# --- unique keys ---
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",\"uniqueKey\":\"u\",\"input\":{\"other\":1}}"
status_is 200 'a key in use'
body_is '[.doc.id, .doc.input.other, .message] | @csv' "$id,,\"A job with this unique key is there already.\"" \
	'is answered with the job that has it, unchanged'
post $jobs "{\"task\":\"noop\",\"queue\":\"$q-other\",\"uniqueKey\":\"u\",\"waitUntil\":\"2100-01-01T00:00:00Z\"}"
status_is 201 'the same key in another queue'
one="{\"task\":\"noop\",\"queue\":\"$q\",\"uniqueKey\":\"u\"}"
post $jobs "[$one,{\"task\":\"noop\",\"queue\":\"$q\"}]"
status_is 201 'a list of which one key is in use'
body_is '[.ids[0], .message] | @csv' "$id,\"Jobs successfully created, but for those whose unique key is in use.\"" \
	'tells of that'
post $jobs "[$one,$one]"
status_is 200 'one of which all keys are'
body_is '[.ids[0], .ids[1], .message] | @csv' "$id,$id,\"The unique keys of all these jobs are in use.\"" \
	'has made none'
seq 40 | xargs -P 40 -I{} curl -sS -o "$work/{}.json" -w '%{http_code}\n' \
	-H "Authorization: $authorization" -H 'Content-Type: application/json' \
	-d "{\"task\":\"noop\",\"queue\":\"$q\",\"uniqueKey\":\"at once\"}" \
	"$SERVER_URL$jobs" >"$work/statuses"
is "$(sort "$work/statuses" | uniq -c | xargs)" '39 200 1 201' '40 at once: one is created'
is "$(jq .doc.id "$work"/{1..40}.json | sort -u | wc -l)" 1 'and all are told its id'
sql_is "SELECT count(*) FROM afterwork.jobs WHERE unique_key = 'at once' AND queue = '$q'" \
	1 'one is there'

# --- time ---
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",\"waitUntil\":\"2100-02-03T04:05:06.789Z\"}"
status_is 201 'a job for later'
body_is '.doc | [.state, .waitUntil, .runAt] | @csv' \
	'"delayed","2100-02-03T04:05:06.789Z","2100-02-03T04:05:06.789Z"' 'waits for its time'
later=$(jqr .doc.id)
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",\"waitUntil\":\"2001-01-01T00:00:00+02:00\"}"
body_is '.doc | [.state, .waitUntil] | @csv' '"ready","2000-12-31T22:00:00.000Z"' \
	'a time that has passed is now'

# --- who may ---
person editor
as "users API-Key $key"
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\"}"
status_is 403 'an editor may not'
for path in "/$id/cancel" "/$id/retry" "/$id/run" "/queues/$q/pause" "/queues/$q/resume"; do
	post "$jobs$path"
	status_is 403 "nor $path"
done
for who in nobody cron 'Bearer wrong'; do
	as "$who"
	post $jobs "{\"task\":\"noop\",\"queue\":\"$q\"}"
	status_is 403 "nobody may: ${who:0:8}"
	post "$jobs/$id/cancel"
	status_is 403 '  nor cancel'
done
person operator
as "users API-Key $key"
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\"}"
status_is 201 'an operator may'
as admin

# --- cancel, retry, run ---
post "$jobs/$later/cancel"
status_is 200 'a waiting job is cancelled'
body_is '[.doc.state, .doc.hasError, .doc.error.cancelled, .doc.completedAt] | @csv' \
	'"cancelled",true,true,' 'and keeps its record'
post "$jobs/$later/cancel"
status_is 409 'once'
body_is '.errors[0].message' 'The job has already ended.' 'says why'
post "$jobs/$later/run"
status_is 200 'it can be run all the same'
body_is '.doc | [.id, .state, .totalTried, .hasError] | @csv' "$later,\"ready\",0,false" \
	'from its start, under its id'
for verb in cancel retry run; do
	for bad in 999999999 0 x 1.5; do
		post "$jobs/$bad/$verb"
		status_is 404 "$verb: no job $bad"
	done
	get "$jobs/$id/$verb"
	status_is 405 "$verb is no GET"
done
for verb in pause resume; do
	post "$jobs/queues/no-such-queue-$$/$verb"
	status_is 404 "$verb: no such queue"
done

# --- order, and pause and resume ---
p=$q-order
sql "INSERT INTO afterwork.queue (name, paused) VALUES ('$p', false)"
post "$jobs/queues/$p/pause"
status_is 200 'a queue is paused'
body_is '[.queue, .paused] | @csv' "\"$p\",true" 'and says so'
ids=()
for priority in 50 100 1 -5 50; do
	post $jobs "{\"task\":\"noop\",\"queue\":\"$p\",\"priority\":$priority}"
	ids+=("$(jqr .doc.id)")
done
run_jobs
sql_is "SELECT count(*) FROM afterwork.job WHERE queue = '$p'" 5 'nothing of it is run'
await 10 '[ -z "$(runner_pids)" ]' || bail 'a runner stays'
sql "UPDATE afterwork.queue SET paused = false WHERE name = '$p'"
run_jobs "queue=$p&limit=1"
body_is '.result.jobStatus | keys | join(" ")' "${ids[3]}" 'the lowest priority number is first'
post "$jobs/queues/$p/resume"
status_is 200 'a queue is resumed'
body_is .paused false 'and says so'
eventually 10 "[ \"\$(sql \"SELECT count(*) FROM afterwork.job WHERE queue = '$p'\")\" = 0 ]" \
	'and its jobs are run without a ping'

# --- conflicts ---
post $jobs "{\"task\":\"nap\",\"queue\":\"$p\",\"input\":{\"ms\":5000}}"
nap=$(jqr .doc.id)
eventually 5 "[ \"\$(sql 'SELECT state FROM afterwork.jobs WHERE id = $nap')\" = running ]" \
	'a job is woken and runs'
for verb in retry run; do
	post "$jobs/$nap/$verb"
	status_is 409 "$verb of a job that runs"
	body_is '.errors[0].message' 'The job is running. Try again when it has ended.' '  says what to do'
done
ok 'it ends as if nothing had been asked' job_done "$nap" 20
post "$jobs/$nap/cancel"
status_is 409 'a job that is done cannot be cancelled'
post $jobs "{\"task\":\"fail\",\"queue\":\"$p\",\"uniqueKey\":\"k\",\"input\":{\"times\":1,\"forGood\":true}}"
failed=$(jqr .doc.id)
ok 'a job fails' job_done "$failed"
get "$jobs/$failed"
body_is '[.state, .hasError] | @csv' '"failed",true' 'for good'
post "$jobs/queues/$p/pause"
post $jobs "{\"task\":\"noop\",\"queue\":\"$p\",\"uniqueKey\":\"k\"}"
status_is 201 'its key is free'
other=$(jqr .doc.id)
post "$jobs/$failed/retry"
status_is 409 'a retry whose key another has taken'
body_is '.errors[0].message' "Another job has taken the job's unique key." 'says why'
sql_is "SELECT state FROM afterwork.jobs WHERE id = $failed" failed 'and nothing is lost'
post "$jobs/$other/cancel"
post "$jobs/$failed/retry"
status_is 200 'when the key is free it is retried'
body_is '.doc | [.state, .totalTried, (.log | length)] | @csv' '"ready",0,1' \
	'with all its tries, and its history'
post "$jobs/$failed/cancel"
post "$jobs/$id/cancel"
status_is 200 'the job from the start goes'
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",\"uniqueKey\":\"u\"}"
status_is 201 'and its key is free again'
isnt "$(jqr .doc.id)" "$id" 'for another job'
done_testing
