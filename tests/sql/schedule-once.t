#!/bin/bash
# schedule-once.t: a slot gets one job, however many ask for it at once.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone schedule_once
task noop '"schedule":[{"cron":"*/10 * * * *","missed":"all"},{"cron":"0 7 * * *","queue":"mail","missed":"all"}]'

# at_once COUNT STATEMENT: as many sessions, all of which wait for the same
# lock before they begin; how many failed.
at_once() {
	local i failed=0 pids=()
	exec {gate}> >(exec psql -XqAt "$direct" >/dev/null 2>&1)
	echo 'SELECT pg_advisory_lock(1);' >&$gate
	await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted\")\" = 1 ]" ||
		bail 'no gate'
	for ((i = 0; i < $1; i++)); do
		psql -XqAt -v ON_ERROR_STOP=1 "$direct" \
			-c 'SELECT pg_advisory_lock_shared(1)' -c "$2" \
			>>"$work/at-once" 2>&1 </dev/null {gate}>&- &
		pids+=($!)
	done
	await 30 "[ \"\$(sql \"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted\")\" = $1 ]" ||
		bail "not all $1 are there"
	exec {gate}>&-
	for i in "${pids[@]}"; do
		wait "$i" || failed=$((failed + 1))
	done
	echo "$failed"
}
due() {
	sql "UPDATE afterwork.schedule SET next_at = '$1Z' WHERE cron = '*/10 * * * *';
		UPDATE afterwork.schedule SET next_at = '$2Z' WHERE cron = '0 7 * * *'"
}
jobs() {
	sql "SELECT string_agg(concat_ws(' ', queue, meta ->> 'slot', n), ', ' ORDER BY queue, meta ->> 'slot')
		FROM (SELECT queue, meta, count(*) AS n FROM afterwork.job GROUP BY 1, 2) AS j"
}

due '2025-06-01 06:40' '2025-06-01 07:00'
is "$(at_once 50 "SELECT FROM afterwork.schedules_run(NULL, '2025-06-01 07:05Z')")" 0 \
	'fifty look at once, and none of them fails'
is "$(jobs)" \
	'default 2025-06-01T06:40:00.000Z 1, default 2025-06-01T06:50:00.000Z 1, default 2025-06-01T07:00:00.000Z 1, mail 2025-06-01T07:00:00.000Z 1' \
	'there is one job a slot and entry'

# Not by the lock alone: the slot itself is there once.
due '2025-06-01 06:40' '2025-06-01 07:00'
is "$(sql "SELECT count(*) FROM afterwork.schedules_run(NULL, '2025-06-01 07:05Z')")" 0 \
	'who looks at it anew finds nothing to do'
is "$(sql 'SELECT count(*) FROM afterwork.job')" 4 'and makes no job'

# The same by claims, which is how runners ask.
sql 'DELETE FROM afterwork.job; DELETE FROM afterwork.schedule_slot'
sql "SELECT afterwork.task_register('{\"slug\":\"noop\",\"schedule\":[{\"cron\":\"0 0 1 1 *\",\"missed\":\"one\"}]}')" >/dev/null
sql "UPDATE afterwork.schedule SET next_at = now() - interval '1 year'"
: >"$work/at-once"
is "$(at_once 50 "SELECT id FROM afterwork.claim(NULL, '', '{noop}', '{}', 10, 60000)")" 0 \
	'fifty runners claim at once, and none of them fails'
is "$(grep -c . "$work/at-once")" 1 'one of them gets a job'
is "$(sql 'SELECT count(*) FROM afterwork.job')" 1 'since there is one'
sql_is "SELECT next_at > now() FROM afterwork.schedule" t 'and the entry waits for the next year'
done_testing
