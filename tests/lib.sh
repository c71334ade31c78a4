# shellcheck shell=bash disable=SC2034
# The words of black-box tests.  A test is an executable bash file:
#
#	#!/bin/bash
#	# media-upload.t: an upload is answered with its document and its job.
#	. tests/lib.sh
#	stack_shared
#
#	upload "$(picture one.jpg)"
#	status_is 201 'the picture is taken'
#	body_is .doc.alt null 'it has no text'
#	sql_is 'SELECT count(*) FROM site.media' 1 'one row'
#	done_testing
#
# Every test prints TAP and runs under prove from the top of the repository
# (tests/run does), or by itself: then it starts the stack that it needs.
#
# Stacks     stack_shared · stack_start [NAME=value…] · stack_part start|stop|
#            restart PART · function_pids NAME · runner_pids · processes_in DIR
# Requests   get post put patch delete upload request · as WHO; they set $status, $body,
#            $headers (lower-case names), and the file $work/body · apart NAME
#            COMMAND… for several at once
# Checks     ok is isnt like unlike status_is body_is body_like header_is
#            sql_is eventually await quiet · skip_all done_testing note diag
# Data       sql sql_as picture run_jobs job_done · $direct: the database's URL
#            for a psql of the test's own · links_of
set -u
shopt -s extglob
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# psql itself: Debian's in the path is a script that looks for it, each time.
for bin in /usr/lib/postgresql/{15,16,17,18}/bin; do
	[ -x "$bin/psql" ] && PATH=$bin:$PATH && break
done
B=${B:-build}
fixtures=tests/fixtures
tests_run=0 tests_failed=0
. tests/sessions.bash
STATE='' own_state=''
work=$(mktemp -d /tmp/afterwork-test.XXXXXX) || exit 1
chmod 0755 "$work"
trap lib_end EXIT
trap 'exit 1' INT TERM HUP

# --- TAP ---------------------------------------------------------------------

# For the reader of the whole output; prove shows it with -v only.
note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# About a failure: prove shows it always.
diag() {
	note "$@" >&2
}

# This test cannot go on.  (TAP's own word for that would end all others, too.)
bail() {
	report 1 "$*"
	exit 1
}

report() {
	local word=ok
	tests_run=$((tests_run + 1))
	if [ "$1" -ne 0 ]; then
		word='not ok'
		tests_failed=$((tests_failed + 1))
	fi
	printf '%s %d - %s\n' "$word" "$tests_run" "${2//#/\\#}"
	[ "$1" -eq 0 ] || diag "$0: not ok $tests_run - $2"
	return "$1"
}

# ok WHAT COMMAND…: passes when the command succeeds.
ok() {
	local what=$1
	shift
	if "$@"; then
		report 0 "$what"
	else
		report 1 "$what"
		diag "failed: $*"
		return 1
	fi
}

is() {
	[ "$1" = "$2" ]
	report $? "$3" || {
		diag "     got: $1"
		diag "expected: $2"
		return 1
	}
}

isnt() {
	[ "$1" != "$2" ]
	report $? "$3" || {
		diag "did not expect: $2"
		return 1
	}
}

# like GOT PATTERN WHAT: an extended regular expression.
like() {
	[[ $1 =~ $2 ]]
	report $? "$3" || {
		diag "     got: $1"
		diag "no match: $2"
		return 1
	}
}

unlike() {
	! [[ $1 =~ $2 ]]
	report $? "$3" || {
		diag "             got: $1"
		diag "unexpected match: $2"
		return 1
	}
}

# eventually SECONDS COMMAND WHAT: passes as soon as the command (shell text)
# succeeds.
eventually() {
	if await "$1" "$2"; then
		report 0 "$3"
	else
		report 1 "$3"
		diag "not within $1 s: $2"
		return 1
	fi
}

# await SECONDS COMMAND: the same without being a test.  It is tried every 20
# ms, or so seldom that two thirds of the time are left to what is waited for.
await() {
	local from end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000)) us
	while from=${EPOCHREALTIME/[.,]/} && ! eval "$2"; do
		us=${EPOCHREALTIME/[.,]/}
		[ "$us" -lt "$end" ] || return 1
		from=$((2 * (us - from))) us=$((end - us))
		[ "$from" -ge 20000 ] || from=20000
		nap_us $((from < us ? from : us))
	done
}

# Without a process, as sleep is one.
exec {nap_pipe}<> <(:)
nap_us() {
	local s
	printf -v s '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000))
	read -r -t "$s" -u "$nap_pipe" || return 0
}

now_ms() {
	echo "$((${EPOCHREALTIME/[.,]/} / 1000))"
}

