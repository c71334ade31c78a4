#!/bin/bash
# enqueue-infinity.t: a time that no clock reaches is refused, since every look
# at the queue that reckons with it would fail.
. tests/lib.sh
stack_shared

for when in infinity -infinity; do
	post /api/payload-jobs "{\"task\":\"noop\",\"waitUntil\":\"$when\"}"
	status_is 400 "$when over HTTP"
	like "$(sql "SELECT afterwork.enqueue('noop', run_at => '$when')" 2>&1)" \
		'must be a date' "$when in SQL"
done
sql_is 'SELECT count(*) FROM afterwork.job WHERE NOT isfinite(run_at)' 0 'nothing is stored'
done_testing
