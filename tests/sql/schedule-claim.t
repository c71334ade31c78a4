#!/bin/bash
# schedule-claim.t: a claim makes the jobs of slots that are due, costs next to
# nothing when none is, and goes on when one cannot be made.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone schedule_claim
# Once a year, so that no slot comes while the test looks.
yearly='"schedule":[{"cron":"0 0 1 1 *","missed":"one"}]'
task noop "$yearly"

# claim [QUEUES [SCHEDULES]]: the tasks of the jobs that are claimed.
claim() {
	sql "SELECT string_agg(task || ' in ' || queue, ', ' ORDER BY id)
		FROM afterwork.claim(${1:-NULL}, '', '{noop,picky}', '{noop,picky}', 10, 60000${2:+, schedules => $2})" 2>&1
}
due() {
	sql "UPDATE afterwork.schedule SET next_at = now() - interval '1 year'; DELETE FROM afterwork.schedule_slot"
}

is "$(claim)" '' 'nothing is due, nothing is claimed'
due
is "$(claim NULL false)" '' 'without schedules nothing is made'
sql_is 'SELECT next_at < now() FROM afterwork.schedule' t 'and it stays due'
is "$(claim)" 'noop in default' 'a claim makes the job and takes it'
sql_is 'SELECT next_at > now() FROM afterwork.schedule' t 'and it is no more due'
is "$(claim)" '' 'nothing is left'
due
sql "INSERT INTO afterwork.queue (name) VALUES ('elsewhere')"
is "$(claim "'{elsewhere}'")" '' 'a claim from another queue'
is "$(sql "SELECT count(*) FROM afterwork.job WHERE meta ->> 'scheduled' = 'true' AND lease_until IS NULL")" 1 \
	'makes the job all the same'
is "$(claim)" 'noop in default' 'which the next takes'
sql "SELECT afterwork.pause('default', true)" >/dev/null
due
is "$(claim)" '' 'of a queue that is paused none is taken'
sql "SELECT afterwork.pause('default', false)" >/dev/null
is "$(claim)" 'noop in default' 'until it is resumed'

# --- what cannot be made holds up nobody ---
task picky "\"inputSchema\":[{\"name\":\"day\",\"type\":\"text\",\"required\":true}],$yearly"
due
is "$(claim)" 'noop in default' 'a job whose input is refused is left out, others are made'
sql_is "SELECT error, next_at > now() FROM afterwork.schedule WHERE task = 'picky'" 'This field is required.|t' \
	'why is kept, and the next slot is waited for'
sql_is "SELECT problem, error FROM afterwork.schedules_late()" 'failing|This field is required.' 'for the doctor'
sql_is "SELECT count(*) FROM afterwork.schedule_slot k JOIN afterwork.schedule s ON s.id = k.schedule_id WHERE s.task = 'picky'" \
	0 'nothing of it is left'
task picky "$yearly"
due
is "$(claim)" 'noop in default, picky in default' 'when it is mended it goes on'
sql_is "SELECT error FROM afterwork.schedule WHERE task = 'picky'" '' 'and nothing is wrong'
sql "UPDATE afterwork.schedule SET timezone = 'Mars/Base' WHERE task = 'picky'"
due
is "$(claim)" 'noop in default' 'a zone that the database has lost'
sql_is "SELECT error, next_at > now() FROM afterwork.schedule WHERE task = 'picky'" \
	'time zone "Mars/Base" not recognized|t' 'is told'
sql "SELECT afterwork.keep_house('7 days')" >"$work/house" 2>&1
is "$?" 0 'and the house is kept all the same'
sql 'DELETE FROM afterwork.job; DELETE FROM afterwork.queue WHERE name = $$elsewhere$$'

# --- what it costs ---
sql "SELECT afterwork.task_register(jsonb_build_object('slug', 'many-' || i, 'schedule',
	jsonb_build_array(jsonb_build_object('cron', '0 0 1 1 *'))))
	FROM generate_series(1, 1000) AS i" >/dev/null
sql "UPDATE afterwork.schedule SET next_at = now() + interval '1 year'"
sql 'VACUUM ANALYZE afterwork.schedule'
plans plan "SELECT FROM afterwork.claim(NULL, '', '{noop}', '{noop}', 10, 60000)"
grep -A 8 'PERFORM\|schedules_run' "$work/plan" >"$work/probe"
like "$(cat "$work/probe")" 'Index (Only )?Scan using schedule_next' 'nothing is due: a look at an index tells'
is "$(grep -c 'on schedule' "$work/plan")" 1 'one look'
is "$(grep -oE 'schedule_next on schedule s .*actual rows=[0-9]+' "$work/plan" | grep -oE "[0-9]+$" | sort -u)" 0 'which find no row'
is "$(grep -c 'on schedule_slot' "$work/plan")" 0 'and slots are not looked at'
done_testing
