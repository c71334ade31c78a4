#!/bin/bash
# doctor-database.t: what the doctor finds in a database: each fault is made to
# happen, is told with what to do, and is gone when it is mended.
. tests/lib.sh
. tests/queue-alone.sh
. tests/doctor.sh
stack_shared
queue_alone doctor
export PGOPTIONS='-c client_min_messages=warning'
task noop
doctor
is "$code:$(grep -vc '^ok ' <<<"$out")" 2:1 'of a fresh database one thing is amiss'
finds bad pings 'no ping has ever been seen - .*afterwork cron --print crontab.*finds no slot' \
	'no ping has come yet'
ping() {
	sql "SELECT afterwork.keep_house('7 days', 'ping')" >/dev/null
}
ping
well 'after the first one all is well'
is "$(wc -l <<<"$out")" 20 'every matter has its line'

# --- transactions, bloat, durability ---
exec {in}> >(exec psql -XqAt "$DATABASE_URL" >"$work/other" 2>&1)
echo 'BEGIN; SELECT 1;' >&$in
await 5 '[ -s "$work/other" ]' || bail 'no transaction'
sleep 1.1
doctor -- --patience 1s
finds warn transactions 'transaction of afterwork \(process [0-9]+, psql\) is open for [0-9]+ s' \
	'a transaction that stays open'
doctor -- --patience 50ms
finds bad transactions 'pg_terminate_backend' 'for very long'
is "$code" 2 'which is exit status 2'
exec {in}>&-
await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$alone'\")\" = 1 ]"
sql 'ALTER TABLE afterwork.job SET (autovacuum_enabled = off)'
doctor
finds bad autovacuum 'autovacuum is off for afterwork\.job - ALTER TABLE' 'a table nobody clears'
sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at, input, concurrency_key)
	SELECT 'default', 'noop', 'ready', 1, now(), '{}', repeat('x', 200)
	FROM generate_series(1, 120000)"
sql "DELETE FROM afterwork.job j WHERE j.queue = 'default'
	AND j.id < (SELECT max(id) FROM afterwork.job)"
doctor
finds warn bloat 'afterwork\.job has 119999 dead rows beside 1 - ' 'dead rows in the hot table'
sql 'VACUUM afterwork.job'
doctor
finds warn bloat 'afterwork\.job takes [0-9]+ MB for 1 rows - .*VACUUM FULL' 'then the room they took'
sql 'VACUUM FULL afterwork.job'
sql 'ALTER TABLE afterwork.job RESET (autovacuum_enabled)'
sql "DELETE FROM afterwork.job WHERE queue = 'default'"
sql "ALTER DATABASE $alone SET synchronous_commit = off"
doctor DATABASE_URL="$direct"	# a pooler's link is older than the setting
finds warn durability 'synchronous_commit is off - ' 'jobs that a crash takes'
finds warn durability 'synchronous_commit is off for this database - ALTER DATABASE … RESET' \
	'and where that is set'
sql "ALTER DATABASE $alone RESET synchronous_commit"
for version in 150007:warn 150008: 160003:warn 160004: 170000:warn 170001: 140019:bad 180000:; do
	sql_is "SELECT level FROM afterwork.doctor_server(${version%:*}) WHERE topic = 'postgresql'" \
		"${version#*:}" "PostgreSQL ${version%:*}: ${version#*:}"
done

# --- history, pings, schedules ---
today=$(date -u +%Y%m%d) tomorrow=$(date -u -d tomorrow +%Y%m%d)
sql "DROP TABLE afterwork.history_$tomorrow"
doctor
finds warn history "no partition for $(date -u -d tomorrow +%F)" 'no partition for tomorrow'
sql "DROP TABLE afterwork.history_$today"
sql "INSERT INTO afterwork.history (id, queue, task, state, priority, attempts, crashes, run_at,
	created_at, started_at, finished_at, input) SELECT n, 'default', 'noop', 'done', 1, 1, 0,
	now(), now(), now(), now(), '{}' FROM generate_series(1, 3) n"
doctor
finds bad history 'no partition for .* - move that day' 'none for today, with rows of it elsewhere'
finds warn history '3 ended jobs lie in afterwork\.history_default' 'which are counted'
sql 'DELETE FROM afterwork.history_default'
sql "UPDATE afterwork.upkeep SET next_at = now() - interval '20 minutes'"
doctor
finds warn house 'to be kept at 20.* no runner has done so - see that pings come' 'a house not kept'
finds ok pings 'they come' 'although pings come'
sql "UPDATE afterwork.upkeep SET next_at = now() - interval '2 hours'"
doctor
finds bad house 'to be kept at 20' 'for long'
sql "UPDATE afterwork.upkeep SET next_at = '-infinity'"
doctor
finds bad house 'no runner has ever' 'or never'
sql "SELECT afterwork.keep_house(interval '7 days')" >/dev/null
well 'keeping the house mends all three'
sql "UPDATE afterwork.upkeep SET pinged_at = now() - interval '59 minutes'"
well 'pings may be an hour apart'
sql "UPDATE afterwork.upkeep SET pinged_at = now() - interval '61 minutes'"
doctor
finds warn pings 'no ping has been seen since 20' 'pings that stopped'
finds ok house 'it is kept' 'although other runners keep the house'
sql "UPDATE afterwork.upkeep SET pinged_at = now() - interval '3 hours'"
sql "SELECT afterwork.keep_house(interval '7 days')" >/dev/null
doctor
finds bad pings 'no ping has been seen since 20' 'for long, and keeping the house is no ping'
ping
well 'the next one mends it'
task tick '"schedule":[{"cron":"0 0 1 1 *"}]'
sql "UPDATE afterwork.schedule SET next_at = now() - interval '3 minutes'"
doctor
finds bad schedules 'tick, "0 0 1 1 \*" UTC: due since' 'a schedule that is late'
sql "UPDATE afterwork.schedule SET next_at = now() + interval '1 h', passed_at = now()"
doctor
finds warn schedules 'were passed over' 'slots that were passed over'
sql "UPDATE afterwork.schedule SET passed_at = NULL, error = 'no such field'"
doctor
finds bad schedules 'UTC: no such field - ' 'jobs that cannot be made'
sql 'UPDATE afterwork.schedule SET error = NULL'

