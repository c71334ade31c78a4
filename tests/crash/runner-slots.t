#!/bin/bash
# runner-slots.t: however many uploads come, at most RUNNER_SLOTS jobs run at a
# time, no runner stays or leaves a zombie, none holds what is nginx's, and no
# answer waits for one; where none can be started the ping runs the job.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
points_open
stack_start RUNNER_SLOTS=2 RUNNER_LINGER=250ms PROCESSES=4
runner=$(readlink -f "$B/tests/functions/run")
home=$(readlink -f "$STATE")
album album

# Runners of this stack: guards and workers alike.
runners() {
	local pid
	for pid in $(pgrep -f -x "$runner --detached $home/runtime"); do
		grep -qszxF "RUNTIME_DIRECTORY=$home/runtime" \
			"/proc/$pid/environ" && echo "$pid"
	done
}

# Each picture that comes into a gallery says in which process, and how long
# that took.
sql 'CREATE SCHEMA tests;
    CREATE TABLE tests.seen (pid int, from_at timestamptz, at timestamptz);
    CREATE FUNCTION tests.note() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        start timestamptz := clock_timestamp();
    BEGIN
        PERFORM pg_sleep(0.005);
        INSERT INTO tests.seen
        VALUES (pg_backend_pid(), start, clock_timestamp());
        RETURN NEW;
    END$$;
    CREATE TRIGGER note BEFORE INSERT ON site.gallery_image
    FOR EACH ROW EXECUTE FUNCTION tests.note()'

picture photo.jpg >/dev/null
export work authorization
seq 200 | xargs -P 16 -I {} curl -s -o /dev/null -w '%{http_code}\n' \
	-H "Authorization: $authorization" \
	-F "file=@$work/photo.jpg;filename={}.jpg" "$SERVER_URL/api/media" \
	>"$work/codes" &
uploads=$!
most=0
while is_alive "$uploads"; do
	now=$(slots_held)
	[ "$now" -le "$most" ] || most=$now
	nap_us 10000
done
wait "$uploads"
is "$(sort "$work/codes" | uniq -c | tr -s ' ')" ' 200 201' '200 uploads'
ok 'all jobs are done, without a ping' await 20 \
	'answers 0 "SELECT count(*) FROM afterwork.job"'
ok "at most two slots are taken ($most)" [ "$most" -ge 1 -a "$most" -le 2 ]
sql_is 'SELECT max(n) FROM (SELECT count(DISTINCT b.pid) AS n
    FROM tests.seen a JOIN tests.seen b
    ON b.from_at <= a.from_at AND b.at > a.from_at
    GROUP BY a.from_at, a.pid) o' 2 'two jobs at a time and never more'
sql 'DROP TRIGGER note ON site.gallery_image'

# After the linger nothing of them is left.
ok 'all runners leave' await 10 '[ -z "$(runners)" ]'
for i in 1 2 3; do
	run_jobs
done
zombies() {
	local part pid child
	for part in nginx upload media run status jobs pages users; do
		read -r pid _ <"$STATE/pids/$part"
		for child in $(descendants "$pid"); do
			[ "$(ps -o stat= -p "$child" | cut -c 1)" != Z ] ||
				echo "$part: $child"
		done
	done
}
is "$(zombies)" '' 'no function has a zombie'

# A run call that leaves work starts a runner, which is not its child.
children() {
	read -r pid _ <"$STATE/pids/run"
	descendants "$pid" | wc -l
}
before=$(children)
sql "SELECT count(afterwork.enqueue('nap', '{\"ms\":300}'))
    FROM generate_series(1, 6)" >/dev/null
run_jobs 'limit=1'
body_is .noJobsRemaining false 'a run call leaves work'
ok 'which is done' await 10 'answers 0 "SELECT count(*) FROM afterwork.job"'
ok 'no runner is left' await 10 '[ -z "$(runners)" ]'
is "$(children)" "$before" 'and the function has no child of it'

