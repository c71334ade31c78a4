# shellcheck shell=bash disable=SC2034,SC2154
# What the random tests share; source it after crash.bash.
#
# chaos_open SEED    rolls dice from SEED; the ledgers are made
# alter FUNCTION FROM TO [TIMES]   in this test's database alone, a function of
#                    the schema has another text
# keep_pinging       until chaos_end: somebody calls the run endpoint
# strike KIND…       one of these happens to some runner of this stack:
#     worker guard both    kill -9
#     pause                its worker stands still for less than a second
#     hold                 worker and guard stand still until the lease is over
#     backend              its session is ended (pg_terminate_backend)
#     program              the executable that it runs is killed
# restart fast|immediate   PostgreSQL
# chaos_end          all that stood still goes on, no more pings
#
# struck[KIND] counts.

declare -A struck=()

chaos_open() {
	RANDOM=$1
	entries=$work/entries
	mkdir -m 0777 "$entries" && chmod 0777 "$entries" &&
		: >"$entries/lines" && chmod 0666 "$entries/lines"
	ledger_open
	# What was enqueued, and every claim that was committed.
	sql 'CREATE TABLE tests.made (job bigint PRIMARY KEY, task text);
	    CREATE TABLE tests.granted (job bigint, lease_no bigint);
	    CREATE INDEX ON tests.granted (job, lease_no);
	    CREATE TABLE tests.entry (job bigint, lease_no bigint);
	    CREATE FUNCTION tests.grant() RETURNS trigger LANGUAGE plpgsql AS $$
	    BEGIN
	        INSERT INTO tests.granted VALUES (NEW.id, NEW.lease_no);
	        RETURN NULL;
	    END$$;
	    CREATE TRIGGER granted AFTER UPDATE ON afterwork.job FOR EACH ROW
	    WHEN (OLD.lease_no IS DISTINCT FROM NEW.lease_no)
	    EXECUTE FUNCTION tests.grant()'
}

alter() {
	local n
	n=$(psql -XqAt -v ON_ERROR_STOP=1 -v "name=$1" -v "from=$2" -v "to=$3" \
		"$direct" 2>&1 <<'END'
SELECT pg_get_functiondef(p.oid) AS def FROM pg_proc p
WHERE p.pronamespace = 'afterwork'::regnamespace AND p.proname = :'name' \gset
SELECT replace(:'def', :'from', :'to') \gexec
SELECT (length(:'def') - length(replace(:'def', :'from', ''))) / length(:'from');
END
	)
	[ "$n" = "${4:-1}" ] || bail "afterwork.$1 is another now: $n"
}

# Leases end MS after the timeout, and no job is parked for its crashes: the
# claim tells its runner of none.
short_leases() {
	local name
	for name in claim claim_behind; do
		alter "$name" '+ 30000)' "+ $1)" 2
		alter "$name" 'j.attempts, j.crashes,' 'j.attempts, 0,'
	done
	alter claim_first '+ 30000)' "+ $1)" 2
	alter claim_first 'j.crashes,' '0,'
	alter take_queue_places '+ 30000)' "+ $1)"
}

keep_pinging() {
	touch "$work/pinging"
	while [ -e "$work/pinging" ]; do
		curl -s -o /dev/null -m 10 \
			-H "Authorization: Bearer $CRON_SECRET" \
			"$SERVER_URL/api/payload-jobs/run?allQueues=true&limit=3"
		sleep 0.2
	done &
	pinger=$!
}

# Detached runners of this stack: guards[i] is the parent of workers[i].
find_runners() {
	local pid stat all=' '
	guards=() workers=()
	for pid in $(pgrep -f '/run --detached '); do
		grep -qszxF "RUNTIME_DIRECTORY=$home/runtime" \
			"/proc/$pid/environ" && all+="$pid "
	done
	for pid in $all; do
		read -r stat 2>/dev/null <"/proc/$pid/stat" || continue
		stat=${stat##*) }
		read -r _ stat _ <<<"$stat"
		[[ $all == *" $stat "* ]] || continue
		guards+=("$stat")
		workers+=("$pid")
	done
}

# Until SECONDS are over; then in the order PIDS.  Numbers are not used twice in
# so short a time.
stand_still() {
	local seconds=$1 pid
	shift
	kill -STOP "$@" 2>/dev/null
	(
		exec >/dev/null 2>&1
		sleep "$seconds"
		for pid; do
			kill -CONT "$pid"
			sleep 0.5
		done
	) &
	stopped_by+=("$!")
}
stopped_by=()

strike() {
	local kind=${*:RANDOM % $# + 1:1} i pid
	find_runners
	[ ${#workers[@]} -gt 0 ] || return 1
	i=$((RANDOM % ${#workers[@]}))
	case $kind in
	worker) kill -KILL "${workers[i]}" ;;
	guard) kill -KILL "${guards[i]}" ;;
	both) kill -KILL "${guards[i]}" "${workers[i]}" ;;
	pause) stand_still "0.$((RANDOM % 9 + 1))" "${workers[i]}" ;;
	hold) stand_still "$((RANDOM % 2 + 2)).$((RANDOM % 9))" \
		"${workers[i]}" "${guards[i]}" ;;
	backend)
		[ "$(sql_as postgres "SELECT pg_terminate_backend(pid)
		    FROM pg_stat_activity
		    WHERE usename = 'afterwork_run'
		    ORDER BY random() LIMIT 1")" = t ]
		;;
	program)
		pid=$(pgrep -P "$(IFS=, && echo "${workers[*]}")" | head -n 1)
		[ -n "$pid" ] && kill -KILL "$pid"
		;;
	esac 2>/dev/null || return 1
	struck[$kind]=$((${struck[$kind]-0} + 1))
}

restart() {
	local pid
	struck[$1]=$((${struck[$1]-0} + 1))
	if [ "$1" = immediate ]; then
		read -r pid _ <"$STATE/pids/postgresql"
		kill -QUIT "$pid"
		await 10 "! is_alive $pid" || bail 'PostgreSQL does not end'
	fi
	stack_part restart postgresql || bail 'PostgreSQL does not start'
}

chaos_end() {
	rm -f "$work/pinging"
	wait "$pinger" "${stopped_by[@]}"
	stopped_by=()
}
