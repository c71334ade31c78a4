#!/bin/bash
# exec-secrets.t: a task runs as the runner's user, but the runner's memory and
# environment are closed to it; and whoever stops a stack as that user still
# finds its runners.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/crash/exec.bash
. tests/crash/exec.bash
[ -z "${SAN-}" ] || skip_all 'a sanitizer looks into the runner, so it is open to all'
# The runner as it is built for use: the tests' own may be looked into.
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=300ms "FUNCTIONS_DIR=$B/functions"
home=$(readlink -f "$STATE")
find_owner

# What a task can read of its parent, the worker, and of the guard above it.
# shellcheck disable=SC2016
look='guard=$(awk "{ print \$4 }" /proc/$PPID/stat)
    for pid in $PPID $guard; do
        for file in environ maps mem auxv fd/0; do
            head -c 1 /proc/$pid/$file >/dev/null 2>&1 && saw+=" $file"
        done
        tr "\0" " " </proc/$pid/cmdline | grep -q run && n=$((n + 1))
    done
    head -c 1 /proc/$$/environ >/dev/null && own=1
    printf "{\"saw\":\"%s\",\"runners\":%d,\"own\":%d}" "$saw" "$n" "$own"'
script "$look"
ended "$job"
body_is '[.output.saw, .output.runners, .output.own] | @csv' '"",2,1' \
	'it looks into neither worker nor guard of a detached runner'
await 10 '[ "$(slots_held)" = 0 ]'
job=$(sql "SELECT afterwork.enqueue('script', '$(jq -cn --arg sh "$look" '{$sh}' |
	sed "s/'/''/g")')")
run_jobs
body_is ".result.jobStatus[\"$job\"].status" success 'a ping runs the same'
as admin
get "/api/payload-jobs/$job"
body_is '[.output.saw, .output.runners, .output.own] | @csv' '"",2,1' \
	'nor of a run call'

# As that user, who may not read their environment either.
limited 'sleep 9'
await 5 '[ "$(slots_held)" = 1 ]'
mine=$(pgrep -f -x "$(readlink -f "$FUNCTIONS_DIR")/run --detached $home/runtime")
is "$(wc -w <<<"$mine")" 2 'a runner tells by its command line whose it is'
found=$("${as_owner[@]}" bash -c 'home=$1; . deploy/stack-process.sh; runners' - \
	"$home")
is "$(grep -cxF "$mine" <<<"$found")" 2 'by which who stops the stack finds it'
ok 'and ends them' quiet deploy/stack stop
is "$(pgrep -f -x ".*/run --detached $home/runtime")" '' 'all of them'
done_testing
