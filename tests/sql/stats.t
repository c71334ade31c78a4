#!/bin/bash
# stats.t: figures are right, each finished job counted once, also when its
# transaction commits late; and they cost the same at any size.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone stats
task noop

# ended N SECONDS-AGO [SECONDS-APART [QUEUE]]: N jobs that waited for 40 ms and
# took 20 ms; the first ended that long ago, the others before it.
ended() {
	echo "INSERT INTO afterwork.history (id, queue, task, state, priority, attempts, crashes,
		run_at, created_at, started_at, finished_at, input)
		SELECT nextval('afterwork.job_id'), '${4-default}', 'noop', 'done', 1, 1, 0,
			f - interval '60 ms', f, f - interval '20 ms', f, '{}'
		FROM (SELECT clock_timestamp() - ($2 + (n - 1) * ${3-0}) * interval '1 s' AS f
			FROM generate_series(1, $1) n) x"
}
figure() {
	sql "SELECT $1 FROM afterwork.stats() WHERE queue = '${2-default}'"
}
# Nothing of the last so many minutes is added up.
mark() {
	sql "UPDATE afterwork.stats_mark SET upto = date_trunc('minute', now()) - interval '$1 minutes',
		goal = date_trunc('minute', now()) - interval '$1 minutes'"
}
minutes() {
	sql "SELECT coalesce(sum(done), 0) FROM afterwork.minute WHERE queue = 'default'"
}

# --- what is counted one by one ---
is "$(figure 'ready, delayed, blocked, running, failed, done_last_hour, oldest_ready_ms, latency_ms, approximate')" \
	'0|0|0|0|0|0||{NULL,NULL,NULL}|f' 'an empty queue'
sql "$(ended 3 1)"
sql "$(ended 50 4000 10)"
is "$(figure done_last_hour)" 3 'those of the last hour'
like "$(figure 'latency_ms[1], duration_ms[3]')" '^(38|39|40|41|42)\.?[0-9]*\|(19|20|21)\.?[0-9]*$' \
	'how long they waited and took, to within a twentieth'
sql "INSERT INTO afterwork.history (id, queue, task, state, priority, attempts, crashes, run_at, created_at,
	started_at, finished_at, input) SELECT nextval('afterwork.job_id'), 'default', 'noop', s, 1, 1, 0,
	now(), now(), now(), now(), '{}' FROM unnest(ARRAY['cancelled']) s"
is "$(figure done_last_hour)" 3 'a cancelled one is not done'
for priority in 5 1 3 2147483647 -2147483648; do
	sql "SELECT afterwork.enqueue('noop', priority => $priority)" >/dev/null
done
sql "UPDATE afterwork.job SET run_at = now() - interval '1 minute' WHERE queue = 'default' AND priority = 3"
sql "UPDATE afterwork.job SET run_at = now() - interval '1 hour', lease_no = 1, claimed_at = now(),
	lease_until = now() + interval '1 minute' WHERE queue = 'default' AND priority = 1"
sql "SELECT afterwork.enqueue('noop', run_at => now() + interval '1 day')" >/dev/null
is "$(figure 'ready, delayed, running, approximate')" '4|1|1|f' 'what waits, and runs'
like "$(figure oldest_ready_ms)" '^6[0-9]{4}$' 'the oldest that nobody holds, of any priority'
sql "DELETE FROM afterwork.job WHERE queue = 'default'"

# --- added up by minute ---
sql "$(ended 300 400 5)" # 6 to 32 minutes ago
mark 59
is "$(figure done_last_hour)" 303 'what is added up and what is not'
is "$(minutes)" 300 'what is over is added up'
is "$(figure done_last_hour)" 303 'once'
is "$(minutes)" 300 'and stays so'
like "$(figure 'latency_ms[2], duration_ms[1]')" '^(38|39|40|41|42)\.?[0-9]*\|(19|20|21)\.?[0-9]*$' \
	'with how long they took'
is "$(sql "SELECT sum(n) FROM afterwork.minute, unnest(latency_counts) n WHERE queue = 'default'")" 300 \
	'each in the histogram'
sql "DELETE FROM afterwork.history WHERE queue = 'default' AND finished_at < now() - interval '5 minutes'"
is "$(figure done_last_hour)" 303 'and not read again'

# --- a transaction that commits late ---
mark 20
exec {in}> >(exec psql -XqAt "$DATABASE_URL" >"$work/other" 2>&1)
echo "BEGIN; $(ended 7 300); SELECT 'there';" >&$in
await 5 'grep -q there "$work/other"' || bail "no transaction: $(cat "$work/other")"
figure done_last_hour >/dev/null
figure done_last_hour >/dev/null
is "$(sql 'SELECT upto < now() - interval '"'19 minutes'"' FROM afterwork.stats_mark')" t \
	'while it is open no minute is closed that it may have rows of'
