# shellcheck shell=bash disable=SC2154
# Processes of the private stack: started in the background with a clean
# environment, known by number and start time, ended by those only.
# Part of deploy/stack.

# lock: one start or stop at a time.  No process started here inherits it.
lock() {
	[ -n "${locked-}" ] && return
	exec 9>"$home/lock" || die "cannot write to $home"
	flock -w 120 9 || die 'another start or stop is at work'
	locked=1
}

# The time at which a process started, with the boot it belongs to, in $started;
# nothing when it is not there or only waits to be reaped.
start_time() {
	local stat fields
	started=
	read -r stat <"/proc/$1/stat" || return
	# The name, in parentheses, may hold anything.
	read -ra fields <<<"${stat##*) }"
	[ "${fields[0]}" = Z ] ||
		started="${fields[19]} $(</proc/sys/kernel/random/boot_id)"
} 2>/dev/null

# running PART: sets $pid.
running() {
	local line started
	[ -e "$home/pids/$1" ] && read -r line <"$home/pids/$1" || return 1
	pid=${line%% *}
	start_time "$pid"
	[ "$line" = "$pid $started" ]
}

# launch PART VAR=VALUE… -- COMMAND…: as the servers' user, in a session of
# its own, with no descriptor but the log, and nothing but these variables.
launch() {
	local part=$1 vars=() started
	shift
	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	(
		cd "$home" || exit 1
		umask 027
		for fd in /proc/self/fd/*; do
			fd=${fd##*/}
			[ "$fd" -gt 2 ] && eval "exec $fd>&-"
		done 2>/dev/null
		exec setsid env -i PATH=/usr/local/bin:/usr/bin:/bin \
			LANG=C.UTF-8 "${vars[@]}" "${as_user[@]}" \
			"$@" </dev/null >>"$home/log/$part.log" 2>&1
	) &
	start_time $!
	echo "$! $started" >"$home/pids/$part" ||
		die "cannot write $home/pids/$part"
}

# The last thing that these parts said, multiwatch's own words apart.
last_line() {
	local part line
	for part; do
		line=$(tail -n 50 "$home/log/$part.log" 2>/dev/null |
			grep -v -e '^Spawning child' -e '^Child\[' |
			tail -n 1)
		[ -n "$line" ] && echo "$line" && return
	done
	echo "nothing was logged"
}

signal_part() {
	running "$1" && kill -s "$2" "$pid" 2>/dev/null
}

# await_end PID SECONDS: true when it ended in time.
await_end() {
	local i born started
	start_time "$1"
	born=$started
	for ((i = 0; i < $2 * 50; i++)); do
		start_time "$1"
		[ -n "$born" ] && [ "$started" = "$born" ] || return 0
		sleep 0.02
	done
	return 1
}

# How each part is asked to end, and for how long.
stop_part() {
	local pid='' how=TERM seconds=15
	case $1 in
	nginx) how=QUIT seconds=5 ;;
	postgresql) how=INT seconds=60 ;;
	esac
	if running "$1"; then
		kill -s $how "$pid" 2>/dev/null
		await_end "$pid" $seconds || kill_tree "$1" "$pid"
	fi
	[ -z "$pid" ] || end_session "$1" "$pid"
	rm -f "$home/pids/$1"
}

# fcgiwrap leaves those that serve in its session, and they are deaf.  A session
# keeps its leader's number from being used again, but not beyond a boot.
end_session() {
	local line started
	read -r line <"$home/pids/$1" || return
	start_time "$2"
	[ "${line##* }" = "$(</proc/sys/kernel/random/boot_id)" ] &&
		[ -z "$started" ] &&
		kill -s KILL -- "-$2" 2>/dev/null
}

# PostgreSQL is never killed, it is told to drop everything (and recovers).
kill_tree() {
	local child
	echo "stack: $1 does not end, so it is made to" >&2
	if [ "$1" = postgresql ]; then
		kill -s QUIT "$2" 2>/dev/null
		await_end "$2" 10 && return
	fi
	for child in $(children_of "$2"); do
		kill -s KILL "$child" 2>/dev/null
	done
	kill -s KILL "$2" 2>/dev/null
	await_end "$2" 5
}

# All descendants of a process.
children_of() {
	local child
	local list
	read -ra list < <(cat "/proc/$1/task/"*/children 2>/dev/null)
	for child in "${list[@]}"; do
		echo "$child"
		children_of "$child"
	done
}

# Detached runners are nobody's children: they are known by how they were called
# and by the slots' folder, which is said there too, or in their environment
# where one was started by hand.  Only root may look at that; and whoever has the
# folder there is not one of them for that.
runners() {
	local pid
	grep -lszxF -e --detached /proc/[0-9]*/cmdline | cut -d / -f 3 |
		while read -r pid; do
			grep -qszxF -e "$home/runtime" "/proc/$pid/cmdline" ||
				grep -qszxF "RUNTIME_DIRECTORY=$home/runtime" \
					"/proc/$pid/environ" || continue
			echo "$pid"
		done
}

stop_runners() {
	local list i
	list=$(runners)
	[ -n "$list" ] || return 0
	# shellcheck disable=SC2086
	kill -s TERM $list 2>/dev/null
	for ((i = 0; i < 100; i++)); do
		list=$(runners)
		[ -n "$list" ] || return 0
		sleep 0.1
	done
	# shellcheck disable=SC2086
	kill -s KILL $list 2>/dev/null
}
