# shellcheck shell=bash disable=SC2154
# Figures of the queue under a load that a young queue does not have: what
# waits, what has ended, keys, readers; and what a job costs the database.
# Part of tests/bench/run.

# --- much of everything ------------------------------------------------------

none_urgent() {
	[ "$(sql "SELECT NOT EXISTS (SELECT FROM afterwork.job
		WHERE queue = 'default' AND state = 'ready'
		AND priority = 100)")" = t ]
}

# job_cost N: µs a job for N jobs through one runner, from the first one's
# start to the last one's end; what waits behind them stays
job_cost() {
	local guard after
	after=$(sql 'SELECT last_value FROM afterwork.job_id') || return
	enqueue "$1"
	become "RUNTIME_DIRECTORY=$home/runtime-rate" RUNNER_LINGER=0 \
		RUNNER_SLOTS=1 LOG_LEVEL=error -- \
		"$programs/bench/nothing/functions/run" --detached \
		2>>"$home/log/bench-rate.log" &
	guard=$!
	await 120 none_urgent || fail 'the runner does not come to an end'
	kill -s TERM "$guard" 2>/dev/null
	wait "$guard"
	sql "SELECT round(extract(epoch FROM max(finished_at)
			- min(started_at)) * 1e6 / $1, 2)
		FROM afterwork.history
		WHERE queue = 'default' AND id > $after AND priority = 100
		HAVING count(*) = $1"
}

# backlog WAITING FINISHED: jobs that wait behind all others, as many that are
# due tomorrow, and the history of six days
backlog() {
	local day
	sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at,
			input)
		SELECT 'default', 'noop', 'ready', 200, clock_timestamp(), '{}'
		FROM generate_series(1, $1)" &&
	sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at,
			wait_until, input)
		SELECT 'default', 'noop', 'delayed', 100, t, t, '{}'
		FROM generate_series(1, $1) n,
			LATERAL (SELECT now() + interval '1 day'
				+ n * interval '1 ms' AS t) AS t" || return
	for day in 1 2 3 4 5 6; do
		finished "$(date -u -d "-$day day" +%Y%m%d)" $(($2 / 6)) ||
			return
	done
	sql 'VACUUM ANALYZE afterwork.job'
}

# finished DAY N: a partition of the history, as it is a while after its day
finished() {
	sql "SET synchronous_commit = off;
	SET maintenance_work_mem = '256MB';
	CREATE TABLE afterwork.history_$1 (LIKE afterwork.history
		INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
	INSERT INTO afterwork.history_$1 (id, queue, task, state, priority,
		attempts, crashes, lease_no, run_at, created_at, started_at,
		finished_at, input)
	SELECT nextval('afterwork.job_id'), 'default', 'noop', 'done', 100, 1,
		0, nextval('afterwork.lease_no'), t, t, t, t, '{}'
	FROM generate_series(1, $2) n, LATERAL (
		SELECT '$1 00:00+00'::timestamptz
			+ n * (interval '23 hours' / $2) AS t) AS t;
	ALTER TABLE afterwork.history ATTACH PARTITION afterwork.history_$1
		FOR VALUES FROM ('$1 00:00+00') TO ('$1 24:00+00')" &&
		sql "VACUUM ANALYZE afterwork.history_$1"
}

no_backlog() {
	local day
	empty_queue
	for day in 1 2 3 4 5 6; do
		sql "DROP TABLE IF EXISTS afterwork.history_$(date -u \
			-d "-$day day" +%Y%m%d)" 2>/dev/null ||
			fail 'cannot drop the history'
	done
	checkpoint
}

figure_backlog() {
	local i n=$((20000 / few)) ours=() floor=() some=1000000
	local many=10000000 text='1,000,000 wait, as many due, 10,000,000 ended'
	if [ "${QUICK:-0}" = 1 ]; then
		some=100000 many=1000000
		text='100,000 wait, as many due, 1,000,000 ended'
	fi
	runtime_rate
	empty_queue
	for ((i = 0; i < reps; i++)); do
		floor+=("$(job_cost $n)")
	done
	empty_queue
	backlog $some $many >"$work/sql" 2>&1 || fail "$(cat "$work/sql")"
	for ((i = 0; i < reps; i++)); do
		ours+=("$(job_cost $n)")
	done
	no_backlog
	for ((i = 0; i < reps; i++)); do
		floor+=("$(job_cost $n)")
	done
	empty_queue
	row "$text: a job (µs)" "${ours[*]}" "${floor[*]}" 1.3 most
}

# --- keys --------------------------------------------------------------------

# keyed N KEYS: jobs without work, of so many keys in turn
keyed() {
	empty_queue
	sql "SELECT count(afterwork.enqueue('noop',
			jsonb_build_object('k', n * 7919 % $2)))
		FROM generate_series(1, $1) n" >/dev/null &&
		sql 'VACUUM ANALYZE afterwork.job' || fail 'cannot enqueue'
}

