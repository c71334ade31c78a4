# shellcheck shell=bash disable=SC2034,SC2154
# One process of the upload function under strace, to be killed at a system call
# of its own; source it after stack_start PROCESSES=1.

# Of the two processes one serves and is killed, the other stands still.
read -ra pids < <(function_pids upload | tr '\n' ' ')
master=${pids[0]} still=${pids[1]}
kill -STOP "$still"
trap 'code=$?; kill -CONT "$still"; (exit $code); lib_end' EXIT

# The serving process, once it waits for a request; sets $server.
find_server() {
	local list pid stat
	read -ra list <"/proc/$master/task/$master/children"
	for pid in "${list[@]}"; do
		[ "$pid" != "$still" ] || continue
		read -r stat 2>/dev/null <"/proc/$pid/stat" || continue
		[[ ${stat##*) } == S* ]] && server=$pid && return
	done
	return 1
}

end_server() {
	kill -KILL "$server"
	await 10 '! is_alive "$server"'
}

# trace OPTION…: attaches to the serving process; sets $tracer.
trace() {
	: >"$work/strace"	# what the last one said is not this one's
	strace -p "$server" "$@" 2>"$work/strace" &
	tracer=$!
	await 10 'grep -q attached "$work/strace"' ||
		bail "strace: $(head -n 1 "$work/strace")"
}

# In the middle of a fork strace may wait for who waits for it.
end_trace() {
	kill "$tracer" 2>/dev/null
	await 5 '! is_alive "$tracer"' || kill -KILL "$tracer"
	wait "$tracer" 2>/dev/null
}
