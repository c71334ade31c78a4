# shellcheck shell=bash disable=SC2154
# Figures of runners: one job, one sync.
# Part of tests/bench/run.

# enqueue N [TASK]: jobs without work
enqueue() {
	sql "SELECT count(afterwork.enqueue('${2:-noop}'))
		FROM generate_series(1, $1)" >/dev/null || fail 'cannot enqueue'
}

# runner BUILT NAME=VALUE…: to its end, in the folder of runners "rate"
runner() {
	local built=$1
	shift
	with "RUNTIME_DIRECTORY=$home/runtime-rate" RUNNER_LINGER=0 "$@" -- \
		"$programs/bench/$built/functions/run" --detached \
		2>>"$home/log/bench-rate.log"
}

runtime_rate() {
	mkdir -p "$home/runtime-rate"
	chown --reference="$home/runtime" "$home/runtime-rate"
}

# per_second N FROM: from FROM (µs, before the processes were started) to the
# end of the last job; how they leave, and how that is seen, is not counted.
per_second() {
	local last
	last=$(sql "SELECT (extract(epoch FROM max(finished_at)) * 1e6)::bigint
		FROM afterwork.history HAVING count(*) = $1")
	[ -n "$last" ] || fail "not exactly $1 jobs were finished"
	awk -v n="$1" -v us=$((last - $2)) 'BEGIN { printf "%.0f", n * 1e6 / us }'
}

# One job as a whole process: its time, and the most memory it had.
figure_once() {
	local i k ours=() floor=() a b peak=() fpeak=()
	runtime_rate
	local once=$programs/bench/once
	local ones=("$once" "$programs/bench/nothing/functions/run" --detached)
	local floors=("$once" "$programs/bench/spawn" once "$run_url")
	local how=("RUNTIME_DIRECTORY=$home/runtime-rate" RUNNER_LINGER=0
		LOG_LEVEL=error)
	for ((i = 0; i < reps; i++)); do
		a=() b=()
		for ((k = 0; k < 20 / few; k++)); do
			enqueue 1
			a+=("$(with "${how[@]}" -- "${ones[@]}")")
			b+=("$(with -- "${floors[@]}")")
		done
		jobs_are_done || fail 'a runner left its job'
		ours+=("$(ms "$(median "${a[@]}")")")
		floor+=("$(ms "$(median "${b[@]}")")")
		enqueue 1
		peak+=("$(with "${how[@]}" -- "$once" -m "${ones[@]:1}")")
		fpeak+=("$(with -- "$once" -m "${floors[@]:1}")")
	done
	clear_data
	row 'one job, the whole process, wall (ms)' "${ours[*]}" \
		"${floor[*]}" 1.5 most
	row 'one job, peak resident, the larger process (KiB)' "${peak[*]}" \
		"${fpeak[*]}" 1.2 most
}

# site PAGES: a tenth of them has a gallery that takes new pictures
site() {
	sql "TRUNCATE site.page, site.gallery, site.gallery_image" &&
		sql "INSERT INTO site.page (title, slug, layout)
		SELECT 'Page ' || n, 'page-' || n, jsonb_build_array(
			jsonb_build_object('id', 'b' || n,
				'blockType', 'gallery'))
		FROM generate_series(1, $1) n" &&
		sql "INSERT INTO site.gallery (page_id, block_id, auto_sync)
		SELECT id, 'b', row_number() OVER (ORDER BY id) % 10 = 0
		FROM site.page" &&
		sql 'VACUUM ANALYZE site.page' &&
		sql 'VACUUM ANALYZE site.gallery' || fail 'cannot make pages'
}

# pictures N: new ones; prints their ids
pictures() {
	sql "INSERT INTO site.media (filename, storage_key, mime_type, filesize,
			hash)
		SELECT gen_random_uuid(), gen_random_uuid(), 'image/jpeg', 1, 'x'
		FROM generate_series(1, $1) RETURNING id"
}

# sync_ours N: N jobs through the product's runner, which is alone; the
# handler's median, µs
sync_ours() {
	local id
	for id in $(pictures "$1"); do
		sql "SELECT afterwork.enqueue('syncMediaToGalleries',
			'{\"mediaId\": $id}')" >/dev/null
	done
	with "RUNTIME_DIRECTORY=$home/runtime-rate" RUNNER_LINGER=0 \
		RUNNER_SLOTS=1 -- "$programs/functions/run" --detached \
		2>>"$home/log/bench-rate.log" || fail 'the runner failed'
	sql "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY
			extract(epoch FROM finished_at - started_at) * 1e6)
		FROM afterwork.history
		WHERE output -> 'galleriesUpdated' = '$galleries'
		HAVING count(*) = $1"
}

# sync_bare SQL: the same without a runner, on one link, ms
sync_bare() {
	local ids
	mapfile -t ids < <(pictures 7)
	ms "$("$B/bench/timed" "$DATABASE_URL" "$1" "${ids[@]}")"
}

sync_memory() {
	local id
	id=$(pictures 1)
	sql "SELECT afterwork.enqueue('syncMediaToGalleries',
		'{\"mediaId\": $id}')" >/dev/null
	with "RUNTIME_DIRECTORY=$home/runtime-rate" RUNNER_LINGER=0 \
		LOG_LEVEL=error -- "$programs/bench/once" -m \
		"$programs/functions/run" --detached
}

figure_sync() {
	local i pages galleries ours floor plain small=() large=()
	runtime_rate
	for pages in 1000 100000; do
		site $pages
		galleries=$((pages / 10)) ours=() floor=() plain=()
		for ((i = 0; i < reps; i++)); do
			ours+=("$(ms "$(sync_ours 7)")")
			floor+=("$(sync_bare 'SELECT s.present, s.pages,
				s.galleries
				FROM site.media_sync($1::bigint) AS s')")
			plain+=("$(sync_bare 'INSERT INTO site.gallery_image
				(gallery_id, media_id) SELECT g.id, $1::bigint
				FROM site.gallery g WHERE g.auto_sync
				ON CONFLICT DO NOTHING')")
			[ $pages = 1000 ] && small+=("$(sync_memory)")
			[ $pages = 1000 ] || large+=("$(sync_memory)")
			clear_data
		done
		row "one sync, $pages pages, $galleries galleries (ms)" \
			"${ours[*]}" "${floor[*]}" 1.3 most
		row '  against INSERT SELECT without its locks' \
			"${ours[*]}" "${plain[*]}" '' note
	done
	site 0
	row "runner's peak: 100000 pages | 1000 pages (KiB)" "${large[*]}" \
		"${small[*]}" 1.05 most
}
