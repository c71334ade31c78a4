# shellcheck shell=bash disable=SC2034,SC2154
# Programs that stay for a test (tests/lib.sh sources this): each is asked over a
# pipe of its own, in a millisecond, where one that is started takes ten to a
# hundred of the processors'.
#
# One asks at a time, subshells included: $work/NAME.turn is a number, and whoever
# makes the file of that number has the turn until he writes the next one.  Who
# finds a session taken, or none that the test's own shell could open, has a
# process of his own: psql, curl, jq.  (Nothing here reads with a time-out, which
# may take what it reads and say that time was over.)
declare -A session_pid=() session_in=() session_out=()

# session_open NAME COMMAND…: it reads $work/NAME.in and answers on NAME.said.
session_open() {
	local name=$1 fd in out
	shift
	session_end "$name"
	rm -f "$work/$name".*
	mkfifo "$work/$name.in" "$work/$name.said" || return
	exec {in}<>"$work/$name.in"
	{
		# It does not hold what the test waits to be closed.
		for fd in /proc/self/fd/*; do
			[ "${fd##*/}" -le 2 ] || eval "exec ${fd##*/}>&-"
		done
		exec "$@"
	} <"$work/$name.in" >"$work/$name.said" 2>>"$work/$name.err" &
	disown	# nobody's wait is for it
	# It alone writes there: its end is the end of that.
	exec {out}<"$work/$name.said"
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

# session_answer NAME [END]: $answer is what it says up to the character END;
# nothing, and it fails, when the session is lost.
session_answer() {
	IFS='' read -r -d "${2-$'\n'}" -u "${session_out[$1]}" answer && return
	answer=
	return 1
}
