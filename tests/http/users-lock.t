#!/bin/bash
# users-lock.t: five bad passwords lock an address for ten minutes, whether it
# has an account or not; of many tried at once no more than five are looked at.
. tests/lib.sh
. tests/people.sh
stack_shared
as nobody

try() {
	post /api/users/login "$(jq -cn --arg email "$1" --arg password "$2" '{$email, $password}')"
	said="$status $(jqr '.errors[0].message // .message')"
}
wrong='401 The email or password provided is incorrect.'
locked='401 This user is locked due to having too many failed login attempts.'
good='200 Authentication Passed'
row() {
	sql "SELECT $2 FROM site.login_attempt WHERE address = site.attempt_key('$1')"
}
ten_minutes_later() {
	sql "UPDATE site.login_attempt SET until = until - interval '10 minutes' WHERE address = site.attempt_key('$1')"
}

person editor
known=$email unknown=nobody-$$-$RANDOM@example.com
for address in "$known" "$unknown"; do
	for n in 1 2 3 4 5; do
		try "$address" "wrong $n"
		is "$said" "$wrong" "$address: try $n"
	done
	try "${address^^}" 'wrong 6'
	is "$said" "$locked" '  then it is locked, in capitals too'
done
try "$known" "$password"
is "$said" "$locked" 'for the right password as well'
is "$(row "$known" "until BETWEEN now() + interval '9 minutes' AND now() + interval '10 minutes'")" t 'for ten minutes'
ends=$(row "$known" until)
try "$known" wrong
is "$(row "$known" until)" "$ends" 'which tries do not lengthen'
sql_is "SELECT count(*) FROM site.login_attempt WHERE address LIKE '%$known%' OR address LIKE '%$unknown%'" \
	0 'the address itself is not kept'
ten_minutes_later "$known"
try "$known" wrong
is "$said" "$wrong" 'after ten minutes it is tried again'
is "$(row "$known" tried)" 1 'from one on'
try "$known" "$password"
is "$said" "$good" 'and the right one is good'
is "$(row "$known" 'count(*)')" 0 'which takes the count away'
for n in 1 2 3 4; do
	try "$known" wrong
done
try "$known" "$password"
is "$said" "$good" 'the fifth may be good'

# --- forty at once ---
ten_minutes_later "$unknown"
for address in "$known" "$unknown"; do
	seq 40 | xargs -P 40 -I{} curl -sS -m 60 -o "$work/try.{}" \
		-H 'Content-Type: application/json' \
		-d "{\"email\":\"$address\",\"password\":\"guess {}\"}" "$SERVER_URL/api/users/login"
	is "$(cat "$work"/try.* | grep -o 'provided is incorrect' | wc -l)" 5 "$address: of forty guesses at once five are looked at"
	is "$(cat "$work"/try.* | grep -o 'user is locked' | wc -l)" 35 '  the others find it locked'
	rm "$work"/try.*
done

# --- unlocked ---
as admin
post /api/users/unlock "{\"email\":\"${known^^}\"}"
is "$status $(jqr .message)" '200 Success' 'an admin unlocks it'
post /api/users/unlock '{}'
status_is 400 'an address is needed'
as nobody
try "$known" "$password"
is "$said" "$good" 'and it is good again'

# --- the rows are bounded ---
sql "INSERT INTO site.login_attempt (address, tried, until)
	SELECT 'over-$$-' || i, 1, now() - interval '1 day' FROM generate_series(1, 3) AS i" >/dev/null
over() {
	sql "SELECT count(*) FROM site.login_attempt WHERE address LIKE 'over-$$-%'"
}
for n in 1 2 3; do
	try "sweeper-$$-$n@example.com" wrong
done
is "$(over)" 0 'what is over goes when others come'
old=-$$
sql "INSERT INTO site.login_attempt (address, n, tried, until) OVERRIDING SYSTEM VALUE
	VALUES ('old-$$', $old, 5, now() + interval '10 minutes')"
is_old() {
	sql "SELECT site.attempts_sweep($1); SELECT count(*) FROM site.login_attempt WHERE n = $old" | tail -n 1
}
is "$(is_old $((old + 99999)))" 1 'of a hundred thousand none goes'
is "$(is_old $((old + 100000)))" 0 'of more the oldest does'

# --- time tells nothing ---
spent() {
	local began=${EPOCHREALTIME/[.,]/}
	try "$1" 'wrong password'
	echo $((${EPOCHREALTIME/[.,]/} - began))
}
# The quickest of nine: what others do on the machine only ever adds to it.
quickest() {
	for _ in {1..9}; do
		sql "DELETE FROM site.login_attempt WHERE address = site.attempt_key('$1')"
		spent "$1"
	done | sort -n | head -n 1
}
person editor
with=$(quickest "$email") without=$(quickest "without-$$@example.com")
note "µs: with an account $with, without $without"
# as_long WHAT: neither of them is twice the other.
as_long() {
	ok "$1 takes as long without an account" [ "$((without * 2))" -gt "$with" ]
	ok '  and no longer' [ "$((with * 2))" -gt "$without" ]
}
as_long 'a wrong password'
# While it is locked, which is answered without a look at any password.
quickest_locked() {
	for _ in {1..6}; do
		try "$1" wrong
	done
	for _ in {1..15}; do
		spent "$1"
	done | sort -n | head -n 1
	[ "$said" = "$locked" ] || echo "not locked: $said"
}
with=$(quickest_locked "$email") without=$(quickest_locked "without-$$@example.com")
note "µs while locked: with an account $with, without $without"
as_long 'a locked address'
done_testing
