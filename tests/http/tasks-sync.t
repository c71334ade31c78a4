#!/bin/bash
# tasks-sync.t: tasks are registered as their task.json says; what is wrong
# with one is told with file, line and key, and then nothing is registered.
. tests/lib.sh
stack_shared

own=$work/tasks
mkdir -p "$own/mail"
builtin=${TASKS_DIR:-}
program=$(readlink -f "$B/afterwork")

tasks() {
	TASKS_DIR=$builtin:$own "$B/afterwork" tasks sync "$@" \
		>"$work/out" 2>&1
	code=$?
	out=$(cat "$work/out")
}

# The stack's own tasks are there again when the test ends.
trap 'TASKS_DIR=$builtin "$B/afterwork" tasks sync >/dev/null; lib_end' EXIT

mail() {
	printf '%s\n' "$1" >"$own/mail/task.json"
}

registered() {
	sql "SELECT count(*) FROM afterwork.task
		WHERE slug = 'mail' AND retired_at IS NULL"
}

mail '{ "slug": "mail", "label": "Mail", "handler": "./handler",
  "inputSchema": [ { "name": "to", "type": "email", "required": true } ],
  "timeout": "2m", "retries": { "attempts": 5, "backoff": { "type": "fixed" } } }'
tasks
is "$code" 1 'a handler that is not there is refused'
like "$out" "mail/task\.json: line 1: cannot use handler \"\./handler\"" \
	'with the file and the handler'
echo '#!/bin/sh' >"$own/mail/handler"
tasks
like "$out" 'line 1: handler "\./handler" is not an executable file' \
	'one that may not be executed too'
chmod +x "$own/mail/handler"
tasks --check
is "$code" 0 'a check succeeds'
like "$out" "ok mail \($(readlink -f "$own")/mail/handler\)" \
	'and names the handler'
is "$(registered)" 0 'and registers nothing'
tasks
is "$code:$out" '0:task mail added' 'the task is registered'
sql_is "SELECT handler, folder, timeout_ms, retries, backoff, queue
	FROM afterwork.task WHERE slug = 'mail'" \
	"$(readlink -f "$own")/mail/handler|$(readlink -f "$own")/mail|120000|5|fixed|default" \
	'as its task.json says'
tasks
is "$out" 'up to date' 'the second time there is nothing to do'

# TASK.JSON | what is wrong with it
while IFS='|' read -r json want; do
	mail "$(printf '%b' "$json")"
	tasks
	is "$code" 1 "refused: $json"
	like "$out" "^afterwork: [^ ]*mail/task\.json: $want" "says: $want"
done <<'END'
{"slug":"mail",\n"retrys":3}|line 2: retrys is an unknown key
{"slug":"mail",\n"retries":{\n"backof":3}}|line 3: retries\.backof is an unknown key
{"slug":"mail",\n\n}|line 3: this is not JSON
{"slug":"two words"}|line 1: slug must begin with a letter
{"slug":"mail",\n"timeout":"6m"}|line 2: a timeout of 360 s does not fit into the 300 s
{"slug":"mail",\n"timeout":"295001ms"}|line 2: a timeout of 296 s does not fit into the 300 s .* that a runner has, 5 s of them to start in; at most 295 s do
{"slug":"mail","schedule":[\n{"cron":"0 7 * * MON"}]}|line 2: schedule\.0\.cron is no schedule
{"slug":"mail","schedule":[\n{"cron":"0 0 30 2 *"}]}|line 2: schedule\.0\.cron is no schedule: .* never comes
{"slug":"mail","schedule":[{"cron":"0 7 * * *",\n"timezone":"Mars/Base"}]}|line 2: schedule\.0\.timezone "Mars/Base" is not known
{"slug":"mail","schedule":[{"cron":"0 7 * * *","timezone":"UTC+2"}]}|line 1: schedule\.0\.timezone "UTC\+2" is not known
{"slug":"mail","schedule":[{"cron":"0 7 * * *"},\n{"cron":"0 7 * * *"}]}|line 2: schedule\.1\.cron is there twice
{"slug":"mail","handler":"./handler",\n"settings":["SMTP_URL"]}|line 2: settings are given to built-in tasks only
{"slug":"mail",\n"settings":["SMTP_URL"]}|line 2: settings are for a task with a handler
{"slug":"mail","inputSchema":[{"name":"a","type":"soup"}]}|line 1: inputSchema\.0\.type "soup" is not known
END
sql_is "SELECT timeout_ms FROM afterwork.task WHERE slug = 'mail'" 120000 \
	'the registration is as it was'

