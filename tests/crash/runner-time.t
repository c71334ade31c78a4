#!/bin/bash
# runner-time.t: a runner starts no job whose timeout does not fit into the time
# that it has left: what it had claimed goes back, uncharged, and a fresh one
# runs it, at once.
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
# One slot for the command, too: a runner that it started beside would be one
# without the tests' tasks.
export RUNNER_SLOTS=1

first=$(sql "SELECT afterwork.enqueue('nap', '{\"ms\":1}')")
start=$(now_ms)
runner_alone MAX_DURATION=7 RUNNER_LINGER=6s
ok 'a runner of seven seconds' await 5 'ended_alone "$first"'
sleep 0.7	# it looks once more, after a quarter of a second
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
rm -rf "$RUNTIME_DIRECTORY" && mkdir -m 0700 "$RUNTIME_DIRECTORY"

# soon ID WHAT: it is run long before the one that lingers would leave.
soon() {
	ok "$2" await 8 "ended_alone $1"
}

# One that fits a fresh runner, but not what this one has left, though it has
# most of its time.
task noop '"timeoutMs":17000'
first=$(sql "SELECT afterwork.enqueue('nap', '{\"ms\":1}')")
runner_alone MAX_DURATION=20 RUNNER_LINGER=16s
await 5 'ended_alone "$first"' || bail 'no runner'
sleep 3.1
soon "$("$B/afterwork" enqueue noop)" \
	'a job that is too long for who lingers goes to a fresh one'
runner_alone_end
rm -rf "$RUNTIME_DIRECTORY" && mkdir -m 0700 "$RUNTIME_DIRECTORY"

# The same when it has run nothing.
runner_alone MAX_DURATION=20 RUNNER_LINGER=20s
sleep 5.3
soon "$("$B/afterwork" enqueue noop)" 'also from one that has only lingered'
runner_alone_end
rm -rf "$RUNTIME_DIRECTORY" && mkdir -m 0700 "$RUNTIME_DIRECTORY"

# One for which no runner has the time is left, and calls nobody.
task noop '"timeoutMs":21000'
long=$(sql "SELECT afterwork.enqueue('noop')")
first=$(sql "SELECT afterwork.enqueue('nap', '{\"ms\":1}')")
set_point worker-leaves.stop
runner_alone MAX_DURATION=20 RUNNER_LINGER=200ms
await_stopped worker-leaves || bail 'it does not leave'
ok 'the other job is run' ended_alone "$first"
kill -CONT "$stopped"
wait "$runner"
sleep 0.5
sql_is "SELECT attempts FROM afterwork.job WHERE id = $long" 0 \
	'a job for which no runner has the time stays'
is "$(alone_runners)" '' 'and none is started for it'
runner_alone_end
done_testing
