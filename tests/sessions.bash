# shellcheck shell=bash disable=SC2034,SC2154
# Programs that stay for a test (tests/lib.sh sources this): each is asked over a
# pipe of its own, in a millisecond, where one that is started takes ten to a
# hundred of the processors'.
#
# One asks at a time, subshells included: $work/NAME.turn is a number, and whoever
# makes the file of that number has the turn until he writes the next one.  (Not a
# line in a pipe that one reads: read -t may take it and say that time was over.)
# Who finds a session taken, or none that the test's own shell could open, starts
# the program that it stands for.
declare -A session_pid=() session_in=() session_out=()

# session_open NAME COMMAND…: it reads $work/NAME.in and answers on NAME.said.
session_open() {
	local name=$1 fd in out
	shift
	session_end "$name"
	rm -f "$work/$name".*
	mkfifo "$work/$name.in" "$work/$name.said" || return
	exec {in}<>"$work/$name.in" {out}<>"$work/$name.said"
	{
		# It does not hold what the test waits to be closed.
		for fd in /proc/self/fd/*; do
			[ "${fd##*/}" -le 2 ] || eval "exec ${fd##*/}>&-"
		done
		exec "$@"
	} <"$work/$name.in" >"$work/$name.said" 2>>"$work/$name.err" &
	disown	# nobody's wait is for it
	session_pid[$name]=$! session_in[$name]=$in session_out[$name]=$out
	echo 1 >"$work/$name.turn"
}

session_end() {
	local in=${session_in[$1]-} out=${session_out[$1]-}
	[ -n "${session_pid[$1]-}" ] || return 0
	kill "${session_pid[$1]}" 2>/dev/null
	exec {in}>&- {out}>&-
	unset "session_pid[$1]"
}

session_alive() {
	[ -n "${session_pid[$1]-}" ] && kill -0 "${session_pid[$1]}" 2>/dev/null
}

# session_taken NAME COMMAND…: it is the caller's until session_give.  One that is
# lost is opened again, but a subshell's would go with that.
session_taken() {
	local code turn
	session_alive "$1" || { [ "$BASHPID" = $$ ] && session_open "$@"; } || return
	read -r turn 2>/dev/null <"$work/$1.turn" || return
	set -C
	{ : >"$work/$1.turn.$turn"; } 2>/dev/null
	code=$?
	set +C
	[ $code -eq 0 ] && session_turn=$turn
}

session_give() {
	echo $((session_turn + 1)) >"$work/$1.turn"
}

# session_answer NAME SECONDS [END]: $answer is what it says up to the character
# END.  It fails when the session is lost, and ends one that says nothing.
session_answer() {
	local part tried=0
	answer=
	until IFS='' read -r -d "${3-$'\n'}" -t 1 -u "${session_out[$1]}" part; do
		answer+=$part	# of one that came as the second was over
		session_alive "$1" || return
		[ $((tried += 1)) -lt "$2" ] || kill "${session_pid[$1]}"
	done
	answer+=$part
}
