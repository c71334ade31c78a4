#!/bin/bash
# handle-schedules.t: jobs of schedules are made by a call for it, and by every
# run call but one that says disableScheduling.
. tests/lib.sh
stack_start
path=/api/payload-jobs/handle-schedules
run=/api/payload-jobs/run

# register SCHEDULE: the task noop with these entries.
register() {
	sql "SELECT afterwork.task_register('{\"slug\":\"noop\",\"schedule\":[$1]}')" >/dev/null
}
# due [CRON]: what came due this minute, or would have.
due() {
	sql "DELETE FROM afterwork.schedule_slot;
		UPDATE afterwork.schedule SET next_at = date_trunc('minute', now())
		WHERE '${1-}' IN ('', cron)"
}
# Not at the end of a minute, when the next slot is about to come.
steady() {
	local second=$((10#$(date +%S)))
	[ $second -lt 40 ] || sleep $((61 - second))
}
quiet() {
	await 10 '[ -z "$(runner_pids)" ]' || bail 'a runner stays'
}
jobs() {
	sql "SELECT count(*) FROM afterwork.jobs WHERE meta ->> 'scheduled' = 'true'"
}

as cron
get $path
status_is 200 'no task has a schedule'
body_is '. | tojson' '{"message":"No jobs to schedule."}' 'as Payload says it'

steady
register '{"cron":"* * * * *","missed":"one"},
	{"cron":"0 0 1 1 *","timezone":"Europe/Ljubljana"},
	{"cron":"* * * * *","timezone":"Asia/Tokyo","queue":"mail","missed":"one"}'
get $path
status_is 200 'nothing is due'
body_is '[.message, (.queued | length), (.errored | length), (.skipped | length)] | @csv' '"Success",0,0,2' \
	'then nothing is queued; entries of the queue are told'
body_is '.skipped[0].scheduleConfig | tojson' '{"cron":"* * * * *","queue":"default","missed":"one","timezone":"UTC"}' \
	'the one that comes first, as it was registered'
body_is '.skipped[0].taskConfig.slug' noop 'with its task'
body_is '.skipped[0].waitUntil' "$(sql "SELECT afterwork.iso(date_trunc('minute', now()) + interval '1 minute')")" \
	'and when it will be due'
header_is cache-control no-store 'not to be stored'
is "$(jobs)" 0 'no job is made'

steady
due '* * * * *'
get $path
status_is 200 'something is due'
body_is '[(.queued | length), (.errored | length), (.skipped | length)] | @csv' 1,0,1 'in the queue default'
body_is '.queued[0] | [.scheduleConfig.queue, .taskConfig.slug] | join(" ")' 'default noop' 'it is queued'
body_is '.queued[0].waitUntil' "$(sql "SELECT afterwork.iso(date_trunc('minute', now()))")" 'for its slot'
id=$(jqr '.queued[0].job.id')
sql_is "SELECT state IN ('ready', 'running', 'done'), meta ->> 'scheduled' FROM afterwork.jobs WHERE id = $id" 't|true' \
	'with its job'
eventually 10 "[ \"\$(sql 'SELECT state FROM afterwork.jobs WHERE id = $id')\" = done ]" \
	'which a runner does that the call leaves behind'
eventually 10 '[ "$(jobs)" = 2 ]' 'the runner makes what is due elsewhere'
get "$path?queue=mail"
body_is '.queued | length' 0 'then there is none to be made'
is "$(jobs)" 2 'and it was one job each'

quiet
steady
due '* * * * *'
get "$path?queue=nothing"
body_is '[(.queued, .errored, .skipped) | length] | @csv' 0,0,0 'another queue has no schedules'
get "$path?queue=mail"
body_is '[.queued[].scheduleConfig.timezone] | join(" ")' Asia/Tokyo 'the queue that is asked for'
quiet
due '* * * * *'
get "$path?allQueues=true&queue=mail"
body_is '[.queued[].scheduleConfig.queue] | sort | join(" ")' 'default mail' 'or all queues'
get "$path?queue="
status_is 400 'an empty queue'
get "$path?allQueues=maybe"
status_is 400 'a flag that is none'

# --- what cannot be made ---
quiet
steady
sql "SELECT afterwork.task_register('{\"slug\":\"picky\",\"inputSchema\":[{\"name\":\"day\",\"type\":\"text\",
	\"required\":true}],\"schedule\":[{\"cron\":\"* * * * *\"}]}')" >/dev/null
due '* * * * *'
get $path
status_is 200 'a job that is refused'
body_is '[(.queued[], .errored[]).taskConfig.slug] | join(" ")' 'noop picky' 'others are made'
body_is '.errored[0].error' 'This field is required.' 'with why it is not'
sql "SELECT afterwork.task_register('{\"slug\":\"picky\"}')" >/dev/null

# --- who may ---
as nobody
get $path
status_is 401 'nobody may not'
as cron
post $path
status_is 405 'nor anybody with POST'

# --- run ---
quiet
steady
before=$(jobs)
due '* * * * *'
get "$run?allQueues=true&disableScheduling=true"
body_is '.result.jobStatus | length' 0 'a run call without schedules'
quiet
is "$(jobs)" "$before" 'makes none'
sql_is "SELECT count(*) FROM afterwork.schedule WHERE next_at <= now()" 2 'they stay due'
get "$run?allQueues=true"
body_is '[.result.jobStatus[].status] | join(" ")' 'success success' 'one with schedules makes them and runs them'
quiet
is "$(jobs)" $((before + 2)) 'one each'

# Fifty pings for one slot.
quiet
register '{"cron":"* * * * *","missed":"one"}'
steady
before=$(jobs)
due
pids=()
for i in {1..50}; do
	curl -sS -m 60 -o "$work/ping.$i" -w '%{http_code}\n' -H "Authorization: Bearer $CRON_SECRET" \
		"$SERVER_URL$([ $((i % 2)) = 0 ] && echo "$run?allQueues=true" || echo "$path")" >>"$work/pings" 2>&1 &
	pids+=($!)
done
wait "${pids[@]}"
is "$(sort -u "$work/pings")" 200 'fifty calls at once are all answered'
is $(($(jobs) - before)) 1 'and make one job'
eventually 10 "[ \"\$(sql 'SELECT count(*) FROM afterwork.job')\" = 0 ]" 'which is done'
done_testing
