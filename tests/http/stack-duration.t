#!/bin/bash
# stack-duration.t: how long a runner may last is said once, in vercel.json: the
# functions, the registration of tasks and nginx all go by it.
. tests/lib.sh

# A checkout with a vercel.json of its own.
mkdir -p "$work/own/functions" "$work/tasks/long"
cp -R deploy "$work/own/"
cp -R functions/admin functions/openapi.json "$work/own/functions/"
seconds() {
	echo "{\"functions\":{\"functions/run.c\":{\"maxDuration\":$1}}}" \
		>"$work/own/vercel.json"
}
echo '{"slug":"long","handler":"./handler","timeout":"600s"}' \
	>"$work/tasks/long/task.json"
printf '#!/bin/sh\n' >"$work/tasks/long/handler"
chmod +x "$work/tasks/long/handler"

built=$B
case $B in /*) ;; *) built=$PWD/$B ;; esac
state=$work/state port=$(free_port)
mine() {
	env -u FUNCTIONS_DIR -u MAX_DURATION B="$built" STATE="$state" \
		PORT="$port" PINGER=off TASKS_DIR="$work/tasks" "${@:2}" \
		"$work/own/deploy/stack" "$1"
}
trap 'mine stop >/dev/null 2>&1; lib_end' EXIT

seconds 300
said=$(mine start 2>&1)
is $? 1 'a task that is too long is refused at the start'
like "$said" 'a timeout of 600 s does not fit into the 300 s .*; at most 295 s do' \
	'and why is said'
seconds 800
said=$(mine start 2>&1)
is $? 0 'with more time in vercel.json it is taken' || diag "$said"
STATE=$state
stack_use
read -r pid _ <"$STATE/pids/run"
is "$(tr '\0' '\n' <"/proc/$pid/environ" | grep ^MAX_DURATION)" \
	MAX_DURATION=800 'the functions are told'
is "$(grep -c 'fastcgi_read_timeout 830s;' "$STATE/conf/afterwork.conf")" 2 \
	'and nginx waits for longer'
job=$(sql "SELECT afterwork.enqueue('long')")
run_jobs
body_is ".result.jobStatus[\"$job\"].status" success 'a ping runs its job'
as admin
post /api/payload-jobs '{"task":"long","input":{}}'
ok 'and so does a detached runner' job_done "$(jqr .doc.id)"
body_is .state 'done' 'which was told, too'

# What is none.
said=$(mine start MAX_DURATION=long 2>&1)
like "$?:$said" '^1:.*MAX_DURATION is not a number of seconds: long$' \
	'what is no number is refused'
seconds 5000
said=$(mine start 2>&1)
like "$?:$said" '^1:stack: .*maxDuration must be a whole number from 1 to 1800$' \
	'or a vercel.json that is wrong'
done_testing
