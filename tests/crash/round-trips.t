#!/bin/bash
# round-trips.t: the end of a job and the claim of the next one go to the
# database together, and come back together.
. tests/lib.sh
. tests/queue-alone.sh
# shellcheck source=tests/runner-alone.sh
. tests/runner-alone.sh
command -v strace >/dev/null || skip_all 'strace is not installed'
stack_shared
queue_alone round_trips
task nap

# So slow that each is claimed by itself.
jobs=20
sql "SELECT count(afterwork.enqueue('nap', '{\"ms\":60}'))
	FROM generate_series(1, $jobs)" >/dev/null
runner_alone RUNNER_LINGER=0ms -- strace -f -qq -e trace=sendto \
	-e signal=none -o "$work/sent"
wait "$runner"
sql_is "SELECT count(*) FROM afterwork.history WHERE state = 'done'" "$jobs" \
	'all are done'
sent=$(grep -c 'sendto(' "$work/sent")
ok "$jobs jobs one by one, $sent messages to the database" \
	[ "$sent" -ge $((jobs + 1)) -a "$sent" -lt $((jobs + 12)) ]
runner_alone_end
done_testing