# quiet COMMAND…: what it says goes to $work/out, and is shown if it fails.
quiet() {
	local code
	"$@" >"$work/out" 2>&1 && return
	code=$?
	diag "exit status $code: $(tail -n 5 "$work/out")"
	return $code
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

done_testing() {
	echo "1..$tests_run"
	[ "$tests_run" -gt 0 ] && [ "$tests_failed" -eq 0 ]
	exit
}

# --- stacks ------------------------------------------------------------------

# The stack that tests/run started for all, else one of this test's own.
stack_shared() {
	if [ -n "${TEST_STATE-}" ]; then
		STATE=$TEST_STATE
		stack_use
	else
		stack_start "$@"
	fi
}

# A stack for this test alone, gone when the test ends.  NAME=value are
# settings: stack_start RUNNER_SLOTS=1 PINGER=on.
stack_start() {
	local port
	[ -z "$own_state" ] || bail 'a test has one stack of its own'
	own_state=$PWD/$B/tests/s$$
	case $B in /*) own_state=$B/tests/s$$ ;; esac
	# A unix socket's path is short.
	[ ${#own_state} -lt 85 ] || own_state=/var/tmp/afterwork-s$$
	STATE=$own_state
	mkdir -p "$(dirname "$STATE")"
	port=$(free_port)
	export B STATE PORT=$port PINGER=off TASKS_DIR=tests/tasks
	export FUNCTIONS_DIR=$B/tests/functions
	[ -d tests/tasks ] || unset TASKS_DIR
	# shellcheck disable=SC2163
	[ $# -eq 0 ] || export "$@"
	deploy/stack start >"$work/stack" 2>&1 </dev/null ||
		bail "$(tail -n 1 "$work/stack")"
	stack_use
}

# shellcheck disable=SC1091
stack_use() {
	. "$STATE/env"
	# Runners of the test's own have slots of their own (runner-alone.sh).
	RUNTIME_DIRECTORY=${own_slots:-$RUNTIME_DIRECTORY}
	# A test looks on and interferes past the pooler, if there is one.
	direct=${DATABASE_DIRECT_URL:-$DATABASE_URL}
	sql_session
	as admin
}

# stack_part stop postgresql: one part of this test's own stack.
stack_part() {
	[ -n "$own_state" ] || bail 'a shared stack is not to be stopped'
	deploy/stack "$@" >"$work/stack" 2>&1 </dev/null || {
		diag "$(cat "$work/stack")"
		return 1
	}
	# For its server_login_retry a pooler believes that it is still away.
	[[ ${DATABASE_POOLED-} != 1 || $* != *start\ postgresql ]] || sleep 1.1
}

# A port that nothing listens on, below those that the kernel hands out.
free_port() {
	local port
	while :; do
		port=$((20000 + RANDOM % 12000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# Processes whose working folder is in DIR, as it is for all parts of a stack
# that live below it.
processes_in() {
	find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -lname "$1*" \
		-printf '%h\n' 2>/dev/null | sed 's|/proc/||'
}

# Process numbers of a function: its master and the processes that serve.
function_pids() {
	local pid
	read -r pid _ <"$STATE/pids/$1" && descendants "$pid"
}

descendants() {
	local child children
	read -ra children < <(cat "/proc/$1/task/"*/children 2>/dev/null)
	for child in "${children[@]}"; do
		echo "$child"
		descendants "$child"
	done
}

# Detached runners of this stack, guards and workers.
runner_pids() {
	pgrep -f -x ".*/run --detached $(readlink -f "$STATE")/runtime"
}

lib_end() {
	local code=$?
	session_end sql
	session_end client
	if [ -n "$own_state" ]; then
		STATE=$own_state deploy/stack stop >/dev/null 2>&1 </dev/null
		if [ -z "${TEST_KEEP-}" ]; then
			rm -rf "$(readlink -f "$own_state")" "$own_state"
		fi
	fi
	rm -rf "$work"
	exit $code
}

# --- requests ----------------------------------------------------------------

# as WHO: admin (the API key), cron, nobody, or an Authorization header's text.
as() {
	case $1 in
	admin) authorization="users API-Key $API_KEY" ;;
	cron) authorization="Bearer $CRON_SECRET" ;;
	nobody) authorization= ;;
	*) authorization=$1 ;;
	esac
}

# request METHOD PATH [CURL OPTION…]
request() {
	local method=$1 path=$2
	shift 2
	[ -z "$authorization" ] || set -- -H "Authorization: $authorization" "$@"
	: >"$work/body"
	: >"$work/headers"
	: >"$work/curl"
	asked_client "$method" "$path" "$@" || asked_curl "$method" "$path" "$@"
	read_body
	read_headers
}

