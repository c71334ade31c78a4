#!/bin/bash
# isolation.t: every order in which the steps of claim, finish, rescue and
# enqueue can fall, by PostgreSQL's isolationtester over tests/isolation/*.spec.
#
# After each order the spec's teardown gives rows "law", which say what holds,
# and one "came", the outcome.  All laws must hold, after each order that there
# is; and each outcome must come about at least once, or the laws were not
# tried.  A step that waits for one which is to come later gives up (55P03), as
# a runner's does.
. tests/lib.sh
. tests/queue-alone.sh
tester=/usr/lib/postgresql/15/lib/pgxs/src/test/isolation/isolationtester
[ -x "$tester" ] || skip_all 'isolationtester comes with PostgreSQL 15'
stack_shared
queue_alone isolation
task work
task one '"concurrency":{"key":"k","max":1}'
task two '"concurrency":{"key":"k2","max":2}'
task newest '"concurrency":{"key":"k","max":1,"supersedes":true}'
# Who waits in a circle is to be told so before he gives up.
sql_as postgres "ALTER DATABASE $alone SET deadlock_timeout = '10ms'"
psql -Xq -v ON_ERROR_STOP=1 -f tests/isolation/words.sql "$direct" \
	>"$work/words" 2>&1 || bail "$(cat "$work/words")"

# run NAME [ORDER]: its output is in $out.
run() {
	out=$work/$1.out
	{
		cat "tests/isolation/$1.spec"
		[ -z "${2-}" ] || echo "permutation $2"
	} >"$work/spec"
	PGOPTIONS='-c client_min_messages=error' PGISOLATIONTIMEOUT=20 \
		"$tester" "$direct" <"$work/spec" >"$out" 2>&1
}

# The first law that does not hold, with the order; or that none was asked.
broken() {
	awk -F ' *[|] *' '/^starting permutation:/ { order = $0 }
		$1 == "law" { n++ }
		$1 == "law" && $2 != "t" { print $3 " - not after " order; exit }
		END { if (n == 0) print "no law was asked" }' "$out"
}

outcomes() {
	awk -F ' *[|] *' '$1 == "came" { sub(/ *$/, "", $3); print $3 }' "$out"
}

# orders NAME COUNT OUTCOME…
orders() {
	local name=$1 count=$2
	shift 2
	run "$name"
	is $? 0 "$name: it runs to the end"
	is "$(grep -c '^starting permutation:' "$out")" "$count" \
		"$name: in every order"
	is "$(outcomes | wc -l)" "$count" "$name: each has an outcome"
	is "$(broken)" '' "$name: the laws hold after each"
	is "$(grep '^ERROR: ' "$out" | grep -v -x -e "$refused" | sort -u)" '' \
		"$name: what fails was refused, or did not wait"
	is "$(outcomes | sort -u)" "$(printf '%s\n' "$@" | sort)" \
		"$name: and every outcome came about"
	note "$name: $(outcomes | sort | uniq -c | tr -s ' ')"
}
refused='ERROR:  \(A lease was lost[.]\|canceling statement due to lock'
refused+=' timeout\|current transaction is aborted.*\|Job [0-9]* is no longer'
refused+=' held under lease [0-9]*[.]\|could not serialize.*\)'

orders claim 90 'one 1' 'one 2' 'two 1' 'two 2' 'one 1, two 1'
orders rescue 504 'done by first' 'done by second'
orders assert 56 'first worked' 'first worked, second worked' 'second worked'
orders unique 210 'one made one' 'two made one' 'nothing'
orders snapshot 210 'one made one' 'two made one' 'nothing'
orders key 630 'one' 'two' 'nothing'
orders order 90 'one' 'two' 'nothing'
orders queue 90 'one' 'two' 'nothing'
orders supersede 90 'early runs' 'one runs' 'two runs' 'nothing'
orders supersede-locked 30 'early runs' 'one runs' 'nothing'
orders supersede-finish 90 'next runs' 'one runs' 'nothing'
orders supersede-rescue 90 'done' 'cancelled' 'rescued'
orders rescue-unique 60 'first, another' 'first, the same' 'second, another' \
	'second, the same'
orders cancel 30 'cancelled' 'cancelling' 'ended'
orders at-once 20 'cancelled' 'too late'
orders replace 30 'replaced' 'another'
orders wait 60 'cancelled, replaced' 'cancelled, another'
orders idle 90 'it came again for 1' 'it came again for 2' 'it stayed for 2' 'nothing'
orders first 90 'one 1' 'one 1, third 1' 'one 1, two 1' 'third 1, two 1' \
	'third 2' 'two 1'
orders first-cancel 30 'cancelled' 'cancelling' 'ended'
orders first-replace 30 'late: another, third: the same' \
	'late: the same, third: another' 'late: the same, third: the same'
orders first-supersede 90 'early runs' 'one runs' 'nothing'
orders first-rescue 60 'done by first' 'done by second'

# What asks for less than the laws do must be seen to break them.
# without WHAT SPEC ORDER SED: the first claim, or its settlement, changed so.
without() {
	sed "$4" schema/queue/api/first.sql >"$work/broken.sql"
	ok "$1 differs" [ "$(diff "$work/broken.sql" schema/queue/api/first.sql |
		grep -c '^>')" -ge 1 ]
	quiet psql -Xq -v ON_ERROR_STOP=1 -f "$work/broken.sql" "$direct"
	run "$2" "$3"
	like "$(broken)" 'not after' "$1 breaks a law"
}
without 'a first claim that takes what is held' first \
	'one_begins two_begins one_ends two_ends t_claims t_ends' \
	's/ FOR UPDATE SKIP LOCKED//; s/j.lease_until IS NULL AND //'
without 'one that takes what was claimed before' first-rescue \
	's_begins s_has f_settles f_ends g_charges s_settles' \
	's/j.lease_until IS NULL AND //'
without 'one that takes what has a key' first-supersede \
	'r_begins r_has one_enqueues one_ends two_begins two_has' \
	's/ AND j.concurrency_key IS NULL//'
without 'a settlement under any number' first-rescue \
	's_begins s_has f_settles f_ends g_charges s_settles' \
	's/AND j.lease_no = lease$//'
sed 's/AND j.id = r.id AND j.lease_no = r.lease_no/AND j.id = r.id/' \
	schema/queue/api/settle.sql >"$work/unfenced.sql"
ok 'settling without the fence differs' \
	[ "$(diff "$work/unfenced.sql" schema/queue/api/settle.sql |
		grep -c '^<')" = 3 ]
quiet psql -Xq -v ON_ERROR_STOP=1 -f "$work/unfenced.sql" "$direct"
run rescue 'f_works s_claims s_has f_settles f_ends s_works s_settles s_ends
	g_charges'
like "$(broken)" 'not after' 'and breaks a law'
sed 's/ FOR KEY SHARE;/;/' schema/queue/api/queue.sql >"$work/unlocked.sql"
ok 'storing without the lock of an idle queue differs' \
	[ "$(diff "$work/unlocked.sql" schema/queue/api/queue.sql |
		grep -c '^<')" = 1 ]
quiet psql -Xq -v ON_ERROR_STOP=1 -f "$work/unlocked.sql" "$direct"
run idle 'one_enqueues h_keeps h_ends one_ends'
like "$(broken)" 'not after' 'and breaks a law'
done_testing
