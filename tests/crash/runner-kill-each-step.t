#!/bin/bash
# runner-kill-each-step.t: kill -9 of the worker, of its guard, or of both at
# each step of a run: at the end every job took effect exactly once.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
points_open
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=200ms
ledger_open

pages=()
for i in 1 2; do
	album "album-$i"
	pages+=("$page")
done

# batch PAIRS: so many pictures and entries of the ledger, queued and awaited
# by nobody.
batch() {
	local list='' i
	ask "INSERT INTO site.media (filename, storage_key, mime_type, filesize,
	        hash)
	    SELECT gen_random_uuid(), gen_random_uuid(), 'image/png', 1, 'x'
	    FROM generate_series(1, $1) RETURNING id"
	for i in $answer; do
		list+=",{\"task\":\"syncMediaToGalleries\",\"input\":{\"mediaId\":$i}}"
		list+=',{"task":"ledger","input":{}}'
	done
	post /api/payload-jobs "[${list#,}]"
	[ "$status" = 201 ]
}

all_done() {
	answers 0 'SELECT count(*) FROM afterwork.job'
}

# What a killed guard leaves comes back when its lease ends: now.
end_leases() {
	await 5 '[ "$(runner_links)" = 0 ]' || return 1
	ask 'UPDATE afterwork.job SET lease_until = clock_timestamp()
	    WHERE lease_until IS NOT NULL'
	ask 'SELECT count(*) FROM afterwork.job'
	stranded=$((stranded + answer))
	run_jobs 'allQueues=true&limit=100'
	[ "$status" = 200 ]
}
stranded=0

# strike POINT WAY [PASSES]: a runner that knows its tasks, so that it claims
# several jobs at once, dies there.
strike() {
	local point=$1 way=$2
	batch 1 && await 10 all_done || return 1
	set_point "$point.$way" "${3-}"
	batch 2 && await_point "$point.$way" || return 1
	# The guard has seen it die, but at the one place where only the
	# database knows what was claimed.
	if [ "$way" != kill ] || [ "$point" = claimed ]; then
		end_leases || return 1
	fi
	await 10 all_done
}

for way in kill parent both; do
	for point in claiming claimed handler handled settling settled \
		idle awake leaving worker-leaves; do
		ok "$way at $point" strike $point $way
	done
	for point in handler handled; do
		ok "$way at the third $point of a batch" strike $point $way 2
	done
done
# Whoever enqueues at that very moment may count on the guard: then a ping is
# what runs the job.
leaving() {
	strike "$1" kill || {
		[ ! -e "$points/$1.kill" ] || return 1
		run_jobs 'allQueues=true&limit=100'
		await 10 all_done
	}
}
for point in giving-back gave-back; do
	ok "the guard dies at $point" leaving $point
done

mend_killed() {
	batch 1 && await 10 all_done || return 1
	set_point handler.kill 1
	set_point mending.kill
	batch 2 && await_point mending.kill && end_leases && await 10 all_done
}
ok 'the guard dies while it mends' mend_killed

jobs=$(sql "SELECT count(*) FROM afterwork.history")
ok "$jobs jobs are done" [ "$jobs" -ge 200 ]
ok "$stranded of them were a dead guard's" [ "$stranded" -ge 20 ]
sql_is 'SELECT count(*) FROM afterwork.failed' 0 'none failed'
ledger_is "$((jobs / 2))" 'each entry is in the ledger once'
sql_is 'SELECT DISTINCT attempts FROM afterwork.history' 1 \
	'each counts one attempt'
sql_is "SELECT sum(crashes) >= 4 AND max(crashes) <= 2
    FROM afterwork.history" t 'those that ran when the worker died know it'
all=$(sql 'SELECT jsonb_agg(id ORDER BY id) FROM site.media' | tr -d ' ')
for page in "${pages[@]}"; do
	is "$(gallery_of "$page")" "$all" \
		'every picture is in the gallery, once'
done
done_testing
