#!/bin/bash
# cron-ping.t: a ping is what Vercel sends; its answer decides the exit status;
# the secret is on no command line.
. tests/lib.sh
. tests/answer.sh
stack_shared

secret=$CRON_SECRET
ping() {
	env -u CRON_SECRET -u SERVER_URL CRON_SECRET_FILE="$work/secret" \
		http_proxy=http://127.0.0.1:1 "$B/afterwork" cron --ping "$@" \
		>"$work/out" 2>"$work/err" </dev/null
	code=$?
	out=$(cat "$work/out")
	err=$(cat "$work/err")
}

printf '%s\n' "$secret" >"$work/secret"
cat >"$work/vercel.json" <<'END'
{ "crons": [ { "path": "/once?a=%20b", "schedule": "5 4 * * *" },
    { "path": "/twice", "schedule": "1 1 * * *" },
    { "path": "/twice", "schedule": "2 2 * * *" } ] }
END

# --- what is sent ---
answer_with '200 OK'
ping '/once?a=%20b' --url "$answer_url" --config "$work/vercel.json"
is "$code:$out$err" 0: 'answered 200: silent success'
is "$(answered | tr -d '\r' | sort -f)" "$(printf '%s\n' '' 'Accept: */*' \
	"Authorization: Bearer $secret" 'GET /once?a=%20b HTTP/1.1' \
	"Host: ${answer_url#http://}" 'User-Agent: vercel-cron/1.0' \
	'x-vercel-cron-schedule: 5 4 * * *' | sort -f)" 'exactly this is sent'
answer_with '200 OK'
ping /twice --url "$answer_url/" --config "$work/vercel.json"
unlike "$(answered)" 'x-vercel-cron-schedule' \
	'of two schedules it does not guess one'
like "$(answered)" '^GET /twice HTTP/1' 'a slash at the end of the URL is fine'
answer_with '200 OK'
ping /twice --schedule '2 2 * * *' --url "$answer_url" \
	--config "$work/vercel.json"
like "$(answered)" 'x-vercel-cron-schedule: 2 2 \* \* \*' 'unless it is told'

# --- what comes back ---
for line in '301 Moved' '302 Found' '401 Unauthorized' '404 Not Found' \
	'500 Broken' '503 Busy'; do
	answer_with "$line"
	ping '/once?a=secret' --url "$answer_url"
	is "$code:$err" \
		"1:afterwork: ping of /once was answered ${line%% *}" \
		"$line is a failure, and not followed"
	is "$(answered | grep -c '^GET')" 1 'one request only'
done
answer_with '204 No Content'
ping /once --url "$answer_url"
is "$code" 0 '204 is success'
ping /once --url http://127.0.0.1:1
is "$code" 1 'no answer is a failure'
like "$err" '^afterwork: ping of /once: no answer: ' 'that says why'
ping /once --url file:///etc/passwd
is "$code" 1 'other protocols are refused'

# --- the real thing ---
ping '/api/payload-jobs/run?allQueues=true' --url "$SERVER_URL"
is "$code:$err" 0: 'the run endpoint takes it'
printf '%064d\n' 0 >"$work/secret"
ping '/api/payload-jobs/run?allQueues=true' --url "$SERVER_URL"
is "$code:$err" '1:afterwork: ping of /api/payload-jobs/run was answered 401' \
	'with a wrong secret it does not'
env -u CRON_SECRET "$B/afterwork" cron --ping /api/payload-jobs/run \
	--url "$SERVER_URL" 2>"$work/err"
like "$(cat "$work/err")" '401: no CRON_SECRET is set here$' \
	'with none, the reason is told'
printf 'a\x01%062d' 0 >"$work/secret"
ping /once --url "$SERVER_URL"
is "$code" 1 'a secret with a control byte is not sent'

# --- only when due ---
printf '%s\n' "$secret" >"$work/secret"
answer_with '200 OK'
ping /x --schedule '0 0 29 2 *' --if-due --url "$answer_url"
is "$code:$(answered)" 0: 'what is not due is not sent'
ping /x --schedule '* * * * *' --if-due --url "$answer_url"
is "$code:$(answered | grep -c ^GET)" 0:1 'what is due is'
ping /x --if-due --config "$work/vercel.json" --url "$answer_url"
is "$code" 1 'a schedule that is not known is told'
ping /x --schedule 'every day' --if-due --url "$answer_url"
is "$code" 1 'and one that is none'

# --- the secret is nobody's to see ---
answer_with '200 OK' 2
ping /slow --url "$answer_url" &
waiting=$!
await 5 '[ -n "$(answered)" ]'
like "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ')" \
	'cron --ping /slow' 'a ping on its way'
unlike "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ')" "$secret" \
	'shows its secret on no command line'
wait "$waiting"
done_testing
