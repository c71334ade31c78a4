#!/bin/bash
# task-register-race.t: two hosts that register a changed task at once wait for
# one another, and the later one holds.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone race

register() {
	echo "SELECT afterwork.task_register('{\"slug\": \"race\", \"priority\": $1}')"
}
sql "$(register 1)" >/dev/null
sql "BEGIN; $(register 2); SELECT pg_sleep(1); COMMIT" >/dev/null &
ok 'one has begun' await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_stat_activity
	WHERE query LIKE '%task_register%' AND wait_event = 'PgSleep'\")\" = 1 ]"
is "$(sql "$(register 3)" 2>&1)" changed 'the other is not refused'
wait
sql_is "SELECT priority FROM afterwork.task WHERE slug = 'race'" 3 'and has the last word'
done_testing
