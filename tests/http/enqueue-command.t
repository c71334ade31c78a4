#!/bin/bash
# enqueue-command.t: a job from a shell is checked, stored, and run at once by
# a runner that the command wakes.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
stack_start PINGER=off RUNNER_LINGER=5s

enqueue() {
	"$B/afterwork" enqueue "$@" >"$work/out" 2>"$work/err" </dev/null
	code=$?
	id=$(cat "$work/out")
	err=$(cat "$work/err")
}

enqueue syncMediaToGalleries '{"mediaId": 999999}'
is "$code:$err" 0: 'a job is stored'
like "$id" '^[0-9]+$' 'and its id is printed'
eventually 10 "job_ended $id" 'it is run without any ping'
body_is .hasError false 'to the end'
# Whoever reads both ends of it waits for the command, not for the runner.
await 20 '[ "$(slots_held)" = 0 ]' || bail 'the runner does not leave'
ok 'its output ends with it, and not with the runner' timeout 4 bash -c \
	"out=\$('$B/afterwork' enqueue syncMediaToGalleries '{\"mediaId\": 999999}' 2>&1 </dev/null) &&
	[[ \$out =~ ^[0-9]+\$ ]]"
ok 'which is there still' [ "$(slots_held)" = 1 ]

# ARGUMENTS | what it says
while IFS='|' read -r arguments want; do
	eval "enqueue $arguments"
	is "$code" 1 "refused: $arguments"
	like "$err" "^afterwork: $want" "says: $want"
done <<'END'
nothingOfTheKind|task: The task "nothingOfTheKind" is not registered
syncMediaToGalleries|mediaId: This field is required
syncMediaToGalleries '{"mediaId":"x"}'|mediaId: This field must be a number
syncMediaToGalleries '{"mediaId":1'|invalid input syntax for type json
syncMediaToGalleries '[]'|input: The input must be an object
syncMediaToGalleries '{"mediaId":1}' --priority high|invalid input syntax for type integer
syncMediaToGalleries '{"mediaId":1}' --run-at yesteryear|invalid input syntax for type timestamp
syncMediaToGalleries '{"mediaId":1}' --queue 'a b'|queue: A queue name has
syncMediaToGalleries '{"mediaId":1}' --unique-key x --unique-until noon|uniqueUntil: 
syncMediaToGalleries '{"mediaId":1}' --unique-key x --unique-for soon|invalid input syntax for type interval
syncMediaToGalleries '{"mediaId":1}' --tags red|
END
sql_is 'SELECT count(*) FROM afterwork.job' 0 'nothing of it is stored'

enqueue syncMediaToGalleries '{"mediaId":1}' --queue later --priority 7 \
	--run-at 2100-01-01T00:00:00Z --unique-key k --concurrency-key c \
	--meta '{"from":"shell"}'
first=$id
sql_is "SELECT id, queue, priority, run_at AT TIME ZONE 'UTC', unique_key,
	concurrency_key, meta FROM afterwork.job" \
	"$first|later|7|2100-01-01 00:00:00|k|c|{\"from\": \"shell\"}" \
	'every option is stored'
enqueue syncMediaToGalleries '{"mediaId":1}' --queue later --unique-key k
is "$code:$id" "0:$first" 'a unique key in use gives the job that holds it'
like "$err" 'the unique key is in use' 'and says so'
enqueue syncMediaToGalleries '{"mediaId":2}' --queue later --unique-key k \
	--replace --run-at 2100-01-02T00:00:00Z
is "$id" "$first" 'nor is there another when it replaces'
sql_is "SELECT input ->> 'mediaId', run_at AT TIME ZONE 'UTC' FROM afterwork.job" \
	'2|2100-01-02 00:00:00' 'but the one that waits is changed'
enqueue syncMediaToGalleries '{"mediaId":999999}' --queue later --unique-key k \
	--replace
is "$id" "$first" 'one that is changed to run now'
eventually 10 "job_ended $id" 'is run without any ping'
enqueue syncMediaToGalleries '{"mediaId":3}' --queue later --unique-key period \
	--unique-for '1 hour' --unique-until start --tags '["red","a, b"]' \
	--run-at 2100-01-01T00:00:00Z
sql_is "SELECT unique_until, array_to_string(tags, '|'),
	(SELECT round(extract(epoch FROM until - clock_timestamp()) / 60)
	    FROM afterwork.unique_period WHERE unique_key = 'period')
	FROM afterwork.job WHERE id = $id" 'start|red|a, b|60' \
	'how long the key is taken, and tags'

# The runner is one of those that the functions have: of their user, and none
# beside their slots.
enqueue script '{"sh":"echo \"{\\\"user\\\":$(id -u)}\""}'
ok 'a task is run by a woken runner' job_done "$id"
body_is .output.user "$(stat -c %u "$RUNTIME_DIRECTORY")" \
	'as the user of the functions, whoever enqueues'

# refused FOLDER: nobody is woken there.
refused() {
	RUNTIME_DIRECTORY=$1 enqueue syncMediaToGalleries '{"mediaId":2}'
	is "$code" 0 'a wake-up that fails hides no stored job'
	like "$err" 'the next ping runs the job' 'and says what follows'
	job_ended "$id"
	body_is .completedAt null 'nobody runs it'
}
await 10 "[ -z \"\$(runner_pids)\" ]"
touch "$work/file"
refused "$work/file"
refused "$work/nowhere"
ok 'no folder is made for runners of its own' [ ! -e "$work/nowhere" ]
done_testing
