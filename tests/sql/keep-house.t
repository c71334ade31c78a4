#!/bin/bash
# keep-house.t: history has a partition for each day, made ahead and dropped when
# it has been kept long enough; failed jobs stay.
. tests/lib.sh
. tests/queue-alone.sh
# shellcheck source=tests/runner-alone.sh
. tests/runner-alone.sh
stack_shared
queue_alone keep_house
task noop
export PGOPTIONS='-c client_min_messages=warning'
keep="SELECT afterwork.keep_house(interval '7 days')"

# house DAYS: as often as it takes; one call drops only so much.
house() {
	for _ in 1 2 3 4; do
		sql "SELECT afterwork.keep_house(interval '$1 days')" >/dev/null
	done
}

days() {
	sql "SELECT string_agg(right(c.relname, 8), ' ' ORDER BY c.relname) FROM pg_inherits i
		JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'afterwork.history'::regclass AND c.relname ~ '[0-9]'"
}

# ended ID DAYS-AGO: an ended job in history.
ended() {
	sql "INSERT INTO afterwork.history (id, queue, task, state, priority, attempts, crashes,
		run_at, created_at, finished_at, input)
		VALUES ($1, 'default', 'noop', 'done', 1, 1, 0, now(), now(), now() - interval '$2', '{}')"
}

ahead=$(for n in 0 1 2 3; do date -u -d "$n days" +%Y%m%d; done | xargs)
sql "$keep"
is "$(days)" "$ahead" 'there is a partition for today and three days to come'
sql "$keep"
is "$(days)" "$ahead" 'the second time there is nothing to do'
is "$(sql "SELECT next_at > now() + interval '59 minutes' FROM afterwork.upkeep")" t 'for an hour'
is "$(sql 'SELECT upkeep_due FROM afterwork.outlook(NULL)')" f 'which a runner is told'
sql "UPDATE afterwork.upkeep SET next_at = now() - interval '1 s'"
is "$(sql 'SELECT upkeep_due FROM afterwork.outlook(NULL)')" t 'and when it is over'
ended 1 '0 s'
is "$(sql 'SELECT tableoid::regclass FROM afterwork.history WHERE id = 1')" "history_${ahead%% *}" \
	'what ends today is in today'"'"'s'

# A day nobody made a partition for; days that were kept.
ended 2 '5 days'
is "$(sql 'SELECT tableoid::regclass FROM afterwork.history WHERE id = 2')" history_default \
	'a day without one goes into the default'
ended 3 '8 days'
sql "DROP TABLE afterwork.history_${ahead##* }"
for ago in 6 7 8 9; do
	day=$(date -u -d "$ago days ago" +%Y%m%d)
	next=$(date -u -d "$((ago - 1)) days ago" +%Y%m%d)
	[ "$ago" = 8 ] && continue
	sql "CREATE TABLE afterwork.history_$day PARTITION OF afterwork.history
		FOR VALUES FROM ('$day 00:00+00') TO ('$next 00:00+00')"
done
sql "CREATE TABLE afterwork.history_keep (a int)"
ended 4 '9 days'
sql "INSERT INTO afterwork.failed (id, queue, task, state, priority, attempts, crashes, run_at,
	created_at, finished_at, input) VALUES (5, 'default', 'noop', 'failed', 1, 1, 0, now(), now(),
	now() - interval '100 days', '{}')"
house 7
is "$(days)" "$(for ago in 7 6; do date -u -d "$ago days ago" +%Y%m%d; done | xargs) $ahead" \
	'days older than is to be kept go, the others stay, and a missing one comes back'
is "$(sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM afterwork.jobs")" '1 2 5' \
	'with them what had ended then, out of the default too; failed jobs stay'
is "$(sql "SELECT to_regclass('afterwork.history_keep') IS NOT NULL")" t 'another table is left alone'
house 4
is "$(sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM afterwork.jobs")" '1 5' 'a shorter time keeps less'

# A runner that finds it due does it, by its setting.
ended 6 '3 days'
for days in 4 2; do
	sql "UPDATE afterwork.upkeep SET next_at = now() - interval '1 s'"
	runner_alone RETENTION=${days}d RUNNER_LINGER=0ms
	wait "$runner"
	sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM afterwork.jobs"
done >"$work/kept"
is "$(xargs <"$work/kept")" '1 5 6 1 5' 'runners keep what RETENTION says'

# Somebody else is at it, or reads.
exec {in}> >(exec psql -XqAt "$direct" >"$work/other" 2>&1)
other=$!
echo 'BEGIN; SELECT next_at FROM afterwork.upkeep FOR UPDATE;' >&$in
await 5 '[ -s "$work/other" ]' || bail 'no lock'
sql "DROP TABLE afterwork.history_${ahead##* }"
ok 'two at a time: the second does not wait, which its lock_timeout would end' sql "$keep"
is "$(days)" "${ahead% *}" 'and does nothing'
echo 'ROLLBACK; BEGIN; SELECT count(*) FROM afterwork.history;' >&$in
await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_locks WHERE relation = 'afterwork.history'::regclass AND granted\")\" -ge 1 ]" ||
	bail 'no reader'
began=$(now_ms)
sql "$keep"
is "$?" 0 'a reader is no error'
ok 'nor waited for long' [ $(($(now_ms) - began)) -lt 9000 ]
echo 'ROLLBACK;' >&$in
exec {in}>&-
wait "$other"
sql "$keep"
is "$(days)" "$ahead" 'afterwards all is as it should be'
done_testing
