#!/bin/bash
# queue-idle.t: a queue that nobody has needed for a day goes, and comes with
# the next job; no job is lost to a queue that is just going.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone queue_idle
task noop
export PGOPTIONS='-c client_min_messages=warning'

keep() {
	sql "SELECT afterwork.keep_house(interval '7 days')"
}
queues() {
	sql "SELECT string_agg(name, ' ' ORDER BY name) FROM afterwork.queue"
}
# The mark of every queue that has one is so old.
aged() {
	sql "UPDATE afterwork.queue SET idle_since = now() - interval '$1' WHERE idle_since IS NOT NULL"
}
marked() {
	sql "SELECT string_agg(name, ' ' ORDER BY name) FROM afterwork.queue WHERE idle_since IS NOT NULL"
}
add() {
	sql "SELECT afterwork.enqueue('noop', queue => '$1'${2:+, $2})"
}
drop_job() {
	sql "DELETE FROM afterwork.$1 WHERE id = $2"
}

# --- what keeps a queue ---
task own '"queue":"of-a-task"'
task planned '"schedule":[{"cron":"0 0 1 1 *","queue":"of-a-schedule"}]'
for queue in plain paused limited live failed ended unique; do
	id=$(add $queue)
	case $queue in
	live) ;;
	failed | ended)
		table=${queue/ended/history}
		sql "INSERT INTO afterwork.$table (id, queue, task, state, priority, attempts, crashes, run_at, created_at, finished_at, input)
			SELECT id, queue, task, '${queue/ended/done}', 1, 1, 0, now(), now(), now(), input FROM afterwork.job WHERE id = $id"
		;;
	esac
	[ $queue = live ] || drop_job job "$id"
done
sql "SELECT afterwork.pause('paused', true), afterwork.limit_queue('limited', 1)" >/dev/null
drop_job job "$(add unique "unique_key => 'u', unique_for => '3 days'")"
sql "INSERT INTO afterwork.minute SELECT 'plain', now() - interval '1 day', 1, '{}', '{}', '{}', '{}'"
all=$(queues)
keep
is "$(marked)" plain 'a queue is marked that nothing needs: no job, no record, no key, no setting, no task, no schedule'
aged '23 hours'
keep
is "$(queues)" "$all" 'before a day is over it stays'
aged '25 hours'
keep
is "$(queues)" "${all/ plain/}" 'then it is removed, and no other'
sql_is "SELECT count(*) FROM afterwork.minute WHERE queue = 'plain'" 0 'with its figures'
sql_is "SELECT string_agg(queue, ' ') FROM afterwork.stats() WHERE queue = 'plain'" '' 'which nobody is shown any more'
id=$(add plain)
sql_is "SELECT id, queue FROM afterwork.claim('{plain}', '', '{noop}', '{noop}', 1, 60000)" "$id|plain" \
	'the next job makes it again, and is claimed'
drop_job job "$id"
keep
aged '25 hours'
id=$(add plain)
keep
is "$(queues)|$(marked)" "$all|" 'one that has a job again stays and loses its mark'
drop_job job "$id"
keep
aged '25 hours'
sql "SELECT afterwork.pause('plain', true)" >/dev/null
keep
is "$(queues)|$(marked)" "$all|" 'so does one that was paused'
sql "SELECT afterwork.pause('plain', false)" >/dev/null
sql "SELECT afterwork.task_retire('{noop}'); SELECT afterwork.pause('paused', false), afterwork.limit_queue('limited', NULL);
	DELETE FROM afterwork.job; DELETE FROM afterwork.failed; DELETE FROM afterwork.history; DELETE FROM afterwork.unique_period" >/dev/null
keep
aged '25 hours'
keep
is "$(queues)" default 'without all that every one goes but the one that all runners know'

# --- together with an enqueue ---
exec {in}> >(exec psql -XqAt "$direct" >>"$work/other" 2>&1)
other() {
	: >"$work/other"
	echo "$1; \\echo end" >&$in
	await 5 'grep -q "^end" "$work/other"' || bail "no answer to: $1"
}
idle() {
	sql "DELETE FROM afterwork.job; DELETE FROM afterwork.queue WHERE name <> 'default';
		INSERT INTO afterwork.queue (name, idle_since) VALUES ('going', now() - interval '2 days')"
}
found() {
	sql "SELECT count(id) FROM afterwork.claim(NULL, '', '{noop}', '{noop}', 10, 60000)"
}
many="SELECT afterwork.enqueue_many('noop', '[{}, {}]', queue => 'going')"
one="SELECT afterwork.enqueue('noop', queue => 'going')"
for call in "$one" "$many"; do
	idle
	other "BEGIN; $call"
	began=$(now_ms)
	keep
	ok 'it is not waited for who stores a job' [ $(($(now_ms) - began)) -lt 4000 ]
	sql "SET lock_timeout = '2s'; $one" >"$work/second" 2>&1
	is $? 0 "nor does he keep others from it: $(cat "$work/second")"
	other COMMIT
	isnt "$(found)" 0 'and what was stored is claimed'
	sql "UPDATE afterwork.job SET lease_until = NULL"
	keep
	is "$(queues)" 'default going' 'in a queue that stays'
	idle
	other "BEGIN; SELECT afterwork.keep_house('7 days')"
	sql "$call" >"$work/stored" 2>&1 &
	storing=$!
	await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'\")\" -ge 1 ]" ||
		bail 'it does not wait'
	other COMMIT
	wait $storing
	is "$?|$(queues)" '0|default going' 'who comes while it goes makes it anew'
	isnt "$(found)" 0 'and his job is claimed'
done
idle
other "BEGIN; SELECT afterwork.task_register('{\"slug\":\"other\",\"queue\":\"going\"}')"
keep
other COMMIT
is "$(queues)" 'default going' 'nor is one removed that a task is just given'
idle
sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at, input) VALUES ('lost', 'noop', 'ready', 1, now(), '{}')"
is "$(found)" 0 'a job whose queue has no row is not claimed'
keep
is "$(found)" 1 'until the house is kept: it has its queue again'
exec {in}>&-

# --- many ---
sql "DELETE FROM afterwork.queue WHERE name <> 'default'; DELETE FROM afterwork.job;
	INSERT INTO afterwork.queue (name, idle_since)
	SELECT 'tenant-' || n, now() - interval '2 days' FROM generate_series(1, 3000) AS n"
calls=0
until [ "$(queues)" = default ] || [ $calls -ge 60 ]; do
	calls=$((calls + 1))
	sql "SELECT afterwork.keep_house('7 days', 'sweeps')"
done
is "$(queues)" default "three thousand go, in $calls calls"
sql_is "SELECT next_at > now() + interval '50 minutes', left_off FROM afterwork.upkeep" 't|' 'and then there is an hour'
done_testing
