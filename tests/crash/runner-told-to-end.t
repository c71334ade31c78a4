#!/bin/bash
# runner-told-to-end.t: a runner that is told to end (SIGTERM) starts no other
# job: what it had claimed goes back at once, uncharged.
. tests/lib.sh
. tests/queue-alone.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/runner-alone.sh
. tests/runner-alone.sh
points_open
stack_shared
queue_alone told_to_end
task nap

job=$(sql "SELECT afterwork.enqueue('nap', '{\"ms\":1}')")
set_point claimed.stop
runner_alone RUNNER_LINGER=60s
await_stopped claimed || bail 'it did not claim'
held="SELECT state, attempts, lease_until > now() FROM afterwork.job WHERE id = $job"
sql_is "$held" 'ready|1|t' 'a runner has claimed a job'
kill -TERM "$runner"
ok 'it hands on that it is to end' \
	await 10 'grep -q "^ShdPnd:.*[1-9a-f]\|^SigPnd:.*[1-9a-f]" "/proc/$stopped/status"'
kill -CONT "$stopped"
ok 'it ends' await 20 '! is_alive "$runner"'
sql_is "$held" 'ready|0|' 'the job is there again, not tried'
runner_alone_end
done_testing
