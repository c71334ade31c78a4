# shellcheck shell=bash disable=SC2034,SC2154
# What the figures are made with: the stack, servers beside it, the table.
# Part of tests/bench/run.
nok=0 nshort=0 nfailed=0 nleft_out=0
declare -A port_of pid_of_server
everyone=()

fail() {
	echo "bench: $*" >&2
	exit 1
}

# --- numbers -----------------------------------------------------------------

median() {
	printf '%s\n' "$@" | sort -g |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

now_us() {
	echo "${EPOCHREALTIME/[.,]/}"
}

# shown NUMBER: three digits that matter
shown() {
	awk -v v="$1" 'BEGIN {
		printf (v >= 100 ? "%.0f" : v >= 10 ? "%.1f" : "%.2f"), v }'
}

# What the machine was busy with in the last minute, this run included.
load_now() {
	cut -d ' ' -f 1 /proc/loadavg
}

verdict() {
	if [ "$1" = ok ]; then
		nok=$((nok + 1))
	else
		nshort=$((nshort + 1))
	fi
}

# row NAME OURS FLOOR BOUND HOW: the numbers are lists; BOUND is a number or,
# like 1/0.7, two; HOW is most, least or under (of the ratio), below (of ours
# alone) or note (nothing is asked of it).
row() {
	local ours floor=- ratio=- word=
	{ numbers "$2" && { [ -z "$3" ] || numbers "$3"; }; } ||
		{
			echo "$1: not measured: ours '$2', floor '$3'"
			nfailed=$((nfailed + 1))
			return
		}
	# shellcheck disable=SC2086
	ours=$(median $2)
	# shellcheck disable=SC2086
	[ -z "$3" ] || floor=$(median $3)
	[ -z "$3" ] || ratio=$(awk -v a="$ours" -v b="$floor" \
		'BEGIN { printf "%.2f", a / b }')
	word=$(holds "$ours" "$floor" "$4" "$5")
	[ -z "$word" ] || verdict "$word"
	[ "$floor" = - ] || floor=$(shown "$floor")
	printf '%-60s %9s %9s %6s %7s %5s %s\n' "$1" "$(shown "$ours")" \
		"$floor" "$ratio" "$(bound "$4" "$5")" "$(load_now)" "$word"
}

# holds OURS FLOOR BOUND HOW: ok or short; the ratio is not rounded for it.
holds() {
	awk -v a="$1" -v b="$2" -v bound="$3" -v how="$4" 'BEGIN {
		if (how == "note")
			exit
		n = split(bound, part, "/")
		limit = n == 2 ? part[1] / part[2] : part[1] + 0
		r = how == "below" ? a : a / b
		print (how == "most" ? r <= limit : how == "least" ? \
			r >= limit : r < limit) ? "ok" : "short" }'
}

# A list of numbers, none of them missing.
numbers() {
	[[ $1 =~ ^[0-9]+(\.[0-9]+)?(\ [0-9]+(\.[0-9]+)?)*$ ]]
}

bound() {
	local number=$1
	[[ $1 != */* ]] || number=$(awk -v a="${1%/*}" -v b="${1#*/}" \
		'BEGIN { printf "%.2f", a / b }')
	case $2 in
	most) echo "<= $number" ;;
	least) echo ">= $number" ;;
	under | below) echo "< $number" ;;
	*) echo - ;;
	esac
}

# --- the stack ---------------------------------------------------------------

