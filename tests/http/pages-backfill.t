#!/bin/bash
# pages-backfill.t: a gallery that begins to take new pictures gets those that
# were there before if that is asked for, and then none is missing, whatever is
# uploaded meanwhile.
. tests/lib.sh
stack_start RUNNER_SLOTS=2
tag=b$RANDOM$RANDOM
for i in 1 2 3; do
	upload "$(picture "$i.jpg")"
	ids+=("$(jqr .doc.id)")
done
all=$(IFS=, && echo "${ids[*]}")

# gallery AUTO [IMAGES]: a layout
gallery() {
	echo "{\"layout\":[{\"id\":\"g\",\"blockType\":\"gallery\",\"autoSyncMedia\":$1${2+,\"images\":$2}}]}"
}
images() {
	jq -r '.doc.layout[0].images | @csv' <<<"$body"
}
page() {
	post "/api/pages?depth=0$1" "$(jq -c ". + {title: \"t\", slug: \"$tag-$RANDOM$RANDOM\"}" <<<"$2")"
	status_is 201 "a page$1"
	id=$(jqr .doc.id)
}
page '' "$(gallery true)"
is "$(images)" '' 'a new gallery has nothing by itself'
page '&backfill=false' "$(gallery true)"
is "$(images)" '' 'nor where it is said'
page '&backfill=true' "$(gallery true)"
is "$(images)" "$all" 'with a back-fill all that there is, the oldest first'
page '&backfill=true' "$(gallery true "[${ids[2]}]")"
is "$(images)" "${ids[2]},${ids[0]},${ids[1]}" 'behind those that it was given'
page '&backfill=true' "$(gallery false)"
is "$(images)" '' 'one that takes no new ones gets none'

patch "/api/pages/$id?depth=0" "$(gallery true)"
is "$(images)" '' 'switched on without a back-fill it stays empty'
patch "/api/pages/$id?depth=0&backfill=true" "$(gallery true)"
is "$(images)" '' 'it was on already'
patch "/api/pages/$id?depth=0" "$(gallery false)"
patch "/api/pages/$id?depth=0&backfill=true" "$(gallery true "[${ids[1]}]")"
is "$(images)" "${ids[1]},${ids[0]},${ids[2]}" 'switched on it gets the others'
patch "/api/pages/$id?depth=0&backfill=true" '{"title":"u"}'
is "$(images)" "${ids[1]},${ids[0]},${ids[2]}" 'a change of something else changes nothing of it'
patch "/api/pages/$id?backfill=maybe" '{}'
status_is 400 'neither true nor false'
body_is '.errors[0].data.errors[0].path' backfill 'is named'

# Nested, and several at once.
page '' '{"layout":[{"blockType":"columns","columns":[{"id":"n","blockType":"gallery"}]}]}'
patch "/api/pages/$id?depth=0&backfill=true" \
	'{"layout":[{"blockType":"columns","columns":[{"id":"n","blockType":"gallery","autoSyncMedia":true}]}]}'
is "$(jq -r '.doc.layout[0].columns[0].images | @csv' <<<"$body")" "$all" 'a nested one'
page '' "$(gallery false)"
one=$id
page '' "$(gallery false)"
patch "/api/pages?where[id][in]=$one,$id&depth=0&backfill=true" "$(gallery true)"
is "$(jq -r '.docs[].layout[0].images | @csv' <<<"$body")" "$all"$'\n'"$all" 'of several pages'

# While pictures come in galleries are switched on: none is missed.
page '' "$(gallery false)"
many=$id
export work authorization SERVER_URL
cat >"$work/one" <<'END'
#!/bin/bash
curl -s -o /dev/null -H "Authorization: $authorization" \
	-F "file=@$work/1.jpg;filename=m$1.jpg" "$SERVER_URL/api/media"
END
chmod +x "$work/one"
seq 120 | xargs -P 4 -n 1 "$work/one" &
uploads=$!
turns=0
while kill -0 "$uploads" 2>/dev/null; do
	turns=$((turns + 1))
	patch "/api/pages/$many?depth=0" "$(gallery false '[]')"
	sleep 0.05
	patch "/api/pages/$many?depth=0&backfill=true" "$(gallery true)"
	[ "$status" = 200 ] || break
done
wait "$uploads"
status_is 200 "switched on $turns times"
ok 'several times' [ "$turns" -ge 3 ]
ok 'all jobs are done' await 20 'sql "SELECT count(*) FROM afterwork.job" | grep -qx 0'
sql_is "SELECT count(*) FROM site.media" 123 'all uploads are there'
sql_is "SELECT count(*) FROM site.media m WHERE NOT EXISTS (
	SELECT FROM site.gallery_image i JOIN site.gallery g ON g.id = i.gallery_id
	WHERE g.page_id = $many AND i.media_id = m.id)" 0 'and each is in the gallery'
sql_is 'SELECT count(*) FROM afterwork.failed' 0 'no sync failed'

# The moment made to last: a sync that has looked for galleries, and not ended.
page '' "$(gallery false)"
exec {held}> >(exec psql -XqAt "$direct" >/dev/null 2>&1)
holder=$!
sql "INSERT INTO site.media (filename, storage_key, mime_type, filesize, hash)
	VALUES ('late.jpg', 'late', 'image/jpeg', 1, 'x')"
late=$(sql "SELECT id FROM site.media WHERE filename = 'late.jpg'")
echo "BEGIN; SELECT site.media_sync($late);" >&$held
await 10 '[ "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = '"'advisory'"' AND granted")" = 1 ]' ||
	bail 'no sync'
patch "/api/pages/$id?depth=0&backfill=true" "$(gallery true)" &
patching=$!
ok 'a back-fill waits for a sync' await 5 'sql "SELECT wait_event_type FROM pg_stat_activity
	WHERE application_name = '"'afterwork pages'"'" | grep -qx Lock'
echo 'COMMIT;' >&$held
wait "$patching"
exec {held}>&-
wait "$holder"
get "/api/pages/$id?depth=0"
is "$(jq .layout[0].images[-1] <<<"$body")" "$late" 'and has its picture'
done_testing
