# shellcheck shell=bash disable=SC2154
# Figures of the queue: ways in, ways out, and what weighs on them, against
# floors made of the same statements and against peers (peers.bash).
# Part of tests/bench/run.

# --- ways in -----------------------------------------------------------------

# A task that nobody runs, whose input has three fields.
order_task() {
	sql "SELECT afterwork.task_register('{\"slug\": \"benchOrder\",
		\"inputSchema\": [
		{\"name\": \"orderId\", \"type\": \"number\", \"required\": true,
			\"min\": 1},
		{\"name\": \"email\", \"type\": \"email\", \"required\": true},
		{\"name\": \"plan\", \"type\": \"select\",
			\"options\": [\"free\", \"pro\"]}]}')" >/dev/null ||
		fail 'cannot register a task'
}

# The input, made anew in each call as a client's text.
order="('{\"orderId\": ' || :n || ', \"email\": \"a@example.com\", \"plan\": \"pro\"}')::jsonb"

# pgbench OPTION…: on the run's own login, its summary in $work/pgbench
pgbench() {
	local url=$1
	shift
	with -- "$pg_bin/pgbench" -n "$@" "$url" >"$work/pgbench" 2>&1 ||
		fail "$(cat "$work/pgbench")"
}

# tps SCRIPT OPTION…: transactions a second
tps() {
	local script=$1
	shift
	pgbench "$DATABASE_URL" -M prepared -f "$script" "$@"
	sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$work/pgbench"
}

# script NAME: standard input as a script that pgbench may read
script() {
	cat >"$work/$1.sql" && chmod 0644 "$work/$1.sql"
}

figure_enqueue() {
	local i clients ours floor s=2
	[ $reps = 1 ] && s=1
	order_task
	script in <<-END
	\set n random(1, 1000000)
	SELECT afterwork.enqueue('benchOrder', $order);
	END
	script floor <<-END
	\set n random(1, 1000000)
	INSERT INTO bench.job AS j (queue, task, state, priority, run_at, wait_until, concurrency_key, input, meta, tags) VALUES ('default', 'benchOrder', 'ready', 100, clock_timestamp(), NULL, NULL, $order, NULL, NULL) RETURNING j.id;
	END
	for clients in 1 8; do
		ours=() floor=()
		for ((i = 0; i < reps; i++)); do
			empty_queue
			ours+=("$(tps "$work/in.sql" -T $s -c $clients)")
			floor+=("$(tps "$work/floor.sql" -T $s -c $clients)")
		done
		row "enqueue, checked, $clients client(s) | INSERT (1/s)" \
			"${ours[*]}" "${floor[*]}" 0.7 least
	done
	empty_queue
}

figure_many() {
	local i k n=$((60 / few)) ours=() floor=() inputs=
	peers_or_left_out 1 || return 0
	order_task
	for ((k = 1; k <= 1000; k++)); do
		inputs+="{\"orderId\": $k, \"email\": \"a@example.com\", \"plan\": \"pro\"}, "
	done
	# The inputs are sent and read anew by each call, as graphile's are.
	script many <<-END
	SELECT count(*) FROM afterwork.enqueue_many('benchOrder', '[${inputs%, }]');
	END
	for ((i = 0; i < reps; i++)); do
		empty_queue
		pgbench "$DATABASE_URL" -M simple -t $n -f "$work/many.sql"
		ours+=("$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$work/pgbench" |
			awk '{ printf "%.0f", $1 * 1000 }')")
		peer_sql 'TRUNCATE graphile_worker._private_jobs'
		floor+=("$(peer graphile add $((n * 1000)))")
	done
	empty_queue
	row 'enqueue_many of 1,000 | graphile addJobs (1/s)' \
		"${ours[*]}" "${floor[*]}" 1.5 least
}

# Nothing waits and nothing is remembered, and that at once.
empty_queue() {
	sql 'TRUNCATE afterwork.job, afterwork.history, afterwork.failed,
		afterwork.place, bench.job, bench.history, bench.stamp' ||
		fail 'cannot empty the queue'
}

# --- ways out ----------------------------------------------------------------

# waiting N: so many jobs without work, and nothing else
waiting() {
	empty_queue
	enqueue "$1"
	sql 'VACUUM ANALYZE afterwork.job'
}

# drained BUILT N: N jobs that wait through as many runners as there are slots.
# A runner that is called by another is no child of ours, hence drain.
drained() {
	local k pids=() from
	from=$(now_us)
	for ((k = 0; k < slots; k++)); do
		runner "$1" "RUNNER_SLOTS=$slots" &
		pids+=($!)
	done
	wait "${pids[@]}"
	drain
	per_second "$2" "$from"
}

# claim_script MAX FAST: end what was claimed before and claim so many behind it, in
# one round trip and transaction, as a runner does between two looks at everything.
claim_script() {
	script claim <<-END
	SELECT count(c.id) AS n, coalesce(array_agg(c.id), '{}')::text AS ids, coalesce(array_agg(c.lease_no), '{}')::text AS leases, coalesce((array_agg(c.priority ORDER BY c.priority DESC, c.run_at DESC, c.id DESC))[1], :priority::int) AS priority, coalesce((array_agg(c.run_at ORDER BY c.priority DESC, c.run_at DESC, c.id DESC))[1], :run_at::timestamptz)::text AS run_at, coalesce((array_agg(c.id ORDER BY c.priority DESC, c.run_at DESC, c.id DESC))[1], :id::bigint) AS id FROM (SELECT coalesce(cardinality(afterwork.settle('default', :ids::bigint[], :leases::bigint[], array_fill('done'::text, ARRAY[:n::int]), array_fill(0::bigint, ARRAY[:n::int]), array_fill(100::bigint, ARRAY[:n::int]), array_fill(10::bigint, ARRAY[:n::int]), array_fill(NULL::text, ARRAY[:n::int]), array_fill(NULL::text, ARRAY[:n::int]), array_fill(NULL::text, ARRAY[:n::int]))), 0) AS settled OFFSET 0) s, LATERAL afterwork.claim_behind(CASE WHEN s.settled >= 0 THEN 'default' END, ARRAY['noop'], '$2', $1, 300000, '{}', :priority::int, :run_at::timestamptz, :id::bigint) c \gset
	END
}

# drained_bare N MAX: the same with the same statements, by pgbench.  Each link has
# turns enough for all of them: who stopped earlier would leave what it has claimed.
drained_bare() {
	local from
	from=$(now_us)
	pgbench "$run_url" -M prepared -c "$slots" -j "$slots" \
		-D n=0 -D ids='{}' -D leases='{}' \
		-D priority=-1 -D run_at=-infinity -D id=0 \
		-t $(($1 / $2 + 2)) -f "$work/claim.sql"
	per_second "$1" "$from"
}

# Runners against pgbench with the same statements and as many connections,
# and against the peers on their best settings, which keep no history.
figure_rate() {
	local i n=$((60000 / few)) ours=() floor=() best=() boss=()
	runtime_rate
	claim_script 100 '{noop}'
	for ((i = 0; i < reps; i++)); do
		waiting $n
		ours+=("$(drained nothing $n)")
		waiting $n
		floor+=("$(drained_bare $n 100)")
		peers_ready || continue
		best+=("$(graphile_rate best $n)")
		boss+=("$(peer pgboss run $n)")
	done
	empty_queue
	row "jobs without work, $slots runners | pgbench (1/s)" "${ours[*]}" \
		"${floor[*]}" 0.7 least
	peers_or_left_out 2 || return 0
	row '  | graphile-worker, local queue and batches' "${ours[*]}" \
		"${best[*]}" 1.0 least
	row '  | pg-boss, 2 workers of 1,000 a fetch' "${ours[*]}" \
		"${boss[*]}" '' note
}

# A job alone is a commit alone: what counts is how many wait for the disk
# together.  So there is a line with as many runners as graphile-worker has
# links, too.
figure_single() {
	local i n=$((6000 / few)) ours=() floor=() plain=() ten=()
	runtime_rate
	claim_script 1 '{}'
	for ((i = 0; i < reps; i++)); do
		waiting $n
		ours+=("$(drained single $n)")
		waiting $n
		floor+=("$(drained_bare $n 1)")
		peers_ready || continue
		plain+=("$(graphile_rate default $n)")
		waiting $n
		ten+=("$(slots=10 && drained single $n)")
	done
	empty_queue
	row "one claim a job, $slots runners | pgbench (1/s)" "${ours[*]}" \
		"${floor[*]}" 0.8 least
	peers_or_left_out 2 || return 0
	row '  | graphile-worker, its default, 10 at a time' \
		"${ours[*]}" "${plain[*]}" 1.5 least
	row '  10 runners | graphile-worker, 10 at a time' \
		"${ten[*]}" "${plain[*]}" '' note
}

# bare_trues N: /bin/true by as many loops as there are slots
bare_trues() {
	local k
	for ((k = 0; k < slots; k++)); do
		with -- "$programs/bench/spawn" true $(($1 / slots)) \
			>"$work/true.$k" &
	done
	wait
	cat "$work"/true.* | awk '{ n += $1 } END { print n }'
}

figure_exec() {
	local i n=$((2000 / few)) ours=() floor=()
	runtime_rate
	sql "SELECT afterwork.task_register('{\"slug\": \"benchTrue\",
		\"handler\": \"/bin/true\", \"folder\": \"/\"}')" >/dev/null ||
		fail 'cannot register a task'
	for ((i = 0; i < reps; i++)); do
		empty_queue
		enqueue $n benchTrue
		sql 'VACUUM ANALYZE afterwork.job'
		ours+=("$(drained nothing $n)")
		floor+=("$(bare_trues $n)")
	done
	empty_queue
	row "executables, $slots runners | spawn, wait: /bin/true (1/s)" \
		"${ours[*]}" "${floor[*]}" 0.5 least
}