concurrency() {
	sql "UPDATE afterwork.task SET concurrency = $1
		WHERE slug = 'noop'" || fail 'cannot change a task'
}

figure_keys() {
	local i n=$((40000 / few)) ours=() floor=()
	runtime_rate
	for ((i = 0; i < reps; i++)); do
		concurrency "'{\"key\": \"k:{k}\", \"max\": 10}'"
		keyed $n 1000
		ours+=("$(drained nothing $n)")
		concurrency NULL
		keyed $n 1000
		floor+=("$(drained nothing $n)")
	done
	empty_queue
	row '1,000 keys of at most 10 | no keys (1/s)' "${ours[*]}" \
		"${floor[*]}" 0.7 least
}

# --- commit to start ---------------------------------------------------------

# lingering BUILT SLOTS: a runner that waits while it is fed; $lingers is its
# guard
lingering() {
	become "RUNTIME_DIRECTORY=$home/runtime-rate" RUNNER_LINGER=2s \
		MAX_DURATION=1800 RUNNER_SLOTS="$2" LOG_LEVEL=error -- \
		"$programs/bench/$1/functions/run" --detached \
		2>>"$home/log/bench-rate.log" &
	lingers=$!
}

# feed_jobs RATE N SQL: the rate that was reached
feed_jobs() {
	with "RUNTIME_DIRECTORY=$home/runtime-rate" RUNNER_SLOTS="$slots" -- \
		"$programs/bench/feed" -w "$1" "$2" "$DATABASE_URL" "$3" ||
		fail 'cannot feed'
}

figure_react() {
	local i n=$((600 / few)) ours=() p99s=() floor=() floor99=()
	local slots=1
	peers_or_left_out 2 || return 0
	runtime_rate
	for ((i = 0; i < reps; i++)); do
		empty_queue
		lingering stamp 1
		feed_jobs 50 $n "SELECT afterwork.enqueue(
			'syncMediaToGalleries', '{\"mediaId\": 1}')" >/dev/null
		wait "$lingers"
		ours+=("$(ms "$(latency 50 '> 1' afterwork.history)")")
		p99s+=("$(ms "$(latency 99 '> 1' afterwork.history)")")
		graphile_latency $n
		floor+=("$(ms "$p50")")
		floor99+=("$(ms "$p99")")
	done
	empty_queue
	row 'commit to start, lingering | graphile listens, p50 (ms)' \
		"${ours[*]}" "${floor[*]}" 1.0 under
	row 'the same, p99 (ms)' "${p99s[*]}" "${floor99[*]}" 1.0 under
}

# --- a reader that does not leave --------------------------------------------

reader_start() {
	PGAPPNAME=bench-reader psql -XqAt "$DATABASE_URL" -c 'BEGIN ISOLATION
		LEVEL REPEATABLE READ; SELECT count(*) FROM afterwork.job;
		SELECT pg_sleep(3600)' >/dev/null 2>&1 </dev/null &
	reader=$!
	await 10 '[ "$(readers)" = 1 ]' || fail 'no reader'
}

