#!/bin/bash
# doctor-host.t: what the doctor finds on a host and in a server's settings; its
# exit status, and the same as JSON.
. tests/lib.sh
. tests/doctor.sh
stack_start
super() {
	sql_as postgres "$1" >/dev/null
}
await 10 '[ -z "$(runner_pids)" ]'
run_jobs
await 10 '[ -z "$(runner_pids)" ]'
well 'the private stack is well'

# --- this host ---
secret=$("$B/afterwork" secret new)
doctor CRON_SECRET=
finds warn secrets 'CRON_SECRET is not set' 'no secret'
doctor CRON_SECRET=short
finds bad secrets 'CRON_SECRET is shorter than 32' 'one that is too short'
doctor "CRON_SECRET=$secret" CRON_SECRET_PREVIOUS=short
finds warn secrets 'CRON_SECRET_PREVIOUS is shorter' 'a short one while rotating'
doctor TOKEN_SECRET=short
finds bad secrets 'TOKEN_SECRET has 5 characters' 'one that signs tokens'
doctor WEBHOOK_SECRET=short
finds bad secrets 'WEBHOOK_SECRET has 5 characters' 'one that signs calls'
unlike "$out" "$secret" 'no secret is shown'
doctor "RUNTIME_DIRECTORY=$work/none"
finds bad runtime 'there is no such folder' 'no runtime folder'
: >"$work/file"
doctor "RUNTIME_DIRECTORY=$work/file"
finds bad runtime 'is not a folder' 'a file in its place'
doctor "MEDIA_STORE=file:$work/none"
finds bad media 'there is no such folder' 'no folder for media'
mkdir "$work/closed"
chmod 0 "$work/closed"
if [ "$(id -u)" -ne 0 ]; then
	doctor "MEDIA_STORE=file:$work/closed"
	finds bad media 'cannot be written to' 'one that is closed'
fi
doctor RUNNER_SLOTS=0
finds bad settings 'RUNNER_SLOTS must be' 'a setting that is none'
doctor MAX_DURATION=200
finds warn duration 'lasts 200 s here \(MAX_DURATION\), and 300 s in vercel.json' \
	'a runner with less time than vercel.json says'
doctor MAX_DURATION=100
finds bad duration 'no runner has the time for makeThumbnails: its timeout is 120 s' \
	'a task that it never has the time for'
doctor MAX_DURATION=0
finds bad settings 'MAX_DURATION must be' 'no time at all'
cp -R tests/tasks/script "$work/script"
chmod 0755 "$work"
sed -i 's/"slug": "script"/"slug": "other"/' "$work/script/task.json"
TASKS_DIR=tests/tasks:$work/script "$B/afterwork" tasks sync >/dev/null || bail 'no task'
doctor
finds ok handlers '[0-9]+ executables are here' 'handlers are looked for'
chmod 0644 "$work/script/handler"
doctor
finds bad handlers 'other: ".*/handler" may not be executed' 'one that may not be executed'
rm "$work/script/handler"
doctor
finds bad handlers 'other: ".*/handler" is not on this host' 'one that is gone'

# --- folders of tasks ---
own=tests/tasks:$work/own
TASKS_DIR=tests/tasks "$B/afterwork" tasks sync >/dev/null
doctor TASKS_DIR=tests/tasks
finds ok folders 'are registered, and no others' 'what TASKS_DIR holds is registered'
mkdir -p "$work/own/late"
echo '{"slug":"late","handler":"/bin/true"}' >"$work/own/late/task.json"
doctor "TASKS_DIR=$own"
finds warn folders "late: \"$work/own/late\" is here, but the task is not registered - .*afterwork tasks sync" \
	'a folder that was never registered'
is "$(grep -c '^[a-z]* *folders: ' <<<"$out")" 1 'and no other'
TASKS_DIR=$own "$B/afterwork" tasks sync >/dev/null
doctor "TASKS_DIR=$own"
finds ok folders 'are registered' 'then it is'
doctor TASKS_DIR=tests/tasks
finds warn folders 'late is registered, but no folder of TASKS_DIR has it - .*afterwork tasks sync' \
	'a task whose folder is gone'
