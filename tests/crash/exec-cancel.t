#!/bin/bash
# exec-cancel.t: a job that runs is stopped within a second of its cancel, be it
# an executable or compiled in; its record says who asked and why; one whose
# lease was lost is stopped as well and changes nothing.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/crash/exec.bash
. tests/crash/exec.bash
exec_stack 300ms
jobs=/api/payload-jobs

running() {
	await 5 "[ \"\$(find $at -type f | wc -l)\" -ge ${1:-1} ]"
}

# --- an executable ---
script "touch $at/\$\$; sleep 100"
running
ok 'a runner has it' answers running "SELECT state FROM afterwork.jobs WHERE id = $job"
# stopped_soon WHAT: the job has ended less than a second after its cancel was
# answered, by the database's clock.
answered_at() {
	asked=$(sql 'SELECT clock_timestamp()')
}
stopped_soon() {
	took=$(sql "SELECT round(extract(epoch FROM finished_at - '$asked') * 1000)
	    FROM afterwork.history WHERE id = $job")
	ok "$1: it has ended within a second ($took ms)" [ "$took" -lt 1000 ]
}
post $jobs/$job/cancel '{"reason":"duplicate"}'
answered_at
status_is 202 'a cancel of a job that runs is taken'
body_is .message 'The job is being stopped.' 'and says what happens'
ended "$job"
stopped_soon 'an executable'
is "$(alive_in "$at")" '' 'and so have its processes'
body_is '[.state, .attempts, .crashes, .hasError, .processing] | @csv' \
	'"cancelled",1,0,true,false' 'as cancelled'
body_is .error.message "The job was cancelled by $ADMIN_EMAIL: duplicate" \
	'with who and why'
body_is .error.cancelled true 'as Payload shows it'
body_is '.log | map([.outcome, .signal, .state]) | tostring' \
	'[["cancelled","SIGTERM","failed"]]' 'its attempt is kept'
post $jobs/$job/cancel
status_is 409 'a second time there is nothing to cancel'

# The next job of the same runner is not meant.
script 'sleep 0.7; echo "{\"fine\":true}"'
ended "$job"
body_is .output.fine true 'the next one runs to its end'

# One that is deaf is killed five seconds later; asking twice is once.
rm -f "$at"/*
script "trap '' TERM; touch $at/\$\$; while :; do sleep 0.1; done"
running
start=$(now_ms)
sql "UPDATE afterwork.task SET timeout_ms = 60000 WHERE slug = 'script'"
is "$(sql "SELECT afterwork.cancel($job, 'cron')")" cancelling 'from SQL'
is "$(sql "SELECT afterwork.cancel($job, 'psql')")" cancelling 'and again'
ended "$job"
took=$(($(now_ms) - start))
body_is '[.state, .error.message, .log[0].signal] | @csv' \
	'"cancelled","The job was cancelled by psql.","SIGKILL"' 'deaf: killed'
ok "deaf: when its time was up ($took ms)" [ "$took" -lt 9000 ]
sql "UPDATE afterwork.task SET timeout_ms = 3000 WHERE slug = 'script'"

# --- between its attempts, and before anybody hears ---
rm -f "$at"/*
script "touch $at/\$AFTERWORK_ATTEMPT; while [ ! -e $at/go ]; do sleep 0.02; done; exit 1"
running
# Held for less than the moment after which the guard would ask: so it fails,
# comes back, and must not be run again.
sql "SELECT afterwork.cancel($job)" >/dev/null
touch "$at/go"
ended "$job"
body_is '[.state, .error.message] | @csv' '"cancelled","The job was cancelled."' \
	'one that failed meanwhile is cancelled all the same'
ok 'without a second attempt' [ ! -e "$at/2" ]
sql "SELECT afterwork.enqueue('script', '{\"sh\":\"touch $at/x\"}',
    run_at => now() + interval '1 hour')" >/dev/null
ask "SELECT afterwork.cancel(max(id), 'me', 'no') FROM afterwork.job"
is "$answer" cancelled 'a waiting one ends at once'
sql_is "SELECT state, error FROM afterwork.history ORDER BY id DESC LIMIT 1" \
	'cancelled|The job was cancelled by me: no' 'with its words'

# --- compiled in ---
sql "UPDATE afterwork.task SET timeout_ms = 20000 WHERE slug IN ('nap', 'spin')"
for task in nap spin; do
	enqueue $task '{"ms":15000}'
	await 5 "answers running 'SELECT state FROM afterwork.jobs WHERE id = $job'"
	sleep 0.5
	post $jobs/$job/cancel
	answered_at
	status_is 202 "$task: a cancel is taken"
	ended "$job"
	stopped_soon "$task"
	body_is '[.state, .crashes, .error.message] | @csv' \
		"\"cancelled\",0,\"The job was cancelled by $ADMIN_EMAIL.\"" \
		"$task: as cancelled, which is no crash"
done
enqueue ledger
ended "$job"
ledger_is 1 'the runner goes on'

# --- the lease is lost ---
rm -f "$at"/*
script "touch $at/\$\$; sleep 100; touch $at/late"
running
ask "UPDATE afterwork.job SET lease_no = nextval('afterwork.lease_no'),
    lease_until = clock_timestamp() + interval '3 s' WHERE id = $job"
ok 'an executable whose lease is lost is stopped' \
	await 2 '[ -z "$(alive_in "$at")" ]'
ask "SELECT count(*) FROM afterwork.job WHERE id = $job AND lease_until IS NOT NULL"
is "$answer" 1 'and changes nothing: the job is the other one'"'"'s'
sql "SELECT afterwork.cancel($job)" >/dev/null
run_until_ended "$job"
body_is .state cancelled 'which never comes back; then the job can be ended'

# --- nobody asks about short jobs ---
ok 'the runner leaves' await 10 '[ "$(slots_held)" = 0 ]'
# On a machine that is busy one of them may take long all the same.
for try in 1 2 3 4 5; do
	ask 'SELECT clock_timestamp()'
	since=$answer
	sql "SELECT count(afterwork.enqueue('script', '{\"sh\":\"sleep 0.05\"}'))
	    FROM generate_series(1, 10)" >/dev/null
	links=0
	run_jobs limit=20 &
	while kill -0 $! 2>/dev/null; do
		n=$(runner_links)
		[ "$n" -gt $links ] && links=$n
	done
	answers t "SELECT bool_and(finished_at - started_at < interval '250 ms')
		FROM afterwork.history WHERE started_at >= '$since'" && break
	note "try $try: a short job took long"
done
is "$links" 1 'a runner of short jobs has one link'
script 'sleep 1.2'
links=0
while [ -z "$(job_end "$job")" ]; do
	n=$(runner_links)
	[ "$n" -gt $links ] && links=$n
done
is "$links" 2 'while a long one runs there are two'
ok 'and none when it has left' await 5 '[ "$(runner_links)" = 0 ]'
done_testing
