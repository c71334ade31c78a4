#!/bin/bash
# task-make-thumbnails.t: makeThumbnails makes the smaller forms of a picture
# once, shows them in its document and serves them; they go with the picture;
# what is no picture, too large or gone harms nothing.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
export VIPS_WARNING=1
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=300ms
store=$(readlink -f "$STATE/media")

# make ID STATE: its job ends so; the job's document is in $body.
make() {
	enqueue makeThumbnails "{\"mediaId\":$1}" || bail "not taken: $body"
	await 30 "[ \"\$(job_end $job)\" = $2 ]"
	get "/api/payload-jobs/$job"
	is "$(jqr .state)" "$2" "${3:-the job of $1 ends}: $2" ||
		diag "$(jqr '.log[-1].log')"
}

# add FILE: uploads it and waits for its sync; sets $id.
add() {
	upload "$1"
	[ "$status" = 201 ] || bail "no upload: $body"
	id=$(jqr .doc.id)
	job_done "$(jqr .job.id)"
}

# fetch URL: to $work/got; sets $shape, its width and height.
fetch() {
	request GET "${1#"$SERVER_URL"}"
	cp "$work/body" "$work/got"
	shape=$(vipsheader -f width "$work/got" &&
		vipsheader -f height "$work/got")
	shape=${shape/$'\n'/ }
}

files() {
	(cd "$store" && find . -path ./tmp -prune -o -type f -print | wc -l)
}

# --- a picture ---
vips resize "$fixtures/photo.jpg" "$work/big.jpg" 2 --kernel nearest
add "$work/big.jpg"
get "/api/media/$id"
body_is '[.sizes, .thumbnailURL] | tostring' '[{},null]' 'before, there are none'
before=$(files)
make "$id" 'done'
body_is '.output | tostring' "{\"made\":3,\"mediaId\":$id}" 'and tells what it made'
get "/api/media/$id"
body_is '[.sizes | to_entries[] | "\(.key) \(.value.filename) \(.value.width) \(.value.height) \(.value.mimeType)"] | join("|")' \
	'card big-768x1024.jpg 768 1024 image/jpeg|tablet big-1024x682.jpg 1024 682 image/jpeg|thumbnail big-400x300.jpg 400 300 image/jpeg' \
	'the document has them as Payload does'
body_is '.sizes.thumbnail | keys | join(" ")' 'filename filesize height mimeType url width' 'with all their fields'
body_is '.thumbnailURL == .sizes.thumbnail.url' true 'and the URL of the thumbnail'
is "$(files)" $((before + 3)) 'three files are there'
first=$body
for name in thumbnail card tablet; do
	fetch "$(jq -r ".sizes.$name.url" <<<"$first")"
	is "$shape" "$(jq -r ".sizes.$name | \"\(.width) \(.height)\"" <<<"$first")" \
		"$name is served, and so large"
	is "$(stat -c %s "$work/got")" "$(jq -r ".sizes.$name.filesize" <<<"$first")" \
		'  with so many bytes'
	header_is content-type image/jpeg '  as a JPEG'
done
get /api/media
body_is "[.docs[] | select(.id == $id) | .sizes | keys | length] | tostring" '[3]' 'a list has them'
is "$(sql "SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class WHERE relname = 'media_size'")" \
	afterwork 'the table is the owner'"'s"

# --- again ---
ls -i "$store"/*/* >"$work/before"
make "$id" 'done' 'once more'
body_is .output.skipped there 'nothing is to be done'
ls -i "$store"/*/* >"$work/after"
ok 'and nothing is' cmp "$work/before" "$work/after"
key=$(sql "SELECT storage_key FROM site.media_size WHERE media_id = $id AND name = 'card'")
rm "$store/$key"
make "$id" 'done' 'with a file lost'
body_is .output.made 3 'they are made anew'
get "/api/media/$id"
is "$(jq -S .sizes <<<"$body")" "$(jq -S .sizes <<<"$first")" 'to be the same'
is "$(files)" $((before + 3)) 'and what was there before is gone'
is "$(media_on_disk | grep -c ^row)" 0 'each row has its file'
sql "SELECT count(site.sizes_record($id, 'ab/none', '[]'))" >"$work/out"
get "/api/media/$id"
is "$(jq -S .sizes <<<"$body")" "$(jq -S .sizes <<<"$first")" \
	'what was made of other bytes is not recorded'

