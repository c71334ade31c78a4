#!/bin/bash
# media-replace.t: a PATCH with a form gives a picture another file, or other
# fields, and never anything that is not a person's to set.
. tests/lib.sh
stack_shared
tag=replace$$
store=$STATE/media

# replace ID FILE [CURL FORM OPTION…]
replace() {
	local id=$1 file=$2
	shift 2
	request PATCH "/api/media/$id" -F "file=@\"$file\"" "$@"
}

# Files that no row names; other tests may have left some.
orphans() {
	comm -23 <(find "$store" -type f -printf '%P\n' | sort) \
		<(sql 'SELECT storage_key FROM site.media UNION ALL
		SELECT storage_key FROM site.media_size' | sort)
}

key_of() {
	sql "SELECT storage_key FROM site.media WHERE id = $1"
}

jobs() {
	sql "SELECT count(*) FROM afterwork.jobs WHERE input @> '{\"mediaId\": $1}'"
}

left=$(orphans)
upload "$(picture "$tag.jpg")" 'the first'
id=$(jqr .doc.id) url=$(jqr .doc.url) old=$(key_of "$id")
before=$body
is "$(jobs "$id")" 1 'a new picture has its job'

# --- another file under the same name ---
replace "$id" "$(picture "$tag.jpg" photo.jpg)"
status_is 200 'another file is taken'
body_is .message 'Updated successfully.' 'with a message'
body_is '.doc | keys_unsorted | @csv' "$(jq -r '.doc | keys_unsorted | @csv' <<<"$before")" \
	'and a document of the same shape'
body_is '.doc | [.id, .filename, .alt, .width, .height, .filesize] | @csv' \
	"$id,\"$tag.jpg\",\"the first\",800,533,$(stat -c %s "$work/$tag.jpg")" \
	'which tells of the new file, keeps name and text'
body_is .doc.url "$url" 'and the address'
isnt "$(jqr .doc.updatedAt)" "$(jq -r .doc.updatedAt <<<"$before")" 'it was changed'
body_is .doc.createdAt "$(jq -r .doc.createdAt <<<"$before")" 'not made'
is "$(jobs "$id")" 1 'nothing is enqueued'
sql_is "SELECT hash FROM site.media WHERE id = $id" \
	"$(b2sum -l 256 "$work/$tag.jpg" | cut -d' ' -f1)" 'the hash is the new file'"'"'s'
isnt "$(key_of "$id")" "$old" 'the bytes lie elsewhere'
ok 'the old ones are gone' [ ! -e "$store/$old" ]
get "$url"
ok 'the address has the new bytes' cmp -s "$work/$tag.jpg" "$work/body"

# --- another name, another kind ---
cp "$fixtures/small.png" "$work/$tag.png"
replace "$id" "$work/$tag.png" -F '_payload={"alt":"the second"}'
status_is 200 'another kind of picture'
body_is '.doc | [.filename, .mimeType, .alt, .width, .height] | @csv' \
	"\"$tag.png\",\"image/png\",\"the second\",96,64" 'has its own name and type'
get "$url"
status_is 404 'the old name is nobody'"'"'s'
upload "$(picture "$tag-x.jpg")"
other=$(jqr .doc.id)
upload_name=$tag.jpg upload "$(picture y.jpg)"
body_is .doc.filename "$tag.jpg" 'and free for the next one'
replace "$id" "$(picture "$tag-x.jpg")"
body_like .doc.filename "^$tag-x-[0-9]+\.jpg$" 'a name that is taken gets a number'
get "/api/media/$other"
body_is .filename "$tag-x.jpg" 'its owner keeps it'

# --- sizes of the old bytes ---
sql "INSERT INTO site.media_size (media_id, name, filename, storage_key,
	mime_type, filesize, width, height) VALUES ($id, 'thumbnail',
	'$tag-400x300.jpg', 'aa/$(printf '%032x' $$)', 'image/jpeg', 9, 400, 300);
	UPDATE site.media SET sized = true WHERE id = $id" >/dev/null
mkdir -p "$store/aa"
echo old >"$store/aa/$(printf '%032x' $$)"
chown --reference="$store" "$store/aa" "$store/aa/"*
get "/api/media/$id"
body_is '[.sizes.thumbnail.filename, .thumbnailURL] | @csv' \
	"\"$tag-400x300.jpg\",\"/api/media/file/$tag-400x300.jpg\"" '(a picture with a size)'
