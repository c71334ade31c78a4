#!/bin/bash
# exec-limits.t: an executable's memory and CPU time have the limits of its
# task.json, for each of its processes.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/crash/exec.bash
. tests/crash/exec.bash
[ -z "${SAN-}" ] || skip_all 'a runner with a sanitizer bounds no memory'
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=300ms

limited 'ulimit -d -t >&2'
ended "$job"
is "$(jqr '.log[0].log' | awk '{ print $NF }' | xargs)" '204800 1' \
	'200 MiB of memory and a second of CPU time'

limited "python3 -c 'x = b\"x\" * (100 << 20); print(\"{}\")'"
ended "$job"
body_is .state 'done' 'half of the memory is there'
ok 'and is in the peak' [ "$(jqr '.log[0].peakMemoryBytes > 100000000')" = true ]
limited "python3 -c 'x = b\"x\" * (300 << 20); print(\"{}\")'"
ended "$job"
body_is .state failed 'more is not'
body_like '.log[0].log' MemoryError 'and it says so'
ok 'nor was it taken' [ "$(jqr '.log[0].peakMemoryBytes < 210000000')" = true ]

start=$(now_ms)
limited 'while :; do :; done'
ended "$job"
took=$(($(now_ms) - start))
body_is '[.state, .log[0].signal] | @csv' '"failed","SIGXCPU"' \
	'what uses more time is ended'
body_is .error.message \
	'The task used more than its 1000 ms of CPU time (SIGXCPU).' 'and says why'
ok 'its time is kept' [ "$(jqr '.log[0].cpuSeconds > 0.8')" = true ]
ok "($took ms)" [ "$took" -lt 8000 ]
limited 'trap "" XCPU; while :; do :; done'
ended "$job"
body_is '[.state, .log[0].signal, .error.message] | @csv' \
	'"failed","SIGKILL","The task used more than its 1000 ms of CPU time (SIGKILL)."' \
	'deaf to that: killed two seconds later'
limited 'sleep 2; echo "{}"'
ended "$job"
body_is .state 'done' 'sleeping is no use of it'

script 'ulimit -d -t >&2; ulimit -c >&2'
ended "$job"
is "$(jqr '.log[0].log' | awk '{ print $NF }' | xargs)" 'unlimited unlimited 0' \
	'without limits there are none, but no core'
done_testing