# --- names ---
upload_name=big-400x300.jpg upload "$(picture a.jpg)"
body_is .doc.filename big-400x300-1.jpg 'an upload does not take the name of a size'
upload_name=other-400x300.jpg upload "$(picture b.jpg)"
body_is .doc.filename other-400x300.jpg 'a free one it takes'
cp "$work/big.jpg" "$work/other.jpg"
add "$work/other.jpg"
make "$id" 'done'
get "/api/media/$id"
body_is .sizes.thumbnail.filename other-400x300-1.jpg 'nor a size that of an upload'
other=$id

# --- smaller ones, other types ---
add "$fixtures/photo.jpg"
make "$id" 'done'
body_is .output.made 2 'no picture is made larger'
get "/api/media/$id"
body_is '.sizes.tablet | tostring' \
	'{"url":null,"width":null,"height":null,"mimeType":null,"filesize":null,"filename":null}' \
	'a size that it does not reach is null'
make "$id" 'done'
body_is .output.skipped there 'and counts as made'
for type in png gif webp avif; do
	vips resize "$fixtures/photo.jpg" "$work/p.v" 0.6
	vips copy "$work/p.v" "$work/p.$type"
	add "$work/p.$type"
	make "$id" 'done'
	get "/api/media/$id"
	body_is '.sizes.thumbnail | "\(.width) \(.height) \(.mimeType)"' \
		"400 300 image/$type" "$type stays $type"
	fetch "$(jqr .sizes.thumbnail.url)"
	is "$shape" '400 300' '  and is one'
done
# A picture on its side, with where it was taken.
perl -0777 -ne 'my $t = "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
	s/^\xff\xd8/"\xff\xd8\xff\xe1" . pack("n", 2 + length $t) . $t/e; print' \
	"$work/big.jpg" >"$work/side.jpg"
is "$(vipsheader -f orientation "$work/side.jpg")" 6 '(a picture on its side)'
add "$work/side.jpg"
make "$id" 'done'
get "/api/media/$id"
body_is '.sizes.tablet | "\(.width) \(.height)"' '1024 1537' 'is turned upright'
fetch "$(jqr .sizes.tablet.url)"
is "$shape" '1024 1537' 'as it is served'
is "$(grep -c Exif "$work/got")" 0 'and its Exif stays behind'
for type in pdf mp4; do
	add "$fixtures/small.$type"
	make "$id" 'done'
	body_is .output.skipped 'not a picture' "$type has none"
done

# --- what can't be ---
# WIDTH HEIGHT: a PNG that says to be so large.
png() {
	perl -MCompress::Zlib -e '
	my ($w, $h) = @ARGV;
	sub chunk { my ($t, $d) = @_; pack("N", length $d) . $t . $d . pack("N", crc32($t . $d)) }
	print "\x89PNG\r\n\x1a\n", chunk("IHDR", pack("NNC5", $w, $h, 8, 0, 0, 0, 0)),
	    chunk("IDAT", compress("\0" x 1000)), chunk("IEND", "")' "$1" "$2"
}
for shape in '60000 60000' '40000 10' '20000 20000'; do
	# shellcheck disable=SC2086
	png $shape >"$work/huge.png"
	upload "$work/huge.png"
	status_is 400 "$shape: such a picture is not taken"
	# What came by another way is looked at again.
	add "$fixtures/small.png"
	cat "$work/huge.png" >"$store/$(sql "SELECT storage_key FROM site.media
		WHERE id = $id")"
	start=$(now_ms)
	make "$id" failed "$shape"
	ok '  quickly' [ $(($(now_ms) - start)) -lt 5000 ]
	body_is .attempts 1 '  at once'
	body_like '.log[-1].log' 'is too large' '  since it is too large'
	body_is '.log[-1].peakMemoryBytes < 100000000' true '  before it is decoded'
