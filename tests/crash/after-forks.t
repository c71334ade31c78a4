#!/bin/bash
# after-forks.t: an upload forks only where a runner has to be started: not while
# one lingers, and not while every slot is taken.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
command -v strace >/dev/null || skip_all 'strace is not installed'
points_open
stack_start PROCESSES=1 RUNNER_SLOTS=1 RUNNER_LINGER=4s
# shellcheck source=tests/crash/traced.bash
. tests/crash/traced.bash

await 10 find_server || bail 'no process serves'
trace -e trace=clone,clone3,fork,vfork -o "$work/forks"
forks() {
	grep -cE '^(clone|clone3|fork|vfork)\(' "$work/forks"
}
# taken WHAT: an upload, whose fork or none has been written down when the next
# request has been answered.
taken() {
	upload "$(picture "$RANDOM.jpg")"
	status_is 201 "$1: answered"
	job=$(jqr .job.id)
}
settled() {
	ok 'its job is done' ends_as "$job" 'done'
}

taken 'nobody runs'
settled
is "$(forks)" 1 'one fork starts a runner'
for which in first second third; do
	taken "a runner lingers, $which"
	settled
	is "$(forks)" 1 'no fork'
done
await 15 '[ -z "$(runner_pids)" ]' || bail 'the runner stays'

set_point handler.stop
taken 'nobody runs any more'
await_stopped handler || bail 'no runner came'
is "$(forks)" 2 'one fork'
still_there=$stopped
for which in first second third; do
	taken "every slot is taken, $which"
	is "$(forks)" 2 'no fork'
done
kill -CONT "$still_there"
settled
ok 'and all the others, without a ping' await 10 \
	'answers 0 "SELECT count(*) FROM afterwork.job"'
is "$(forks)" 2 'by the runner that was there'
end_trace
done_testing