echo 'COMMIT;' >&$in
exec {in}>&-
await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$alone'\")\" = 1 ]"
is "$(figure done_last_hour)" 310 'its jobs are counted'
is "$(figure done_last_hour)" 310 'once'
is "$(sql 'SELECT upto > now() - interval '"'4 minutes'"' FROM afterwork.stats_mark')" t \
	'and the minutes closed'

# One that nobody ends holds it up for a while, not for good.
mark 50
exec {in}> >(exec psql -XqAt "$DATABASE_URL" >"$work/other" 2>&1)
echo "BEGIN; CREATE TABLE public.x (a int); SELECT 'there';" >&$in
await 5 'grep -q there "$work/other"'
figure done_last_hour >/dev/null
is "$(sql 'SELECT upto < now() - interval '"'49 minutes'"' FROM afterwork.stats_mark')" t 'an open one waits'
sql "SELECT FROM afterwork.stats_at(now() + interval '36 minutes')" >/dev/null
is "$(sql 'SELECT upto > now() - interval '"'4 minutes'"' FROM afterwork.stats_mark')" t 'for half an hour'
echo 'ROLLBACK;' >&$in

# Two at once.
mark 4
echo "BEGIN; SELECT upto FROM afterwork.stats_mark FOR UPDATE; SELECT 'held';" >&$in
await 5 'grep -q held "$work/other"'
began=$(now_ms)
is "$(figure done_last_hour)" 310 'a second one does not wait, and counts as well'
ok 'at once' [ $(($(now_ms) - began)) -lt 2000 ]
exec {in}>&-
await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$alone'\")\" = 1 ]"
sql "INSERT INTO afterwork.minute SELECT queue, now() - interval '3 hours', 1, '{}', '{}', '{}', '{}'
	FROM afterwork.minute LIMIT 1"
mark 10
figure done_last_hour >/dev/null
sql_is "SELECT count(*) FROM afterwork.minute WHERE minute < now() - interval '2 hours'" 0 'old minutes go'

# --- more than is counted ---
sql "$(ended 40000 0 0.0025 many)" # in the last 100 seconds
sql "INSERT INTO afterwork.queue (name) VALUES ('many')"
sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at, input)
	SELECT 'many', 'noop', CASE WHEN n % 2 = 0 THEN 'ready' ELSE 'delayed' END, n % 7,
	now() - n * interval '1 ms', '{}' FROM generate_series(1, 60000) n; ANALYZE afterwork.job"
sql "INSERT INTO afterwork.failed (id, queue, task, state, priority, attempts, crashes, run_at, created_at,
	finished_at, input) SELECT n, 'many', 'noop', 'failed', 1, 1, 0, now(), now(), now(), '{}'
	FROM generate_series(1, 20000) n; ANALYZE afterwork.failed; ANALYZE afterwork.history"
mark 1
# near GOT WANT WHAT: within a fifth.
near() {
	ok "$3: $1" [ "$1" -gt $(($2 * 8 / 10)) -a "$1" -lt $(($2 * 12 / 10)) ]
}
near "$(figure ready many)" 30000 'so many are ready, nearly'
near "$(figure delayed many)" 30000 'delayed'
near "$(figure failed many)" 20000 'failed'
# As of the moment when they were made.
sql "UPDATE afterwork.stats_mark SET upto = (SELECT min(finished_at) FROM afterwork.history WHERE queue = 'many')"
near "$(sql "SELECT done_last_hour FROM afterwork.stats_at((SELECT max(finished_at)
	FROM afterwork.history WHERE queue = 'many')) WHERE queue = 'many'")" 40000 'done'
is "$(figure approximate many)" t 'and it says so'
like "$(figure oldest_ready_ms many)" '^[67][0-9]{4}$|^[0-9]{6}$' 'the oldest is the oldest all the same'
near "$(sql 'SELECT total FROM afterwork.job_total()')" 120000 'all jobs, nearly'
sql_is 'SELECT exact FROM afterwork.job_total()' f 'which is no count'

# --- what it costs: pages looked at, when the plans are made ---
pages() {
	sql "SELECT * FROM $1" >/dev/null
	sql "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM $1" |
		jq '.[0].Plan | ."Shared Hit Blocks" + ."Shared Read Blocks"'
}
mark 1
for _ in 1 2 3; do figure ready >/dev/null; done
few=$(pages 'afterwork.stats()') few_total=$(pages 'afterwork.job_total()')
sql "$(ended 200000 4000 2 many)"
sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at, input)
	SELECT 'many', 'noop', 'ready', n % 7, now() + n * interval '1 ms', '{}'
	FROM generate_series(1, 140000) n; ANALYZE afterwork.job; ANALYZE afterwork.history"
mark 1
for _ in 1 2 3; do figure ready >/dev/null; done
more=$(pages 'afterwork.stats()') more_total=$(pages 'afterwork.job_total()')
note "pages: stats $few, then $more; total $few_total, then $more_total"
ok 'at some times the size figures cost the same' [ "$more" -lt $((few * 3 / 2)) ]
ok 'and so does a total' [ "$more_total" -lt $((few_total * 3 / 2)) ]
done_testing
