#!/bin/bash
# schedule-missed.t: what becomes of slots that nobody looked at in time, and of
# a clock that jumps.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone schedule_missed

# entry MISSED CRON FROM: a task with this one entry, which was looked at last
# just before FROM.
entry() {
	sql 'DELETE FROM afterwork.job; DELETE FROM afterwork.schedule_slot'
	sql "SELECT afterwork.task_register('{\"slug\":\"noop\",\"schedule\":[]}')" >/dev/null
	task noop "\"schedule\":[{\"cron\":\"$2\",\"missed\":\"$1\"}]"
	sql "UPDATE afterwork.schedule SET next_at = '$3Z'"
}

# run MOMENT [MOST]: the slots that get a job at that moment.
run() {
	sql "SELECT string_agg(to_char(slot_at AT TIME ZONE 'UTC', 'DD HH24:MI'), ', ' ORDER BY slot_at)
		FROM afterwork.schedules_run(NULL, '$1Z', ${2:-100})" 2>&1
}
next() {
	sql "SELECT to_char(next_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM afterwork.schedule"
}

# MISSED | CRON | NEXT | MOMENT | SLOTS | NEXT THEN | WHAT
while IFS='|' read -r missed cron from moment want after what; do
	entry "$missed" "$cron" "$from"
	is "$(run "$moment")" "$want" "$missed: $what"
	is "$(next)" "$after" '  and the next'
	is "$(run "$moment")" '' '  asked again: nothing'
done <<'END'
skip|0 7 * * *|2025-06-01 07:00|2025-06-01 06:59:59||2025-06-01 07:00|it is not due yet
skip|0 7 * * *|2025-06-01 07:00|2025-06-01 07:00|01 07:00|2025-06-02 07:00|on the dot
skip|0 7 * * *|2025-06-01 07:00|2025-06-01 07:59:59|01 07:00|2025-06-02 07:00|not an hour late
skip|0 7 * * *|2025-06-01 07:00|2025-06-01 08:00||2025-06-02 07:00|an hour late
skip|0 7 * * *|2025-06-01 07:00|2025-06-04 07:02|04 07:00|2025-06-05 07:00|days later, but a slot is due now
skip|* * * * *|2025-06-01 07:00|2025-06-01 07:02:30|01 07:00, 01 07:01, 01 07:02|2025-06-01 07:03|a ping was late: each minute
skip|* * * * *|2025-06-01 07:00|2025-06-01 10:00|01 09:56, 01 09:57, 01 09:58, 01 09:59, 01 10:00|2025-06-01 10:01|three hours of minutes: the last five
skip|*/20 * * * *|2025-06-01 07:00|2025-06-01 10:10|01 10:00|2025-06-01 10:20|more than five minutes ago: the newest
one|0 7 * * *|2025-06-01 07:00|2025-06-01 07:00|01 07:00|2025-06-02 07:00|on the dot
one|* * * * *|2025-06-01 07:00|2025-06-01 10:00|01 10:00|2025-06-01 10:01|three hours of minutes: the newest
one|0 7 * * *|2025-06-01 07:00|2025-06-11 06:00|10 07:00|2025-06-11 07:00|ten days: the newest
one|0 0 1 1 *|2019-01-01 00:00|2025-06-01 00:00|01 00:00|2026-01-01 00:00|years
all|0 7 * * *|2025-06-01 07:00|2025-06-04 06:00|01 07:00, 02 07:00, 03 07:00|2025-06-04 07:00|every one
all|0 */1 * * *|2025-06-01 07:00|2025-06-01 10:00|01 07:00, 01 08:00, 01 09:00, 01 10:00|2025-06-01 11:00|the one that is due among them
END

# --- all, bounded ---
entry all '* * * * *' '2025-06-01 07:00'
is "$(run '2025-06-01 07:06' 3)" '01 07:00, 01 07:01, 01 07:02' 'a call makes so many'
is "$(next)" '2025-06-01 07:03' 'and leaves the rest'
is "$(run '2025-06-01 07:06' 3)" '01 07:03, 01 07:04, 01 07:05' 'to the next'
is "$(run '2025-06-01 07:06' 3)" '01 07:06' 'until there is none'
is "$(next)" '2025-06-01 07:07' 'then it waits'
entry all '* * * * *' '2025-06-01 00:00'
is "$(sql "SELECT count(*) FROM afterwork.schedules_run(NULL, '2025-06-03 00:00Z')")" 100 'a hundred, if nothing is said'