# Its product is the one that make builds; beside it, in schema bench, the
# floors' own tables: the product's columns and indexes.
bench_start() {
	local owner
	trap bench_end EXIT
	stack_start FUNCTIONS_DIR="$B/functions" PINGER=off \
		MAX_UPLOAD_BYTES=2100000000
	home=$(readlink -f "$STATE")
	owner=$(stat -c %U "$home/pg/data")
	as_user=()
	[ "$owner" = "$(id -un)" ] || as_user=(setpriv --reuid "$owner"
		--regid "$(id -g "$owner")" --clear-groups --)
	port_of[ours]=$PORT
	programs=$B
	"${as_user[@]}" test -x "$B/bench/load" || copy_programs
	read -r pid _ <"$home/pids/upload"
	mapfile -d '' -t vars <"/proc/$pid/environ"
	read -r pid _ <"$home/pids/postgresql"
	pg_bin=$(dirname "$(readlink "/proc/$pid/exe")")
	slots=$(nproc)
	run_url=${DATABASE_URL/afterwork@/afterwork_run@}
	key_hash=$(sql "SELECT api_key_hash FROM site.users
		WHERE email = 'admin@example.com'")
	bench_tables >"$work/sql" 2>&1 || fail "$(cat "$work/sql")"
	mkdir -p "$home/floor/tmp" "$home/floor/own"
	chown -R "$owner:" "$home/floor"
}

copy_programs() {
	programs=$home/bench-programs
	mkdir -p "$programs" && cp -R "$B/bench" "$B/functions" "$programs/" ||
		fail "cannot copy the programs to $programs"
}

bench_tables() {
	sql "CREATE SCHEMA bench;
	CREATE TABLE bench.media (LIKE site.media INCLUDING ALL);
	CREATE TABLE bench.job (LIKE afterwork.job INCLUDING ALL)
		WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.02,
		autovacuum_vacuum_threshold = 500);
	CREATE SEQUENCE bench.lease_no;
	CREATE TABLE bench.history (LIKE afterwork.history INCLUDING ALL);
	CREATE TABLE bench.stamp (job bigint, at timestamptz,
		backend integer DEFAULT pg_backend_pid());
	GRANT USAGE ON SCHEMA bench TO afterwork_run;
	GRANT INSERT ON bench.stamp TO afterwork_run"
}

bench_end() {
	local code=$? name
	for name in "${!pid_of_server[@]}"; do
		server_stop "$name"
	done
	for name in $(runners_of rate); do
		kill -s KILL "$name" 2>/dev/null
	done
	(exit $code)
	lib_end
}

# sql_of LOGIN DATABASE SQL
sql_of() {
	with -- psql -XqAt -v ON_ERROR_STOP=1 \
		"${DATABASE_URL/afterwork@\/afterwork/$1@/$2}" -c "$3" </dev/null
}

checkpoint() {
	sql_of postgres postgres CHECKPOINT || fail 'no checkpoint'
}

# --- servers beside the stack's ----------------------------------------------

# become NAME=VALUE… -- COMMAND…: what a function of the stack has in its
# environment, and more, as the servers' user; in this process's place.
become() {
	local more=()
	while [ "$1" != -- ]; do
		more+=("$1")
		shift
	done
	shift
	cd "$home" || exit 1
	exec env -i "${vars[@]}" "${more[@]}" "${as_user[@]}" "$@"
}

# The same, to its end.
with() {
	(become "$@")
}

# A port of nginx that leads to the socket NAME, for each NAME.
ports_add() {
	local name conf=$home/conf/afterwork-upstreams.conf old
	old=$(workers)
	for name; do
		port_of[$name]=$(free_port)
		cat >>"$conf" <<-END
		server {
			listen 127.0.0.1:${port_of[$name]};
			location /api/ {
				client_max_body_size 51264k;
				include afterwork-function.conf;
				fastcgi_pass unix:$home/run/$name.sock;
			}
		}
		END
	done
	kill -s HUP "$(cat "$home/nginx/nginx.pid")" || fail 'no nginx'
	await 10 '[ "$(workers)" != "$old" ] && [ "$(workers | wc -l)" = 1 ]' ||
		fail 'nginx does not take its new ports'
}

workers() {
	descendants "$(cat "$home/nginx/nginx.pid")"
}

