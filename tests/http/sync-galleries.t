#!/bin/bash
# sync-galleries.t: a new picture is shown by every gallery that asks for new
# ones, once, and by no other.
. tests/lib.sh
stack_shared
tag=sync-$$
sync=/api/payload-jobs

# page SLUG LAYOUT: makes a page; sets $page.
page() {
	post /api/pages "{\"title\":\"$1\",\"slug\":\"$tag-$1\",\"layout\":$2}"
	[ "$status" = 201 ] || bail "no page: $body"
	page=$(jqr .doc.id)
}

# images PAGE: the ids in each gallery of a page, in the order of the layout.
images() {
	get "/api/pages/$1?depth=0"
	jq -c '[.layout | .. | objects | select(.blockType? == "gallery") | .images]' \
		<<<"$body"
}

# A picture that was there before: its sync adds nothing to what comes later.
upload "$(picture old.jpg)"
old=$(jqr .doc.id)
ok 'an earlier picture is dealt with' job_done "$(jqr .job.id)"

gallery='"blockType":"gallery"'
page plain "[{$gallery,\"images\":[$old]},{$gallery,\"autoSyncMedia\":false}]"
plain=$page
page top "[{\"blockType\":\"text\",\"body\":\"t\"},{$gallery,\"autoSyncMedia\":true,\"images\":[$old]}]"
top=$page
page deep "[{\"blockType\":\"columns\",\"columns\":[{\"blocks\":[{$gallery,\"autoSyncMedia\":true},{$gallery}]},
	{\"blocks\":[{\"blockType\":\"group\",\"fields\":{\"inner\":[{$gallery,\"autoSyncMedia\":true,\"images\":[$old]}]}}]}]}]"
deep=$page
page texts '[{"blockType":"text","body":{"blockType":"text","autoSyncMedia":true,"images":[]}}]'
texts=$page
get "/api/pages/$texts"
texts_before=$(jq -c .layout <<<"$body")

# How many galleries of all pages ask for new pictures: other tests have some.
asking() {
	sql "SELECT count(DISTINCT page_id) || ' ' || count(*) FROM site.gallery WHERE auto_sync"
}

upload "$(picture new.jpg)"
new=$(jqr .doc.id) job=$(jqr .job.id)
ok 'the job of an upload runs by itself' job_done "$job"
read -r pages galleries < <(asking)
get "$sync/$job"
body_is '.output | tojson' "{\"mediaId\":$new,\"pagesUpdated\":$pages,\"galleriesUpdated\":$galleries}" \
	'its output counts pages and galleries'
body_is '[.state, .taskSlug, .input.mediaId, .totalTried, .hasError] | @csv' \
	"\"done\",\"syncMediaToGalleries\",$new,1,false" 'it was one try'
is "$(images "$plain")" "[[$old],[]]" 'galleries that did not ask stay as they are'
is "$(images "$top")" "[[$old,$new]]" 'one that asked shows it, at its end'
is "$(images "$deep")" "[[$new],[],[$old,$new]]" 'those inside other blocks too'
get "/api/pages/$texts"
is "$(jq -c .layout <<<"$body")" "$texts_before" 'what only looks like a gallery is none'
get "/api/pages/$top"
body_is ".layout[1].images[1] | [.id, .filename] | @csv" \
	"$new,\"$(sql "SELECT filename FROM site.media WHERE id = $new")\"" \
	'as a document, when the page is read so'

# --- again ---
post "$sync/$job/run"
status_is 200 'the same job once more'
ok 'runs again' job_done "$job"
get "$sync/$job"
body_is '.output | [.pagesUpdated, .galleriesUpdated, .mediaId] | @csv' "0,0,$new" \
	'and finds nothing to do'
body_is '.log | length' 2 'both executions are on record'
is "$(images "$top")$(images "$deep")" "[[$old,$new]][[$new],[],[$old,$new]]" 'no picture is there twice'
post $sync "{\"task\":\"syncMediaToGalleries\",\"input\":{\"mediaId\":$new}}"
ok 'a second job for it' job_done "$(jqr .doc.id)"
is "$(images "$top")" "[[$old,$new]]" 'does not matter either'

# --- a gallery changes its mind ---
patch "/api/pages/$top" "$(jq -c '{layout: (.layout | .[1].autoSyncMedia = false)}' < <(
	get "/api/pages/$top?depth=0"; cat "$work/body"))"
status_is 200 'a gallery asks no more'
upload "$(picture third.jpg)"
third=$(jqr .doc.id)
ok 'another picture' job_done "$(jqr .job.id)"
is "$(images "$top")" "[[$old,$new]]" 'stays out of it'
is "$(images "$deep")" "[[$new,$third],[],[$old,$new,$third]]" 'and comes into the others'
patch "/api/pages/$top" "$(jq -c '{layout: (.layout | .[1].autoSyncMedia = true)}' < <(
	get "/api/pages/$top?depth=0"; cat "$work/body"))"
is "$(images "$top")" "[[$old,$new]]" 'asking again brings back nothing from between'

# --- only creating a picture enqueues ---
last=$(sql "SELECT max(id) FROM afterwork.jobs WHERE task = 'syncMediaToGalleries'")
patch "/api/media/$third" '{"alt":"changed"}'
status_is 200 'a picture is changed'
sql_is "SELECT max(id) FROM afterwork.jobs WHERE task = 'syncMediaToGalleries'" "$last" \
	'which enqueues nothing'

# --- a picture that has gone ---
delete "/api/media/$new"
status_is 200 'a picture is deleted'
is "$(images "$deep")" "[[$third],[],[$old,$third]]" 'it leaves every gallery'
post $sync "{\"task\":\"syncMediaToGalleries\",\"input\":{\"mediaId\":$new}}"
gone=$(jqr .doc.id)
ok 'the job of a picture that has gone' job_done "$gone"
get "$sync/$gone"
body_is '[.state, .hasError, (.output | .skipped, .pagesUpdated, .galleriesUpdated, .mediaId)] | @csv' \
	"\"done\",false,true,0,0,$new" 'is done, and says that it skipped'
is "$(images "$deep")" "[[$third],[],[$old,$third]]" 'and adds nothing'

# --- twenty at once, one picture each ---
for i in {1..20}; do
	picture "at-once-$i.jpg" >/dev/null
done
seq 20 | xargs -P 8 -I{} curl -sS -o "$work/{}.json" -H "Authorization: $authorization" \
	-F "file=@$work/at-once-{}.jpg" "$SERVER_URL/api/media"
want=$(jq .doc.id "$work"/{1..20}.json | sort -n | xargs)
eventually 20 "[ \"\$(sql \"SELECT count(*) FROM site.gallery_image i JOIN site.gallery g ON g.id = i.gallery_id
	WHERE g.page_id = $top\")\" = 21 ]" 'twenty uploads at once'
is "$(images "$top" | jq -r ".[0][1:] | sort | join(\" \")")" "$want" 'are there, each once'
for id in "$plain" "$top" "$deep" "$texts"; do
	delete "/api/pages/$id"
done
done_testing
