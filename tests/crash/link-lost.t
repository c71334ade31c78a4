#!/bin/bash
# link-lost.t: a job that takes its database link down is charged like any
# other that fails, and those behind it run.
. tests/lib.sh
stack_start RUNNER_LINGER=500ms

post /api/payload-jobs '{"task": "lost", "priority": 1}'
status_is 201 'a job that ends its own session'
lost=$(jqr .doc.id)
post /api/payload-jobs '{"task": "noop", "priority": 2}'
behind=$(jqr .doc.id)
for _ in 1 2 3 4 5 6; do
	run_jobs
	sleep 0.2
done
ok 'the job behind it ends' job_done "$behind" 5
get "/api/payload-jobs/$behind"
body_is .state 'done' 'well'
ok 'it ends itself' job_done "$lost" 5
get "/api/payload-jobs/$lost"
body_is .state failed 'as failed'
body_is .attempts 2 'after all its tries'
body_is .crashes 0 'none of which counts as a crash'
body_is .error.message 'The database was lost while the job ran.' 'with why'
get /healthz
status_is 200 'and the functions go on'
done_testing