asked_curl() {
	local method=$1 path=$2 how=(-X "$1")
	shift 2
	[ "$method" != HEAD ] || how=(-I)
	status=$(curl -sSg -m "${HTTP_SECONDS:-60}" -D "$work/headers" \
		-o "$work/body" -w '%{http_code}' "${how[@]}" "$@" \
		"$SERVER_URL$path" 2>"$work/curl")
}

# The same by the client that stays (tests/client.c), where it knows how.
asked_client() {
	local fields=(http "$1" "$SERVER_URL$2" "${HTTP_SECONDS:-60}") answer
	[ "$1" != HEAD ] || return
	shift 2
	while [ $# -gt 0 ]; do
		case $1 in
		-G) shift && continue ;;	# --data-urlencode is for the query here
		-H | -F | -A) fields+=("${1#-}" "$2") ;;
		-d | --data-binary)
			[[ $1 != -d || $2 != @* ]] || return
			fields+=(D "$2")
			;;
		--data-urlencode) fields+=(Q "$2") ;;
		*) return 1 ;;
		esac
		shift 2
	done
	client "${fields[@]}" || return
	status=${answer:0:3}
	[ "$answer" = "$status" ] || echo "${answer:3}" >"$work/curl"
}

# client FIELD…: its answer is in $answer.
client() {
	[ -x "$B/tests/client" ] &&
		session_taken client "$B/tests/client" "$work" || return
	printf '%s\0' $# "$@" >&"${session_in[client]}"
	session_answer client '' || return
	session_give client
	[ "$answer" != '?' ]
}

# Without a process more: a test makes hundreds of requests.
read_body() {
	local parts=()
	mapfile -d '' parts <"$work/body"
	printf -v body %s "${parts[@]}"
	body=${body%"${body##*[!$'\n']}"}
}

