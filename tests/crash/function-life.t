#!/bin/bash
# function-life.t: function processes end after so many requests, when they
# are idle and when they are told to, without a request that notices, and those
# that are killed come back; they let go of the database when idle, and outlive
# it when it is gone.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
command -v cgi-fcgi >/dev/null || skip_all 'cgi-fcgi is not installed'
stack_start MAX_REQUESTS=8 PROCESSES=1 RUNNER_SLOTS=1 RUNNER_LINGER=6s
home=$(readlink -f "$STATE")
album album

# --- MAX_REQUESTS ------------------------------------------------------------

processes() {
	function_pids status | tail -n +2 | sort
}
before=$(processes)
is "$(seq 60 | xargs -P 4 -I {} curl -s -o /dev/null -w '%{http_code}\n' \
	"$SERVER_URL/healthz" | sort | uniq -c | tr -s ' ')" ' 60 200' \
	'60 requests, eight a process'
is "$(comm -12 <(echo "$before") <(processes))" '' 'others serve now'
ok 'as many as before' await 5 \
	'[ "$(processes | wc -l)" = "$(wc -l <<<"$before")" ]'

# another: than $serving, which has served nothing yet.
another() {
	local now
	now=$(processes)
	[ -n "$now" ] && [ "$now" != "$serving" ]
}
ask_times() {
	local i
	for ((i = 0; i < $1; i++)); do
		get /healthz
		statuses+=" $status"
	done
}
serving=$(processes) statuses=
kill -KILL "$serving"
ok 'one that is killed is replaced' await 5 another
serving=$(processes)
ask_times 6
is "$(processes)" "$serving" 'the new one serves six requests'
ask_times 2
ok 'and is gone after eight at most' await 5 '! is_alive "$serving"'
is "$statuses" "$(printf ' 200%.0s' 1 2 3 4 5 6 7 8)" 'each was answered'

# --- multiwatch --------------------------------------------------------------

master() {
	function_pids "$1" | head -n 1
}
await 5 another
serving=$(processes) killed=$(master status)
kill -KILL "$killed"
ok 'a master that is killed takes its processes along' await 5 \
	'! is_alive "$serving"'
ok 'and is started again' await 5 another
isnt "$(master status)" "$killed" 'as another process'
get /healthz
status_is 200 'which serves'

# Eleven ends that came too soon would be too many for it; those of an idle
# function are none.  Watched until this test is over.
IDLE_EXIT=1 stack_part restart users
while [ -e "$work" ]; do
	master users
	sleep 0.1
done >"$work/masters" 2>/dev/null &
watching=$!

# --- a database that is idle, gone, back -------------------------------------

links() {
	links_of "afterwork_$1"
}
upload "$(picture one.jpg)"
status_is 201 'an upload'
start=$(now_ms)
ok 'its link to the database stays' [ "$(links upload)" -ge 1 ]
ok 'and is closed when idle' await 20 '[ "$(links upload)" = 0 ]'
idle=$(($(now_ms) - start))
ok "after five seconds ($idle ms)" [ "$idle" -ge 4000 -a "$idle" -lt 9000 ]

upload "$(picture two.jpg)"
pids=$(function_pids upload; function_pids pages)
stack_part stop postgresql
upload "$(picture down.jpg)"
status_is 503 'without a database an upload is refused'
like "$(header Retry-After)" '^[0-9]+$' 'with a time to come back'
body_like '.errors[0].message' '^[A-Z].*\.$' 'and a message'
unlike "$body" 'postgres|socket|/' 'that tells nothing of the inside'
get "/api/pages/$page"
status_is 503 'so is a page'
get /healthz
status_is 503 'and the health check fails'
is "$(find "$STATE/media" -type f | wc -l)" 2 'no file is left'
stack_part start postgresql
upload "$(picture up.jpg)"
status_is 201 'with the database back an upload is taken'
get "/api/pages/$page"
status_is 200 'and a page is there'
is "$(function_pids upload; function_pids pages)" "$pids" \
	'by the same processes'

# --- a process of our own ----------------------------------------------------

# What the stack's functions have as environment, but for their number.
read -r pid _ <"$STATE/pids/upload"
mapfile -d '' vars < <(grep -zv '^FCGI_CHILDREN=\|^MAX_REQUESTS=' \
	"/proc/$pid/environ")
find_owner
upload=$(readlink -f "$B/tests/functions/upload")

# spawn NAME=VALUE…: an upload function on a socket of its own; sets $own.
spawn() {
	rm -f "$home/run/own.sock"
	(cd "$home" && exec env -i "${vars[@]}" "$@" \
		"${as_owner[@]}" spawn-fcgi -n -s "$home/run/own.sock" \
		-- "$upload") >"$work/own.log" 2>&1 &
	own=$!
	await 5 '[ -S "$home/run/own.sock" ]'
}

