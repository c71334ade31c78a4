#!/bin/bash
# exec-contract.t: an executable gets what a task is promised and nothing of the
# runner's; its exit status says what becomes of the job; output, log, times and
# progress are kept.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/crash/exec.bash
. tests/crash/exec.bash
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=300ms

# Where tasks can leave what they have seen.
seen=$work/seen
install -d -m 0777 "$seen"

# --- what it gets ---
# shellcheck disable=SC2016
script "ls /proc/self/fd >$seen/fds
    grep -E '^Sig(Blk|Ign)' /proc/self/status >$seen/signals"'
    jq -n --arg env "$(env -0 | tr "\0" "\n" | sort)" --arg cwd "$PWD" \
    --arg core "$(ulimit -c)" --argjson input "$input" \
    --arg ids "$(ps -o pid=,pgid=,sid= -p $$)" \
    "{\$env, \$cwd, \$core, \$input, \$ids}"' \
	'"meta":{"traceparent":"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"}'
ended "$job"
body_is .state 'done' 'an executable runs'
env=$(jqr .output.env)
is "$(sed 's/=.*//' <<<"$env" | grep -vxE 'HOME|TZ|_|SHLVL|PWD|OLDPWD' | xargs)" \
	'AFTERWORK_ATTEMPT AFTERWORK_JOB_ID AFTERWORK_LEASE AFTERWORK_QUEUE AFTERWORK_TASK AFTERWORK_TIMEOUT LANG PATH TRACEPARENT' \
	'its environment is what is promised'
lease=$(jqr .leaseNo)
is "$(grep -E '^AFTERWORK_' <<<"$env" | xargs)" \
	"AFTERWORK_ATTEMPT=1 AFTERWORK_JOB_ID=$job AFTERWORK_LEASE=$lease AFTERWORK_QUEUE=default AFTERWORK_TASK=script AFTERWORK_TIMEOUT=3" \
	'with the values of this attempt'
like "$env" 'TRACEPARENT=00-0123456789abcdef0123456789abcdef-0123456789abcdef-01' \
	'a trace goes on'
for secret in "$CRON_SECRET" "$API_KEY" afterwork_run; do
	unlike "$env" "$secret" "no ${secret:0:9}… in it"
done
body_is .output.cwd "$(readlink -f tests/tasks/script)" "its folder is the task's"
is "$(xargs <"$seen/fds")" '0 1 2 3 4' \
	'four descriptors are open (4 is what ls reads)'
is "$(awk '{ print $2 }' "$seen/signals" | tr -d '0\n')" '' \
	'no signal is blocked or ignored'
body_is .output.core 0 'it leaves no core'
body_is '.output.input | keys | tostring' '["sh"]' 'its input is the input'
is "$(jqr .output.ids | awk '{ print ($1 == $2 && $2 == $3) }')" 1 \
	'it leads a session and a group of its own'

script 'echo "{\"trace\":\"$TRACEPARENT\"}"'
ended "$job"
body_like .output.trace '^00-[0-9a-f]{32}-[0-9a-f]{16}-01$' \
	'without a trace, one begins'
script 'head -c 3000000 /dev/zero | tr "\0" x >/dev/null; exec 0<&-; echo "{}"'
ended "$job"
body_is .state 'done' 'input that is not read harms nobody'
# shellcheck disable=SC2016
jq -cn --arg sh 'echo "{\"n\":${#input}}"' \
	'{task: "script", input: {$sh, x: ("x" * 300000)}}' >"$work/big.json"
post /api/payload-jobs "@$work/big.json"
job=$(jqr .doc.id)
ended "$job"
ok 'a large input arrives whole' [ "$(jqr .output.n)" -gt 300000 ]

# --- what its end means ---
# CODE | STATE | ATTEMPTS | OUTCOMES | ERROR
while IFS='|' read -r sh state attempts outcomes error; do
	script "$sh"
	ended "$job"
	is "$(jqr '[.state, .attempts, (.log | map(.outcome) | join(","))] | join("|")')" \
		"$state|$attempts|$outcomes" "$sh: $state"
	[ -z "$error" ] || body_like .error.message "$error" '  and says why'