# --- what waits ---
job() {
	sql "SELECT afterwork.enqueue('$1', '{}'${2+, $2})"
}
task gone
job gone >/dev/null
sql "UPDATE afterwork.task SET retired_at = now() WHERE slug = 'gone'"
doctor
finds bad tasks '1 jobs in "default" are of "gone", which is not registered' 'a task that is gone'
sql "DELETE FROM afterwork.job WHERE queue = 'default'"
job noop >/dev/null
sql "UPDATE afterwork.job SET run_at = now() - interval '20 minutes' WHERE queue = 'default'"
doctor
finds warn backlog 'oldest job of "default" waits for 20 min - see that pings come' 'a backlog'
sql "INSERT INTO afterwork.history (id, queue, task, state, priority, attempts, crashes, run_at,
	created_at, started_at, finished_at, input) VALUES (9, 'default', 'other', 'done', 1, 1, 0,
	now(), now(), now(), now(), '{}')"
doctor
finds bad tasks '1 jobs of "noop" in "default" wait for 20 min, and no runner' \
	'a task that no host runs, while others run'
sql "SELECT afterwork.limit_queue('default', 1)" >/dev/null 2>&1 ||
	sql "UPDATE afterwork.queue SET limited = true WHERE name = 'default'"
doctor
finds warn backlog 'raise the queue.s limit' 'a limit that holds them back'
sql "UPDATE afterwork.queue SET limited = false WHERE name = 'default'"
sql "UPDATE afterwork.queue SET paused = true WHERE name = 'default'"
doctor
finds warn backlog 'queue "default" is paused, and 1 jobs wait' 'a queue that is paused'
sql "UPDATE afterwork.queue SET paused = false WHERE name = 'default'"
sql "UPDATE afterwork.job SET run_at = now(), lease_no = 1, claimed_at = now() - interval '1 hour',
	lease_until = now() - interval '7 minutes' WHERE queue = 'default'"
doctor
finds bad leases 'the lease ran out 7 min ago' 'leases that ran out'
sql "DELETE FROM afterwork.job WHERE queue = 'default'"
sql "DELETE FROM afterwork.history WHERE queue = 'default'"
failed() {
	sql "INSERT INTO afterwork.failed (id, queue, task, state, priority, attempts, crashes, run_at,
		created_at, finished_at, input, error) SELECT n, 'default', 'noop', 'failed', 1, 1, 0, now(),
		now(), now() - interval '$2', '{}', 'no route to host' FROM generate_series($1) n"
}
failed '1, 99' '1 hour'
well 'a few that failed are no fault'
failed '100, 100' '2 hours'
doctor
finds warn failed '100 jobs of "default" failed in the last day, the last one: no route to host' \
	'many that failed'
failed '101, 10000' '3 days'
doctor
finds warn failed '10000 failed jobs in all' 'and nobody looks after'
sql "DELETE FROM afterwork.failed WHERE queue = 'default'"

# --- connections ---
doctor RUNNER_SLOTS=256
finds bad connections 'may want 519 connections' 'more slots than connections'
doctor FCGI_CHILDREN=100
finds bad connections 'may want 702 connections' 'more processes than connections'
sql "ALTER DATABASE $alone CONNECTION LIMIT 10"
session_end sql	# it is a connection, too
held=()
for _ in 1 2 3 4 5 6 7 8; do
	exec {in}> >(exec psql -XqAt "$direct" >/dev/null 2>&1)
	held+=("$in")
done
await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$alone'\")\" = 9 ]"
doctor
finds warn connections '9 of 10 connections are in use' 'nearly all in use'
for in in "${held[@]}"; do
	exec {in}>&-
done
sql "ALTER DATABASE $alone CONNECTION LIMIT -1"
await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$alone'\")\" = 1 ]"

# --- the clock ---
clock() {
	sql "CREATE OR REPLACE FUNCTION afterwork.doctor_now() RETURNS timestamptz LANGUAGE sql
		SET search_path = '' AS 'SELECT clock_timestamp() + interval ''$1'''"
}
clock '10 s'
doctor
finds warn clock "host's clock is (9|10) s behind" 'a clock that is behind'
clock '-2 h'
doctor
finds bad clock "host's clock is (7199|7200) s ahead" 'one that is far ahead'
clock '0 s'
well 'in the end all is well again'

# --- what cannot be looked at ---
sql 'DROP FUNCTION afterwork.doctor'
doctor
finds bad database 'doctor.* - run afterwork migrate' 'an older schema'
doctor DATABASE_URL=host=/nonexistent
finds bad database '/nonexistent.* - see DATABASE_URL' 'a database out of reach'
finds ok runtime 'is there' 'the rest is looked at all the same'
done_testing
