#!/bin/bash
# timeouts-and-crashes.t: a job that outstays its time is ended and tried again
# by its policy; one that takes its runner along is parked the third time; and
# what was claimed with it is neither harmed nor charged.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
points_open
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=500ms
ledger_open

# ended JOB SECONDS: waits, and leaves the document in $body.
ended() {
	ok "job $1 ends" await "$2" '[ -n "$(job_end '"$1"')" ]'
	get "/api/payload-jobs/$1"
}

# A nap of 5 s is ended after its 2 s, twice.
start=$(now_ms)
enqueue nap '{"ms":5000}'
ended "$job" 15
took=$(($(now_ms) - start))
body_is .state failed 'a job that sleeps too long failed'
body_is .attempts 2 'at its second attempt'
body_is .error.message \
	'The job took longer than its timeout of 2000 ms.' 'and says why'
body_is '.log | map(.outcome // .state) | tostring' '["failed","failed"]' \
	'its log has both attempts'
body_is .crashes 0 'that was not a crash'
ok "after twice its time ($took ms)" [ "$took" -ge 4000 ]
ok 'and not much later' [ "$took" -lt 9000 ]

# One that comes in time the second time is done.
enqueue nap '{"ms":100}'
ended "$job" 10
body_is .state 'done' 'a short one is done'

# spin never lets go of the processor.
start=$(now_ms)
enqueue spin
ended "$job" 15
took=$(($(now_ms) - start))
body_is .state failed 'a job that spins is ended'
body_is .attempts 1 'which has one attempt only'
ok "soon after its second ($took ms)" [ "$took" -ge 1000 ] &&
	ok 'not much later' [ "$took" -lt 5000 ]
is "$(ps -eo stat=,args= | grep -F "$B/tests/functions/run" |
	grep -c '^R')" 0 'nothing spins on'

# crash takes the worker along, three times; others wait behind it.
ask "SELECT array_agg(id) FROM (SELECT afterwork.enqueue('ledger') AS id
    FROM generate_series(1, 3)) j"
start=$(now_ms)
enqueue crash
ended "$job" 15
body_is .state failed 'a job that crashes is parked'
body_is .crashes 3 'the third time'
body_is .error.message 'The job ended its runner by SIGKILL.' 'and says why'
body_is '[.log[].signal] | join(" ")' 'SIGKILL SIGKILL SIGKILL' 'as each of its attempts does'
ok "at once, not with its lease" [ $(($(now_ms) - start)) -lt 10000 ]
enqueue ledger
ended "$job" 10
ledger_is 4 'those before and behind it are done'
sql_is "SELECT DISTINCT attempts, crashes FROM afterwork.history
    WHERE task = 'ledger'" '1|0' 'unharmed and uncharged'

# Of a batch only the one that ran pays.
enqueue ledger
ended "$job" 10
set_point handler.kill 2
post /api/payload-jobs "[$(printf '{"task":"ledger","input":{}},%.0s' \
	1 2 3 4){\"task\":\"ledger\",\"input\":{}}]"
ok 'a batch of five' await_point handler.kill
ok 'is done' await 10 'answers 0 "SELECT count(*) FROM afterwork.job"'
sql_is "SELECT string_agg(crashes || ':' || attempts, ' ' ORDER BY id)
    FROM (SELECT * FROM afterwork.history ORDER BY id DESC LIMIT 5) h" \
	'0:1 0:1 1:1 0:1 0:1' 'the third of it is charged a crash, no other'
ledger_is 10 'each took effect once'

# What came back with its lease is claimed alone: if it crashes again, it is
# known which it was.
claims() {
	sql "BEGIN; SELECT count(*), min(crashes), min(attempt)
	    FROM afterwork.claim(NULL, '', ARRAY['noop'], ARRAY['noop'], 100,
	        300000); ROLLBACK"
}
await 10 '[ "$(slots_held)" = 0 ]'
sql "SELECT count(afterwork.enqueue('noop')) FROM generate_series(1, 3)" \
	>/dev/null
is "$(claims)" '3|0|1' 'fresh jobs are claimed together'
sql "UPDATE afterwork.job SET lease_no = nextval('afterwork.lease_no'),
    claimed_at = now(), lease_until = now(), attempts = 1"
is "$(claims)" '1|0|1' 'one with an ended lease alone, not charged again'
sql 'UPDATE afterwork.job SET alone = true'
is "$(claims)" '1|1|1' 'and if it was alone before, that was its crash'
sql 'UPDATE afterwork.job SET crashes = 2'
run_jobs
body_is '.result.jobStatus | map(.status) | unique | tostring' \
	'["error-reached-max-retries"]' 'after three of them it is parked'
sql_is "SELECT count(*), min(crashes), max(crashes) FROM afterwork.failed
    WHERE task = 'noop'" '3|3|3' 'with three crashes'
sql_is 'SELECT count(*) FROM afterwork.job' 0 'nothing is stuck'
done_testing
