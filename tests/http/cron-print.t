#!/bin/bash
# cron-print.t: the crontab's lines send the pings when run as cron runs them.
. tests/lib.sh
. tests/answer.sh

cron() {
	"$B/afterwork" cron "$@" >"$work/out" 2>"$work/err" </dev/null
	code=$?
	out=$(cat "$work/out")
	err=$(cat "$work/err")
}

"$B/afterwork" secret new >"$work/secret"
cat >"$work/vercel.json" <<'END'
{ "crons": [ { "path": "/every?all=true&n=1", "schedule": "* * * * *" },
    { "path": "/it's/100%25", "schedule": "0 0 29 2 *" } ] }
END
answer_with '200 OK'
CRON_SECRET_FILE=$work/secret cron --print crontab --url "$answer_url" \
	--config "$work/vercel.json"
is "$code:$err" 0: 'a crontab is printed'
is "$(grep -c '^\* \* \* \* \* ' <<<"$out")" 2 'with a line for each cron'
unlike "$out" "$(cat "$work/secret")" 'and without the secret'

# As cron does it: settings to the environment, '\%' to '%', sh, from another
# folder, an almost empty environment, any zone.
as_cron() {
	local line=$1
	line=${line#'* * * * * '}
	(cd / && env -i PATH=/usr/bin:/bin TZ="${2:-UTC}" \
		"$(grep ^CRON_SECRET_FILE= <<<"$out")" \
		"$(grep ^SERVER_URL= <<<"$out")" \
		/bin/sh -c "${line//\\%/%}")
}

as_cron "$(grep every <<<"$out")"
is "$?" 0 'the first line succeeds as cron runs it'
like "$(answered)" '^GET /every\?all=true&n=1 HTTP' 'and sends its ping'
like "$(answered)" "Authorization: Bearer $(cat "$work/secret")" \
	'with the secret of the file'
answer_with '200 OK'
CRON_SECRET_FILE=$work/secret cron --print crontab --url "$answer_url" \
	--config "$work/vercel.json"
as_cron "$(grep 100 <<<"$out")"
is "$?:$(answered)" 0: 'the second line sends nothing today'

# What is due now in UTC is sent, in whatever zone the host is.
read -r minute hour <<<"$(date -u '+%-M %-H')"
cat >"$work/vercel.json" <<END
{ "crons": [ { "path": "/it's/100%25",
    "schedule": "$minute,$(((minute + 1) % 60)) $hour,$(((hour + 1) % 24)) * * *" } ] }
END
CRON_SECRET_FILE=$work/secret cron --print crontab --url "$answer_url" \
	--config "$work/vercel.json"
as_cron "$(grep 100 <<<"$out")" Asia/Kathmandu
like "$(answered)" "^GET /it's/100%25 HTTP" 'UTC counts, not the host'\''s zone'

# What is wrong with a vercel.json is told with line and entry.
while IFS='|' read -r json want; do
	printf '%b' "$json" >"$work/vercel.json"
	for action in '--print crontab' --serve '--ping /x'; do
		# shellcheck disable=SC2086
		cron $action --config "$work/vercel.json"
		is "$code" 1 "$action refuses $json"
		like "$err" "^afterwork: [^ ]*vercel\.json: $want" "says: $want"
	done
done <<'END'
{"crons":[\n{"path":"api","schedule":"* * * * *"}]}|line 2: crons\.0\.path must begin with '/'
{"crons":[{"path":"/a",\n"schedule":"0 0 1 * 1"}]}|line 2: crons\.0\.schedule "0 0 1 \* 1" is no schedule
{"functions":{"a.c":{"maxDuration":2000}}}|line 1: functions\.a\.c\.maxDuration must be a whole number from 1 to 1800
END
echo '{}' >"$work/vercel.json"
cron --serve --config "$work/vercel.json"
like "$code:$err" '^1:.*has no crons$' 'nothing to serve is told'
cron --print duration --config "$work/vercel.json"
is "$code:$out" 0:300 'how long a runner may last, when nothing is said'
echo '{"functions":{"api/*.js":{"maxDuration":5},"functions/run.c":{"maxDuration":800}}}' \
	>"$work/vercel.json"
cron --print duration --config "$work/vercel.json"
is "$code:$out" 0:800 'and when it is'
cron --print weather
like "$code:$err" '^64:.*there are --print crontab and --print duration' \
	'what cannot be printed'
cron --print duration --config "$work/nowhere.json"
is "$code:$out" 1: 'of a vercel.json that is not there nothing is printed'
cron --serve --config "$work/nowhere.json"
is "$code" 1 'a vercel.json that is not there is told'
done_testing
