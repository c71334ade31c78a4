#!/bin/bash
# readme-tasks.t: the tasks of the README, exactly as they stand there, work, and
# so do the ways to call them.
. tests/lib.sh

tasks=$work/tasks
mkdir "$tasks"

# block N LANGUAGE: the N-th such block behind "## Add a task".
block() {
	awk -v n="$1" -v want="\`\`\`$2" '
	/^## / { here = $0 == "## Add a task" }
	!here { next }
	inside && /^```/ { exit }
	inside
	$0 == want && ++k == n { inside = 1 }' README.md
}

# made FOLDER HANDLER N LANGUAGE M: its task.json is the M-th of the json blocks.
made() {
	mkdir "$tasks/$1"
	block "$5" json >"$tasks/$1/task.json"
	block "$3" "$4" >"$tasks/$1/$2"
	chmod 0755 "$tasks/$1/$2"
	ok "$1 is there" [ -s "$tasks/$1/task.json" -a -s "$tasks/$1/$2" ]
}
made greet handler 1 sh 1
made shout handler.py 1 python 2
made count handler.c 1 c 3
ok 'the one in C builds as it says' \
	"${CC:-cc}" -O2 -o "$tasks/count/handler" "$tasks/count/handler.c"
is "$(block 1 sh | wc -l)" 7 'ten lines of shell are even fewer'
stack_start "TASKS_DIR=tests/tasks:$tasks" RUNNER_LINGER=200ms

# The commands, as the reader runs them: afterwork is in the path.
PATH=$(cd "$B" && pwd):$PATH
export DATABASE_URL API_KEY SERVER_URL
block 2 sh >"$work/calls"
is "$(wc -l <"$work/calls")" 3 'there are three calls'
while read -r call; do
	ok "${call%% *} enqueues" quiet bash -c "$call"
done <"$work/calls"
run_jobs
await 10 "[ \"\$(sql 'SELECT count(*) FROM afterwork.history')\" = 3 ]"
sql_is "SELECT DISTINCT task, state, output FROM afterwork.history" \
	'greet|done|{"text": "Hello, Ana"}' 'each greets Ana'
sql_is "SELECT DISTINCT detail ->> 'log' FROM afterwork.history" 'greeting Ana' \
	'and says so in its log'

# job TASK INPUT: runs it to its end.
job() {
	post /api/payload-jobs "{\"task\":\"$1\",\"input\":$2}"
	status_is 201 "$1 $2"
	id=$(jqr .doc.id)
	job_done "$id"
}
job greet '{"name":"nobody"}'
body_is '[.state, .attempts] | @csv' '"failed",1' '65: not tried again'
post /api/payload-jobs '{"task":"greet","input":{}}'
status_is 400 'its input is checked'
job shout '{"text":"hello"}'
body_is .output.text HELLO 'Python answers'
post /api/payload-jobs '{"task":"shout","input":{"text":"busy"}}'
id=$(jqr .doc.id)
await 10 "run_jobs; job_ended $id"
body_is '[.state, .attempts, .output.text] | @csv' '"done",2,"BUSY"' \
	'75: tried again, after its time'
job count '{"a":1}'
body_is '[.state, .output.bytes] | @csv' '"done",8' 'C counts'
body_is '.log[0].log' $'job '"$id" 'and knows its job'

# The one that is compiled in, in a copy of this folder.
tree=$work/tree built=$work/tree/${B#/}
mkdir "$tree"
tar -c --exclude="$B/tests/s*" --exclude="$B/fuzz" Makefile common deploy functions \
	schema tests vercel.json "$B" | tar -x -C "$tree"
count=$tree/functions/tasks/countVisits
mkdir "$count"
block 4 json >"$count/task.json"
block 2 c >"$count/handler.c"
like "$(head -n 1 "$count/handler.c")" countVisits 'the compiled-in one is there'
strict=0
! grep -q -e ' -Werror' "$B/flags" || strict=1
ok 'make builds it' quiet make -C "$tree" all B="$built" DEVELOPER=$strict MAKEFLAGS=
sql 'CREATE SCHEMA shop;
	CREATE TABLE shop.visit (at timestamptz);
	CREATE TABLE shop.day (day date PRIMARY KEY, visits bigint);
	GRANT USAGE ON SCHEMA shop TO afterwork_run;
	GRANT SELECT ON shop.visit TO afterwork_run;
	GRANT INSERT ON shop.day TO afterwork_run'
sql "INSERT INTO shop.visit VALUES ('2026-07-20 10:00Z'), ('2026-07-20 11:00Z'), ('2026-07-21 12:00Z')"
ok 'migrate registers it' quiet env TASKS_DIR= "$built/afterwork" migrate
FUNCTIONS_DIR=$built/functions stack_part restart functions
job countVisits '{"day":"2026-07-20"}'
body_is .state 'done' 'it is done'
sql_is 'SELECT * FROM shop.day' '2026-07-20|2' 'and has its effect'
post /api/payload-jobs '{"task":"countVisits","input":{"day":"2026-07-20"}}'
id=$(jqr .doc.id)
eventually 10 "[ \"\$(sql 'SELECT state FROM afterwork.jobs WHERE id = $id AND attempts > 0')\" = delayed ]" \
	'one that fails is tried again'
sql_is 'SELECT * FROM shop.day' '2026-07-20|2' 'and has none'
done_testing
