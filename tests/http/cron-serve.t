#!/bin/bash
# cron-serve.t: the pinger sends what is due at the start of a minute, a slow
# answer delays nobody, and SIGTERM ends it and its pings.
. tests/lib.sh
. tests/answer.sh

cat >"$work/vercel.json" <<'END'
{ "crons": [ { "path": "/one", "schedule": "* * * * *" },
    { "path": "/two?x=1", "schedule": "*/1 * * * *" },
    { "path": "/never", "schedule": "0 0 29 2 *" } ] }
END
"$B/afterwork" secret new >"$work/secret"
answer_with '200 OK' 1000

# Begin early in a minute, so that the first ping is a while off.
[ "$((10#$(date +%S)))" -lt 50 ] || sleep 11
CRON_SECRET_FILE=$work/secret LOG_LEVEL=debug "$B/afterwork" cron --serve \
	--config "$work/vercel.json" --url "$answer_url" 2>"$work/log" &
pinger=$!
sleep 2
is "$(answered)" '' 'nothing is sent before a minute begins'
is "$(cat /proc/$pinger/task/*/children)" '' 'no process but its own'
eventually 62 '[ "$(answered | grep -c ^GET)" -ge 2 ]' \
	'pings are sent, though none is answered'
like "$(date +%S)" '^0[0-5]$' 'at the start of the minute'
is "$(answered | grep ^GET | tr -d '\r' | sort)" \
	$'GET /one HTTP/1.1\nGET /two?x=1 HTTP/1.1' 'all that are due, once each'
like "$(answered)" "Authorization: Bearer $(cat "$work/secret")" \
	'with the secret'
like "$(answered)" 'x-vercel-cron-schedule: \*/1 \* \* \* \*' \
	'and the schedule'
read -ra pings <<<"$(cat /proc/$pinger/task/*/children)"
is "${#pings[@]}" 2 'each is a process'
unlike "$(cat "/proc/$pinger/cmdline" "/proc/${pings[0]}/cmdline" | tr '\0' ' ')" \
	"$(cat "$work/secret")" 'with the secret on no command line'

# A ping that ends early is told, and reaped.
kill -9 "${pings[0]}"
eventually 5 'grep -q "\"ping failed\".*\"signal\":9" "$work/log"' \
	'a ping that was killed is logged'
eventually 5 '[ ! -e "/proc/${pings[0]}" ]' 'and leaves no zombie'

kill -TERM $pinger
eventually 5 '! kill -0 $pinger 2>/dev/null' 'SIGTERM ends the pinger'
wait $pinger
is "$?" 0 'with exit status 0'
ok 'and the pings on their way' test ! -e "/proc/${pings[1]}"
unlike "$(cat "$work/log")" 'x=1' 'the log holds no query'
is "$(grep -vc '^{.*}$' "$work/log")" 0 'and is one JSON object a line'
done_testing
