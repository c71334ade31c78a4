#!/bin/bash
# postgres-restart-under-uploads.t: PostgreSQL goes away and comes back, fast
# and at once, in the middle of 500 uploads: what was answered 201 is in the
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

# One upload by its number; who is refused waits a little.
cat >"$work/one" <<'END'
#!/bin/bash
code=$(curl -s -m 30 -o "$work/answer.$1" -w '%{http_code}' \
	-H "Authorization: $authorization" \
	-F "file=@$work/one.jpg;filename=$1.jpg" "$SERVER_URL/api/media")
echo "$1 $code" >>"$work/codes"
[ "$code" = 201 ] || sleep 0.3
END
chmod +x "$work/one"
picture one.jpg >/dev/null
export work authorization
: >"$work/codes"
seq 500 | xargs -P 8 -n 1 "$work/one" &
uploads=$!

answered() {
	[ "$(grep -c '' "$work/codes")" -ge "$1" ]
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
	note "after $(grep -c '' "$work/codes") uploads it is back"
}
stop_at 60 INT
stop_at 180 QUIT
stop_at 300 INT
stop_at 400 QUIT
wait "$uploads"

is "$(grep -c '' "$work/codes")" 500 'all uploads were answered'
is "$(cut -d ' ' -f 2 "$work/codes" | grep -vx '201\|503')" '' \
	'with 201 or 503'
good=$(grep -c ' 201$' "$work/codes") bad=$(grep -c ' 503$' "$work/codes")
ok "$good with 201" [ "$good" -ge 100 ]
ok "$bad with 503" [ "$bad" -ge 10 ]
is "$(processes)" "$before" 'no function ended'

# Runners that lost the database give their jobs back when it is there again;
# what a claim without an answer holds comes back with its lease.
await 15 '[ "$(slots_held)" = 0 ]'
sql 'UPDATE afterwork.job SET lease_until = clock_timestamp()
    WHERE lease_until IS NOT NULL'
for ((i = 0; i < 20; i++)); do
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
rows=$(sql 'SELECT jsonb_agg(id ORDER BY id) FROM site.media' | tr -d ' ')
is "$(gallery_of "$page")" "$rows" 'each row is in the gallery'
for ((i = 1; i <= 500; i++)); do
	! grep -qx "$i 201" "$work/codes" || jq -r .doc.id "$work/answer.$i"
done | sort >"$work/promised"
is "$(comm -23 "$work/promised" <(jq -r '.[]' <<<"$rows" | sort))" '' \
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
	: >"$work/codes"
	seq 8 | xargs -P 8 -n 1 "$work/one"
	cut -d ' ' -f 2 "$work/codes" | sort | uniq -c | tr -s ' '
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
		"$work/one" warm
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
