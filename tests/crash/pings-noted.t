#!/bin/bash
# pings-noted.t: that pings come is noted for the doctor, by run calls alone and
# every ten minutes, so that nearly every empty ping costs one statement, and
# the others two.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
stack_start
album album
log=$STATE/log/postgresql.log
sql_as postgres "ALTER SYSTEM SET log_statement = 'all'" >/dev/null
sql_as postgres 'SELECT pg_reload_conf()' >/dev/null

# The time that is noted, and which version of the row it is.
noted() {
	sql "SELECT coalesce(pinged_at > now() - interval '1 minute', false), xmin
		FROM afterwork.upkeep"
}
# last TIME: the last ping came then.
last() {
	sql "UPDATE afterwork.upkeep SET pinged_at = $1"
	before=$(noted)
}
# ping STATEMENTS WHAT: of an empty ping.
ping() {
	local from
	from=$(wc -l <"$log")
	run_jobs
	body_is .noJobsRemaining true "$2"
	is "$(tail -n +$((from + 1)) "$log" | grep ' afterwork_run LOG:  ' |
		grep -v -e 'LOG:  statement: SET ' -e "set_config('statement_timeout'" |
		grep -c 'LOG:  \(execute\|statement\)')" "$1" "  $1 statements"
}
idle() {
	await 20 'answers 0 "SELECT count(*) FROM afterwork.job" &&
		[ -z "$(runner_pids)" ]' || bail 'the stack is not idle'
}

# --- who was woken is no ping, also where he keeps the house ---
idle
last NULL
like "$before" '^f\|' 'no ping has come'
sql "UPDATE afterwork.upkeep SET next_at = now() - interval '1 s'"
upload "$(picture one.jpg)"
eventually 10 'answers t "SELECT next_at > now() FROM afterwork.upkeep"' \
	'an upload starts a runner, which keeps the house'
enqueue noop
idle
like "$(noted)" '^f\|' 'and notes no ping'
get /api/payload-jobs/handle-schedules
status_is 200 'a call that runs nothing'
before=$(noted)
like "$before" '^f\|' 'is none either'

# --- a run call is one ---
ping 2 'the first ping'
like "$(noted)" '^t\|' 'is noted'
before=$(noted)
ping 1 'the second'
is "$(noted)" "$before" 'writes nothing'
last "now() - interval '9 minutes'"
ping 1 'one after nine minutes'
is "$(noted)" "$before" 'writes nothing'
last "now() - interval '11 minutes'"
ping 2 'one after eleven'
like "$(noted)" '^t\|' 'is noted'

# --- and one that reaches its limit, too ---
idle
last NULL
sql "SELECT afterwork.enqueue('noop', '{}'), afterwork.enqueue('noop', '{}')" >/dev/null
run_jobs 'limit=1'
body_is '.result.jobStatus | length' 1 'a call that runs what it may'
like "$(noted)" '^t\|' 'is noted'
done_testing
