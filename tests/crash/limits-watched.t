#!/bin/bash
# limits-watched.t: seen from inside the tasks, while runners are killed, there
# never run more at a time than slots of the host, places of a key, or places of
# a queue; and the jobs of a key with one place run in order.
#
# Nobody is stopped here: a holder that stands still past its lease may overlap
# with the next, as the contract says; its result is refused (ledger.t).
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/crash/chaos.bash
. tests/crash/chaos.bash
seed=${LEDGER_SEED:-$RANDOM}
stack_start RUNNER_SLOTS=4 RUNNER_LINGER=100ms LOG_LEVEL=warn
home=$(readlink -f "$STATE")
echo "# again: LEDGER_SEED=$seed tests/crash/limits-watched.t"
chaos_open "$seed"
short_leases 700
watched=$work/watched
mkdir -m 0777 "$watched" && chmod 0777 "$watched"

# watch N NAME MS [ARGUMENT]: N jobs that watch NAME; enqueue()'s arguments.
total=0
watch() {
	total=$((total + $1))
	sql "SELECT count(afterwork.enqueue('watch', jsonb_build_object(
	        'folder', '$watched', 'name', $2, 'ms', $3)${4:+, $4}))
	    FROM generate_series(1, $1) n" >/dev/null
}

# drained KIND…: until no job is left, strikes.
drained() {
	local end=$((SECONDS + 60))
	keep_pinging
	until [ "$(sql 'SELECT count(*) FROM afterwork.job')" = 0 ] ||
		[ $SECONDS -ge $end ]; do
		strike "$@"
		sleep 0.2
	done
	chaos_end
	[ $SECONDS -lt $end ]
}

# The most that ran at a time, of each name.
most() {
	local file
	for file in "$watched"/*.seen; do
		echo "$(sort -n "$file" | tail -n 1 | cut -d ' ' -f 1)"
	done | sort | uniq -c | tr -s ' '
}
next() {
	rm -f "$watched"/*
}

# reach WANT N NAME …: watched, until as many ran at a time as may; how many do
# is a matter of luck when runners die.
reach() {
	local want=$1
	shift
	next
	for _ in 1 2 3 4 5 6; do
		watch "$@"
		drained worker guard both || return 1
		[ "$(most)" != "$want" ] || return 0
	done
}

# --- slots ---
ok 'jobs of a host with four slots' reach ' 1 4' 150 "'host'" '(n % 5) * 10'
is "$(most)" ' 1 4' 'four ran at a time, and never five'

# --- keys with one place, in order ---
ok 'jobs of six keys with one place' reach ' 6 1' 150 \
	"'key-' || n % 6" '(n % 4) * 5' "concurrency_key => 'key-' || n % 6"
is "$(most)" ' 6 1' 'one of each ran at a time'
unordered=0
for file in "$watched"/*.seen; do
	cut -d ' ' -f 2 "$file" | sort -n -c 2>/dev/null ||
		unordered=$((unordered + 1))
done
is "$unordered" 0 'in order, those that were tried again too'

# --- a key with three places ---
sql "UPDATE afterwork.task SET concurrency = '{\"key\":\"{name}\",\"max\":3}'
    WHERE slug = 'watch'"
ok 'jobs of a key with three places' reach ' 1 3' 30 "'three'" '80 + n'
is "$(most)" ' 1 3' 'three ran at a time, and never four'
sql "UPDATE afterwork.task SET concurrency = NULL WHERE slug = 'watch'"

# --- a queue ---
sql "SELECT afterwork.limit_queue('default', 2)" >/dev/null
ok 'jobs of a queue that runs two' reach ' 1 2' 30 "'queue'" '80 + n'
is "$(most)" ' 1 2' 'two ran at a time, and never three'

# Whom chance has spared so far is struck now.
sql "SELECT afterwork.limit_queue('default', NULL)" >/dev/null
for kind in worker guard both; do
	for ((i = 0; i < 10 && ${struck[$kind]-0} == 0; i++)); do
		watch 30 "'more'" '80 + n'
		drained "$kind"
	done
done

is "$(sql 'SELECT count(*) FROM afterwork.failed')" 0 'none failed'
is "$(sql 'SELECT count(*) FROM afterwork.place WHERE taken <> 0')" 0 \
	'no place is left taken'
is "$(sql 'SELECT count(*) FROM afterwork.history')" "$total" 'all were done'
for kind in worker guard both; do
	ok "${struck[$kind]-0} times: $kind" [ "${struck[$kind]-0}" -gt 0 ]
done
crashes=$(sql 'SELECT sum(crashes) FROM afterwork.history')
ok "$crashes crashes" [ "$crashes" -gt 0 ]
done_testing