done <<'END'
exit 0|done|1|succeeded|
exit 3|failed|2|failed,failed|ended with exit status 3\.
exit 65|failed|1|failed|no use \(exit status 65\)
exit 78|failed|1|failed|no use \(exit status 78\)
exit 75|failed|2|failed,failed|asked to be tried again
kill -SEGV $$|failed|2|failed,failed|ended by SIGSEGV\.
kill -KILL $$|failed|2|failed,failed|ended by SIGKILL\.
echo "[1]"|failed|2|failed,failed|not one JSON object
echo "{} {}"|failed|2|failed,failed|not one JSON object
echo hello|failed|2|failed,failed|not one JSON object
exit 79|failed|2|failed,failed|no number of seconds under "snooze"
head -c 1100000 /dev/zero|failed|2|failed,failed|more than 1048576 bytes
if [ $AFTERWORK_ATTEMPT = 1 ]; then exit 9; fi|done|2|failed,succeeded|
END
body_is .completedAt "$(jqr '.log[1].finishedAt')" 'the last is done at its second try'

start=$(now_ms)
script 'echo "{\"retry_after\":1.5}"; [ $AFTERWORK_ATTEMPT = 2 ] || exit 75'
run_until_ended "$job"
body_is .state 'done' 'retry_after is waited for'
took=$(($(now_ms) - start))
ok "($took ms)" [ "$took" -ge 1500 ] && ok 'not longer' [ "$took" -lt 6000 ]

script "[ -e $seen/once ] || { touch $seen/once; echo '{\"snooze\":1}'; exit 79; }"
await 5 "[ -e $seen/once ]"
ok 'one that snoozes is delayed' await 5 \
	"answers 'delayed|0' 'SELECT state, attempts FROM afterwork.job WHERE id = $job'"
run_until_ended "$job"
body_is '[.state, .attempts, (.log | map(.outcome) | join(","))] | join("|")' \
	'done|1|snoozed,succeeded' 'and not charged for it'

# --- what is kept ---
script 'printf "caf\303\251 \377\0end\n" >&2; head -c 20000 /dev/zero | tr "\0" y >&2
    echo last >&2; x=$(head -c 30000000 /dev/urandom | sha256sum); exit 3'
ended "$job"
body_is '.log[0].exitStatus' 3 'the exit status is kept'
like "$(jqr '.log[0].log')" 'yyylast.?$' 'with the end of the log'
is "$(jqr '.log[0].log | utf8bytelength')" 16384 'its last 16 KiB'
ok 'the CPU time' [ "$(jqr '.log[0].cpuSeconds > 0.01')" = true ]
ok 'and the peak of its memory' [ "$(jqr '.log[0].peakMemoryBytes > 1000000')" = true ]
script 'printf "caf\303\251 \377\0end" >&2'
ended "$job"
body_is '.log[0].log' $'caf\u00e9 \ufffd\ufffdend' 'the log is made valid text'
script 'kill -ABRT $$'
ended "$job"
body_is '.log[0].signal' SIGABRT 'a signal by its name'

# Of each attempt, one that is tried again or put off too.
# shellcheck disable=SC2016
script 'echo "{\"progress\":0.$AFTERWORK_ATTEMPT}" >&3; echo "{\"n\":$AFTERWORK_ATTEMPT}"
    [ $AFTERWORK_ATTEMPT = 2 ]'
ended "$job"
body_is '.log | map([.attempt, .output.n, .progress.progress] | tostring) | join(" ")' \
	'[1,1,0.1] [2,null,0.2]' 'the output and the progress of an attempt that failed'
body_is .output.n 2 'that of the last is the job'"'"'s'
script "[ -e $seen/later ] || { touch $seen/later; echo '{\"snooze\":1,\"why\":\"early\"}'; exit 79; }"
await 5 "[ -e $seen/later ]"
run_until_ended "$job"
body_is '.log[0] | [.outcome, .output.why] | @csv' '"snoozed","early"' 'of one that was put off'
script 'echo "{\"why\":\"bad\"}"; exit 65'
ended "$job"
body_is '[.output.why, .log[0].output.why] | @csv' '"bad","bad"' 'of one that is not tried again'
script 'echo "{\"progress\":0.7}" >&3; echo "{\"so\":\"far\"}"; sleep 9'
ended "$job"
body_is '.log[0] | [.progress.progress, .output.so] | @csv' '0.7,"far"' 'of one that was late'
script 'printf "{\"x\":\"%020000d\"}" 1; exit 65'
ended "$job"
body_is '[(.output.x | length), .log[0].output] | @csv' '20000,' 'a long one stays with the job alone'

# --- progress ---
script 'echo "what" >&3; echo "{\"progress\":7}" >&3
    echo "{\"progress\":0.4,\"message\":\"half\",\"x\":1}" >&3; sleep 2'
ok 'progress is shown while it runs' await 3 "progress_is $job '{\"message\":\"half\",\"progress\":0.4}'"
ended "$job"
body_is .state 'done' 'and it ends well'
body_is .progress null 'with no progress then'
done_testing
