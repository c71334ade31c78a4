#!/bin/bash
# wakeup-never-lost.t: a job that comes while the only runner is anywhere on
# its way out, or a run call holds its slot, is run at once: no ping is needed.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
points_open
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=100ms

by_upload() {
	upload "$(picture "u$((++uploads)).jpg")"
	job=$(jqr .job.id)
	[ "$status" = 201 ]
}
uploads=0

by_jobs() {
	enqueue noop
}

# The job's end came within two seconds of $since, by the database's clock.
soon() {
	await 10 '[ -n "$(job_end "$job")" ]' || {
		note "job $job does not run"
		run_jobs
		return 1
	}
	answers t "SELECT finished_at < '$since'::timestamptz + interval '2 s'
	    FROM afterwork.history WHERE id = $job"
}

# What the runner is doing when it is stopped: SLOTS is free or held.
while_stopped() {
	local waker=$1 point=$2
	"by_$waker" || return 1
	is_stopped "$stopped" || return 1
	[ "$point" = gave-back ] || [ -z "$(job_end "$job")" ]
}

go_on() {
	ask 'SELECT clock_timestamp()'
	since=$answer
	kill -CONT "$stopped"
}

for waker in upload jobs; do
	for point in claiming claimed handler handled settling settled \
		idle awake leaving worker-leaves giving-back \
		gave-back; do
		set_point "$point.stop"
		enqueue noop
		await_stopped "$point" || bail "no runner came by $point"
		ok "at $point: taken by $waker" while_stopped "$waker" "$point"
		go_on
		ok "at $point: run within 2 s" soon
	done
done

# One that is killed before it has its slot keeps nobody from being started.
for waker in upload jobs; do
	await 10 '[ "$(slots_held)" = 0 ]'
	set_point starting.kill
	"by_$waker"
	first=$job
	await_point starting.kill || bail 'no runner came'
	ask 'SELECT clock_timestamp()'
	since=$answer
	"by_$waker"
	ok "after one that died at its start: run within 2 s ($waker)" soon
	job=$first
	ok 'and so is what that one was to run' soon
done
# One that takes its time is waited for: no other is started beside it.
await 10 '[ "$(slots_held)" = 0 ]'
set_point starting.stop
enqueue noop
first=$job
await_stopped starting || bail 'no runner came'
ok 'its start is marked' is_starting
enqueue noop
sleep 0.3
ok 'while one is starting no other is' [ "$(runner_pids | wc -w)" = 1 ]
go_on
ok 'it runs what came meanwhile' soon
job=$first
ok 'and what it came for' soon
ok 'the mark is gone' eval '! is_starting'

# One that does not linger leaves without another look, if nobody called.
calls() {
	ask "SELECT string_agg(funcname, ' ' ORDER BY funcname)
	    FROM pg_stat_user_functions WHERE schemaname = 'afterwork'
	    AND funcname IN ('claim', 'claim_first', 'settle', 'settle_first')"
	[ "$answer" = "$1" ]
}
linger() {
	await 10 '[ "$(slots_held)" = 0 ]'
	stack_part stop functions
	export RUNNER_LINGER=$1
	stack_part start functions
}
linger 0
sql_as postgres "ALTER ROLE afterwork_run SET track_functions = 'all'"
enqueue noop
# A pooler's sessions are old, and no runner's first claim is theirs.
[ "${DATABASE_POOLED-}" = 1 ] && note 'not asked: how many claims' ||
	ok 'without lingering: one claim and one settlement, of the first kind' \
		await 10 'calls "claim_first settle_first"'
for point in claimed handler settled leaving worker-leaves gave-back; do
	set_point "$point.stop"
	enqueue noop
	await_stopped "$point" || bail "no runner came by $point"
	ok "without lingering, at $point: taken" while_stopped jobs "$point"
	go_on
	ok "without lingering, at $point: run within 2 s" soon
done
linger 100ms

# A run call has the slot, and leaves for good after it.
while_called() {
	await 10 '[ "$(runner_links)" = 0 ]'
	set_point "$1.stop"
	as cron
	curl -s -o "$work/called" -H "Authorization: $authorization" \
		"$SERVER_URL/api/payload-jobs/run?$2" &
	as admin
	await_stopped "$1" || bail "the run call did not come by $1"
	ok "a run call at $1 ($2)" while_stopped jobs "$1"
	go_on
	wait "$!"
	ok "a run call at $1 ($2): run within 2 s" soon
}
for point in claiming claimed leaving worker-leaves giving-back gave-back; do
	while_called $point allQueues=true
	while_called $point queue=elsewhere
done

# A runner that lingers, but has no time left for the job: noop may take 30 s.
old_runner() {
	read -r pid _ <"$STATE/pids/upload"
	mapfile -d '' vars < <(grep -zv '^RUNNER_LINGER=' "/proc/$pid/environ")
	find_owner
	program=$(readlink -f "$FUNCTIONS_DIR")/run
	(cd "$(readlink -f "$STATE")" && exec env -i "${vars[@]}" \
		RUNNER_LINGER=9s MAX_DURATION=31 "${as_owner[@]}" \
		"$program" --detached) \
		2>>"$work/runner.log" &
}
await 10 '[ "$(slots_held)" = 0 ]'
job=$(sql "SELECT afterwork.enqueue('noop')")
old_runner
ok 'a runner with 31 s runs a job of 30 s' ends_as "$job" 'done'
sleep 1.5
ok 'it lingers' [ "$(slots_held)" = 1 ]
ask 'SELECT clock_timestamp()'
since=$answer
by_jobs
ok 'it hands the next over, which is run within 2 s' soon
# shellcheck disable=SC2046
kill -TERM $(runner_pids)
ok 'told to end, its heir leaves' await 10 '[ "$(slots_held)" = 0 ]'

# Single jobs, each when the runner of the last one may be leaving.
linger 10ms
lost=0
for ((i = 0; i < 500; i++)); do
	post /api/payload-jobs '{"task":"noop"}'
	for ((k = 0; ; k++)); do
		answers 0 'SELECT count(*) FROM afterwork.job' && break
		if [ "$k" = 400 ]; then
			lost=$((lost + 1))
			run_jobs
			break
		fi
		nap_us 5000
	done
	nap_us $((RANDOM % 30000))
done
is "$lost" 0 'of 500 single jobs none waits for two seconds'
sql_is "SELECT count(*) > 500 FROM afterwork.history WHERE state = 'done'" t \
	'all of them are done'
done_testing
