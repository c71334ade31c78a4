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

# spec NAME: behind-NAME is that of runners which go on as long as they can
spec() {
	case $1 in
	behind-*) sed 's/iso\.claim(/iso.go_on(/' "tests/isolation/${1#behind-}.spec" ;;
	*) cat "tests/isolation/$1.spec" ;;
	esac
}

# run NAME [ORDER]: its output is in $out.
run() {
	out=$work/$1.out
	{
		spec "$1"
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
orders behind-claim 90 'one 1' 'one 2' 'two 1' 'two 2' 'one 1, two 1'
orders behind-order 90 'one' 'two' 'nothing'
orders behind-key 630 'one' 'two' 'nothing'
orders behind-queue 90 'one' 'two' 'nothing'
orders behind-supersede 90 'early runs' 'one runs' 'two runs' 'nothing'
orders behind-supersede-rescue 90 'done' 'cancelled' 'rescued'
orders behind-cancel 30 'cancelled' 'cancelling' 'ended'
orders behind-replace 30 'replaced' 'another'

# What asks for less than the laws do must be seen to break them.
# without FILE WHAT SPEC ORDER SED: FILE of the queue's changed so, and back.
without() {
	local file=schema/queue/api/$1.sql
	sed "$5" "$file" >"$work/broken.sql"
	ok "$2 differs" [ "$(diff "$work/broken.sql" "$file" |
		grep -c '^>')" -ge 1 ]
	quiet psql -Xq -v ON_ERROR_STOP=1 -f "$work/broken.sql" "$direct"
	run "$3" "$4"
	like "$(broken)" 'not after' "$2 breaks a law"
	quiet psql -Xq -v ON_ERROR_STOP=1 -f "$file" "$direct"
}
without first 'a first claim that takes what is held' first \
	'one_begins two_begins one_ends two_ends t_claims t_ends' \
	's/ FOR UPDATE SKIP LOCKED//; s/j.lease_until IS NULL AND //'
without first 'one that takes what was claimed before' first-rescue \
	's_begins s_has f_settles f_ends g_charges s_settles' \
	's/j.lease_until IS NULL AND //'
without first 'one that takes what has a key' first-supersede \
	'r_begins r_has one_enqueues one_ends two_begins two_has' \
	's/ AND j.concurrency_key IS NULL//'
without first 'a settlement under any number' first-rescue \
	's_begins s_has f_settles f_ends g_charges s_settles' \
	's/AND j.lease_no = lease$//'
without claim 'going on to what was claimed before' \
	behind-rescue \
	's_claims s_has f_works f_settles f_ends s_works s_settles s_ends g_charges' \
	's/WHEN j.lease_until IS NOT NULL/WHEN false/'
without claim 'one that takes what has a key without a place' behind-key \
	'one_claims one_ends r_settles r_ends two_claims two_ends enqueues' \
	's/IF keyed THEN/IF false THEN/'
without claim 'going on where a queue has a maximum' behind-queue \
	'one_claims one_ends r_settles r_ends two_claims two_ends' \
	's/NOT q.paused AND NOT q.limited$/NOT q.paused/'
without settle 'settling without the fence' rescue \
	'f_works s_claims s_has f_settles f_ends s_works s_settles s_ends g_charges' \
	's/IF cardinality(ids) = 1 AND/IF false AND/; s/AND j.lease_no = r.lease_no//'
without settle 'settling one job without it' rescue \
	'f_works s_claims s_has f_settles f_ends s_works s_settles s_ends g_charges' \
	's/AND j.lease_no = lease_nos\[1\]$//'
without queue 'storing without the lock of an idle queue' idle \
	'one_enqueues h_keeps h_ends one_ends' 's/ FOR KEY SHARE;/;/'
done_testing
