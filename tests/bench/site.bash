# shellcheck shell=bash disable=SC2154
# Figures of the site's lists.  Part of tests/bench/run.

# gallery_pages PAGES PICTURES: so many pages with so many pictures each, none
# of them on two pages.
gallery_pages() {
	sql "INSERT INTO site.media (filename, storage_key, mime_type, filesize,
			hash, alt, width, height)
		SELECT 'picture-' || n || '.jpg', 'bench-' || n, 'image/jpeg',
			100000 + n, 'x', 'Picture ' || n || ' of the bench',
			1600, 1200 FROM generate_series(1, $1 * $2) AS n;
	INSERT INTO site.page (title, slug, layout)
		SELECT 'Page ' || n, 'bench-' || n, jsonb_build_array(
			jsonb_build_object('blockType', 'text', 'id', 't' || n,
				'text', repeat('Some words. ', 50)),
			jsonb_build_object('blockType', 'gallery', 'id', 'g' || n))
		FROM generate_series(1, $1) AS n;
	INSERT INTO site.gallery (page_id, block_id)
		SELECT p.id, 'g' || substr(p.slug, 7) FROM site.page p;
	INSERT INTO site.gallery_image (gallery_id, media_id)
		SELECT g.id, m.id FROM site.gallery g JOIN site.media m
		ON (substr(m.storage_key, 7)::integer - 1) / $2 + 1
			= substr(g.block_id, 2)::integer
		ORDER BY g.id, m.id" &&
		sql 'VACUUM ANALYZE site.media, site.page, site.gallery,
			site.gallery_image' || fail 'cannot make pages'
}

# clear_site: what gallery_pages and figure_offset made.
clear_site() {
	sql 'TRUNCATE site.page, site.gallery, site.gallery_image, site.media,
		site.media_name, site.media_size' || fail 'cannot clear the site'
}

# get NAME TARGET OPTION…: as load
get_load() {
	local name=$1 target=$2
	shift 2
	read -r p50 p99 rps began ended < <("$B/bench/load" \
		-p "${port_of[$name]}" -k "$API_KEY" -g "$target" "$@") &&
		[ -n "$ended" ] || fail "GET $target of $name failed"
}

# Ten pages with twenty pictures each, against the same bytes from memory; by
# as many processes.
figure_pages() {
	local i n=$((2000 / few)) ours=() floor=() target='/api/pages?depth=2'
	clear_site
	gallery_pages 10 20
	server_start lists 1 "FCGI_CHILDREN=$(upload_processes)" -- \
		"$programs/functions/pages"
	curl -sS -o "$home/floor/pages.json" \
		"http://127.0.0.1:${port_of[lists]}$target" &&
		[ "$(jq '[.docs[].layout[1].images[].id] | unique | length' \
			<"$home/floor/pages.json")" = 200 ] ||
		fail 'the pages are not as they should be'
	server_start floor "$(upload_processes)" -- \
		"$programs/bench/same" "$home/floor/pages.json"
	get_load lists "$target" -c 8 -n 200
	get_load floor "$target" -c 8 -n 200
	for ((i = 0; i < reps; i++)); do
		get_load lists "$target" -c 8 -n $n
		ours+=("$rps")
		get_load floor "$target" -c 8 -n $n
		floor+=("$rps")
	done
	server_stop floor
	server_stop lists
	clear_site
	row 'GET pages?depth=2, 10 of 20 pictures | the bytes (1/s)' \
		"${ours[*]}" "${floor[*]}" 0.25 least
}

# The page whose first id has 99,990 before it, of 150,000, against the bare
# statement through psql's own timing.
figure_offset() {
	local i n=$((40 / few)) ours=() floor=()
	clear_site
	sql "INSERT INTO site.page (title, slug) SELECT 'x', 'bench-' || n
		FROM generate_series(1, 150000) AS n" &&
		sql 'VACUUM ANALYZE site.page' || fail 'cannot make pages'
	for ((i = 0; i < reps; i++)); do
		get_load ours '/api/pages?sort=id&page=10000' -n $n
		ours+=("$(ms "$p50")")
		floor+=("$(statement_ms $n 'SELECT p.id FROM site.page p
			ORDER BY p.id LIMIT 10 OFFSET 99990')")
	done
	clear_site
	row 'page 10,000 by id over HTTP | its ids by SQL, p50 (ms)' \
		"${ours[*]}" "${floor[*]}" 1.5 most
}

# statement_ms TIMES SQL: the median, in psql's own words.
statement_ms() {
	local i
	{
		echo '\timing on'
		for ((i = 0; i < $1; i++)); do
			echo "$2;"
		done
	} | psql -XqAt "$direct" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' |
		sort -g | awk '{ v[NR] = $1 }
			END { print v[int((NR + 1) / 2)] }'
}
