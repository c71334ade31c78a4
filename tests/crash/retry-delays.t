#!/bin/bash
# retry-delays.t: a job that failed waits as long as its task.json says, from
# the end of the attempt to the time that is stored: longer each time up to the
# most, or always the same; with jitter spread over the upper half.
#
# The delays are minutes, and no machine is half a minute late.  Nobody waits for
# them: the test makes what waits due, and calls.
. tests/lib.sh
own=$work/tasks
# own_task SLUG BACKOFF
own_task() {
	mkdir -p "$own/$1"
	printf '#!/bin/sh\nexit 1\n' >"$own/$1/handler"
	chmod +x "$own/$1/handler"
	echo "{\"slug\":\"$1\",\"label\":\"$1\",\"handler\":\"./handler\",
		\"retries\":{\"attempts\":4,\"backoff\":$2}}" \
		>"$own/$1/task.json"
}
own_task doubled '{"type":"exponential","delay":"10m","max":"35m","jitter":false}'
own_task fixed '{"type":"fixed","delay":"10m","max":"35m","jitter":false}'
own_task spread '{"type":"exponential","delay":"16m","max":"1h","jitter":true}'
# Nobody lingers, who would see jobs before they are made due.
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=0ms TASKS_DIR="tests/tasks:$own"

# fail_again TIMES: every job that waits, as often; $waited has what it waited
# for then, in minutes, a line each time and a word each job.
fail_again() {
	local i
	waited=
	for ((i = 1; i <= $1; i++)); do
		sql "UPDATE afterwork.job SET run_at = clock_timestamp()"
		run_jobs 'limit=100'
		await 20 "all_failed $i" || bail 'a job does not fail'
		waited+=${waited:+$'\n'}$(sql "SELECT string_agg(round(extract(
			epoch FROM run_at - (log -> -1 ->> 'finishedAt')::timestamptz)
			/ 60)::text, ' ' ORDER BY id)
			FROM afterwork.job")
	done
}
all_failed() {
	[ "$(sql "SELECT bool_and(state = 'delayed'
		AND jsonb_array_length(log) = $1) FROM afterwork.job")" = t ]
}

# many N TASK: alone, as a runner's first claim takes it, or several at once.
many() {
	sql "DELETE FROM afterwork.job; DELETE FROM afterwork.failed;
		SELECT count(afterwork.enqueue('$2'))
		FROM generate_series(1, $1)" >/dev/null
}

for n in 1 2; do
	many $n doubled
	fail_again 4
	want=$(printf '10\n20\n35\n35')
	[ $n = 1 ] || want=$(printf '%s\n' '10 10' '20 20' '35 35' '35 35')
	is "$waited" "$want" "$n: twice as long each time, up to the most"
	many $n fixed
	fail_again 4
	is "$waited" "${want//[0-9][0-9]/10}" "$n: the same each time"
done

many 12 spread
fail_again 3
most=16
while read -ra words; do
	is "${#words[@]}" 12 "with jitter up to $most minutes: all wait"
	is "$(for word in "${words[@]}"; do
		[ "$word" -ge $((most / 2)) ] && [ "$word" -le $most ] ||
			echo "$word"
	done)" '' 'none less than the half, none more'
	ok "not all alike: ${words[*]}" [ "$(printf '%s\n' "${words[@]}" |
		sort -u | wc -l)" -gt 1 ]
	most=$((most == 32 ? 60 : most * 2))
done <<<"$waited"
done_testing
