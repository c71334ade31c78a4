# shellcheck shell=bash disable=SC2154
# Figures of uploads: how fast they are answered, and when their jobs begin.
# Part of tests/bench/run.

# µs as ms; nothing stays nothing
ms() {
	[ -z "$1" ] || awk -v v="$1" 'BEGIN { printf "%.3f", v / 1000 }'
}

# One client: the time of an upload, its job running beside the next one.
figure_upload() {
	local i n=$((300 / few)) ours=() floor=()
	floor_start floor plain
	load ours -n 50
	load floor -n 50
	for ((i = 0; i < reps; i++)); do
		load ours -n $n
		ours+=("$(ms "$p50")")
		drain
		load floor -n $n
		floor+=("$(ms "$p50")")
		clear_data
	done
	server_stop floor
	row 'upload 100 KB, 1 client, p50 (ms)' "${ours[*]}" "${floor[*]}" \
		1.3 most
}

# rate N FINISHED SCHEMA: uploads a second, until the last job is finished.
job_rate() {
	local last
	last=$(sql "SELECT (extract(epoch FROM max(finished_at)) * 1e6)::bigint
		FROM $2.history HAVING count(*) = $1")
	[ -n "$last" ] || fail "$2 did not run exactly $1 jobs"
	awk -v n="$1" -v a="$began" -v b="$ended" -v c="$last" \
		'BEGIN {
		last = b > c ? b : c
		printf "%.1f", n * 1e6 / (last - a) }'
}

bench_jobs_are_done() {
	[ "$(sql 'SELECT count(*) FROM bench.job')" = 0 ]
}

# Eight clients: uploads with their jobs run to the end.
figure_load() {
	local i n=$((800 / few)) ours=() floor=()
	floor_start floor_job job
	load ours -c 8 -n 200
	load floor_job -c 8 -n 200
	drain
	for ((i = 0; i < reps; i++)); do
		clear_data
		load ours -c 8 -n $n
		drain
		ours+=("$(job_rate $n afterwork)")
		load floor_job -c 8 -n $n
		await 10 bench_jobs_are_done
		floor+=("$(job_rate $n bench)")
	done
	clear_data
	server_stop floor_job
	row 'upload and job, 8 clients, through (1/s)' "${ours[*]}" \
		"${floor[*]}" 0.8 least
}

# Tasks that take 5 s must not be felt by those who upload.
figure_sleep() {
	local i n=$((500 / few)) ours=() floor=() pid
	variant_start sleep sleep
	variant_start nothing nothing
	load sleep -c 8 -n 50
	load nothing -c 8 -n 50
	for ((i = 0; i < reps; i++)); do
		load sleep -c 8 -n $n
		ours+=("$(ms "$p99")")
		for pid in $(runners_of sleep); do
			kill -s KILL "$pid" 2>/dev/null
		done
		clear_data
		load nothing -c 8 -n $n
		floor+=("$(ms "$p99")")
		drain
		clear_data
	done
	server_stop sleep
	server_stop nothing
	clear_data
	row 'upload, 8 clients, p99: task sleeps 5 s | nothing (ms)' \
		"${ours[*]}" "${floor[*]}" 1.3 most
}

# From the insert of the job to its first statement, as the database's clock
# has both: the commit, the answer, the wake-up and the claim are in it.  The
# first job that a backend ran was a cold start, all others were not.
# latency PERCENT COMPARISON TABLE: µs
latency() {
	sql "SELECT percentile_disc($1 / 100.0) WITHIN GROUP (ORDER BY us)
		FROM (SELECT extract(epoch FROM s.at - h.created_at) * 1e6 AS us,
			row_number() OVER (PARTITION BY s.backend ORDER BY s.at)
				AS nth
			FROM bench.stamp s JOIN $3 h ON h.id = s.job) AS l
		WHERE nth $2
		HAVING count(*) >= $n * 0.6"
}

figure_cold() {
	local i n=$((100 / few)) ours=() floor=() p99s=() floor99=() f50 f99
	variant_start cold stamp RUNNER_LINGER=5ms
	load cold -n 5 -w 100
	for ((i = 0; i < reps; i++)); do
		clear_data
		load cold -n $n -w 60
		drain
		ours+=("$(ms "$(latency 50 '= 1' afterwork.history)")")
		p99s+=("$(ms "$(latency 99 '= 1' afterwork.history)")")
		read -r f50 f99 < <(with -- "$programs/bench/spawn" chain $n 60 \
			"$run_url") || fail 'spawn failed'
		floor+=("$(ms "$f50")")
		floor99+=("$(ms "$f99")")
	done
	server_stop cold
	clear_data
	row 'commit to first statement, cold, p50 (ms)' "${ours[*]}" \
		"${floor[*]}" 1.5 most
	row 'the same, p99 (ms)' "${p99s[*]}" '' 30 below
	row '  its floor: fork twice, exec, connect, p99 (ms)' \
		"${floor99[*]}" '' '' note
}

