#!/bin/bash
# upload-kill-each-syscall.t: kill -9 of the upload function at each system
# call of an upload leaves no row without its file, no row without its job,
# and no file that the sweep does not remove.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
command -v strace >/dev/null || skip_all 'strace is not installed'
stack_start PROCESSES=1 RUNNER_SLOTS=1 RUNNER_LINGER=0ms
album album

# shellcheck source=tests/crash/traced.bash
. tests/crash/traced.bash

# A fresh process that has served nothing, or one that has; and a free slot,
# so that it starts a runner.
prepare() {
	await 10 find_server || bail 'no process serves'
	if [ "$1" = warm ]; then
		upload "$(picture first.jpg)"
	fi
	await 10 '! is_starting && [ "$(slots_held)" = 0 ]' ||
		bail 'a runner stays'
}

# The system calls of one upload, as "NAME COUNT" lines in their order.
list_calls() {
	prepare "$1"
	trace -o "$work/trace"
	upload "$(picture seen.jpg "$2")"
	await 5 'grep -q ^accept4 "$work/trace" &&
	    [[ $(tail -n 1 "$work/trace") == epoll_pwait* ]]'
	end_trace
	sed -n '/^accept4/,$ s/^\([a-z0-9_]*\)(.*/\1/p' "$work/trace" |
		grep -vx epoll_pwait | awk '{ print $1, ++seen[$1] }'
	[ "$1" = warm ] || end_server
}

# What must not be, one a line.
faults() {
	ask "SELECT 'media ' || m.id || ' has no job' FROM site.media m
	    WHERE NOT EXISTS (SELECT FROM afterwork.job
	        WHERE input = jsonb_build_object('mediaId', m.id))
	    AND NOT EXISTS (SELECT FROM afterwork.history
	        WHERE input = jsonb_build_object('mediaId', m.id))"
	[ -z "$answer" ] || echo "$answer"
	ask 'SELECT storage_key FROM site.media ORDER BY id DESC LIMIT 3'
	for key in $answer; do
		[ -s "$STATE/media/$key" ] || echo "$key is not on disk"
	done
	[ "$status" = 201 ] || [ "$status" = 502 ] || echo "status $status"
	if [ "$status" = 201 ]; then
		answers "$(jqr .job.id)" "SELECT id FROM (
		    SELECT id, input FROM afterwork.job UNION ALL
		    SELECT id, input FROM afterwork.history) j
		    WHERE input @> '{\"mediaId\": $(jqr .doc.id)}'" ||
			echo "answered, but it is not there: $body"
	fi
}

# kill_at HOW FILE CALL N
kill_at() {
	prepare "$1"
	trace -o /dev/null -e "trace=$3" \
		-e "inject=$3:signal=KILL:when=$4"
	upload "$(picture killed.jpg "$2")"
	if await 2 '! is_alive "$server"'; then
		killed+=$'\n'$3
	else
		end_server
	fi
	end_trace
	is "$(faults)" '' "killed at $3 $4 ($1)"
}
killed='' points=0

# The first upload of all makes what later ones find.
prepare warm
end_server

for how in cold warm; do
	file=small.jpg
	[ $how = cold ] || file=photo.jpg
	list_calls $how $file >"$work/calls"
	# What kill -9 cannot show, since the page cache outlives it.
	like "$(cut -d ' ' -f 1 "$work/calls" |
		grep -x 'write\|fsync\|renameat\|sendto' | xargs)" \
		'write fsync renameat fsync( sendto)+ write' \
		"$how: bytes, name and folder are on disk before a row is there"
	while read -r call n; do
		points=$((points + 1))
		kill_at $how $file "$call" "$n" </dev/null
	done <"$work/calls"
	cat "$work/calls" >>"$work/all"
done
ok "$points system calls are there" [ "$points" -ge 110 ]
# How many reads and polls there are is not the same every time, nor is how
# often the heap has to grow.
calls=$(grep -c . <<<"$killed")
ok "at $calls of them it was killed" [ "$calls" -ge $((points * 85 / 100)) ]
is "$(sed -n '/^read$\|^poll$\|^brk$\|^$/!p' <<<"$killed" | wc -l)" \
	"$(grep -cv '^read \|^poll \|^brk ' "$work/all")" 'at every other call, too'

# The children that become the runner: their death costs nobody an answer.
for call in setsid close_range execve; do
	prepare cold
	trace -f -o /dev/null -e "trace=$call" \
		-e "inject=$call:signal=KILL:when=1"
	upload "$(picture child.jpg)"
	status_is 201 "killed in the child's $call: answered"
	end_trace
	is "$(faults)" '' "killed in the child's $call"
done
kill -CONT "$still"

# Whatever was left is run by the next pings, and swept.
for ((i = 0; i < 20; i++)); do
	run_jobs 'allQueues=true&limit=100'
	[ "$(jqr .noJobsRemaining)" != true ] || break
done
sql_is "SELECT count(*) FROM afterwork.job" 0 'no job waits'
ok 'files without a row were left' [ "$(media_on_disk | wc -l)" -gt 0 ]
is "$(media_on_disk | grep '^row')" '' 'no row is without its file'
as cron
sweep_all
status_is 200 'the sweep'
is "$(media_on_disk)" '' 'no file is without a row'
is "$(ls -A "$STATE/media/tmp")" '' 'nothing is in tmp'
as admin
is "$(gallery_of "$page")" "$(sql 'SELECT jsonb_agg(id ORDER BY id)
    FROM site.media' | tr -d ' ')" 'the gallery has every picture of a row'
done_testing
