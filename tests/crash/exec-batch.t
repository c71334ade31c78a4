#!/bin/bash
# exec-batch.t: quick executables are claimed together, and yet each result is
# told in time, no transaction is open while one runs, a crash is charged to
# the one that ran, and what was done is not done again because the database was
# away for a moment.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/crash/exec.bash
. tests/crash/exec.bash
exec_stack 3s
# PostgreSQL takes its time to come back, where others are at work.
sql "UPDATE afterwork.task SET timeout_ms = 30000 WHERE slug = 'script'"

# several SH…: one script each, in one transaction.
several() {
	local sh list=()
	for sh in "$@"; do
		list+=("$(jq -cn --arg sh "$sh" '{task: "script", input: {$sh}}')")
	done
	post /api/payload-jobs "[$(IFS=, && echo "${list[*]}")]"
	status_is 201 "$# at once"
	mapfile -t ids < <(jqr '.ids[]')
}

ends() {
	ask "SELECT string_agg(coalesce(state, '-'), ' ' ORDER BY i)
	    FROM unnest(ARRAY[$(IFS=, && echo "${ids[*]}")]) i
	    LEFT JOIN (SELECT id, state FROM afterwork.history
	        UNION ALL SELECT id, state FROM afterwork.failed) e ON e.id = i"
	echo "$answer"
}

once() {
	echo "echo \$AFTERWORK_JOB_ID >>$at/ran"
}
slow="$(once); touch $at/slow; while [ ! -e $at/go ]; do sleep 0.02; done"

# The first of a runner teach it that the task is quick, each by an eighth.  How
# quick it is here the machine's other work decides, so it is taught again until
# the four are claimed together.
for round in 1 2 3 4 5 6; do
	rm -f "$at"/*
	several true true true true true true true true true true true true
	ok 'are done' await 15 'answers 0 "SELECT count(*) FROM afterwork.job"'
	several "$(once)" "$(once); exit 65" "$slow" "$(once)"
	ok 'the third is slow' await 10 "[ -e $at/slow ]"
	ok "those before it are told while it runs" await 2 \
		"[ \"\$(ends)\" = 'done failed - -' ]"
	ask "SELECT count(*) FROM afterwork.job WHERE lease_until > now()"
	[ "$answer" -lt 2 ] || break
	note "round $round: claimed apart"
	touch "$at/go"
	await 10 'answers 0 "SELECT count(*) FROM afterwork.job"'
done
is "$answer" 2 'the one behind it is held: they were claimed together'
is "$(sql_as postgres "SELECT string_agg(DISTINCT state, ',')
    FROM pg_stat_activity WHERE application_name = 'afterwork run'")" idle \
	'no transaction is open'
post "/api/payload-jobs/${ids[3]}/cancel"
status_is 202 'it may still be cancelled'
sleep 0.6	# half a second behind another, and it goes back
touch "$at/go"
ok 'all end' await 5 "[ \"\$(ends)\" = 'done failed done cancelled' ]"
is "$(sort "$at/ran" | uniq -d)" '' 'none ran twice'
is "$(wc -l <"$at/ran")" 3 'and the one that was cancelled did not run'

# One of a batch takes the worker along; or rather somebody does.
rm -f "$at"/*
several "$(once)" "$(once); [ -e $at/killed ] || { touch $at/killed; kill -9 \$PPID; sleep 9; }" \
	"$(once)"
ok 'all end though the worker died' await 20 "[ \"\$(ends)\" = 'done done done' ]"
is "$(sql "SELECT string_agg(attempts || ':' || crashes, ' ' ORDER BY id)
    FROM afterwork.history WHERE id >= ${ids[0]}")" '1:0 1:1 1:0' \
	'the one that ran is charged a crash, no other'

# Executables and what is compiled in, in turns.
post /api/payload-jobs "[$(printf '{"task":"ledger","input":{}},{"task":"script","input":{"sh":"true"}},%.0s' 1 2 3 4){\"task\":\"ledger\",\"input\":{}}]"
status_is 201 'both kinds in turns'
ok 'are all done' await 20 'answers 0 "SELECT count(*) FROM afterwork.job"'
ledger_is 5 'once'

# --- the database goes away while one runs ---
rm -f "$at"/*
script "$slow"
ok 'one runs' await 5 "[ -e $at/slow ]"
stack_part restart postgresql
touch "$at/go"
await 15 'answers 0 "SELECT count(*) FROM afterwork.job"'
get "/api/payload-jobs/$job"
body_is '[.state, .attempts, .crashes] | @csv' '"done",1,0' \
	'its result is told to the database that came back'
is "$(wc -l <"$at/ran")" 1 'and it ran once'

# While it cannot be told, it is told again.
rm -f "$at"/*
script "$slow"
ok 'one runs' await 5 "[ -e $at/slow ]"
stack_part stop postgresql
touch "$at/go"
sleep 1
stack_part start postgresql
ok 'its end waited for the database' await 15 'answers 0 "SELECT count(*) FROM afterwork.job"'
get "/api/payload-jobs/$job"
body_is '[.state, .attempts, .crashes] | @csv' '"done",1,0' 'and is told then'
is "$(wc -l <"$at/ran")" 1 'it ran once'
done_testing
