#!/bin/bash
# exec-not-here.t: a job whose handler is not on this host is left, uncharged, to
# a host that has it; one that cannot be started fails and says why.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/crash/exec.bash
. tests/crash/exec.bash
own=$work/own
mkdir -p "$own/mine" "$own/odd"
echo '{"slug":"mine","handler":"./handler","retries":0}' >"$own/mine/task.json"
echo '{"slug":"odd","handler":"./handler","retries":0}' >"$own/odd/task.json"
printf '#!/bin/sh\necho "{\\"here\\":true}"\n' >"$own/mine/handler"
printf '#!/no/such/interpreter\n' >"$own/odd/handler"
chmod 0755 "$own"/*/handler
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=0ms "TASKS_DIR=tests/tasks:$own"

enqueue mine
ended "$job"
body_is '[.state, .output.here] | @csv' '"done",true' 'a task of one'"'"'s own runs'

is_uncharged() {
	[ "$(sql "SELECT state, attempts, crashes, lease_until IS NULL, log IS NULL
	    FROM afterwork.job WHERE id = $1")" = 'ready|0|0|t|t' ]
}

# By the call, or by a runner that followed the one before and is at it.
is_run() {
	run_jobs
	ended "$lost"
	body_is '[.state, .attempts] | @csv' '"done",1' "$1"
}

left() {
	enqueue mine
	lost=$job
	enqueue noop
	ended "$job"
	body_is .state 'done' "$1: others are run"
	await 5 '[ "$(slots_held)" = 0 ]'
	run_jobs
	body_is '[.noJobsRemaining, (.result.jobStatus | length)] | @csv' 'false,0' \
		"$1: its job is left"
	# The call leaves work, so a runner follows it, which leaves it too.
	eventually 5 "is_uncharged $lost" "$1: uncharged"
	ok "$1: it is said why" grep -q 'task.*mine.*left to other hosts' \
		"$STATE/log/run.log"
}
mv "$own/mine/handler" "$own/mine/away"
left 'without its handler'
mv "$own/mine/away" "$own/mine/handler"
is_run 'it is run when it is here'
chmod 0644 "$own/mine/handler"
left 'without leave to execute'
mv "$own/mine" "$own/moved"
chmod 0755 "$own/moved/handler"
run_jobs
body_is '.result.jobStatus | length' 0 'nor is it run without its folder'
mv "$own/moved" "$own/mine"
is_run 'then it is run'

enqueue odd
ended "$job"
body_is .state failed 'without its interpreter it fails'
body_like .error.message 'could not start ".*/odd/handler": No such file' 'and says why'
printf 'echo\n' >"$own/odd/handler"
enqueue odd
ended "$job"
body_like .error.message 'could not start ".*/odd/handler": Exec format error' \
	'a text without an interpreter is no program'
done_testing
