#!/bin/bash
# linger-due.t: a runner that lingers runs a job when it comes due, or when the
# one before it is done, and not when its linger is over.
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

# After a job, too: the look that finds it is put off, but not for long.
# within MS ID WHAT: it began so soon after it was due.
within() {
	is "$(sql "SELECT started_at >= run_at,
		started_at < run_at + interval '$1 ms'
		FROM afterwork.history WHERE id = $2")" 't|t' "$3"
}
runner_alone_end
job=$(sql "SELECT afterwork.enqueue('nap', '{\"ms\":1}',
	run_at => clock_timestamp() + interval '4 s')")
first=$(sql "SELECT afterwork.enqueue('nap', '{\"ms\":1000}')")
runner_alone RUNNER_LINGER=8s
ok 'a runner has begun' await 10 "[ \"\$(sql 'SELECT count(*)
	FROM afterwork.job WHERE id = $first AND lease_until IS NULL')\" = 0 ]"
quiet=$(sql "SELECT afterwork.enqueue('nap', '{\"ms\":1}')")
ok 'a job that was stored meanwhile, without a call, is run' \
	await 20 'ended_alone "$quiet"'
within 3000 "$quiet" 'soon after the first'
ok 'and so is one that is due later' await 20 'ended_alone "$job"'
within 3000 "$job" 'when it is due'
runner_alone_end

# Whose end lets another one in is followed by that, without a pause.
task nap '"concurrency":{"key":"k","max":1}'
sql "SELECT afterwork.enqueue('nap', '{\"ms\":1}') FROM generate_series(1, 21)" \
	>/dev/null
last=$(sql 'SELECT max(id) FROM afterwork.job')
runner_alone RUNNER_LINGER=8s
ok 'jobs of one key are run one after the other' await 20 'ended_alone "$last"'
sql "SELECT count(*), max(pause) < interval '250 ms' OR sum(pause) < interval '2 s'
	FROM (SELECT started_at - lag(finished_at) OVER (ORDER BY id) AS pause
		FROM afterwork.history WHERE id > $last - 21) p" >"$work/pauses"
is "$(cat "$work/pauses")" '21|t' 'and none waits until the runner looks again'
runner_alone_end
done_testing