readers() {
	sql "SELECT count(*) FROM pg_stat_activity WHERE application_name =
		'bench-reader' AND query LIKE '%pg_sleep%' AND state = 'active'"
}

reader_end() {
	sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name = 'bench-reader'" >/dev/null
	wait "$reader" 2>/dev/null
}

# through SECONDS: 800 jobs a second; how many a second were finished in the
# last fifth of that time
through() {
	local k pids=() to
	for ((k = 0; k < slots; k++)); do
		lingering nothing "$slots"
		pids+=("$lingers")
	done
	sleep 0.2
	feed_jobs 80 $(($1 * 80)) "SELECT count(afterwork.enqueue('noop'))
		FROM generate_series(1, 10)" >/dev/null
	to=$EPOCHREALTIME
	wait "${pids[@]}"
	drain
	sql "SELECT round(count(*) / ($1 / 5.0), 1) FROM afterwork.history
		WHERE finished_at > to_timestamp($to) - $1 / 5.0 * interval '1 s'
		AND finished_at <= to_timestamp($to)"
}

# capacity N: N jobs more, at full speed, a second
capacity() {
	local before from
	before=$(sql 'SELECT count(*) FROM afterwork.history')
	enqueue "$1"
	drained nothing $((before + $1)) >/dev/null
	sql "SELECT round($1 / extract(epoch FROM max(finished_at)
			- min(started_at)))
		FROM (SELECT finished_at, started_at FROM afterwork.history
			ORDER BY id DESC LIMIT $1) AS h"
}

figure_reader() {
	local s=60 n=$((8000 / few)) ours floor full least
	[ "${FULL:-0}" = 1 ] && s=600
	[ "${QUICK:-0}" = 1 ] && s=10
	runtime_rate
	empty_queue
	floor=$(through $((s < 20 ? s : 20)))
	least=$(capacity $n)
	empty_queue
	reader_start
	ours=$(through $s)
	drain
	full=$(capacity $n)
	reader_end
	empty_queue
	row "800 jobs/s, a reader holds a snapshot ${s} s | none (1/s)" \
		"$ours" "$floor" 0.9 least
	row '  how many a second there would be at its end' "$full" "$least" \
		'' note
}

# --- what a job costs the database -------------------------------------------

# counters: WAL bytes, commits, dead tuples of the queue's tables so far
counters() {
	sql "SELECT (SELECT wal_bytes FROM pg_stat_wal),
			(SELECT xact_commit FROM pg_stat_database
			 WHERE datname = current_database()),
			(SELECT sum(n_dead_tup) FROM pg_stat_user_tables
			 WHERE schemaname = 'afterwork')" | tr '|' ' '
}

# spent N: since the counters $a $b $c, a job; in $wal $commits $dead
spent() {
	local x y z
	read -r x y z < <(counters)
	wal=$(awk -v d=$((x - a)) -v n="$1" 'BEGIN { printf "%.1f", d / n }')
	commits=$(awk -v d=$((y - b)) -v n="$1" 'BEGIN { printf "%.3f", d / n }')
	dead=$(awk -v d=$((z - c)) -v n="$1" 'BEGIN { printf "%.3f", d / n }')
}

# spend BUILT N: what N jobs through the runners BUILT take
spend() {
	local a b c
	checkpoint	# so that the run writes few pages for the first time
	waiting "$2"
	read -r a b c < <(counters)
	drained "$1" "$2" >/dev/null
	spent "$2"
}

autovacuum() {
	sql "ALTER TABLE afterwork.job SET (autovacuum_enabled = $1)" ||
		fail 'cannot set autovacuum'
}

figure_cost() {
	local wal commits dead one=$((4000 / few)) many=$((40000 / few)) w c d
	runtime_rate
	autovacuum off
	spend nothing $many
	w=$wal c=$commits d=$dead
	spend single $one
	autovacuum on
	empty_queue
	row 'claim to history: WAL a job, in batches | alone (bytes)' "$w" \
		"$wal" '' note
	row '  commits a job' "$c" "$commits" '' note
	row '  dead tuples a job, left to vacuum' "$d" "$dead" '' note
}
