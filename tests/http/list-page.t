#!/bin/bash
# list-page.t: order, pages, parts of documents, and how much a list reads.
. tests/lib.sh
. tests/list.sh
stack_shared
mark=page$$
mine="where[slug][like]=$mark"
sql "INSERT INTO site.page (title, slug, created_at)
	SELECT chr(96 + (n * 7) % 5), '$mark-' || n, '2020-01-01'::timestamptz + (n % 3) * interval '1 day'
	FROM generate_series(1, 9) n" || bail 'no pages'
# order WANT SORT…: by the numbers in their slugs
order() {
	local want=$1 got
	shift
	ask /api/pages "$mine" "${@/#/sort=}"
	got=$(jqr "[.docs[].slug | sub(\"$mark-\"; \"\")] | join(\"\")")
	is "$status $got" "200 $want" "sorted by $*"
}
order 123456789 id
order 987654321 -id
order 369147258 createdAt
order 852741963 -createdAt
order 852741963
order 538164927 title
order 729461835 -title
order 583164927 title,-createdAt
order 583164927 title -createdAt
order 123456789 slug
for bad in '' nope id,nope 'id;' 'id desc' -- layout layout.blockType "title)--"; do
	refused /api/pages sort "sort=$bad"
done

# --- pages of a list ---
# shape PARAMETER…: its ten fields but the documents
shape() {
	ask /api/pages "$mine" sort=id "$@"
	jqr '[(.docs | length), .hasNextPage, .hasPrevPage, .limit, .nextPage, .page, .pagingCounter, .prevPage, .totalDocs, .totalPages] | map(tojson) | join(" ")'
}
is "$(shape limit=4)" '4 true false 4 2 1 1 null 9 3' 'the first page'
is "$(shape limit=4 page=2)" '4 true true 4 3 2 5 1 9 3' 'the second'
is "$(shape limit=4 page=3)" '1 false true 4 null 3 9 2 9 3' 'the last'
is "$(shape limit=4 page=4)" '0 false true 4 null 4 13 3 9 3' 'one behind'
is "$(shape limit=3 page=3)" '3 false true 3 null 3 7 2 9 3' 'a last one that is full'
is "$(shape pagination=false)" '9 false false 0 null 1 1 null 9 1' 'all at once'
is "$(shape limit=0)" '9 false false 0 null 1 1 null 9 1' 'without a limit'
is "$(shape pagination=false page=7)" '9 false false 0 null 1 1 null 9 1' 'then there are no pages'
is "$(shape limit=0 page=2)" '9 false false 0 null 1 1 null 9 1' 'nor without a limit'
is "$(shape pagination=false limit=4)" '4 false false 4 null 1 1 null 4 1' 'the first four, and no page behind them'
is "$(shape 'where[title][equals]=zz')" '0 false false 10 null 1 1 null 0 1' 'none'
is "$(shape page=1000000000 limit=1000)" \
	'0 false true 1000 null 1000000000 999999999001 999999999 9 1' 'far behind'

# More than one answer holds: it ends, and says how many there are.
sql "INSERT INTO site.page (title, slug) SELECT 'many', '$mark-many-' || n FROM generate_series(1, 1001) n"
mine="where[slug][like]=$mark-many"
for all in pagination=false limit=0; do
	is "$(shape "$all" 'select[slug]=true')" '1000 false false 0 null 1 1 null 1001 1' "$all: a thousand, and nothing to follow"
done
sql "DELETE FROM site.page WHERE slug LIKE '$mark-many-%'"
mine="where[slug][like]=$mark"

# --- parts ---
# parts PATH PARAMETER…: names of the fields of the first document
parts() {
	ask "$@"
	jqr '(.docs // [.])[0] | keys_unsorted | join(" ")'
}
id=$(sql "SELECT id FROM site.page WHERE slug = '$mark-1'")
for path in /api/pages "/api/pages/$id"; do
	is "$(parts "$path" "$mine" 'select[title]=true')" 'id title' "$path: one field, and the id"
	is "$(parts "$path" "$mine" 'select[layout]=true' 'select[slug]=true')" 'id slug layout' '  two'
	is "$(parts "$path" "$mine" 'select[layout]=false' 'select[createdAt]=false')" 'id title slug updatedAt' '  all but two'
	is "$(parts "$path" "$mine" 'select[id]=false')" 'id title slug layout createdAt updatedAt' '  never without the id'
	is "$(parts "$path" "$mine" 'select[nope]=true')" id '  a field that is not there'
	refused "$path" select 'select[title]=perhaps'
	refused "$path" select 'select[title]=true' 'select[slug]=false'
