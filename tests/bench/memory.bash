# shellcheck shell=bash disable=SC2154
# Figures of memory at rest: proportional set size, by smaps_rollup.
# Part of tests/bench/run.
idle_s=6	# the functions close their links after five

# pss PID…: KiB in all
pss() {
	local pid
	for pid; do
		cat "/proc/$pid/smaps_rollup"
	done 2>/dev/null | awk '/^Pss:/ { n += $2 } END { print n + 0 }'
}

nginx_pids() {
	local pid
	pid=$(cat "$home/nginx/nginx.pid")
	echo "$pid"
	descendants "$pid"
}

links_of() {
	sql "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'afterwork upload'"
}

# at_rest NAME: nginx and the server NAME after uploads and a rest: $kb.
at_rest() {
	load "$1" -c 8 -n 200
	sleep $idle_s
	[ "$(links_of)" = 0 ] || fail 'the functions keep their links'
	# shellcheck disable=SC2046
	kb=$(pss $(nginx_pids) $(server_pids "$1"))
	server_stop "$1"
}

# The stack's own functions are stopped: they would share what is measured.
figure_memory() {
	local i kb ours=() floor=()
	stack_part stop functions || fail 'the functions do not stop'
	ports_add eight hello
	for ((i = 0; i < reps; i++)); do
		server_start eight 1 FCGI_CHILDREN=8 -- \
			"$programs/functions/upload"
		at_rest eight
		ours+=("$kb")
		server_start hello 8 -- "$programs/bench/hello"
		at_rest hello
		floor+=("$kb")
	done
	drain_or_drop
	stack_part start functions || fail 'the functions do not start'
	row 'nginx and 8 functions, links closed, PSS (KiB)' "${ours[*]}" \
		"${floor[*]}" 1.5 most
}

# No process is replaced meanwhile, so that what one keeps shows.
figure_growth() {
	local n=$((3000 / few)) before after i
	[ "${FULL:-0}" = 1 ] && n=100000
	server_start grow 1 FCGI_CHILDREN=8 MAX_REQUESTS=1000000000 -- \
		"$programs/functions/upload"
	load grow -c 8 -n 400
	sleep $idle_s
	# shellcheck disable=SC2046
	before=$(pss $(server_pids grow))
	for ((i = 0; i < n; i += 1000)); do
		load grow -c 8 -n $((n - i < 1000 ? n - i : 1000))
		drain
		clear_data
	done
	sleep $idle_s
	# shellcheck disable=SC2046
	after=$(pss $(server_pids grow))
	server_stop grow
	row "8 functions' PSS after $n uploads | before (KiB)" "$after" \
		"$before" 1.05 most
}