# server_spawn NAME PROCESSES [NAME=VALUE…] -- COMMAND…: a function at socket
# NAME, with a runner's folder of its own.  Does not wait for it.
server_spawn() {
	local name=$1 n=$2 more=()
	shift 2
	while [ "$1" != -- ]; do
		more+=("$1")
		shift
	done
	shift
	mkdir -p "$home/runtime-$name"
	chown --reference="$home/runtime" "$home/runtime-$name"
	rm -f "$home/run/$name.sock"
	become "RUNTIME_DIRECTORY=$home/runtime-$name" "${more[@]}" -- \
		spawn-fcgi -n -s "$home/run/$name.sock" -M 0660 -b 1024 -- \
		/usr/bin/multiwatch -f "$n" -t 0 -- "$@" \
		</dev/null >>"$home/log/bench-$name.log" 2>&1 &
	pid_of_server[$name]=$!
}

# The same, at a port of its own, ready to be called.
server_start() {
	local name=$1 i
	[ -n "${port_of[$name]-}" ] || ports_add "$name"
	server_spawn "$@"
	for ((i = 0; i < 250; i++)); do
		[ -S "$home/run/$name.sock" ] && return
		sleep 0.02
	done
	fail "$name does not start: $(tail -n 1 "$home/log/bench-$name.log")"
}

# As many processes as the stack's upload function has.
upload_processes() {
	printf '%s\n' "${vars[@]}" | sed -n 's/^FCGI_CHILDREN=//p' | tail -n 1
}

# An upload function whose runner is the one built for NAME.
variant_start() {
	local name=$1 built=$2
	shift 2
	server_start "$name" 1 "$@" -- "$programs/bench/$built/functions/upload"
}

floor_start() {
	server_start "$1" "$(upload_processes)" -- "$programs/bench/floor" \
		"$2" "$home/floor" "$DATABASE_URL" "$key_hash"
}

server_stop() {
	local pid list
	list=$(server_pids "$1")
	kill "${pid_of_server[$1]}" 2>/dev/null
	wait "${pid_of_server[$1]}" 2>/dev/null
	unset "pid_of_server[$1]"
	for pid in $(runners_of "$1"); do
		kill -s KILL "$pid" 2>/dev/null
	done
	for pid in $list; do
		await 10 "! kill -s 0 $pid 2>/dev/null" ||
			fail "a process of $1 does not end"
	done
}

# A server's processes, multiwatch and a master among them.
server_pids() {
	echo "${pid_of_server[$1]}"
	descendants "${pid_of_server[$1]}"
}

# Detached runners that a server's uploads started.
runners_of() {
	local file
	for file in /proc/[0-9]*; do
		[[ $(readlink "$file/exe" 2>/dev/null) == */run ]] &&
			grep -qszxF "RUNTIME_DIRECTORY=$home/runtime-$1" \
				"$file/environ" && echo "${file##*/}"
	done 2>/dev/null
}

# load NAME OPTION…: sets $p50 $p99 (µs) $rps $began $ended (µs).
load() {
	local name=$1
	shift
	read -r p50 p99 rps began ended < <("$B/bench/load" \
		-p "${port_of[$name]}" -k "$API_KEY" -f "$photo" "$@") &&
		[ -n "$ended" ] || fail "uploads to $name failed: $(tail -n 1 \
		"$home/log/bench-$name.log" 2>/dev/null)"
}

# --- data --------------------------------------------------------------------

jobs_are_done() {
	[ "$(sql 'SELECT count(*) FROM afterwork.job')" = 0 ]
}

drain() {
	await 120 jobs_are_done || fail 'jobs stay in the queue'
}

# Everything that uploads and jobs left behind.
clear_data() {
	sql 'DELETE FROM afterwork.job' &&
		sql 'TRUNCATE afterwork.history, afterwork.failed,
			bench.media, bench.job, bench.history, bench.stamp' &&
		sql 'TRUNCATE site.media, site.media_name, site.gallery_image,
			site.media_size' &&
		sql 'VACUUM afterwork.job' ||
		fail 'cannot clear the tables'
	# Emptied, not removed: ext4 passes over inodes that were freed in the
	# last seconds, one by one, and that would cost the next uploads.
	find "$home/media" "$home/floor" -type f -size +0 \
		-exec truncate -s 0 {} +
}