figure_warm() {
	local i n=$((150 / few)) ours=() floor=() listener
	variant_start warm stamp RUNNER_LINGER=5s RUNNER_SLOTS=1
	load warm -n 5
	for ((i = 0; i < reps; i++)); do
		drain
		clear_data
		load warm -n $n -w 10
		drain
		ours+=("$(ms "$(latency 50 '> 1' afterwork.history)")")
		mkfifo "$work/stay.$i"
		with -- "$programs/bench/listen" take "$DATABASE_URL" \
			<"$work/stay.$i" >"$work/listen" &
		listener=$!
		exec 7>"$work/stay.$i"
		await 10 '[ -s "$work/listen" ]' || fail 'listen does not start'
		with -- "$programs/bench/listen" send $n 10 "$DATABASE_URL" ||
			fail 'listen cannot send'
		exec 7>&-
		wait "$listener"
		floor+=("$(ms "$(latency 50 '> 1' bench.job)")")
	done
	server_stop warm
	clear_data
	row 'commit to first statement, runner lingers, p50 (ms)' \
		"${ours[*]}" "${floor[*]}" 1.5 most
}

# From the exec of a function, whose first upload waits at its socket already,
# until that is answered.  What spawn-fcgi and multiwatch take is theirs.
figure_start() {
	local i ours=() held='read -r _ <start &&
		echo "${EPOCHREALTIME/[.,]/}" >started && exec "$0"'
	ports_add fresh
	mkfifo -m 0666 "$home/floor/start"
	for ((i = 0; i < reps * 3; i++)); do
		server_spawn fresh 1 -- /bin/bash -c "cd floor && $held" \
			"$programs/functions/upload"
		await 10 '[ -S "$home/run/fresh.sock" ]' || fail 'no socket'
		(sleep 0.3 && echo >"$home/floor/start") &
		load fresh
		ours+=("$(ms $((ended - $(cat "$home/floor/started"))))")
		server_stop fresh
	done
	rm "$home/floor/start" "$home/floor/started"
	drain_or_drop
	row 'start of upload to its first answer (ms)' "${ours[*]}" '' 50 below
}

# The runner of a server that was stopped at once may not have come to it.
drain_or_drop() {
	await 2 jobs_are_done
	clear_data
}

# A port of nginx that keeps each body in a file and answers by itself.
spool_start() {
	local old
	old=$(workers)
	port_of[spool]=$(free_port)
	cat >>"$home/conf/afterwork-upstreams.conf" <<-END
	server {
		listen 127.0.0.1:${port_of[spool]};
		location / {
			client_max_body_size 0;
			client_body_in_file_only on;
			proxy_pass_request_body off;
			proxy_set_header Content-Length "";
			proxy_pass http://127.0.0.1:${port_of[ours]}/admin/;
			proxy_method GET;
		}
	}
	END
	kill -s HUP "$(cat "$home/nginx/nginx.pid")" || fail 'no nginx'
	await 10 '[ "$(workers)" != "$old" ] && [ "$(workers | wc -l)" = 1 ]' ||
		fail 'nginx does not take its new port'
}

# large_send NAME URL [CURL OPTION…]: the form with the large file.
large_send() {
	local name=$1 got
	shift
	got=$(curl -sS -m 600 -o "$work/body" -w '%{http_code}' \
		-F "file=@$work/large.jpg" "$@") && [[ $got == 20[01] ]] ||
		fail "$name does not take the large file: ${got:-no answer}"
}

# The floor: nginx has the body in a file, which cp then makes another of, and
# that is flushed.
large_floor() {
	local spooled
	large_send spool "http://127.0.0.1:${port_of[spool]}/"
	spooled=$(find "$home/nginx/body" -type f -size +1000k | head -n 1)
	[ -n "$spooled" ] || fail 'nginx has no file of the body'
	cp "$spooled" "$home/media/large" && sync "$home/media/large" ||
		fail 'cp failed'
	rm -f "$spooled" "$home/media/large"
}

large_ours() {
	large_send ours "$SERVER_URL/api/media" \
		-H "Authorization: users API-Key $API_KEY"
}

# seconds COMMAND…: how long it takes.
seconds() {
	local began
	began=$(now_us)
	"$@"
	awk -v us=$(($(now_us) - began)) 'BEGIN { printf "%.3f", us / 1e6 }'
}

# The bytes are those of a picture and then zeros, so that reading them costs
# the client nothing; on the disk they are written like any others.
figure_large() {
	local i bytes=$((2000000000 / few)) ours=() floor=()
	[ "$(df --output=avail -B1 "$home" | tail -n 1)" -gt $((bytes * 4)) ] ||
		fail "no room for files of $bytes bytes in $home"
	cp "$photo" "$work/large.jpg" && truncate -s $bytes "$work/large.jpg" ||
		fail "cannot make $work/large.jpg"
	spool_start
	large_ours && clear_data
	large_floor
	for ((i = 0; i < (reps < 3 ? reps : 3); i++)); do
		ours+=("$(seconds large_ours)") || exit
		drain_or_drop
		floor+=("$(seconds large_floor)") || exit
	done
	rm "$work/large.jpg"
	row "upload of $((bytes / 1000000)) MB: ours | spooled, cp, fsync (s)" \
		"${ours[*]}" "${floor[*]}" 1/0.7 most
}