done
{ png 1000 1000 | head -c 33 && printf '%01000d' 0; } >"$work/bad.png"
add "$work/bad.png"
make "$id" failed 'what only begins like a picture'
body_is .attempts 1 'fails at once'
add "$(picture gone.jpg)"
key=$(sql "SELECT storage_key FROM site.media WHERE id = $id")
mv "$store/$key" "$work/kept"
enqueue makeThumbnails "{\"mediaId\":$id}"
ok 'bytes that are not there: it is tried again' await 10 \
	"answers 1 'SELECT count(*) FROM afterwork.job WHERE id = $job AND attempts > 0 AND lease_until IS NULL'"
post "/api/payload-jobs/$job/cancel" '{}'
cp "$work/kept" "$store/$key"

# --- at each upload, as the README has it ---
sed -n '/^CREATE FUNCTION site.thumbnails/,/^CREATE TRIGGER/p' README.md >"$work/trigger.sql"
ok 'the trigger is made' sql "$(cat "$work/trigger.sql")"
add "$fixtures/photo.jpg"
ok 'an upload has its sizes by itself' await 15 \
	"answers t 'SELECT sized FROM site.media WHERE id = $id'"
sql 'DROP TRIGGER thumbnails ON site.media'

# --- the end of a picture ---
keys=$(sql "SELECT storage_key FROM site.media_size WHERE media_id = $other
	UNION ALL SELECT storage_key FROM site.media WHERE id = $other")
is "$(wc -l <<<"$keys")" 4 '(four files)'
delete "/api/media/$other"
body_is '.doc.sizes | keys | length' 3 'deleted, it says what it had'
left=0
for key in $keys; do
	[ ! -e "$store/$key" ] || left=$((left + 1))
done
is "$left" 0 'the files of its sizes go with it'
sql_is "SELECT count(*) FROM site.media_size WHERE media_id = $other" 0 'and their rows'
make "$other" 'done' 'a job for it'
body_is .output.skipped deleted 'does nothing'
get /api/media/file/other-400x300-1.jpg
status_is 404 'nothing is served'

# --- the sweep ---
find "$store" -type f -exec touch -d '2 hours ago' {} +
before=$(files)
as cron
get /api/media/sweep
as admin
isnt "$before" 0 '(there are files)'
is "$(media_on_disk | grep -c ^row)" 0 'the sweep takes no file of a picture'
is "$(sql 'SELECT storage_key FROM site.media_size WHERE storage_key IS NOT NULL' |
	while read -r key; do [ -e "$store/$key" ] || echo "$key"; done | wc -l)" 0 \
	'and none of a size'

# --- settings ---
handler=$PWD/$B/tasks/makeThumbnails/handler
case $B in /*) handler=$B/tasks/makeThumbnails/handler ;; esac
while IFS= read -r setting; do
	# shellcheck disable=SC2086
	printf '{"mediaId":1}' | env -i $setting "$handler" >"$work/out" 2>&1
	is "$?" 78 "settings that are wrong: $setting"
done <<'END'

DATABASE_URL_MAKETHUMBNAILS=host=/nowhere
DATABASE_URL_MAKETHUMBNAILS=host=/nowhere MEDIA_STORE=file:media
END
printf '{"mediaId":1}' | env -i DATABASE_URL_MAKETHUMBNAILS=host=/nowhere \
	MEDIA_STORE="file:$work/store" "$handler" >"$work/out" 2>&1
is "$?" 75 'a database that is not there is waited for'
post /api/payload-jobs '{"task":"makeThumbnails","input":{"mediaId":"x"}}'
status_is 400 'a job needs a number'
done_testing
