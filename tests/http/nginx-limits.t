#!/bin/bash
# nginx-limits.t: the limits per address are there to be switched on, work when
# they are, and are not on in the private stack.
. tests/lib.sh
stack_start
is "$(grep -hE '^[[:space:]]*limit_' "$STATE"/conf/*.conf)" '' 'none is on'
sed -i -E 's/^([[:space:]]*)# (limit_(req|conn))/\1\2/' \
	"$STATE"/conf/afterwork.conf "$STATE"/conf/afterwork-upstreams.conf
ok 'they are switched on' [ "$(grep -chE '^[[:space:]]*limit_' \
	"$STATE"/conf/afterwork.conf)" -ge 6 ]
read -r nginx _ <"$STATE/pids/nginx"
export workers
workers=$(descendants "$nginx" | sort)
kill -s HUP "$nginx"	# a restart would write them anew
await 10 '[ -z "$(comm -12 <(echo "$workers") <(descendants "$nginx" | sort))" ]' ||
	bail 'nginx does not take them'
# burst PATH [CURL OPTION…]: thirty calls by one client at once; the different
# statuses, and the bodies in $work/burst
burst() {
	local path=$1
	shift
	curl -s -Z --no-progress-meter --parallel-immediate --parallel-max 30 -m 60 -w '\n%{http_code}\n' \
		"$@" "$SERVER_URL$path?[1-30]" >"$work/burst"
	grep -xE '[0-9]{3}' "$work/burst" | sort -u | xargs
}
is "$(burst /api/users/login -H 'Content-Type: application/json' -d '{}')" \
	'400 503' 'logins are let through, and then not'
is "$(grep -oE '\{"errors":\[\{"(name|message)"' "$work/burst" | wc -l)" 30 \
	'in the shape of all errors'
is "$(burst /api/payload-jobs/run -H 'Authorization: Bearer wrong')" \
	'401 503' 'so are calls of the run endpoint'
ok 'uploads go on' quiet upload "$(picture limited.jpg)"
status_is 201 'an upload'
done_testing
