#!/bin/bash
# idle-is-idle.t: when nothing is to do nothing is done: no runner, no link to
# the database, no statement; a ping of empty queues costs one link and one
# statement (two are promised).
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
stack_start
album album
home=$(readlink -f "$STATE")
log=$STATE/log/postgresql.log
sql_as postgres "ALTER SYSTEM SET log_statement = 'all'" >/dev/null
sql_as postgres 'ALTER SYSTEM SET log_connections = on' >/dev/null
sql_as postgres 'SELECT pg_reload_conf()' >/dev/null

# Every kind of work once, then the clock runs.
upload "$(picture one.jpg)"
enqueue noop
get '/api/payload-jobs?limit=1'
post /api/users/login \
	"{\"email\":\"$ADMIN_EMAIL\",\"password\":\"$ADMIN_PASSWORD\"}"
status_is 200 'a login'
get '/api/media?limit=1'
run_jobs
await 10 'answers 0 "SELECT count(*) FROM afterwork.job"'
start=$(now_ms)
links() {
	links_of 'afterwork_.*'
}
ok 'there are links while there is work' [ "$(links)" -ge 3 ]
ok 'and none after' await 20 '[ "$(links)" = 0 ]'
took=$(($(now_ms) - start))
ok "within seconds of the last request ($took ms)" [ "$took" -lt 10000 ]
is "$(runner_pids)" '' 'no runner is there'
is "$(slots_held)" 0 'no slot is held'

# said USER: statements and links that the log has of it since $from.
since() {
	from=$(wc -l <"$log")
}
said() {
	tail -n +$((from + 1)) "$log" | grep " $1 LOG:  \|user=$1 "
}
since
sleep 2
is "$(said 'afterwork_[a-z]*')" '' 'nobody asks the database'
is "$(runner_links)" 0 'nor holds on to it'

as cron
since
get '/api/payload-jobs/run?allQueues=true'
body_is .noJobsRemaining true 'a ping finds nothing'
await 5 '! [ "$(links)" != 0 ]'
# A pooler has its links already, and makes settings of its own on them; the
# session behind it not being ours, each statement takes its time-out along.
[ "${DATABASE_POOLED-}" = 1 ] ||
	is "$(said 'afterwork_[a-z]*' | grep -c 'connection authorized')" 1 \
		'it opens one link'
is "$(said 'afterwork_[a-z]*' |
	grep -v -e 'LOG:  statement: SET ' -e "set_config('statement_timeout'" |
	grep -c 'LOG:  \(execute\|statement\)')" 1 'and sends one statement'
is "$(links)" 0 'it leaves no link'
is "$(slots_held)" 0 'and no runner'
get '/api/payload-jobs/run'
body_is .noJobsRemaining true 'the next'

# With 20 functions idle no processor time goes by.
ticks() {
	local part pid child stat
	for part in upload media run status jobs pages users; do
		read -r pid _ <"$STATE/pids/$part"
		for child in $pid $(descendants "$pid"); do
			read -r stat <"/proc/$child/stat"
			set -- ${stat##*) }
			echo $((${12} + ${13}))
		done
	done | awk '{ n += $1 } END { print n }'
}
await 20 '[ "$(links)" = 0 ]'
before=$(ticks)
sleep 2
is $(($(ticks) - before)) 0 'functions use no processor time'
done_testing
