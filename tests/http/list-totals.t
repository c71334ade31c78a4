#!/bin/bash
# list-totals.t: how many documents a list says there are, behind more of them
# than it counts; whoever follows the pages sees all.
. tests/lib.sh
. tests/list.sh
stack_start
# Nothing looks at the tables but this test's ANALYZE.
sql "ALTER TABLE site.media SET (autovacuum_enabled = off);
	ALTER TABLE site.page SET (autovacuum_enabled = off);
	INSERT INTO site.media (filename, storage_key, mime_type, filesize, hash)
	SELECT 'total-' || n || '.jpg', 'total' || n, 'image/jpeg', n, '-' FROM generate_series(1, 12500) AS n;
	INSERT INTO site.page (title, slug)
	SELECT 'total ' || n, 'total-' || n FROM generate_series(1, 12500) AS n" || bail 'no rows'
sql 'ANALYZE site.media' && sql 'ANALYZE site.page'
sql_is "SELECT string_agg(reltuples::text, ' ') FROM pg_class
	WHERE oid IN ('site.media'::regclass, 'site.page'::regclass)" '12500 12500' '(the statistics know)'

# told WANT PARAMETER…: documents, totalDocs, totalPages, and whether there is a
# next page
told() {
	local want=$1
	shift
	ask "$path" sort=id 'select[updatedAt]=true' "$@"
	is "$status $(jqr '[(.docs | length), .totalDocs, .totalPages, .hasNextPage] | map(tostring) | join(" ")')" \
		"200 $want" "$path: $*"
}
# all_pages PARAMETER…: how many documents those see who follow nextPage, and
# how many of them twice.
all_pages() {
	local page=1
	: >"$work/seen"
	while [ "$page" != null ]; do
		ask "$path" limit=1000 "page=$page" 'select[updatedAt]=true' "$@"
		[ "$status" = 200 ] || return
		jqr '.docs[].id' >>"$work/seen"
		page=$(jqr .nextPage)
	done
	echo "$(wc -l <"$work/seen") $(sort "$work/seen" | uniq -d | wc -l)"
}

# Conditions that hold for all.
declare -A every=([/api/media]='where[filename][like]=total-' [/api/pages]='where[slug][like]=total-')
for path in /api/media /api/pages; do
	where=${every[$path]}

	# 10,000 behind the page are counted; of more the statistics tell.
	told '10 12500 1250 true' page=1
	told '10 12500 1250 true' page=200
	# Of conditions they know nothing: what was seen, behind the page.
	told '10 10010 1001 true' "$where"
	told '10 12000 1200 true' "$where" page=200
	told '1 10001 10001 true' "$where" limit=1
	# So far down a thousand behind the page are.
	told '10 12500 1250 true' page=1010
	told '10 11100 1110 true' "$where" page=1010
	# From where the end is in sight it is exact.
	for how in id=1 "$where"; do
		told '10 12500 1250 true' "$how" page=251
		told '10 12500 1250 true' "$how" page=1200
		told '10 12500 1250 false' "$how" page=1250
		told '0 12500 1250 false' "$how" page=1251
		told '0 12500 1250 false' "$how" page=5000
	done
	ask "$path/count"
	is "$status $(jqr .totalDocs)" '200 12500' "$path/count counts"
	ask "$path/count" "$where"
	is "$status $(jqr .totalDocs)" '200 12500' '  under conditions, too'

	# One page with all that one answer holds says that there are more.
	told '1000 12500 1 false' limit=0
	told '1000 11000 1 false' limit=0 "$where"
done

# --- statistics that are behind ---
sql "INSERT INTO site.media (filename, storage_key, mime_type, filesize, hash)
	SELECT 'total-' || n || '.jpg', 'total' || n, 'image/jpeg', n, '-' FROM generate_series(12501, 12600) AS n;
	INSERT INTO site.page (title, slug)
	SELECT 'total ' || n, 'total-' || n FROM generate_series(12501, 12600) AS n" || bail 'no more rows'
for path in /api/media /api/pages; do
	told '10 12500 1250 true' page=1
	told '10 12600 1260 true' page=1250
	ask "$path/count"
	body_is .totalDocs 12600 "$path/count does not ask them"
	is "$(all_pages)" '12600 0' "$path: by pages all are seen, each once"
	is "$(all_pages "${every[$path]}")" '12600 0' '  under conditions, too'
done
sql "DELETE FROM site.media WHERE filesize > 50; DELETE FROM site.page WHERE slug NOT LIKE 'total-__'"
for path in /api/media /api/pages; do
	n=$(sql "SELECT count(*) FROM site.$([ "$path" = /api/media ] && echo media || echo page)")
	told "10 $n $(((n + 9) / 10)) true" page=1
done
done_testing
