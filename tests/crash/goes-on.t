#!/bin/bash
# goes-on.t: a runner with much to do in one queue goes on in it by claims that
# see nothing else, but looks at everything again before long: another queue's
# turn, and what is more urgent, come while the first one is far from dry.
. tests/lib.sh
. tests/queue-alone.sh
# shellcheck source=tests/runner-alone.sh
. tests/runner-alone.sh
command -v strace >/dev/null || skip_all 'strace is not installed'
stack_shared
queue_alone goes_on
task noop

jobs=20000
for queue in default other; do
	sql "SELECT count(*) FROM afterwork.enqueue_many('noop',
		(SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, $jobs)),
		queue => '$queue')" >/dev/null
done
runner_alone RUNNER_LINGER=0ms -- strace -f -qq -s 30000 -e trace=sendto \
	-e signal=none -o "$work/sent"
await 30 '[ "$(sql "SELECT count(*) FROM afterwork.history")" -gt 1000 ]' ||
	bail 'nothing is done'
urgent=$(sql "SELECT afterwork.enqueue('noop', priority => 1)")
left=$(sql 'SELECT count(*) FROM afterwork.job')
wait "$runner"
sql_is "SELECT count(*) FROM afterwork.history WHERE state = 'done'" \
	$((jobs * 2 + 1)) 'all are done'
behind=$(sql "SELECT count(*) FROM afterwork.history h, afterwork.history u
	WHERE u.id = $urgent AND h.lease_no > u.lease_no")
ok "an urgent one was one of $left and before $behind of them" \
	[ "$((behind * 4))" -gt "$left" ]
sql_is "SELECT count(*) FROM (SELECT id, lag(id) OVER (PARTITION BY queue
	ORDER BY lease_no) AS before FROM afterwork.history WHERE id <> $urgent) h
	WHERE id < before" 0 'the others in their order, each behind the last'
turns=$(sql "SELECT count(*) FROM (SELECT queue, lag(queue) OVER (ORDER BY lease_no)
	AS before FROM afterwork.history) h WHERE queue <> before")
claims=$(grep -c 'claim_behind' "$work/sent")
looks=$(grep -c 'claim_jobs' "$work/sent")
note "$claims claims went on, $looks looked at everything"
ok "the queues took $turns turns" [ "$turns" -ge 3 ]
ok 'and in each of them more than one claim was made' \
	[ "$claims" -ge "$looks" ]

# Jobs with keys, too: what follows takes places as in any claim.
task noop '"concurrency":{"key":"{k}","max":10}'
sql "SELECT count(*) FROM afterwork.enqueue_many('noop',
	(SELECT jsonb_agg(jsonb_build_object('k', n % 300)) FROM generate_series(1, $jobs) n))" \
	>/dev/null
runner_alone RUNNER_LINGER=0ms -- strace -f -qq -s 30000 -e trace=sendto \
	-e signal=none -o "$work/keyed"
wait "$runner"
sql_is "SELECT count(*) FROM afterwork.history WHERE concurrency_key IS NOT NULL
	AND state = 'done'" "$jobs" 'with keys: all are done'
sql_is 'SELECT count(*), sum(taken) FROM afterwork.place' '300|0' \
	'and every place is given back'
claims=$(grep -c 'claim_behind' "$work/keyed")
looks=$(grep -c 'claim_jobs' "$work/keyed")
ok "$claims claims went on, $looks looked at everything" [ "$claims" -ge "$looks" ]

# Who waits for a place is not passed by: of a key with two, among jobs that have
# one each, the jobs run in their order.
task noop '"concurrency":{"key":"{k}","max":2}'
sql 'TRUNCATE afterwork.history'
sql "SELECT count(*) FROM afterwork.enqueue_many('noop', (SELECT jsonb_agg(
	jsonb_build_object('k', CASE WHEN n % 4 = 0 THEN 'hot' ELSE 'own ' || n END))
	FROM generate_series(1, 2000) n))" >/dev/null
runner_alone RUNNER_LINGER=0ms
wait "$runner"
sql_is "SELECT count(*), count(*) FILTER (WHERE id < before)
	FROM (SELECT id, lag(id) OVER (ORDER BY lease_no) AS before
		FROM afterwork.history WHERE concurrency_key = 'hot') h" '500|0' \
	'a key that others wait for: all in their order'
sql_is "SELECT count(*) FROM afterwork.history" 2000 'and the rest is done, too'
runner_alone_end
done_testing
