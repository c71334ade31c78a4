#!/bin/bash
# keep-house-bounds.t: what is swept when the house is kept goes piece by piece,
# whatever waits in the queue, and cannot keep partitions from being made.
. tests/lib.sh
. tests/queue-alone.sh
# shellcheck source=tests/runner-alone.sh
. tests/runner-alone.sh
stack_shared
queue_alone keep_bounds
task one '"concurrency":{"key":"k:{n}","max":1}'
export PGOPTIONS='-c client_min_messages=warning'
keep="SELECT afterwork.keep_house(interval '7 days')"

# blocked COUNT KEY: jobs that wait for a place; KEY is of n.
blocked() {
	sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at, input, concurrency_key)
		SELECT 'default', 'one', 'blocked', 100, now() - n * interval '1 ms', '{}', $2
		FROM generate_series(1, $1) AS n"
}
blocked 60000 "'busy'"
blocked 2500 "'k:' || n"
sql "INSERT INTO afterwork.place (queue, key, taken, max) VALUES ('default', 'busy', 1, 1)"
sql "INSERT INTO afterwork.place (queue, key, max, waiting)
	SELECT 'default', 'needless:' || n, 1, false FROM generate_series(1, 2500) AS n"
sql "INSERT INTO afterwork.unique_period (queue, unique_key, job_id, until)
	SELECT 'default', 'u:' || n, n, now() + interval '1 day' * (n % 2 - 0.5) FROM generate_series(1, 25000) AS n"
sql 'ANALYZE afterwork.job, afterwork.place, afterwork.unique_period'

# --- piece by piece ---
plans plan BEGIN "SELECT afterwork.sweep('7 days', '1 minute')" ROLLBACK
is "$(grep -oE 'actual rows=[0-9]+' "$work/plan" | cut -d= -f2 | sort -n | tail -1)" 10000 \
	'no step sees more rows than a piece has'
is "$(grep -cE 'Seq Scan on (job|place|unique_period)' "$work/plan")" 0 'no table is read from end to end'

calls=0
until [ "$(sql "SELECT afterwork.sweep('7 days', '0')")" = f ] || [ $calls -ge 30 ]; do
	calls=$((calls + 1))
	[ $calls -ne 2 ] || stop=$(sql 'SELECT left_off::text FROM afterwork.upkeep')
done
like "$stop" '^\{places,default,' 'where it stopped is kept'
ok "and the next call goes on from there: $calls" [ $calls -ge 8 ] && [ $calls -lt 30 ]
is "$(sql "SELECT state, count(*) FROM afterwork.job WHERE concurrency_key LIKE 'k:%' GROUP BY 1")" 'ready|2500' \
	'every key whose row was gone has it back, and its job'
is "$(sql "SELECT state, count(*) FROM afterwork.job WHERE concurrency_key = 'busy' GROUP BY 1")" 'blocked|60000' \
	'a key without a free place lets nobody in'
is "$(sql "SELECT count(*) FROM afterwork.place WHERE key LIKE 'needless%'")" 0 'rows that nobody needs are gone'
is "$(sql "SELECT count(*), min(until) > now() FROM afterwork.unique_period")" '12500|t' \
	'so are unique keys whose time is over, and no others'
is "$(sql "SELECT afterwork.sweep('7 days', '1 minute'), left_off IS NULL FROM afterwork.upkeep")" 'f|t' \
	'with time it goes through at once'

# Of a task that allows more now, the next jobs come in.
task one '"concurrency":{"key":"k:{n}","max":3}'
sql "UPDATE afterwork.job SET has_place = true WHERE id = (SELECT min(id) FROM afterwork.job WHERE concurrency_key = 'busy')"
sql "$keep"
is "$(sql "SELECT max, taken FROM afterwork.place WHERE key = 'busy'")" '3|1' 'a new maximum is seen'
is "$(sql "SELECT count(*) FROM afterwork.job WHERE concurrency_key = 'busy' AND state = 'ready'")" 2 'and filled'

# --- nobody is waited for ---
exec {in}> >(exec psql -XqAt "$direct" >"$work/other" 2>&1)
other=$!
blocked 1 "'made'"
sql "UPDATE afterwork.job SET state = 'blocked' WHERE concurrency_key = 'k:7'; UPDATE afterwork.place SET waiting = true"
echo "BEGIN; INSERT INTO afterwork.place (queue, key, max) VALUES ('default', 'made', 1);
	SELECT key FROM afterwork.place WHERE key = 'k:7' FOR UPDATE; \\echo held" >&$in
await 5 'grep -q held "$work/other"' || bail 'no lock'
began=$(now_ms)
is "$(sql "$keep" 2>&1)" '' 'keys that somebody has locked or makes are no error'
ok 'nor waited for long' [ $(($(now_ms) - began)) -lt 5000 ]
echo 'ROLLBACK;' >&$in
exec {in}>&-
wait "$other"
sql "$keep"
is "$(sql "SELECT state FROM afterwork.job WHERE concurrency_key IN ('made', 'k:7')")" 'ready
ready' 'they come next time'

# --- partitions ---
last=$(sql "SELECT 'history_' || to_char(now() AT TIME ZONE 'UTC' + interval '3 days', 'YYYYMMDD')")
sql "DROP TABLE afterwork.$last; ALTER TABLE afterwork.unique_period RENAME TO elsewhere;
	UPDATE afterwork.job SET run_at = now() + interval '1 day', state = 'delayed'; UPDATE afterwork.upkeep SET next_at = now()"
runner_alone RUNNER_LINGER=0ms
wait "$runner"
like "$(cat "$work/runner.log")" 'could not keep the house.*unique_period' 'a sweep fails'
is "$(sql "SELECT to_regclass('afterwork.$last') IS NOT NULL")" t 'and the partitions are made all the same'
is "$(sql "SELECT next_at > now() + interval '50 minutes' FROM afterwork.upkeep")" t 'for an hour'
sql 'ALTER TABLE afterwork.elsewhere RENAME TO unique_period'
sql "CREATE TABLE afterwork.history_20260101 PARTITION OF afterwork.history
		FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-01-02 00:00+00');
	CREATE VIEW public.seen AS SELECT id FROM afterwork.history_20260101;
	DROP TABLE afterwork.$last"
sql "$keep"
is "$(sql "SELECT to_regclass('afterwork.$last') IS NOT NULL")" t 'so they are when an old day cannot be dropped'
done_testing
