#!/bin/bash
# keep-house-stall.t: keeping the house while somebody reads old history does
# not hold up the jobs that end meanwhile, and is done at the end; nor does it
# wait, or fail, while somebody has a table for himself.
. tests/lib.sh
stack_start

sql "SELECT afterwork.keep_house('7 days')" >/dev/null 2>&1
for day in 01 02 03; do
	sql "CREATE TABLE afterwork.history_202601$day PARTITION OF afterwork.history
		FOR VALUES FROM ('2026-01-$day 00:00+00') TO ('2026-01-$day 24:00+00')"
done
last=$(sql "SELECT 'afterwork.history_' || to_char(now() AT TIME ZONE 'UTC' + interval '3 days', 'YYYYMMDD')")
sql "DROP TABLE $last"
ended="INSERT INTO afterwork.history (id, queue, task, state, priority, attempts, crashes, run_at, created_at, finished_at, input)
	SELECT i, 'default', 'noop', 'done', 1, 1, 0, now(), now()"
sql "$ended, '2026-02-01', '{}' FROM generate_series(1, 30000) AS i"

sql "BEGIN; SELECT count(*) FROM afterwork.history_20260101;
	SELECT count(*) FROM afterwork.history_20260102;
	SELECT count(*) FROM afterwork.history_20260103;
	SELECT pg_sleep(4); COMMIT" >/dev/null &
ok 'somebody reads' await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_stat_activity
	WHERE wait_event = 'PgSleep'\")\" = 1 ]"
sql "SELECT afterwork.keep_house('7 days')" >/dev/null 2>&1 &
longest=0
for i in {1..8}; do
	start=$(now_ms)
	sql "$ended, now(), '{}' FROM generate_series($i, $i) AS i"
	took=$(($(now_ms) - start))
	[ $took -le $longest ] || longest=$took
done
ok "no job waited for long: $longest ms" [ "$longest" -lt 1000 ]
wait
sql_is "SELECT to_regclass('$last') IS NOT NULL" t 'the partition to come was made all the same'

# The rest is done by and by: it asks to be called again soon.
for i in {1..6}; do
	sql "SELECT afterwork.keep_house('7 days')" >/dev/null 2>&1
done
sql_is "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'history_202601%'" 0 'old days are dropped'
sql_is "SELECT count(*) FROM afterwork.history_default WHERE finished_at < '2026-03-01'" 0 'and what had no day is deleted'
sql_is "SELECT next_at > now() + interval '50 minutes' FROM afterwork.upkeep" t 'then it rests for an hour'

# A VACUUM FULL, or an ALTER TABLE that waits for a commit.
for table in history_default schedule_slot unique_period place queue; do
	sql "INSERT INTO afterwork.queue (name) VALUES ('idle') ON CONFLICT DO NOTHING"
	exec {in}> >(exec psql -XqAt "$direct" >/dev/null 2>&1)
	echo "BEGIN; LOCK TABLE afterwork.$table IN ACCESS EXCLUSIVE MODE;" >&$in
	await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock'
		AND relation = 'afterwork.$table'::regclass\")\" = 1 ]" || bail 'no lock'
	start=$(now_ms)
	said=$(sql "SELECT afterwork.keep_house('7 days')" 2>&1 | grep -v 'already exists, skipping\|^$')
	took=$(($(now_ms) - start))
	exec {in}>&-
	is "$said" '' "$table is locked: no failure"
	ok "  and no long wait: $took ms" [ "$took" -lt 1500 ]
	sql_is "SELECT next_at BETWEEN now() AND now() + interval '1 minute' FROM afterwork.upkeep" t '  it is tried again in a minute'
	await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'
		AND relation = 'afterwork.$table'::regclass\")\" = 0 ]" || bail 'still locked'
	sql "SELECT afterwork.keep_house('7 days')" >/dev/null 2>&1
	sql_is "SELECT next_at > now() + interval '50 minutes' FROM afterwork.upkeep" t '  then it is done'
done
done_testing
