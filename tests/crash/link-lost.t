#!/bin/bash
# link-lost.t: a job that takes its database link down is charged like any
# other that fails, and what waited behind its runner begins without a ping.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
points_open
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=500ms

# The only runner of the host is about to lose its link; meanwhile a job comes
# and leaves a mark, since there is no free slot.
set_point handler.stop
enqueue lost
lost=$job
await_stopped handler || bail 'no runner came'
enqueue noop
kill -CONT "$stopped"
ok 'the job behind it is run, without a ping' job_done "$job" 5
get "/api/payload-jobs/$job"
body_is .state 'done' 'well'
ok 'the other ends itself' job_done "$lost" 5
get "/api/payload-jobs/$lost"
body_is .state failed 'as failed'
body_is .attempts 2 'after all its tries'
body_is .crashes 0 'none of which counts as a crash'
body_is .error.message 'The database was lost while the job ran.' 'with why'

none_left() {
	[ "$(sql 'SELECT count(*) FROM afterwork.job')" = 0 ]
}

# A call is no runner that hands over; it calls one.
await 10 '[ "$(slots_held)" = 0 ]'
sql "SELECT afterwork.enqueue('lost')"
sql "SELECT afterwork.enqueue('noop')"
run_jobs
status_is 503 'a call whose link is lost says so'
eventually 5 none_left 'and the rest is run behind it'
get /healthz
status_is 200 'and the functions go on'
done_testing