# A schedule whose jobs would be refused: it is told, the task is taken.
mail '{ "slug": "mail", "inputSchema": [ { "name": "to", "type": "email", "required": true } ],
  "schedule": [ { "cron": "0 7 * * *", "timezone": "Europe/Ljubljana" } ] }'
unfed='task mail: its schedule makes no jobs: their input is \{\}, and its inputSchema requires "to"'
tasks --check
like "$out" "$unfed" 'a schedule that lacks input is told by a check'
tasks
is "$code" 0 'it is no error'
like "$out" "^task mail changed
$unfed$" 'and told when it is registered'
sql_is "SELECT cron, timezone, queue, missed FROM afterwork.schedule WHERE task = 'mail'" \
	'0 7 * * *|Europe/Ljubljana|default|skip' 'with its schedule'
tasks
is "$out" 'up to date' 'once'

mail '{"slug":"mail"}'
mkdir "$own/other"
echo '{"slug":"mail"}' >"$own/other/task.json"
tasks
is "$code" 1 'a slug that is there twice is refused'
like "$out" 'task "mail" is there twice: in .*mail/task\.json and .*other/task\.json' \
	'and both files are named'
mv "$own/other/task.json" "$own/other/tasks.json"
tasks
is "$code:$out" "1:afterwork: $own/other/task.json: there is no such file, and \
so no task in its folder" 'a folder without a task.json is refused by its name'
mv "$own/other" "$own/.other"
tasks
is "$out" 'task mail changed' 'a task that changed is registered anew'
sql_is "SELECT handler IS NULL, timeout_ms, retries FROM afterwork.task
	WHERE slug = 'mail'" 't|30000|3' 'with the defaults'

echo '{"functions":{"functions/run.c":{"maxDuration":20}}}' >"$work/vercel.json"
tasks --config "$work/vercel.json"
like "$out" 'does not fit into the 20 s \(maxDuration' \
	'maxDuration is the limit of every task'
MAX_DURATION=25 tasks
like "$out" 'does not fit into the 25 s' 'or what the runner is told instead'
sed -i s/20/800/ "$work/vercel.json"
mail '{"slug":"mail","timeout":"600s"}'
(cd "$work" && TASKS_DIR=$own "$program" tasks sync --check) >"$work/out" 2>&1
is "$?" 1 'what vercel.json alone gives it no runner here has'
like "$(cat "$work/out")" 'into the 300 s .*; at most 295 s do; MAX_DURATION=800, here and for the functions, gives it' \
	'and what would is said'
(cd "$work" && TASKS_DIR=$own MAX_DURATION=800 "$program" tasks sync --check) \
	>"$work/out" 2>&1
is "$?" 0 'with that it is taken'
mail '{"slug":"mail"}'
MAX_DURATION=5 tasks
like "$out" 'does not fit into the 5 s .* to start in; MAX_DURATION=300' \
	'where none fits, none is named'

# The longest timeout that is taken: its jobs are run, whoever runs them.
mail '{"slug":"mail","handler":"./handler","timeout":"295s"}'
tasks
is "$out" 'task mail changed' 'the longest timeout that fits is taken'
job=$(sql "SELECT afterwork.enqueue('mail', queue => 'mail-$$')")
run_jobs "queue=mail-$$"
body_is ".result.jobStatus[\"$job\"].status" success 'and a ping runs its job'
as admin
post /api/payload-jobs '{"task":"mail","input":{}}'
ok 'as a detached runner does' job_done "$(jqr .doc.id)"
body_is '[.state, .attempts] | @csv' '"done",1' 'at once'
mail '{"slug":"mail"}'
tasks

# No runner has its handler.
job=$(sql "SELECT afterwork.enqueue('mail', queue => 'mail-$$')")
run_jobs "queue=mail-$$"
body_is '[.noJobsRemaining, .result.jobStatus] | tostring' '[false,{}]' \
	'a job of a task that no runner has waits'
mv "$own/mail" "$work/mail"
tasks
is "$code:$out" '0:task mail retired: no folder of tasks has it' \
	'a task that is gone is retired'
# A runner that lingers may be quicker than the ping.
run_jobs "queue=mail-$$"
ok 'and the job that waited ends' job_done "$job"
body_is '[.state, .attempts, .error.message] | @csv' \
	'"failed",1,"The task is no longer registered."' 'once, with why'
as admin
post /api/payload-jobs '{"task":"mail","input":{}}'
status_is 400 'and takes no jobs'
mv "$work/mail" "$own/mail"
tasks
is "$out" 'task mail changed' 'it may come back'
own=$work/nowhere
tasks
is "$code" 1 'a folder that is not there is an error, and retires nothing'
is "$(registered)" 1 'the task is still registered'
done_testing