# --- two entries share the bound; the older one goes first ---
sql "SELECT afterwork.task_register('{\"slug\":\"noop\",\"schedule\":[
	{\"cron\":\"0 7 * * *\",\"missed\":\"all\"},{\"cron\":\"0 8 * * *\",\"missed\":\"all\"}]}')" >/dev/null
sql "UPDATE afterwork.schedule SET next_at = CASE cron WHEN '0 7 * * *' THEN '2025-06-02 07:00Z'
	ELSE '2025-06-01 08:00Z' END::timestamptz"
is "$(run '2025-06-02 09:00' 2)" '01 08:00, 02 08:00' 'the entry that waits the longest'
is "$(run '2025-06-02 09:00' 2)" '02 07:00' 'then the other'

# --- a job of a slot ---
entry skip '0 7 * * *' '2025-06-01 07:00'
run '2025-06-01 07:01' >/dev/null
sql_is "SELECT task, queue, state, input, meta, wait_until = '2025-06-01 07:00Z', run_at = wait_until FROM afterwork.jobs" \
	'noop|default|ready|{}|{"slot": "2025-06-01T07:00:00.000Z", "scheduled": true}|t|t' \
	'its job says that it was scheduled and for when'
sql_is 'SELECT k.job_id = j.id FROM afterwork.schedule_slot k, afterwork.jobs j' t 'and its slot which job that is'

# --- the clock jumps ---
entry all '0 * * * *' '2025-06-01 07:00'
is "$(run '2025-06-01 08:30')" '01 07:00, 01 08:00' 'all goes well'
is "$(run '2025-06-01 06:30')" '' 'the clock is set back: nothing is due'
is "$(next)" '2025-06-01 09:00' 'it waits for the slot that it waited for'
sql "SELECT afterwork.schedules_keep('7 days', '2025-06-01 06:30Z')" >/dev/null
is "$(next)" '2025-06-01 07:00' 'when the house is kept it waits for the one that comes next'
is "$(run '2025-06-01 09:00')" '01 09:00' 'but what had its job does not get another'
sql_is 'SELECT count(*) FROM afterwork.job' 3 'that is, three'
entry one '0 7 * * *' '2025-06-01 07:00'
is "$(run '2035-06-01 07:30')" '01 07:00' 'the clock is ten years ahead: as after ten years'
is "$(next)" '2035-06-02 07:00' 'it waits for a day in ten years'
sql "SELECT afterwork.schedules_keep('7 days', '2025-06-01 08:00Z')" >/dev/null
is "$(next)" '2025-06-02 07:00' 'until the clock is right and the house is kept'
sql "SELECT afterwork.schedules_keep('7 days', '2025-06-01 08:00Z')" >/dev/null
is "$(run '2025-06-02 07:00')" '02 07:00' 'then it goes on'
sql "SELECT afterwork.schedules_keep('7 days', '2025-06-01 08:00Z')" >/dev/null

# --- slots go with the jobs that they made ---
entry all '0 7 * * *' '2025-06-01 07:00'
run '2025-06-03 07:00' >/dev/null
sql "SELECT afterwork.schedules_keep('7 days', '2025-06-09 07:00Z')" >/dev/null
sql_is "SELECT string_agg(to_char(slot_at AT TIME ZONE 'UTC', 'DD'), ' ' ORDER BY slot_at) FROM afterwork.schedule_slot" \
	'02 03' 'seven days are kept'
sql "SELECT afterwork.keep_house('7 days')" >/dev/null 2>&1
sql_is 'SELECT count(*) FROM afterwork.schedule_slot' 0 'keeping the house keeps them too'

# --- what the doctor is told ---
late() {
	sql "SELECT string_agg(concat_ws(' ', problem, task, cron, missed), ', ') FROM afterwork.schedules_late('$1Z')"
}
entry skip '0 7 * * *' '2025-06-01 07:00'
is "$(late '2025-06-01 07:02')" '' 'nothing is late'
is "$(late '2025-06-01 07:03')" 'late noop 0 7 * * * skip' 'nobody pings'
run '2025-06-03 12:00' >/dev/null
is "$(late '2025-06-03 12:00')" '' 'passed over days ago: that was then'
run '2025-06-04 12:00' >/dev/null
is "$(late '2025-06-04 12:00')" 'passed noop 0 7 * * * skip' 'passed over today: pings are too rare'
entry one '0 7 * * *' '2025-06-01 07:00'
run '2025-06-01 12:00' >/dev/null
is "$(late '2025-06-01 12:00')" '' 'which does not matter where it is made up for'
done_testing
