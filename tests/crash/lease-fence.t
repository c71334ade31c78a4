#!/bin/bash
# lease-fence.t: a runner that stood still past its lease comes back to a job
# that another has done meanwhile: its late result is refused, with its work.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
points_open
stack_start RUNNER_SLOTS=2 RUNNER_LINGER=0ms
ledger_open
# A lease ends when the test says so.
sql "UPDATE afterwork.task SET timeout_ms = 30000 WHERE slug = 'ledger'"

# As a host that is paused: the worker at a point, and its guard, which would
# end it for its time.
pause_at() {
	await_stopped "$1" || bail "no runner came by $1"
	guard=$(ps -o ppid= -p "$stopped" | tr -d ' ')
	kill -STOP "$guard"
	ask 'SELECT max(lease_no) FROM afterwork.job'
	lease=$answer
}

go_on() {
	kill -CONT "$stopped"
	await 10 "! is_alive $stopped"
	kill -CONT "$guard"
}

refusals() {
	grep -hc 'undone.*lease was lost' "$STATE/log/jobs.log"
}

jobs=0
for point in handler handled settling; do
	set_point $point.stop
	enqueue ledger
	pause_at $point
	ask "UPDATE afterwork.job SET lease_until = clock_timestamp()
	    WHERE id = $job"
	run_jobs
	body_is ".result.jobStatus[\"$job\"].status" success \
		"$point: another runs it when the lease is over"
	refused=$(refusals)
	go_on
	ledger_is $((++jobs)) "$point: it took effect once, by the later lease"
	sql_is "SELECT lease_no > $lease, attempts, state
	    FROM afterwork.history WHERE id = $job" 't|1|done' \
		"$point: the second's result stands"
	ok "$point: the first is refused, and says so" \
		[ "$(refusals)" -gt "$refused" ]
	ok "$point: and leaves" await 5 '[ "$(slots_held)" = 0 ]'
done

# A handler that looks at its lease itself does not begin its work.  A number is
# used up by work that is undone, too.
sql 'ALTER TABLE tests.ledger ADD n bigserial;
    GRANT USAGE ON tests.ledger_n_seq TO afterwork_run'
for input in '{}|t' '{"asserts":true}|f'; do
	set_point handler.stop
	enqueue ledger "${input%|*}"
	pause_at handler
	ask "UPDATE afterwork.job SET lease_until = clock_timestamp()
	    WHERE id = $job"
	ask "SELECT setval('tests.ledger_n_seq', 100)"
	run_jobs
	go_on
	ledger_is $((++jobs)) "$input: the work took effect once"
	sql_is 'SELECT last_value > 101 FROM tests.ledger_n_seq' "${input#*|}" \
		'was it begun by both?'
done

# The first comes back while the second is still at it.
set_point settling.stop
enqueue ledger
pause_at settling
first=$stopped first_guard=$guard
ask "UPDATE afterwork.job SET lease_until = clock_timestamp()
    WHERE id = $job"
set_point handled.stop
curl -s -o "$work/called" -H "Authorization: Bearer $CRON_SECRET" \
	"$SERVER_URL/api/payload-jobs/run" &
call=$!
pause_at handled
refused=$(refusals)
kill -CONT "$first"
ok 'a late result is refused while the second works' \
	await 10 "! is_alive $first"
kill -CONT "$first_guard"
ok 'it says so' [ "$(refusals)" -gt "$refused" ]
sql_is "SELECT lease_no FROM afterwork.job WHERE lease_until > now()" \
	"$lease" "the job is the second's"
go_on
wait "$call"
ledger_is $((++jobs)) "the second's work took effect, once"
is "$(jq -r ".result.jobStatus[\"$job\"].status" "$work/called")" success \
	'and it reports that'

# One of several jobs claimed together is lost: the others are not.  The first
# job of a runner teaches it that the task is quick.
stack_part stop functions
export RUNNER_LINGER=3s
stack_part start functions
enqueue ledger
jobs=$((jobs + 1))
await 10 'answers 0 "SELECT count(*) FROM afterwork.job"'
set_point settling.stop
post /api/payload-jobs '[{"task":"ledger","input":{}},
    {"task":"ledger","input":{}},{"task":"ledger","input":{}}]'
status_is 201 'three at once'
jobs=$((jobs + 3))
pause_at settling
ask 'SELECT count(*), min(id) + 1 FROM afterwork.job
    WHERE lease_until IS NOT NULL'
is "${answer%|*}" 3 'are claimed together'
lost=${answer#*|}
ask "UPDATE afterwork.job SET lease_until = clock_timestamp()
    WHERE id = $lost"
# By the call, or by a runner that lingers and that the call has told.
run_jobs
ok 'the second is run elsewhere' await 5 \
	"answers 1 'SELECT count(*) FROM afterwork.history WHERE id = $lost'"
kill -CONT "$stopped"
ok 'the others are done' await 10 \
	'answers 0 "SELECT count(*) FROM afterwork.job"'
kill -CONT "$guard"
ledger_is $jobs 'all took effect once'
sql_is 'SELECT DISTINCT attempts FROM afterwork.history' 1 \
	'at one attempt each'
done_testing
