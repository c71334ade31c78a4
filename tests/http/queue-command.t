#!/bin/bash
# queue-command.t: queues are listed, paused, resumed and limited from a shell.
. tests/lib.sh
stack_start PINGER=off
queue() {
	"$B/afterwork" queue "$@" >"$work/out" 2>"$work/err" </dev/null
	code=$?
	out=$(cat "$work/out")
	err=$(cat "$work/err")
}
# row: of the queue that is listed
row() {
	awk -v name="$1" '$1 == name { $1 = ""; print substr($0, 2) }' "$work/out"
}

queue
is "$code:$err" 0: 'queues are listed'
is "$(row default)" '0 0 0 0 open none' 'with what they hold'
queue pause default
is "$code:$out:$err" 0:: 'one is paused'
id=$(sql "SELECT afterwork.enqueue('syncMediaToGalleries', '{\"mediaId\": 999999}')")
queue list
is "$(row default)" '1 0 0 0 paused none' 'its jobs wait'
queue resume default
is "$code" 0 'it is resumed'
eventually 10 "job_ended $id" 'and its jobs are run without any ping'
queue limit default 3
is "$code" 0 'it is limited'
queue
is "$(row default)" '0 0 0 0 open 3' 'which is listed'
sql_is "SELECT max, taken FROM afterwork.place WHERE queue = 'default' AND key = ''" '3|0' 'and kept'
queue limit default none
queue
is "$(row default)" '0 0 0 0 open none' 'no longer'

# --- more room wakes a runner: no ping, and nobody else comes here ---
# (One that lingered would take what comes by chance.)
add() {
	sql "SELECT afterwork.enqueue('$task', '{\"mediaId\": 999999}')"
}
task=syncMediaToGalleries
state() {
	sql "SELECT state FROM afterwork.jobs WHERE id = $1"
}
queue limit default 1
ok 'no runner is there' await 10 '[ -z "$(runner_pids)" ]'
long=$(add)
sql_is "SELECT id FROM afterwork.claim(NULL, '', '{$task}', '{$task}',
	1, 60000)" "$long" 'the one job that may run does'
while IFS='|' read -r room what; do
	waits=$(add)
	ok 'no runner is there' await 10 '[ -z "$(runner_pids)" ]'
	is "$(state "$long") $(state "$waits")" 'running ready' \
		'another waits behind it'
	queue limit default "$room"
	is "$code" 0 "$what"
	eventually 10 "job_ended $waits" 'and it is run at once'
	sql "SELECT afterwork.limit_queue('default', 1)" >/dev/null
done <<'END'
2|the limit is raised
none|the limit is removed
END
is "$(state "$long")" running 'the first one runs on'
sql "DELETE FROM afterwork.job; SELECT afterwork.limit_queue('default', NULL)" \
	>/dev/null

# ARGUMENTS | status | what it says
while IFS='|' read -r arguments want says; do
	eval "queue $arguments"
	is "$code" "$want" "refused: $arguments"
	like "$err" "$says" "says: $says"
done <<'END'
pause nobody|1|there is no queue "nobody"
limit nobody 3|1|there is no queue "nobody"
limit default 0|1|a number from 1 on
limit default many|1|a number from 1 on
limit default 99999999999|1|a number from 1 on
limit default|64|say list, pause QUEUE
pause|64|say list, pause QUEUE
dance default|64|say list, pause QUEUE
END
done_testing
