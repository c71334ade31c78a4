#!/bin/bash
# schedule-register.t: registering a task keeps its schedule in step with its
# task.json, and leaves alone what is as it was.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone schedule_register

# entries: as "cron timezone queue missed", in their order.
entries() {
	sql "SELECT string_agg(concat_ws(' ', cron, timezone, queue, missed), ', ' ORDER BY id)
		FROM afterwork.schedule"
}
register() {
	sql "SELECT afterwork.task_register('{\"slug\":\"noop\",\"queue\":\"own\"${1:+,\"schedule\":[$1]}}')" 2>&1
}

is "$(register '{"cron":"0 7 * * *"}')" added 'a task with a schedule'
is "$(entries)" '0 7 * * * UTC own skip' 'an entry has defaults, and the queue of its task'
sql_is "SELECT next_at > now() AND next_at <= now() + interval '1 day'
	AND (next_at AT TIME ZONE 'UTC')::time = '07:00' FROM afterwork.schedule" t 'and waits for its next slot'
sql_is "SELECT count(*) FROM afterwork.queue WHERE name = 'own'" 1 'in a queue that is there'

# As it was: the slot it waits for is kept, be it long past.
sql "UPDATE afterwork.schedule SET next_at = '2025-01-01 07:00Z'"
id=$(sql 'SELECT id FROM afterwork.schedule')
is "$(register '{"cron":"0 7 * * *"}')" unchanged 'the same again'
sql_is 'SELECT id, next_at FROM afterwork.schedule' "$id|$(sql "SELECT '2025-01-01 07:00Z'::timestamptz")" 'nothing is changed'
is "$(register '{"cron":" 0  7\t* * * ","timezone":"UTC","queue":"own","missed":"skip"}')" changed 'the same in other words'
sql_is 'SELECT id FROM afterwork.schedule' "$id" 'is the same entry'
is "$(register '{"cron":"0 7 * * *","missed":"all"}')" changed 'another way with missed slots'
sql_is "SELECT id, missed, next_at < now() FROM afterwork.schedule" "$id|all|t" 'is the same entry too'

# More, other and fewer.
register '{"cron":"0 7 * * *"},{"cron":"0 7 * * *","queue":"mail"},{"cron":"0 7 * * *","timezone":"Asia/Tokyo"}' >/dev/null
is "$(entries)" '0 7 * * * UTC own skip, 0 7 * * * UTC mail skip, 0 7 * * * Asia/Tokyo own skip' \
	'another queue or zone is another entry'
sql_is "SELECT string_agg((next_at < now())::text, ' ' ORDER BY id) FROM afterwork.schedule" 'true false false' \
	'the old one keeps its slot, the new ones begin now'
sql_is "SELECT string_agg(to_char(next_at AT TIME ZONE 'UTC', 'HH24:MI'), ' ' ORDER BY id)
	FROM afterwork.schedule WHERE id <> $id" '07:00 22:00' 'each in its own zone'
register '{"cron":"0 7 * * *","queue":"mail"},{"cron":"5 8 * * *"}' >/dev/null
is "$(entries)" '0 7 * * * UTC mail skip, 5 8 * * * UTC own skip' 'what is not there any more goes'
register >/dev/null
is "$(entries)" '' 'a task without a schedule has none'

# Two tasks do not see each other.
register '{"cron":"0 7 * * *"}' >/dev/null
task other '"schedule":[{"cron":"0 7 * * *"}]'
register >/dev/null
is "$(entries)" '0 7 * * * UTC default skip' 'one task is registered, the other keeps its own'
register '{"cron":"0 7 * * *"}' >/dev/null
sql "SELECT afterwork.task_retire('{other}')" >/dev/null
sql_is 'SELECT string_agg(task, $$ $$) FROM afterwork.schedule' other 'a retired task has none'
register '{"cron":"0 7 * * *"}' >/dev/null
sql_is "SELECT next_at > now() FROM afterwork.schedule WHERE task = 'noop'" t 'when it comes back it begins anew'

# --- what is refused, with the registration ---
while IFS='|' read -r entry want; do
	like "$(register "$entry")" "$want" "refused: $entry"
	sql_is "SELECT string_agg(cron, ' ') FROM afterwork.schedule WHERE task = 'noop'" '0 7 * * *' \
		'all is as it was'
done <<'END'
{"cron":"0 0 30 2 *"}|never comes
{"cron":"0 7 * *"}|has five fields
{"cron":"0 25 * * *"}|"25" is no field
{"cron":"0 7 * * MON"}|"MON" is no field
{"timezone":"UTC"}|has five fields
{"cron":"0 8 * * *","timezone":"Mars/Base"}|time zone "Mars/Base" not recognized
{"cron":"0 8 * * *","missed":"never"}|check constraint
{"cron":"0 8 * * *"},{"cron":"0 0 31 4 *"}|never comes
END
done_testing
