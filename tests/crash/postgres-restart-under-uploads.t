#!/bin/bash
# postgres-restart-under-uploads.t: PostgreSQL goes away and comes back, fast
# and at once, in the middle of a thousand uploads: what was answered 201 is in the
# gallery, and of what was answered 5xx everything is there or nothing.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
stack_start RUNNER_SLOTS=2
album album
processes() {
	for part in upload media run status jobs pages users; do
		function_pids $part
	done
}
before=$(processes)

codes=$work/codes promised=$work/promised photo=$(picture one.jpg)
HTTP_SECONDS=30

# An upload by its number; who is refused waits a little.
one() {
	upload_name=$1.jpg upload "$photo"
	echo "$1 $status" >>"$codes"
	if [ "$status" = 201 ]; then
		jqr .doc.id >>"$promised"
	else
		sleep 0.3
	fi
}
# each FROM STEP TO
each() {
	local n
	for ((n = $1; n <= $3; n += $2)); do
		one $n
	done
}
: >"$codes"
uploads=()
for i in 1 2 3 4 5 6 7 8; do
	apart "$i" each "$i" 8 1000 &
	uploads+=($!)
done

answered() {
	[ "$(grep -c '' "$codes")" -ge "$1" ]
}

come_back() {
	await 10 '! is_alive "$postmaster"' || bail 'PostgreSQL does not end'
	sleep 0.3
	stack_part start postgresql || bail 'PostgreSQL does not come back'
}

# stop_at COUNT SIGNAL
stop_at() {
	await 60 "answered $1" || bail 'no uploads'
	read -r postmaster _ <"$STATE/pids/postgresql"
	kill -s "$2" "$postmaster"
	come_back
	note "after $(grep -c '' "$codes") uploads it is back"
}
stop_at 60 INT
stop_at 300 QUIT
stop_at 550 INT
stop_at 800 QUIT
wait "${uploads[@]}"

is "$(grep -c '' "$codes")" 1000 'all uploads were answered'
is "$(cut -d ' ' -f 2 "$codes" | grep -vx '201\|503')" '' \
	'with 201 or 503'
good=$(grep -c ' 201$' "$codes") bad=$(grep -c ' 503$' "$codes")
ok "$good with 201" [ "$good" -ge 300 ]
ok "$bad with 503" [ "$bad" -ge 10 ]
is "$(processes)" "$before" 'no function ended'

# Runners that lost the database give their jobs back when it is there again;
# what a claim without an answer holds comes back with its lease.
await 15 '[ "$(slots_held)" = 0 ]'
sql 'UPDATE afterwork.job SET lease_until = clock_timestamp()
    WHERE lease_until IS NOT NULL'
for ((i = 0; i < 30; i++)); do
	run_jobs 'allQueues=true&limit=100'
	[ "$(jqr .noJobsRemaining)" != true ] || break
done
sql_is 'SELECT count(*) FROM afterwork.job' 0 'no job is left'
sql_is 'SELECT count(*) FROM afterwork.failed' 0 'none failed'
sql_is "SELECT count(*) FROM site.media m WHERE 1 <> (
        SELECT count(*) FROM afterwork.history h WHERE h.state = 'done'
        AND h.input = jsonb_build_object('mediaId', m.id))" 0 \
	'each row had one job'
is "$(media_on_disk | grep '^row')" '' 'each row has its file'
shown=$(sql 'SELECT jsonb_agg(id ORDER BY id) FROM site.media' | tr -d ' ')
is "$(gallery_of "$page")" "$shown" 'each row is in the gallery'
is "$(grep -c '' "$promised")" "$good" 'each that was answered 201 was told its number'
is "$(comm -23 <(sort "$promised") <(jq -r '.[]' <<<"$shown" | sort))" '' \
	'each that was answered 201 is there'
# Of those refused before anything was sent there is no file; at each of the four
# stops eight were at work, whose outcome nobody could know.
left=$(media_on_disk | grep -c '^file')
ok "$left files wait for the sweep, of $bad refused" [ "$left" -le 32 ]
sql_is "SELECT count(*) FROM (SELECT input FROM afterwork.job UNION ALL
	    SELECT input FROM afterwork.history) j WHERE NOT EXISTS (
	    SELECT FROM site.media m WHERE m.id = (j.input ->> 'mediaId')::bigint)" 0 \
	'no job is without its row'
as cron
sweep_all
status_is 200 'the sweep'
is "$(media_on_disk)" '' 'no file is left without a row'
is "$(ls -A "$STATE/media/tmp")" '' 'nothing is in tmp'
as admin

# Between two requests: every process has a link that the restart cuts.
eight() {
	local i uploads=()
	: >"$codes"
	for i in 1 2 3 4 5 6 7 8; do
		apart "$i" one "$i" &
		uploads+=($!)
	done
	wait "${uploads[@]}"
	cut -d ' ' -f 2 "$codes" | sort | uniq -c | tr -s ' '
}
links() {
	links_of afterwork_upload
}
# Who of the processes takes a request is the kernel's to say: so each has its
# turn while the others stand still.
warm_up() {
	local pid other pids
	mapfile -t pids < <(function_pids upload | tail -n +2)
	for pid in "${pids[@]}"; do
		for other in "${pids[@]}"; do
			[ "$other" = "$pid" ] || kill -s STOP "$other"
		done
		one warm
		kill -s CONT "${pids[@]}"
	done
	is_all=$(eight)
	is "$(links)" 4 'four processes have a link'
}
for signal in INT QUIT; do
	warm_up
	read -r postmaster _ <"$STATE/pids/postgresql"
	kill -s $signal "$postmaster"
	come_back
	is "$is_all/$(eight)" ' 8 201/ 8 201' \
		"$signal between two requests fails neither"
done
# Row and job are committed, but the answer that says so is lost: the file
# must stay.  The first answer of a request is who the user is.
if command -v strace >/dev/null; then
	warm_up
	pids=()
	for pid in $(function_pids upload | tail -n +2); do
		pids+=(-p "$pid")
	done
	strace "${pids[@]}" -o /dev/null -e trace=recvfrom \
		-e inject=recvfrom:error=ECONNRESET:when=2 2>"$work/strace" &
	tracer=$!
	await 10 '[ "$(grep -c attached "$work/strace")" = 4 ]'
	upload "$(picture unknown.jpg)"
	kill "$tracer"
	wait "$tracer" 2>/dev/null
	status_is 503 'an upload whose outcome is not known'
	key=$(sql "SELECT storage_key FROM site.media
	    WHERE filename = 'unknown.jpg'")
	ok 'its row is there, and its file' [ -s "$STATE/media/$key" ]
	ok 'its job is run' await 10 'sql "SELECT state FROM afterwork.history
	    ORDER BY id DESC LIMIT 1" | grep -qx done'
fi
is "$(processes)" "$before" 'no function ended'
done_testing