# The upload as a request by itself: its body in $work/request.
printf '%s\r\n' --B \
	'Content-Disposition: form-data; name="file"; filename="own.jpg"' \
	'Content-Type: image/jpeg' '' >"$work/request"
cat "$(picture own.jpg)" >>"$work/request"
printf '\r\n%s\r\n' --B-- >>"$work/request"
params=(REQUEST_METHOD=POST REQUEST_URI=/api/media SCRIPT_NAME=/api/media
	DOCUMENT_URI=/api/media QUERY_STRING= SERVER_PROTOCOL=HTTP/1.1
	REMOTE_ADDR=127.0.0.1 HTTP_HOST=localhost REQUEST_HOST=localhost
	"HTTP_AUTHORIZATION=$authorization"
	'CONTENT_TYPE=multipart/form-data; boundary=B'
	"CONTENT_LENGTH=$(stat -c %s "$work/request")")

ask_own() {
	env -i "${params[@]}" cgi-fcgi -bind -connect "$home/run/own.sock"
}

# IDLE_EXIT: for sockets that the service manager holds.
for children in 0 2; do
	spawn IDLE_EXIT=1 FCGI_CHILDREN=$children
	like "$(ask_own <"$work/request")" '^Status: 201 ' \
		"with $children children it serves"
	start=$(now_ms)
	ok 'and ends when idle' await 5 '! is_alive "$own"'
	took=$(($(now_ms) - start))
	ok "after a second ($took ms)" [ "$took" -ge 700 ]
	wait "$own"
	is $? 0 'as if all were well'
done

# SIGTERM in the middle of a body that comes slowly.
slow_body() {
	head -c 300 "$work/request"
	sleep 0.7
	touch "$work/half"
	sleep 0.7
	tail -c +301 "$work/request"
}
for children in 0 1; do
	spawn FCGI_CHILDREN=$children
	rm -f "$work/half"
	slow_body | ask_own >"$work/answer" &
	asked=$!
	await 5 '[ -e "$work/half" ]'
	kill -TERM "$own"
	wait "$asked"
	like "$(head -n 1 "$work/answer")" '^Status: 201 ' \
		"told to end ($children children), it ends the upload first"
	ok 'and then itself' await 3 '! is_alive "$own"'
	is "$(sed '1,/^\r*$/d' "$work/answer" | jq .doc.filesize)" \
		"$(stat -c %s "$work/own.jpg")" 'the document is whole'
done
spawn FCGI_CHILDREN=2
kill -TERM "$own"
ok 'idle, it ends at once' await 3 '! is_alive "$own"'

# --- plain CGI ---------------------------------------------------------------

# Its output and its error go to a pipe: whoever holds that keeps the client.
await 20 '[ "$(slots_held)" = 0 ]'
start=$(now_ms)
(cd "$home" && exec env -i "${vars[@]}" "${params[@]}" HTTP_X_MARK=x \
	"${as_owner[@]}" "$upload" <"$work/request" 2>&1) | cat >"$work/answer"
took=$(($(now_ms) - start))
like "$(grep -a ^Status: "$work/answer")" '^Status: 201 ' \
	'as plain CGI it takes an upload'
ok "no client waits for the runner ($took ms)" [ "$took" -lt 5000 ]
is "$(slots_held)" 1 'which lingers'
runner=$(pgrep -f -x "${upload%/*}/run --detached $home/runtime" |
	while read -r pid; do
		grep -qszxF "RUNTIME_DIRECTORY=$home/runtime" \
			"/proc/$pid/environ" && echo "$pid"
	done)
ok 'its environment holds nothing of the request' [ -n "$runner" -a \
	-z "$(for pid in $runner; do
		tr '\0' '\n' <"/proc/$pid/environ"
	done | grep -E '^(HTTP_|REQUEST_|CONTENT_|SCRIPT_|REMOTE_|QUERY_)')" ]
id=$(grep -a -o '"job":{"id":[0-9]*' "$work/answer" | grep -o '[0-9]*$')
ok 'after() ran its job' ends_as "$id" 'done'
params=(REQUEST_METHOD=GET REQUEST_URI=/healthz DOCUMENT_URI=/healthz
	SCRIPT_NAME=/healthz QUERY_STRING= SERVER_PROTOCOL=HTTP/1.1)
like "$(cd "$home" && env -i "${vars[@]}" "${params[@]}" \
	"${as_owner[@]}" "${upload%/*}/status" </dev/null \
	2>"$work/own.log")" \
	'^Status: 200 .*"status":"ok"' 'a GET is answered'

# --- idle under multiwatch, since long ago ------------------------------------

ok 'a function that was idle twelve times' await 30 \
	'[ "$(sort -u "$work/masters" | wc -l)" -gt 12 ]'
kill "$watching"
get /api/users/me
status_is 200 'still serves'
done_testing
