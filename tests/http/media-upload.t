#!/bin/bash
# media-upload.t: what an upload answers, stores and enqueues.
. tests/lib.sh
stack_shared

upload "$(picture first.jpg)" 'a hill'
status_is 201 'a picture is taken'
body_is .message 'Media successfully created.' 'with a message'
body_is .doc.alt 'a hill' 'its text'
body_is .doc.mimeType image/jpeg 'its type'
body_is '[.doc.width, .doc.height] | @csv' 96,64 'its size in pixels'
body_is .doc.filesize "$(stat -c %s "$work/first.jpg")" 'its size in bytes'
body_is '.doc | keys_unsorted | @csv' '"id","alt","filename","mimeType","filesize","width","height",'\
'"url","thumbnailURL","focalX","focalY","sizes","createdAt","updatedAt"' \
	'the fields of a document'
body_like .doc.createdAt '^20[0-9-]{8}T[0-9:]{8}\.[0-9]{3}Z$' 'a time as Payload has it'
id=$(jqr .doc.id) job=$(jqr .job.id)
like "$job" '^[0-9]+$' 'and the id of its job'
sql_is "SELECT task || input::text FROM afterwork.jobs WHERE id = $job" \
	"syncMediaToGalleries{\"mediaId\": $id}" 'which is to sync this picture'
sql_is "SELECT hash FROM site.media WHERE id = $id" \
	"$(b2sum -l 256 "$work/first.jpg" | cut -d' ' -f1)" 'the hash is the file'"'"'s'
key=$(sql "SELECT storage_key FROM site.media WHERE id = $id")
ok 'the bytes are in the store' cmp "$work/first.jpg" "$STATE/media/$key"
is "$(stat -c %a "$STATE/media/$key")" 640 'readable for the web server only'

for kind in jpg png gif webp avif pdf mp4; do
	upload "$fixtures/small.$kind"
	status_is 201 "$kind is taken"
done
sql_is "SELECT string_agg(DISTINCT substring(filename FROM '[^.]*$'), ' ')
	FROM site.media WHERE filename ~ '^small.*(jpg|png|gif|webp|avif)$'
	AND (width, height) IS DISTINCT FROM (96, 64)" '' 'sizes are read from all kinds of pictures'

upload_type=application/octet-stream upload "$fixtures/small.png"
status_is 201 'an undeclared type is fine'
upload_name='UPPER.JPEG' upload "$(picture x.jpg)"
status_is 201 'an extension may be long and in capitals'
body_like .doc.filename '^UPPER(-[0-9]+)?\.JPEG$' 'and stays as it is'

# Names: never a path, never on disk.
while IFS='|' read -r sent want; do
	upload_name=$sent upload "$(picture n.jpg)"
	status_is 201 "name taken: $sent"
	body_like .doc.filename "$want" "and made safe"
done <<'END'
../../etc/passwd.jpg|^passwd(-[0-9]+)?\.jpg$
a\\b.jpg|^b(-[0-9]+)?\.jpg$
čebela ☂.jpg|^čebela ☂(-[0-9]+)?\.jpg$
<i>.jpg|^_i_(-[0-9]+)?\.jpg$
.hidden.jpg|^hidden(-[0-9]+)?\.jpg$
END
long=$(printf 'é%.0s' {1..150}).jpg
upload_name=$long upload "$(picture n.jpg)"
status_is 201 'a name of 304 bytes is taken'
ok 'and cut between characters, its extension kept' \
	bash -c '[ "$(printf %s "$1" | wc -c)" -le 130 ] && [[ $1 == é*.jpg ]]' - "$(jqr .doc.filename)"
is "$(find "$STATE/media" -type f | grep -vcE '/[0-9a-f]{2}/[0-9a-f]{32}$')" 0 \
	'every name on disk is ours'

# What else a form may hold.
upload "$(picture o.jpg)" 'x' -F 'other=1' -F "other=@$fixtures/small.pdf"
status_is 201 'other parts are ignored'
body_is .doc.alt x 'and change nothing'
upload "$(picture o.jpg)" '' -F '_payload={"alt":null,"id":7,"filename":"hack.html"}'
status_is 201 'unknown fields are ignored'
body_like .doc.filename '^o(-[0-9]+)?\.jpg$' 'the name is the file'"'"'s'
body_is .doc.alt null 'no text is none'
upload "$(picture o.jpg)" '' -F "_payload={\"alt\":\"$(printf 'ü%.0s' {1..1000})\"}"
status_is 201 'a text of 1000 characters is taken'

as nobody
upload "$(picture o.jpg)"
status_is 403 'nobody may upload'
is "$(find "$STATE/media/tmp" -type f | wc -l)" 0 'nothing is left in tmp'
done_testing
