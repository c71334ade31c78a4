#!/bin/bash
# exec-nothing-survives.t: whatever an executable has started and left is ended:
# in another session, ignoring signals, forking on; at its end, at its time-out,
# when its worker dies; and when its guard does, as far as the kernel goes.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/crash/exec.bash
. tests/crash/exec.bash
points_open
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=300ms

# Each process of a task notes its number here: as a file's name.
n=0
new_place() {
	place=$work/p$((++n))
	install -d -m 0777 "$place"
}

# places WANT: so many have noted themselves.
noted() {
	[ "$(find "$place" -type f | wc -l)" -ge "$1" ]
}

# gone WHAT: of those that noted themselves (at least $1) none lives.
gone() {
	ok "$2: $1 had started" noted "$1"
	is "$(alive_in "$place")" '' "$2: none of them lives"
	is "$(processes_in "$(readlink -f tests/tasks)")" '' "$2: nor another"
}

cat >"$work/leave.py" <<'END'
"""Leave a daemon behind: another session, its parent gone, deaf to signals."""
import os, signal, sys, time
place = sys.argv[1]
def note():
    open(f"{place}/{os.getpid()}", "w").close()
note()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for sig in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(sig, signal.SIG_IGN)
        os.chdir("/")
        note()
        time.sleep(1000)
    os._exit(0)
while len(os.listdir(place)) < 2:
    time.sleep(0.01)
if len(sys.argv) > 2:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(1000)
print("{}")
END
cat >"$work/bomb.c" <<'END'
/* Chains of processes: each forks the next, in a session of its own, and goes,
 * so that whoever looks for them finds a number that is old. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct timespec t = { 0 };
	char path[4096];

	if (argc < 3)
		return 64;
	/* One that is to go on for seconds is slower: both processors would be
	 * busy with it. */
	t.tv_nsec = argv[2][0] == 'k' ? 10000000 : 2000000;
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			signal(SIGTERM, SIG_IGN);
			snprintf(path, sizeof(path), "%s/%d", argv[1],
			    (int)getpid());
			close(open(path, O_CREAT | O_WRONLY, 0666));
			for (;;) {
				setsid();
				nanosleep(&t, NULL);
				if (fork() != 0)
					_exit(0);
			}
		}
	t.tv_nsec = 300000000;
	nanosleep(&t, NULL);
	if (argv[2][0] == 'k')
		for (;;)
			pause();
	puts("{\"bombed\":true}");
	return 0;
}
END
"${CC:-cc}" -O1 -o "$work/bomb" "$work/bomb.c" || bail 'no bomb'
chmod 0755 "$work/leave.py" "$work/bomb"

# --- at its end ---
new_place
script "touch $place/\$\$; (trap '' TERM; touch $place/\$BASHPID; sleep 1000) &
    setsid bash -c 'touch $place/\$\$; sleep 1000' &
    while [ \$(ls $place | wc -l) -lt 3 ]; do sleep 0.01; done; echo '{}'"
start=$(now_ms)
ended "$job"
body_is .state 'done' 'sh: children in the background hold nothing up'
ok 'not for their time' [ $(($(now_ms) - start)) -lt 5000 ]
gone 3 sh

new_place
script "exec python3 $work/leave.py $place"
ended "$job"
body_is .state 'done' 'python: one that leaves a daemon is done'
gone 2 python

new_place
script "exec $work/bomb $place end"
ended "$job"
body_is '[.state, .output.bombed] | @csv' '"done",true' \
	'C: one that leaves chains of forks is done'
gone 8 C
is "$(pgrep -xc bomb)" 0 'C: no link of a chain'

# --- at its time-out ---
new_place
start=$(now_ms)
script "touch $place/\$\$; trap '' TERM; sleep 1000"
ended "$job" 40
body_is '[.state, .attempts] | @csv' '"failed",2' 'deaf: it fails'
body_is .error.message 'The job took longer than its timeout of 3000 ms.' 'and says why'
body_is '.log | map(.signal) | unique | tostring' '["SIGKILL"]' 'it was killed'
took=$(($(now_ms) - start))
ok "five seconds after it was asked ($took ms)" [ "$took" -ge 16000 ] &&
	ok 'and not much later' [ "$took" -lt 25000 ]
gone 2 deaf

new_place
start=$(now_ms)
script "touch $place/\$\$; trap 'echo tidied up >&2; exit 1' TERM
    while :; do sleep 0.1; done"
ended "$job"
body_is '.log | map(.log | contains("tidied up")) | tostring' '[true,true]' \
	'obedient: it has time to tidy up'
body_is '.log[1].exitStatus' 1 'and its own status'
body_is .error.message 'The job took longer than its timeout of 3000 ms.' \
	'but it was too late'
took=$(($(now_ms) - start))
ok "it is not waited for in vain ($took ms)" [ "$took" -lt 9500 ]
gone 2 obedient

new_place
script "exec python3 $work/leave.py $place stay"
ended "$job" 40
body_is .state failed 'python: time-out'
gone 4 'python: time-out'

new_place
script "exec $work/bomb $place keep"
ended "$job" 40
body_is .state failed 'C: time-out'
gone 16 'C: time-out'
is "$(pgrep -xc bomb)" 0 'C: time-out: no link of a chain'

# What its child still tidies up is not cut off by the end of the first.
new_place
script "(trap 'sleep 1; echo saved >&2; exit 0' TERM
    touch $place/\$BASHPID; while :; do sleep 0.05; done) &
    touch $place/\$\$; wait"
ended "$job"
body_is '.log | map(.log | contains("saved")) | tostring' '[true,true]' \
	'a child has its five seconds too'
gone 4 'a child that tidies up'

# --- when the worker dies ---
new_place
set_point program-ended.kill
script "touch $place/\$\$; exec python3 $work/leave.py $place"
ended "$job"
body_is '[.state, .crashes] | @csv' '"done",1' \
	'the job of a worker that died is run again, and charged a crash'
gone 3 'worker died'

# killed WHO: a deaf task with a daemon runs; who has its number in $at.
at=$work/at
install -d -m 0777 "$at"
start_deaf() {
	rm -f "$at/worker"
	new_place
	script "[ \$AFTERWORK_ATTEMPT = 1 -a ! -e $at/worker ] || exit 0
	    echo \$PPID >$at/worker; exec python3 $work/leave.py $place stay"
	await 5 'noted 2'
	read -r worker <"$at/worker"
	guard=$(ps -o ppid= -p "$worker" | tr -d ' ')
}

start_deaf
kill -KILL "$worker"
ok 'a worker is killed: its task goes at once, daemon included' \
	await 2 '[ -z "$(alive_in "$place")" ]'
ended "$job"
body_is '[.state, .crashes] | @csv' '"done",1' 'and the job is run again'

# The kernel takes the worker and the task's own process along.  What left its
# parents has nobody then.
start_deaf
kill -KILL "$guard"
ok 'a guard is killed: the worker goes' await 2 "! is_alive $worker"
first=$(for pid in $(alive_in "$place"); do
	[ "$(ps -o sid= -p "$pid" | tr -d ' ')" = "$pid" ] || echo "$pid"
done)
ok 'and the process of the task itself' \
	[ "$(alive_in "$place" | wc -l)" -le 1 ]
[ -z "$first" ] || note "a daemon stayed, as it may: $first"
for pid in $(alive_in "$place"); do
	kill -KILL "$pid"
done
done_testing
