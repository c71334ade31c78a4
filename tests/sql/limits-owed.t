#!/bin/bash
# limits-owed.t: a job that was locked when a place of its key was given back is
# let in by the next claim, whatever it was locked for; nothing waits for that.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone limits_owed
task one '"concurrency":{"key":"{k}","max":1}'
task two '"concurrency":{"key":"{k}","max":2}'
task newest '"concurrency":{"key":"{k}","max":1,"supersedes":true}'

claim() {
	sql "SELECT coalesce(string_agg(id::text, ' ' ORDER BY priority, run_at, id), '')
		FROM afterwork.claim(NULL, '', '{one,two,newest}', '{one,two,newest}',
		100, 60000) WHERE id IS NOT NULL"
}
settle() {
	sql "SELECT afterwork.settle(queue, ARRAY[id], ARRAY[lease_no], '{done}', '{0}',
		'{1}', '{1}', '{NULL}', '{NULL}', '{NULL}')
		FROM afterwork.job WHERE id = $1" >/dev/null
}
# add TASK N: the ids, in claim order
add() {
	sql "SELECT afterwork.enqueue('$1', '{\"k\":\"$1\"}') FROM generate_series(1, $2)" | xargs
}
owed() {
	sql "SELECT coalesce(string_agg(key, ' ' ORDER BY key), '') FROM afterwork.owed"
}
# other SQL: in a transaction of somebody else's, which stays open
other() {
	exec {tx}> >(exec psql -XqAt "$direct" >"$work/tx" 2>&1)
	tx_pid=$!
	echo "BEGIN; $1; SELECT 'is open';" >&$tx
	await 20 'grep -q "is open" "$work/tx"' || bail "$(cat "$work/tx")"
}
end() {
	echo "$1;" >&$tx
	exec {tx}>&-
	wait "$tx_pid"
}
clear() {
	sql 'TRUNCATE afterwork.job, afterwork.history, afterwork.place, afterwork.owed'
}

# --- one that a newer job was about to make needless, but that was undone ---
first=$(add newest 1)
is "$(claim)" "$first" 'one runs'
next=$(add newest 1)
is "$(claim)" '' 'the next one waits'
other "SELECT afterwork.enqueue('newest', '{\"k\":\"newest\"}')"
PGOPTIONS='-c lock_timeout=1s' settle "$first"
is "$(owed)" newest 'its place is given back while it is locked'
is "$(claim)" '' 'nobody can claim it'
is "$(owed)|$(sql 'SELECT next_ms FROM afterwork.outlook(NULL)')" 'newest|100' \
	'and a runner looks again soon'
end ROLLBACK
is "$(claim)" "$next" 'undone, it is what the next claim takes'
is "$(owed)|$(sql 'SELECT next_ms FROM afterwork.outlook(NULL)')" '|' 'and nothing is owed'
settle "$next"
clear

# --- the lock that a claim leaves on a job which it could not take ---
for kind in one two; do
	read -r a b c d < <(add $kind 4)
	held=$a
	[ $kind = one ] || held="$a $b" b=$c c=$d
	is "$(claim)" "$held" "$kind: as many as may"
	other "SELECT id FROM afterwork.job WHERE id = $b FOR UPDATE"
	settle "$a"
	[ $kind = two ] || add $kind 1 >/dev/null
	is "$(claim)" '' "$kind: nobody overtakes the one that is locked"
	end ROLLBACK
	for id in "$b" "$c"; do
		is "$(claim)" "$id" "$kind: each in its turn"
		settle "$id"
	done
	clear
done

# --- a job in front that is blocked, with nobody left to let it in ---
a=$(add one 1)
claim >/dev/null
b=$(add one 1)
is "$(claim)" '' 'the second one is blocked'
settle "$a"
sql "UPDATE afterwork.job SET state = 'blocked'"
c=$(add one 1)
is "$(claim)|$(owed)" '|one' 'a later one stands back, and it is known for whom'
is "$(claim)" "$b" 'who is let in then'
settle "$b"
is "$(claim)" "$c" 'and the later one after it'
settle "$c"

# --- a key's row that went while one was blocked ---
a=$(add one 1)
sql "UPDATE afterwork.job SET state = 'blocked'; DELETE FROM afterwork.place;
	INSERT INTO afterwork.owed VALUES ('default', 'nobody')"
sql "SELECT afterwork.places_keep('default')"
is "$(claim)|$(owed)" "$a|" 'comes back when the house is kept; what is owed to nobody goes'
settle "$a"

# --- what it costs ---
sql "INSERT INTO afterwork.place (queue, key, taken, max)
	SELECT 'default', 'k' || n, 0, 1 FROM generate_series(1, 1000) n"
sql 'VACUUM ANALYZE afterwork.place, afterwork.owed, afterwork.queue'
plans plan "SELECT FROM afterwork.claim(NULL, '', '{one}', '{one}', 10, 60000)"
looks() {
	grep "on $1" "$work/plan" | grep -vc 'never executed'
}
is "$(looks owed),$(looks place)" '2,0' \
	'an empty claim with 1,000 keys looks twice at what is owed, and at no key'
done_testing
