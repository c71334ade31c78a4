# shellcheck shell=bash disable=SC2034,SC2154
# A detached runner for the database of queue-alone.sh, with settings and slots of
# its own; source it after that.
#
# runner_alone [NAME=VALUE…] [-- WORD…]  starts it, by these words if some are
#                     given; sets $runner
# ended_alone ID      the job is done
# alone_runners       those that there are, by process number
# runner_alone_end    no such runner is left

own_slots=$work/runtime
export RUNTIME_DIRECTORY=$own_slots
mkdir -m 0700 "$RUNTIME_DIRECTORY"

runner_alone() {
	local vars=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	env DATABASE_URL_RUN="$DATABASE_URL" RUNNER_SLOTS=1 \
		LOG_LEVEL=warn "${vars[@]}" "${@:2}" \
		"$B/tests/functions/run" --detached 2>>"$work/runner.log" &
	runner=$!
}

ended_alone() {
	[ "$(sql "SELECT state FROM afterwork.history WHERE id = $1")" = 'done' ]
}

alone_runners() {
	local pid
	for pid in $(pgrep -f '/run --detached'); do
		grep -qszxF "RUNTIME_DIRECTORY=$RUNTIME_DIRECTORY" \
			"/proc/$pid/environ" && echo "$pid"
	done
}

runner_alone_end() {
	local pid
	for pid in $(alone_runners); do
		kill -KILL "$pid" 2>/dev/null
	done
	wait "$runner" 2>/dev/null
}
