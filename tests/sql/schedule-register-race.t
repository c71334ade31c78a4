#!/bin/bash
# schedule-register-race.t: a task that is registered while its slots are being
# looked at loses none and doubles none.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone schedule_register_race
# Who waits though it must not fails then, rather than hang.
export PGOPTIONS='-c lock_timeout=8s'

register() {
	echo "SELECT afterwork.task_register('{\"slug\":\"noop\",\"schedule\":[${1-}]}')"
}
run="SELECT slot_at AT TIME ZONE 'UTC' FROM afterwork.schedules_run(NULL, '2025-06-01 07:00Z')"
due() {
	sql "UPDATE afterwork.schedule SET next_at = '2025-06-01 07:00Z'"
}
jobs() {
	sql 'SELECT count(*) FROM afterwork.job'
}

# A second session, whose transaction stays open between statements.
session() {
	: >"$work/session"
	exec {in}> >(exec psql -XqAt "$direct" >"$work/session" 2>&1)
	session=$!
	echo "BEGIN; $1; SELECT 'begun';" >&$in
	await 5 'grep -q begun "$work/session"' || bail "$(cat "$work/session")"
}
ends() {
	echo "$1;" >&$in
	exec {in}>&-
	wait "$session"
}
waits_for_lock() {
	await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_stat_activity
		WHERE wait_event_type = 'Lock' AND datname = current_database()\")\" = 1 ]"
}
fresh() {
	sql 'DELETE FROM afterwork.job; DELETE FROM afterwork.schedule_slot'
	sql "$(register)" >/dev/null
	sql "$(register '{"cron":"0 7 * * *"}')" >/dev/null
	due
}

# --- slots are being looked at ---
fresh
session "$run"
is "$(sql "$(register '{"cron":"0 7 * * *"}')")" unchanged 'the same again does not wait for that'
ends COMMIT
is "$(jobs)" 1 'one job'
fresh
session "$run"
is "$(sql "$(register '{"cron":"0 7 * * *"}') ; $run")" unchanged 'nor does it make the slot free'
ends ROLLBACK
is "$(jobs)" 0 'given up: no job'
is "$(sql "$run")" '2025-06-01 07:00:00' 'the next one makes it'
fresh
session "$run"
sql "$(register '{"cron":"5 8 * * *"}')" >"$work/register" 2>&1 &
ok 'another schedule waits until it is done' waits_for_lock
ends COMMIT
wait $!
is "$(cat "$work/register")" changed 'then it takes the place'
is "$(jobs)" 1 'the old one has made its job'
sql_is "SELECT string_agg(cron || ' ' || (next_at > now()), ', ') FROM afterwork.schedule" '5 8 * * * true' \
	'and the new one begins behind'

# --- a task is being registered ---
fresh
session "$(register '{"cron":"0 7 * * *"}')"
is "$(sql "$run")" '2025-06-01 07:00:00' 'the same again holds up nobody'
ends COMMIT
is "$(jobs)" 1 'one job'
is "$(sql "$run")" '' 'and no second one afterwards'
fresh
session "$(register '{"cron":"0 7 * * *","missed":"all"}')"
is "$(sql "SET lock_timeout = '1s'; $run")" '' 'what is being changed is passed by, without waiting'
ends COMMIT
is "$(sql "$run")" '2025-06-01 07:00:00' 'and is done afterwards'
fresh
session "$(register)"
is "$(sql "SET lock_timeout = '1s'; $run")" '' 'what is being removed too'
ends ROLLBACK
is "$(sql "$run")" '2025-06-01 07:00:00' 'and is done when it stays after all'
fresh
session "$(register)"
ends COMMIT
is "$(sql "$run")$(jobs)" 0 'what is gone makes no job'
done_testing
