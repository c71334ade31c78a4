#!/bin/bash
# client.t: the client that stays for the tests answers as jq and curl do, or
# leaves it to them; a session that is lost is told of, and opened again.
. tests/lib.sh
stack_shared

# --- as jq ---
like_jq() {
	local answer want
	client json "$1" "$body" || answer='?'
	want=$(jq -r "$1" <<<"$body" 2>&1)
	is "$answer" "=$want" "$1 $2"
}
left_to_jq() {
	local answer
	client json "$1" "$body"
	is "$? ${answer-}" '1 ?' "left to jq: $1 ${body:0:20}"
}
body='{"a":"x\"y","i":-7,"t":true,"f":false,"n":null,"e":"","o":{"b":[1,2]},"l":[{"k":"p"},{"k":"q"}],"none":[],"u":"é"}'
for filter in .a .i .t .f .n .e .u .zz .zz.y .n.x .l[1].k .l[9].k .o.b[0] '.l | length' '.o | length' \
	'.none | length' '.zz | length' '.l[].k' '[.a, .i, .t, .n, .e] | @csv' '[.l[].k] | join(" ")' \
	'[.l[].k, .i] | join("")' '[.n, .t, .i] | join(", ")' '[.none[]] | @csv' '[.o.b[]] | @csv'; do
	like_jq "$filter" ''
done
for filter in .o .l .i.x .a[0] .none[] '.a | length' '.l[0:1]' '.a // 1' '[.a,,.i] | @csv' '[.a,.i] | @csv' \
	'[.o] | @csv' '.["a"]' '.a .i' 'keys' ''; do
	left_to_jq "$filter"
done
for body in '' '{"a":1,}' "{'a':1}" '[1,2,]' '{"a":1} {"a":2}' '{"a":True}' $'"\x01"' '"\ud800"' $'"\xff"' \
	'{"a":1.5}' '{"a":9007199254740993}' '{"a":"\u0000"}'; do
	left_to_jq .a
done
body='{"a":5}'
is "$(jqr .a; jqr '.a + 1'; jqr '.b[]?' | wc -l)" $'5\n6\n0' 'what it leaves is asked of jq'

# --- as curl ---
# same METHOD PATH [CURL OPTION…]: but for what no two answers share.
same() {
	local way seen=() head
	[ -z "$authorization" ] || set -- "$@" -H "Authorization: $authorization"
	for way in asked_client asked_curl; do
		: >"$work/body"
		: >"$work/headers"
		"$way" "$@" || status='?'
		read_body
		read_headers
		head=$(grep -v -e ^date: -e ^x-request-id: -e ^etag: -e ^last-modified: <<<"$headers")
		seen+=("$status ${body//[-0-9]/} ${head//[-0-9]/}")
	done
	is "${seen[0]}" "${seen[1]}" "${*:1:4}: ${seen[0]:0:3}"
}
same GET /healthz
same GET /api/nothing -A agent
same GET /api/media -G --data-urlencode 'where[alt][equals]=a b&c' --data-urlencode limit=1
same POST /api/users/login -H 'Content-Type: application/json' -d '{"email":"nobody@example.com","password":"é"}'
same POST /api/payload-jobs -H 'Content-Type: application/json' --data-binary '[]'
echo '{"task":"nothing"}' >"$work/sent"
same POST /api/payload-jobs -H 'Content-Type: application/json' --data-binary "@$work/sent"
same POST /api/media -F "file=@\"$(picture c.jpg)\";type=image/jpeg;filename=\"client \\\"q\\\" $$.jpg\"" -F '_payload={"alt":"é"}'
same POST /api/media -F 'other=text'
for option in '-F a="x"' '-F a=<x' '-F a=b;type=c' '-F a=@x,y' '-F a=@x;headers=y' '-d @x' '-o x' '-k'; do
	asked_client POST /api/media "${option%% *}" "${option#* }"
	is $? 1 "left to curl: $option"
done
SERVER_URL=http://127.0.0.1:1 get /
is "$status" 000 'nobody listens'
like "$(cat "$work/curl")" '^curl: \(7\)' 'as curl says it'

# --- sessions ---
lost=${session_pid[client]}
kill -KILL "$lost"
await 5 '! kill -0 "$lost" 2>/dev/null'
body='{"a":6}'
is "$(jqr .a)" 6 'a subshell does without one that is lost'
body_is .a 6 'and so does the test'
isnt "${session_pid[client]}" "$lost" 'which has another then'
sql_is "SELECT 'it''s'" "it's" 'quotes in pairs'
like "$(sql "SELECT 'it" 2>&1)" 'unterminated' 'one that nobody closes is a failure'
sql_is 'SELECT 1' 1 'and the session is there'
lost=${session_pid[sql]}
sql 'SELECT pg_terminate_backend(pg_backend_pid())' 2>/dev/null
is "$? $(sql 'SELECT 2')" '2 2' 'a session that is ended in a question fails that one only'
done_testing
