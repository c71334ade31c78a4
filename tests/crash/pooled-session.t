#!/bin/bash
# pooled-session.t: through a pooler with one connection a login, every kind of
# work is done, and the session behind it is left as it was found: nothing
# prepared, no setting changed, no lock held, nothing listened for.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
stack_start POOLED=1 POOL_SIZE=1 RUNNER_SLOTS=2 RUNNER_LINGER=50ms
ledger_open

# The session that LOGIN's next statement gets, which is the one it always
# gets, in a line.
session() {
	psql -XqAt "${DATABASE_URL/afterwork@/$1@}" -c "
		SELECT pg_backend_pid(),
		    (SELECT count(*) FROM pg_prepared_statements),
		    (SELECT count(*) FROM pg_listening_channels()),
		    (SELECT count(*) FROM pg_locks
		        WHERE pid = pg_backend_pid() AND locktype = 'advisory'),
		    pg_my_temp_schema(),
		    current_setting('statement_timeout'),
		    current_setting('lock_timeout'),
		    current_setting('idle_in_transaction_session_timeout'),
		    current_setting('search_path'), current_setting('TimeZone'),
		    current_setting('DateStyle'), current_setting('jit'),
		    current_setting('session_replication_role'),
		    current_user = session_user" 2>&1 </dev/null
}
logins=(afterwork_{upload,media,run,status,jobs,pages,users})
sessions() {
	local login
	for login in "${logins[@]}"; do
		echo "$login $(session "$login")"
	done
}

get '/api/media?limit=1'
before=$(sessions)
is "$(grep -cE '\|0\|0\|0\|0\|9800ms\|5s\|10s\|""\|UTC\|ISO, MDY\|off\|' \
	<<<"$before")" ${#logins[@]} \
	'each login brings the settings that it needs'

# --- work of every kind, some at once ---
pids=()
for i in {1..4}; do
	curl -sS -o /dev/null -H "Authorization: users API-Key $API_KEY" \
		-F "file=@$(picture "at-once-$i.jpg");type=image/jpeg" \
		"$SERVER_URL/api/media" &
	pids+=($!)
	curl -sS -o /dev/null -H "Authorization: users API-Key $API_KEY" \
		-H 'Content-Type: application/json' \
		-d '[{"task":"ledger"},{"task":"ledger"}]' \
		"$SERVER_URL/api/payload-jobs" &
	pids+=($!)
done
wait "${pids[@]}"
album kept
enqueue script '{"sh":"echo {}"}'
enqueue fail
enqueue noop '{}' '"uniqueKey":"k"'
get '/api/payload-jobs?limit=5'
status_is 200 'jobs are listed'
get /api/payload-jobs/stats
status_is 200 'and counted'
post /api/users/login \
	"{\"email\":\"$ADMIN_EMAIL\",\"password\":\"$ADMIN_PASSWORD\"}"
status_is 200 'somebody logs in'
for _ in 1 2; do
	run_jobs 'allQueues=true&limit=50'
	status_is 200 'a ping'
done
ok 'all but what fails is done' await 20 "answers 0 \"SELECT count(*)
	FROM afterwork.job WHERE task <> 'fail'\""
ledger_rows=$(sql 'SELECT count(*), count(DISTINCT job) FROM tests.ledger')
is "$ledger_rows" '8|8' 'each entry is in the ledger once'
ok 'runners leave' await 10 '[ -z "$(runner_pids)" ]'
is "$(sessions)" "$before" 'the same sessions, as they were'
is "$(sql "SELECT max(n) FROM (SELECT count(*) AS n FROM pg_stat_activity
	WHERE usename ~ '^afterwork_' GROUP BY usename) AS a")" 1 'there was one for each'

# --- it would be seen ---
export DATABASE_URL_RUN=${DATABASE_URL/afterwork@/afterwork_run@}
ok 'a runner that is told of no pooler starts' \
	env DATABASE_POOLED=0 RUNTIME_DIRECTORY="$work" RUNNER_LINGER=0ms \
	LOG_LEVEL=error "$B/tests/functions/run" --detached 2>"$work/err"
isnt "$(sessions)" "$before" 'and leaves what it prepared behind'
done_testing