read_headers() {
	local line name lines=()
	mapfile -t lines <"$work/headers"
	headers=
	for line in "${lines[@]//$'\r'/}"; do
		[[ $line == *:* ]] && name=${line%%:*} || name=
		headers+=${headers:+$'\n'}${name,,}${line#"$name"}
	done
	headers=${headers%$'\n'}
}

get() {
	request GET "$@"
}

delete() {
	request DELETE "$@"
}

post() {
	request_json POST "$@"
}

put() {
	request_json PUT "$@"
}

patch() {
	request_json PATCH "$@"
}

# METHOD PATH [JSON [CURL OPTION…]]
request_json() {
	local method=$1 path=$2 json=${3-}
	shift $(($# < 3 ? $# : 3))
	request "$method" "$path" -H 'Content-Type: application/json' \
		--data-binary "$json" "$@"
}

# upload FILE [ALT [CURL FORM OPTION…]]; $upload_type overrides the part's type
# and $upload_name its filename.
upload() {
	local file=$1 alt=${2-} part
	shift $(($# < 2 ? $# : 2))
	part="file=@\"$file\""
	[ -z "${upload_type-}" ] || part+=";type=$upload_type"
	[ -z "${upload_name-}" ] || part+=";filename=\"$upload_name\""
	[ -z "$alt" ] || set -- -F \
		"_payload=$(jq -cn --arg alt "$alt" '{$alt}')" "$@"
	request POST /api/media -F "$part" "$@"
}

status_is() {
	is "$status" "$1" "$2" || {
		diag "    body: ${body:0:500}"
		diag "$(cat "$work/curl")"
		return 1
	}
}

# apart NAME COMMAND…: in a subshell, with a folder below $work and a client of its
# own, so that requests made at once don't wait for one another.
apart() (
	work=$work/$1
	mkdir -p "$work"
	unset 'session_pid[client]'	# which stays the others'
	session_open client "$B/tests/client" "$work"
	shift
	"$@"
	code=$?
	session_end client
	exit $code
)

# body_is FILTER WANT WHAT: FILTER is jq's; text comes without quotes.
body_is() {
	local value
	body_value "$1"
	is "$value" "$2" "$3" || {
		diag "    body: ${body:0:500}"
		return 1
	}
}

body_like() {
	local value
	body_value "$1"
	like "$value" "$2" "$3" || {
		diag "    body: ${body:0:500}"
		return 1
	}
}

# jqr FILTER: from the last body.
jqr() {
	local answer
	if client json "$1" "$body"; then
		printf '%s\n' "${answer#=}"
	else
		jq -r "$1" <<<"$body"
	fi
}

# $value is what jq -r says of the last body, or that it can't.
body_value() {
	local answer
	if client json "$1" "$body"; then
		value=${answer#=}
		value=${value%%*($'\n')}
	else
		value=$(jq -r "$1" <<<"$body" 2>&1)
	fi
}

header() {
	local line
	while IFS= read -r line; do
		[[ $line == "${1,,}":* ]] || continue
		line=${line#*:}
		printf '%s\n' "${line#"${line%%[! ]*}"}"
	done <<<"$headers"
}

header_is() {
	is "$(header "$1")" "$2" "$3"
}

# --- data --------------------------------------------------------------------

sql() {
	local rows code
	sql_rows "$1"
	code=$?
	printf %s "$rows"
	return $code
}

# sql_rows QUERY: what sql prints is in $rows.  One statement goes through a psql
# that stays.  Several, which are to be one transaction, have their own, and so has
# what has a quote that nobody closes.
sql_rows() {
	local code answer quotes=${1//[!\"\']/}
	if [[ $1 != *[\;\\]* && $1 == *[!$IFS]* && $((${#quotes} % 2)) = 0 ]] &&
		[ "$sql_with" = "$direct ${PGOPTIONS-}" ] &&
		session_taken sql psql -XqAt "$direct"; then
		sql_asked "$1"
		case $answer in
		'said false') return 0 ;;
		'said true') return 1 ;;
		esac
	fi
	rows=$(psql -XqAt -v ON_ERROR_STOP=1 "$direct" -c "$1" </dev/null
		code=$?
		echo .
		exit $code)
	code=$?
	rows=${rows%.}
	return $code
}

# One with $direct from now on, also for subshells.
sql_session() {
	session_open sql psql -XqAt "$direct" && sql_with="$direct ${PGOPTIONS-}"
}

# Sets $rows and, with whether it failed, $answer: nothing if the session is lost,
# with its server.  Then it is asked anew.
sql_asked() {
	local error=() parts=()
	: >"$work/sql.err"
	: >"$work/sql.rows"
	printf '%s\n\\g %s\n\\echo said :ERROR\n' "$1" "$work/sql.rows" \
		>&"${session_in[sql]}"
	session_answer sql || return
	mapfile -t error <"$work/sql.err"
	[ ${#error[@]} -eq 0 ] ||
		printf '%s\n' "${error[@]#psql:<stdin>:*([0-9]): }" >&2
	mapfile -d '' parts <"$work/sql.rows"
	printf -v rows %s "${parts[@]}"
	session_give sql
}

sql_is() {
	local rows said parts=()
	sql_rows "$1" 2>"$work/errors"
	mapfile -d '' parts <"$work/errors"
	printf -v said %s "${parts[@]}" "$rows"
	is "${said%%*($'\n')}" "$2" "$3"
}

# sql_as ROLE QUERY: as the function's login does it (afterwork_upload, …).
sql_as() {
	local owner as_owner=()
	owner=$(stat -c %U "$STATE/pg/data")
	[ "$owner" = "$(id -un)" ] || as_owner=(setpriv --reuid "$owner"
		--regid "$(id -g "$owner")" --clear-groups --)
	"${as_owner[@]}" psql -XqAt -v ON_ERROR_STOP=1 \
		"${direct/afterwork@/$1@}" -c "$2" 2>&1 </dev/null
}

# links_of LOGIN: how many links to the database it has; where a pooler stands
# between, how many to that, since it keeps its own.  LOGIN is grep's.
links_of() {
	if [ "${DATABASE_POOLED-}" = 1 ]; then
		psql -XqAt "${DATABASE_URL/afterwork\?/pgbouncer?}" \
			-c 'SHOW CLIENTS' </dev/null | cut -d '|' -f 2
	else
		sql 'SELECT usename FROM pg_stat_activity'
	fi | grep -c -x -e "$1"
}

# picture NAME.jpg: a real picture that no other test has, in $work; prints
# its path.  Its bytes differ by a comment that carries a random number.
picture() {
	local to=$work/$1
	{
		printf '\xff\xd8\xff\xfe\x00\x12%08x%08x' $SRANDOM $SRANDOM
		tail -c +3 "$fixtures/${2:-small.jpg}"
	} >"$to"
	echo "$to"
}

# One scheduled ping, answered when its jobs have run.
run_jobs() {
	local before=$authorization
	as cron
	get "/api/payload-jobs/run?${1:-allQueues=true}"
	authorization=$before
}

# job_done ID [SECONDS]: waits until that job is finished, one way or another.
job_done() {
	await "${2:-10}" "job_ended $1"
}

job_ended() {
	local before=$authorization
	as admin
	get "/api/payload-jobs/$1"
	authorization=$before
	[ "$(jqr '(.doc // .) | .completedAt != null or .hasError')" = true ]
}
