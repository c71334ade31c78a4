#!/bin/bash
# schedule-busy.t: a slot whose job would have to wait for somebody's
# transaction holds up neither the claim nor other slots, and is not lost.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone schedule_busy
yearly='"schedule":[{"cron":"0 0 1 1 *","missed":"one"}]'
task newest "$yearly,\"concurrency\":{\"key\":\"k\",\"max\":1,\"supersedes\":true}"
task plain "$yearly"
export PGOPTIONS='-c lock_timeout=5s'

due() {
	sql "UPDATE afterwork.schedule SET next_at = now() - interval '1 year', due_at = NULL; DELETE FROM afterwork.schedule_slot"
}
claim() {
	sql "SELECT string_agg(task, ' ' ORDER BY priority, run_at, id) FROM afterwork.claim(NULL, '', '{newest,plain}', '{newest,plain}', 10, 60000)" 2>&1
}
exec {in}> >(exec psql -XqAt "$direct" >>"$work/other" 2>&1)
other=$!
echo "BEGIN; SELECT afterwork.enqueue('newest'); \\echo stored" >&$in
await 5 'grep -q stored "$work/other"' || bail 'no transaction'

due
began=$(now_ms)
is "$(claim)" plain 'a claim takes what can be made'
ok "at once: $(($(now_ms) - began)) ms" [ $(($(now_ms) - began)) -lt 3000 ]
sql_is "SELECT task, next_at > now() + interval '2 s' AND next_at < now() + interval '6 s', error, passed_at
	FROM afterwork.schedule WHERE task = 'newest'" 'newest|t||' 'the other entry is looked at again in a moment'
began=$(now_ms)
is "$(claim)" '' 'until then claims'
ok 'do not look at it' [ $(($(now_ms) - began)) -lt 3000 ]
sql_is "SELECT problem, task, since < now() - interval '300 days' FROM afterwork.schedules_late()" 'late|newest|t' \
	'the doctor is told how late it is'
sql_is "SELECT doc #>> '{skipped,0,taskConfig,slug}', (doc #>> '{skipped,0,waitUntil}')::timestamptz < now() - interval '300 days'
	FROM afterwork.handle_schedules(NULL)" 'newest|t' 'so is who asks for schedules'
sql "UPDATE afterwork.schedule SET next_at = now() - interval '1 s' WHERE task = 'newest'"
is "$(claim)" '' 'then it is tried again'
sql_is "SELECT next_at > now() FROM afterwork.schedule WHERE task = 'newest'" t 'and again'

echo 'COMMIT;' >&$in
exec {in}>&-
wait "$other"
sql 'DELETE FROM afterwork.job'
sql "UPDATE afterwork.schedule SET next_at = now() - interval '1 s' WHERE task = 'newest'"
is "$(claim)" newest 'when that has ended it has its job'
sql_is "SELECT slot_at = date_trunc('year', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC', count(*) OVER ()
	FROM afterwork.schedule_slot k JOIN afterwork.schedule s ON s.id = k.schedule_id WHERE s.task = 'newest'" 't|1' \
	'of the slot that it missed'
sql_is "SELECT due_at, next_at = date_trunc('year', now() AT TIME ZONE 'UTC' + interval '1 year') AT TIME ZONE 'UTC'
	FROM afterwork.schedule WHERE task = 'newest'" '|t' 'and waits for its next'
is "$(claim)" '' 'nothing is left'
done_testing
