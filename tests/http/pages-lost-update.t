#!/bin/bash
# pages-lost-update.t: an editor who saves an old view of a page takes nothing
# away that came in since; what the editor saw and left out goes.
. tests/lib.sh
stack_shared
tag=l$RANDOM$RANDOM

picture_id() {
	upload "$(picture "$1.jpg")"
	jqr .doc.id
}
a=$(picture_id a) b=$(picture_id b)
run_jobs >/dev/null

post '/api/pages?depth=0' "{\"title\":\"t\",\"slug\":\"$tag\",\"layout\":[
	{\"blockType\":\"text\",\"body\":\"old\"},
	{\"blockType\":\"gallery\",\"autoSyncMedia\":true,\"images\":[$a,$b]}]}"
id=$(jqr .doc.id)
as_read=$(jq -c .doc <<<"$body")

upload "$(picture new.jpg)"
new=$(jqr .doc.id)
# synced PATTERN: pictures in the page's gallery, by name.
synced() {
	sql "SELECT count(DISTINCT i.media_id)
		FROM site.gallery_image i
		JOIN site.gallery g ON g.id = i.gallery_id
		JOIN site.media m ON m.id = i.media_id
		WHERE g.page_id = $id AND m.filename ~ '$1'"
}
eventually 10 '[ "$(synced .)" = 3 ]' \
	'an upload comes in between'

# save FILTER: the page as it was read, changed by a jq filter.
save() {
	patch "/api/pages/$id?depth=0" "$(jq -c "del(.updatedAt) | $1" <<<"$as_read")"
}
images() {
	jq -r '.doc.layout[1].images | @csv' <<<"$body"
}
save '.layout[0].body = "new"'
status_is 200 'the editor saves another block'
is "$(images)" "$a,$b,$new" 'the picture that came in between is there'
body_is '.doc.layout[0].body' new 'and the change too'
save ".layout[1].images = [$b]"
is "$(images)" "$b,$new" 'what the editor saw and left out goes'
save ".layout[1].images = [$b, $a]"
is "$(images)" "$b,$a,$new" 'the list is in front'
as_read=$(jq -c .doc <<<"$body")
save ".layout[1].images = [$b]"
is "$(images)" "$b" 'a reader who saw the picture can remove it'
save "del(.layout[1].imagesAsOf) | .layout[1].images = [$a, $new]"
is "$(images)" "$a,$new" 'without a time of reading the list is the truth'
save 'del(.layout[1].imagesAsOf) | .layout[1].images = []'
is "$(images)" '' 'even an empty one'

# Twenty pictures come in while an editor saves one view again and again.
as_read=$(jq -c .doc <<<"$body")
for i in {1..20}; do
	picture "many$i.jpg" >/dev/null
done
seq 20 | xargs -P 4 -I{} curl -sS -o /dev/null \
	-H "Authorization: $authorization" -F "file=@$work/many{}.jpg" \
	"$SERVER_URL/api/media" &
uploads=$!
saves=0
while kill -0 $uploads 2>/dev/null; do
	save ".layout[0].body = \"$((++saves))\""
	[ "$status" = 200 ] || break
done
wait $uploads
is "$status" 200 'every save was taken'
note "$saves saves meanwhile"
eventually 15 '[ "$(synced ^many)" = 20 ]' \
	'all twenty are in the gallery'

# A database that was restored elsewhere: its transactions count from below.
sql "UPDATE site.gallery_image SET added_xid = (pg_current_xact_id()::text::bigint + 1000000)::text::xid8
	WHERE gallery_id IN (SELECT id FROM site.gallery WHERE page_id = $id)"
get "/api/pages/$id?depth=0"
as_read=$body
save '.layout[1].images = []'
is "$(images)" '' 'pictures from before a restore can be removed'
delete "/api/pages/$id"
done_testing