TASKS_DIR=tests/tasks "$B/afterwork" tasks sync >/dev/null
doctor "TASKS_DIR=$own"
finds warn folders 'late: .* is here, but the task is retired' 'one that was retired'
echo '{"slug":"late","hanlder":"/bin/true"}' >"$work/own/late/task.json"
doctor "TASKS_DIR=$own"
finds bad folders "late/task.json: .*hanlder.* - mend it" 'one that cannot be registered'
doctor "TASKS_DIR=$work/none"
finds bad folders "could not read the folder of tasks \"$work/none\"" 'no such folder'

# --- as JSON ---
well 'all mended'
doctor -- --json
is "$code:$(jq -r '[.status, (.findings | length > 15), ([.findings[].level] | unique | join(","))] | @csv' <<<"$out")" \
	'0:"ok",true,"ok"' 'JSON says the same'
doctor WEBHOOK_SECRET=short -- --json
is "$code:$(jq -r '[.status, (.findings[] | select(.level == "bad") | .topic, (.remedy | length > 10))] | @csv' <<<"$out")" \
	'2:"bad","secrets",true' 'with what is bad'
doctor -- --patience soon
is "$code" 64 'called wrongly'

# --- the server's settings ---
for setting in fsync full_page_writes; do
	super "ALTER SYSTEM SET $setting = off"
	super 'SELECT pg_reload_conf()'
	await 5 "[ \"\$(sql 'SHOW $setting')\" = off ]"
	doctor
	finds bad durability "$setting is off" "$setting"
	super "ALTER SYSTEM RESET $setting"
done
for setting in autovacuum track_counts; do
	super "ALTER SYSTEM SET $setting = off"
	super 'SELECT pg_reload_conf()'
	await 5 "[ \"\$(sql 'SHOW $setting')\" = off ]"
	doctor
	finds bad autovacuum "$setting is off" "$setting"
	super "ALTER SYSTEM RESET $setting"
done
super 'SELECT pg_reload_conf()'
await 5 "[ \"\$(sql 'SHOW track_counts')\" = on ]"
super 'REVOKE pg_read_all_stats FROM afterwork'
sql_as afterwork_run 'SELECT pg_sleep(20)' >/dev/null &
await 5 "[ \"\$(sql \"SELECT count(*) FROM pg_stat_activity WHERE usename = 'afterwork_run'\")\" -ge 1 ]"
doctor
finds warn transactions 'connections of other logins cannot be looked at - GRANT pg_read_all_stats TO afterwork' \
	'what the owner may not see'
super 'GRANT pg_read_all_stats TO afterwork'
doctor -- --patience 1ms
finds bad transactions 'transaction of afterwork_run' 'and with the right'
super "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'afterwork_run'"

# --- what only a restart turns on ---
super 'ALTER SYSTEM SET max_prepared_transactions = 2'
super 'ALTER SYSTEM SET wal_level = logical'
stack_part restart postgresql
sql 'BEGIN; CREATE TABLE public.p (a int); PREPARE TRANSACTION '"'held'"
sleep 0.1
doctor -- --patience 50ms
finds bad transactions 'prepared transaction "held" of afterwork waits' 'a prepared transaction'
sql "ROLLBACK PREPARED 'held'"
super "SELECT pg_create_logical_replication_slot('idle', 'test_decoding')"
sql 'CREATE TABLE public.burn (a int)'
sql 'DO $$ BEGIN FOR i IN 1..1000100 LOOP BEGIN INSERT INTO public.burn VALUES (1);
	EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; ROLLBACK; END $$'
doctor
finds warn transactions 'replication slot "idle" holds back 1000[0-9]{3} transactions' \
	'a replication slot'
super "SELECT pg_drop_replication_slot('idle')"
well 'all is well again'
done_testing
