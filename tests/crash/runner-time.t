#!/bin/bash
# runner-time.t: a runner starts no job whose timeout does not fit into the time
# that it has left: what it had claimed goes back, uncharged, and a fresh one
# runs it.
. tests/lib.sh
. tests/queue-alone.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/runner-alone.sh
. tests/runner-alone.sh
points_open
stack_shared
queue_alone runner_time
task nap '"timeoutMs":2000'

first=$(sql "SELECT afterwork.enqueue('nap', '{\"ms\":1}')")
start=$(now_ms)
runner_alone MAX_DURATION=7 RUNNER_LINGER=6s
ok 'a runner of seven seconds' await 5 'ended_alone "$first"'
set_point claimed.stop
# The command wakes the one that lingers.
job=$("$B/afterwork" enqueue nap '{"ms":1}')
await_stopped claimed || bail 'it did not claim'
is "$(sql "SELECT attempts, lease_until > now() FROM afterwork.job
	WHERE id = $job")" '1|t' 'has claimed another job'
lease=$(sql "SELECT lease_no FROM afterwork.job WHERE id = $job")
await 8 "[ \$(now_ms) -gt $((start + 5200)) ]"
kill -CONT "$stopped"
ok 'for which it has no time left: a fresh one runs it' \
	await 10 'ended_alone "$job"'
is "$(sql "SELECT state, attempts, crashes, lease_no > $lease, log IS NULL
	FROM afterwork.history WHERE id = $job")" 'done|1|0|t|t' \
	'as if it had not been claimed before'
runner_alone_end
done_testing
