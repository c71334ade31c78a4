#!/bin/bash
# linger-due.t: a runner that lingers runs a job when it comes due, and not when
# its linger is over.
. tests/lib.sh
. tests/queue-alone.sh
# shellcheck source=tests/runner-alone.sh
. tests/runner-alone.sh
stack_shared
queue_alone linger_due
task nap

job=$(sql "SELECT afterwork.enqueue('nap', '{\"ms\":1}',
	run_at => clock_timestamp() + interval '1 s')")
runner_alone RUNNER_LINGER=8s
ok 'a job that is due within the linger is run' await 20 'ended_alone "$job"'
is "$(sql "SELECT started_at >= run_at, started_at < run_at + interval '3 s'
	FROM afterwork.history WHERE id = $job")" 't|t' 'when it is due'
runner_alone_end
done_testing