replace "$id" "$(picture "$tag-400x300.jpg")"
status_is 200 'a file may be called as a size was'
body_is '.doc | [.filename, (.sizes | tojson), .thumbnailURL] | @csv' \
	"\"$tag-400x300.jpg\",\"{}\"," 'the sizes of the old file are gone'
sql_is "SELECT count(*) FROM site.media_size WHERE media_id = $id" 0 'as rows'
ok 'and as files' [ ! -e "$store/aa/$(printf '%032x' $$)" ]

# --- fields only ---
old=$(key_of "$id")
request PATCH "/api/media/$id" -F '_payload={"alt":"only words"}'
status_is 200 'a form without a file'
body_is '.doc | [.alt, .filename] | @csv' "\"only words\",\"$tag-400x300.jpg\"" \
	'changes fields only'
request PATCH "/api/media/$id" -F '_payload={"title":"nothing of ours"}'
body_is .doc.alt 'only words' 'a field that is not named stays'
request PATCH "/api/media/$id" -F '_payload={"alt":null}'
body_is .doc.alt null 'one that is null goes'
is "$(key_of "$id")" "$old" 'the file stays through all of it'
patch "/api/media/$id" '{"alt":"as JSON"}'
body_is .doc.alt 'as JSON' 'as with JSON'

# --- what is not a person's to set ---
evil='{"id":1,"storage_key":"../../etc/passwd","storageKey":"x","filename":"e.html",
"filesize":1,"mimeType":"text/html","url":"http://evil/","thumbnailURL":"http://evil/",
"width":1,"height":1,"createdAt":"2001-01-01T00:00:00.000Z","updatedAt":"2001-01-01T00:00:00.000Z",
"sizes":{"thumbnail":{"url":"http://evil/"}},"hash":"x","created_by":1,"sized":true}'
get "/api/media/$id"
before=$(jq -c 'del(.updatedAt)' <<<"$body")
request PATCH "/api/media/$id" -F "_payload=$evil"
status_is 200 'fields that are not theirs are ignored in a form'
body_is '.doc | del(.updatedAt) | tojson' "$before" 'and change nothing'
patch "/api/media/$id" "$evil"
status_is 200 'and in JSON'
body_is '.doc | del(.updatedAt) | tojson' "$before" 'change nothing'
upload "$(picture "$tag-m.jpg")" '' -F "_payload=$evil"
status_is 201 'and with an upload'
body_is '.doc | [.filename, .mimeType, .width, .thumbnailURL, (.createdAt | startswith("2001"))] | @csv' \
	"\"$tag-m.jpg\",\"image/jpeg\",96,,false" 'the document is the file'"'"'s own'
isnt "$(jqr .doc.id)" 1 'under a number of its own'

# --- refused, and then nothing is changed ---
refused() {
	status_is "$1" "refused: $2"
	is "$(key_of "$id")" "$old" '  the file stays'
	ok '  on disk, too' [ -s "$store/$old" ]
}
printf '<svg onload="alert(1)"/>' >"$work/x.png"
replace "$id" "$work/x.png"
refused 400 'what is no picture'
cp "$fixtures/small.pdf" "$work/x.jpg"
replace "$id" "$work/x.jpg"
refused 400 'content of another kind'
cp "$fixtures/small.jpg" "$work/large.jpg"
truncate -s $((50 * 1024 * 1024 + 1)) "$work/large.jpg"
replace "$id" "$work/large.jpg"
refused 413 'a file over the limit'
rm "$work/large.jpg"
replace "$id" "$fixtures/small.jpg" -F '_payload={"alt":7}'
refused 400 'a text that is none'
replace "$id" "$fixtures/small.jpg" -F '_payload={"alt'
refused 400 'JSON that is none'
replace "$id" "$fixtures/small.jpg" -F "file=@$fixtures/small.jpg"
refused 400 'two files'
as nobody
replace "$id" "$fixtures/small.jpg"
refused 403 'nobody'
as admin
for path in 999999999 0 -1 x 9007199254740993; do
	replace "$path" "$fixtures/small.jpg"
	is "$status" 404 "there is no picture $path"
done
is "$(orphans)" "$left" 'no file is left without a row'
done_testing
