#!/bin/bash
# failed-handler-undone.t: what a handler wrote before it failed is undone, though
# it shares a transaction with others, whose work stays.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
stack_start RUNNER_SLOTS=1
ledger_open

# Every third fails after its row was there.
sql "SELECT count(afterwork.enqueue('ledger',
	    jsonb_build_object('fails', n % 3 = 0)))
    FROM generate_series(1, 90) n" >/dev/null
for ((i = 0; i < 5; i++)); do
	run_jobs 'limit=100'
	[ "$(jqr .noJobsRemaining)" != true ] || break
done
ledger_is 60 'each that is done has its row, and no other has one'
sql_is "SELECT count(*), count(DISTINCT error), min(error) FROM afterwork.failed" '30|1|its row was there' 'the others failed, each by itself'
sql_is 'SELECT max(attempts) FROM (SELECT attempts FROM afterwork.history
    UNION ALL SELECT attempts FROM afterwork.failed) a' 1 'none was run twice'

# Or all this would have been told of jobs that had a transaction each.
sql_is 'SELECT count(*) > 10 FROM afterwork.failed f WHERE EXISTS (
    SELECT FROM afterwork.history h WHERE h.xmin = f.xmin)' t \
	'those that failed ended in one transaction with those that did not'
done_testing
