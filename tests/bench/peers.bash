# shellcheck shell=bash disable=SC2154
# Other queues, beside which ours is measured: installed by npm into the build
# folder, at the versions that tests/bench/peers/package-lock.json pins, with a
# database of their own in the cluster of the run.
# Part of tests/bench/run.
peers=$B/bench/peers
peers_state=		# '', ready or absent: not asked yet, or the answer

# Are the peers there?  The first call makes them so, or says why not.
peers_ready() {
	[ -n "$peers_state" ] || peers_make
	[ $peers_state = ready ]
}

# peers_or_left_out N: so many rows have nothing to be compared with without them.
peers_or_left_out() {
	peers_ready && return
	nleft_out=$((nleft_out + $1))
	return 1
}

peers_make() {
	local why
	peers_state=absent
	if ! npm_install tests/bench/peers "$peers"; then
		why=$(npm_why)
	elif ! peers_database >"$work/npm" 2>&1; then
		why=$(tail -n 1 "$work/npm")
	else
		peers_state=ready
		return
	fi
	echo "(graphile-worker and pg-boss are left out: $why)"
}

peers_database() {
	if [ "$programs" != "$B" ]; then
		cp -R "$peers" "$programs/bench/" || return
	fi
	sql_of postgres postgres \
		'CREATE DATABASE bench_peers OWNER afterwork' &&
		peer graphile migrate
}

peer_sql() {
	sql_of afterwork bench_peers "$1"
}

# peer NAME ARGUMENT…: tests/bench/peers/NAME.mjs
peer() {
	(peer_become "$@")
}

peer_become() {
	local name=$1 at=$programs/bench/peers
	shift
	become "PGHOST=$home/pg" PGPORT=5499 PGUSER=afterwork \
		PGDATABASE=bench_peers PATH=/usr/bin:/bin -- \
		"$at/node_modules/.bin/node" "$at/$name.mjs" "$@" </dev/null
}

# graphile_fill N: jobs without work wait, and nothing else does
graphile_fill() {
	peer_sql 'TRUNCATE graphile_worker._private_jobs' &&
		peer graphile fill "$1" &&
		peer_sql 'VACUUM ANALYZE graphile_worker._private_jobs' ||
		fail 'cannot fill the queue of graphile-worker'
}

# graphile_rate best|default N: jobs a second
graphile_rate() {
	graphile_fill "$2"
	peer graphile run "$1" "$2" || fail 'graphile-worker does not run'
}

# graphile_latency N: sets $p50 $p99, µs from the enqueue to the start, as a
# worker has it that is there and listens
graphile_latency() {
	local worker
	peer_sql 'TRUNCATE graphile_worker._private_jobs'
	rm -f "$work/listen"
	: >"$work/listen"
	peer_become graphile listen "$1" >"$work/listen" &
	worker=$!
	await 20 'grep -q ready "$work/listen"' ||
		fail 'graphile-worker does not listen'
	with -- "$programs/bench/feed" 50 "$1" \
		"${DATABASE_URL/@\/afterwork/@\/bench_peers}" \
		"SELECT graphile_worker.add_job('noop', json_build_object('at',
			extract(epoch FROM clock_timestamp()) * 1e6))" \
		>/dev/null || fail 'graphile-worker takes no jobs'
	wait "$worker"
	read -r p50 p99 < <(tail -n 1 "$work/listen")
}