# What a runner holds while it has a job in hand.  (Of one that runs for a while
# the guard asks the database whether it is still wanted.)
set_point claimed.stop
enqueue noop
await_stopped claimed || bail 'no runner came'
worker=$stopped guard=$(ps -o ppid= -p "$stopped" | tr -d ' ')
is "$(runners | sort)" "$(printf '%s\n' "$guard" "$worker" | sort)" \
	'a runner is two processes'
# Everything but what follows is something that it should not have.
held() {
	find "/proc/$1/fd" -type l -printf '%l\n' |
		grep -vx '/dev/null' | grep -v '^anon_inode:' |
		grep -vx "$home/runtime/slots" | grep -vx "$home/log/.*\.log"
}
is "$(held "$guard")" '' 'the guard holds the slot and nothing else'
like "$(held "$worker")" '^socket:\[[0-9]+\]$' \
	'the worker its link to the database and nothing else'
for pid in "$guard" "$worker"; do
	is "$(readlink "/proc/$pid/fd/"* | grep -cxF "$home/runtime/slots")" 1 \
		'the file of slots is open once: the mark of its start is not'
done
ok 'nor is it anywhere' eval '! is_starting'
link=$(held "$worker")
is "$(for part in nginx run jobs upload; do
	read -r pid _ <"$STATE/pids/$part"
	for child in $pid $(descendants "$pid"); do
		readlink "/proc/$child/fd/"*
	done
done | grep -cxF "$link")" 0 'which nobody else has'
is "$(ps -o ppid= -p "$guard" | tr -d ' ')" \
	"$(ps -o ppid= -p "$(sed 's/ .*//' "$STATE/pids/nginx")" | tr -d ' ')" \
	'the guard belongs to no function'
is "$(ps -o tty=,sess= -p "$worker" | tr -s ' ')" \
	"$(ps -o tty=,sess= -p "$guard" | tr -s ' ')" 'they have one session'
is "$(tr '\0' '\n' <"/proc/$worker/environ" | cut -d = -f 1 |
	grep '^HTTP_\|^REQUEST\|^FCGI\|^CONTENT\|^MAX_REQUESTS')" '' \
	"no request is in the runner's environment"
is "$(grep -l "$API_KEY" "/proc/$guard/cmdline" "/proc/$worker/cmdline" \
	"/proc/$worker/environ")" '' "nor a caller's key"
kill -CONT "$worker"
ok 'its job is done' ends_as "$job" 'done'

# Nobody waits for a job that stands still: not the upload that starts the
# runner, and not those that find all slots taken.
await 10 '[ -z "$(runners)" ]'
for i in 1 2; do
	set_point handler.stop
	upload "$(picture "start$i.jpg")"
	status_is 201 'an upload is answered'
	await_stopped handler || bail 'no runner came'
	still+=("$stopped")
done
for i in 1 2 3; do
	upload "$(picture "beside$i.jpg")"
	status_is 201 'and one beside two jobs that stand still'
done
is "$(slots_held)" 2 'all slots are taken'
ask 'SELECT count(*) FROM afterwork.job'
is "$answer" 5 'no job was done meanwhile'
kill -CONT "${still[@]}"
ok 'then all is done' await 10 \
	'answers 0 "SELECT count(*) FROM afterwork.job"'

# No process can be started: the answer is the same.
await 10 '[ -z "$(runners)" ]'
pids=$(function_pids upload)
find_owner
for pid in $pids; do
	"${as_owner[@]}" prlimit --pid "$pid" --nproc=1:1
done
upload "$(picture limited.jpg)"
status_is 201 'an upload when no process can be started'
job=$(jqr .job.id)
if [ "$(ps -o uid= -p "${pids%%[!0-9]*}" | tr -d ' ')" = 0 ]; then
	note 'root has no limit'
else
	sleep 0.5
	is "$(job_end "$job")" '' 'its job waits'
	like "$(tail -n 2 "$STATE/log/upload.log")" 'could not wake a runner' \
		'the log says so'
fi
run_jobs 'allQueues=true'
is "$(job_end "$job")" 'done' 'the ping runs it'
done_testing