done
upload "$(picture "$mark.jpg")" text
media=$(jqr .doc.id)
for path in /api/media "/api/media/$media"; do
	is "$(parts "$path" sort=-id 'select[filename]=true' 'select[sizes][thumbnail]=true')" 'id filename sizes' "$path: some fields"
	is "$(parts "$path" sort=-id 'select[sizes]=false' 'select[url]=false' | grep -c -e sizes -e url)" 0 '  all but some'
	is "$(parts "$path" sort=-id 'select[sizes][thumbnail]=false')" "$(parts "$path" sort=-id)" '  without a part: nothing is cut out'
	is "$(parts "$path" sort=-id 'select[url]=false' 'select[sizes][thumbnail][url]=false' | tr ' ' '\n' | grep -xc -e sizes -e alt -e url)" 2 '  without a field and a part'
	refused "$path" select 'select[sizes][thumbnail]=perhaps'
	refused "$path" select 'select[sizes][thumbnail]=false' 'select[url]=true'
done
sql "SELECT afterwork.enqueue('noop', '{\"secret\":1}', queue => '$mark', run_at => now() + interval '1 day')" >/dev/null
is "$(parts /api/payload-jobs "where[queue][equals]=$mark" 'select[queue]=true')" 'id queue' 'a job: one field'
is "$(parts /api/payload-jobs "where[queue][equals]=$mark" 'select[input]=false' | grep -c input)" 0 'or without its input'
is "$(parts /api/payload-jobs 'select[state]=true' sort=-id)" 'id state' 'the newest: one field'

# --- what it costs ---
gallery() {
	printf '{"title":"%s","slug":"%s-g%s","layout":[{"blockType":"gallery","images":[%s]}]}' "$mark" "$mark" "$1" "$2"
}
# Twenty pictures for each of ten pages, none of them twice.
ids=$(sql "WITH made AS (INSERT INTO site.media (filename, storage_key, mime_type, filesize, hash)
		SELECT '$mark-' || n || '.jpg', '$mark' || n, 'image/jpeg', 1, '-' FROM generate_series(1, 199) n RETURNING id)
	SELECT string_agg(id::text, ' ' ORDER BY id) FROM made") || bail 'no pictures'
read -ra ids <<<"$media $ids"
for n in {1..10}; do
	post /api/pages "$(gallery "$n" "$(tr ' ' , <<<"${ids[*]:(n - 1) * 20:20}")")"
done
# They are the newest, whatever others make meanwhile.
sql "UPDATE site.page SET created_at = now() + interval '1 hour' WHERE slug LIKE '$mark-g%'"
# What the function's login says to the server, as the server's log has it.
told() {
	sed -n 's/.*duration: .* \(execute\|statement\) *\([^:]*\):.*/\2/p' \
		<(tail -c "+$1" "$STATE/log/postgresql.log") | xargs
}
if [ "${DATABASE_POOLED-}" = 1 ]; then
	note 'a pooler hides who says what'
else
	await 60 '[ "$(links_of afterwork_pages)" = 0 ]' || bail 'links stay'
	sql_as postgres 'ALTER ROLE afterwork_pages SET log_min_duration_statement = 0'
	from=$(($(stat -c %s "$STATE/log/postgresql.log") + 1))
	get '/api/pages?depth=2'
	is "$status $(jqr '[.docs[].layout[0].images[].filename] | [length, (unique | length)] | @csv')" '200 200,200' \
		'ten pages with twenty pictures each'
	eventually 10 "[[ \$(told $from) == *media_docs* ]]" 'the log tells'
	is "$(told $from)" 'page_list media_docs' 'one statement for the pages, and one for the pictures of all'
	sql_as postgres 'ALTER ROLE afterwork_pages RESET log_min_duration_statement'
fi

# More than one answer can hold.
sql "INSERT INTO site.page (title, slug, layout) SELECT 'big', '$mark-big-' || n,
	jsonb_build_array(jsonb_build_object('blockType', 'text', 'text', repeat(md5(n::text), 32000)))
	FROM generate_series(1, 20) n" || bail 'no big pages'
mine="where[slug][like]=$mark-big"
refused /api/pages limit "$mine" limit=1000
ask /api/pages "$mine" limit=1000 'select[title]=true'
is "$status $(jqr '.docs | length')" '200 20' 'without their layout they fit'
ask /api/pages "$mine" limit=5 depth=0
is "$status $(jqr '.docs | length')" '200 5' 'and fewer of them do'

# Changes show at once, though documents of pictures are kept.
ask "/api/pages" "where[slug][equals]=$mark-g1"
for text in first second; do
	patch "/api/media/$media" "{\"alt\":\"$text\"}"
	for ((n = 0; n < 8; n++)); do
		ask "/api/pages" "where[slug][equals]=$mark-g1" depth=1
		jqr '.docs[0].layout[0].images[0].alt'
	done >"$work/alts"
	is "$(sort -u "$work/alts")" "$text" "each process shows the $text text"
done
delete "/api/media/$media"
ask "/api/pages" "where[slug][equals]=$mark-g1" depth=1
body_is ".docs[0].layout[0].images | [length, any(.id == $media)] | @csv" '19,false' 'and no picture that is gone'
sql "DELETE FROM site.page WHERE slug LIKE '$mark%'"
sql "DELETE FROM site.media WHERE storage_key LIKE '$mark%'"
sql "SELECT afterwork.cancel(id) FROM afterwork.jobs WHERE queue = '$mark'" >/dev/null
done_testing
