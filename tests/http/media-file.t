#!/bin/bash
# media-file.t: the bytes come back, with headers that keep them harmless.
. tests/lib.sh
stack_shared

upload_name='čebela <x> 1%.jpg' upload "$(picture f.jpg)"
url=$(jqr .doc.url) id=$(jqr .doc.id)
like "$url" '^/api/media/file/%C4%8Debela%20_x_%201%25' 'the URL is encoded'
as nobody
get "$url"
status_is 200 'anyone may have it'
ok 'the bytes are the same' cmp "$work/f.jpg" "$work/body"
header_is content-type image/jpeg 'its own type'
header_is x-content-type-options nosniff 'no guessing'
header_is content-security-policy "default-src 'none'; sandbox" 'no scripts'
header_is cache-control 'public, no-cache' 'it may be kept, and asked about'
like "$(header content-disposition)" '^inline; filename="[ -~]+"; filename\*=UTF-8'"''"'%C4%8Debela%20_x_%201%25(-[0-9]+)?\.jpg$' \
	'pictures are shown'
header_is x-accel-redirect '' 'where it lies is nobody'"'"'s business'
get "$url" -r 3-9
status_is 206 'a part of it'
ok 'is that part' cmp <(tail -c +4 "$work/f.jpg" | head -c 7) "$work/body"
get "$url" -r 0-2,7-9,-4
status_is 206 'several parts of it'
boundary=$(header content-type | sed -n 's|^multipart/byteranges; boundary=||p')
isnt "$boundary" '' 'come as such'
size=$(stat -c %s "$work/f.jpg")
is "$(grep -ac '^Content-Range: bytes ' "$work/body")" 3 'each with its place'
like "$(grep -a '^Content-Range' "$work/body" | tail -n 1)" \
	"bytes $((size - 4))-$((size - 1))/$size" 'counted from the end'
get "$url" -r "$size-"
status_is 416 'a part that it does not have'
header_is content-range "bytes */$size" 'how much there is'
body_is '.errors[0].message' 'The file has no such part.' 'as JSON'
is "$(grep -c '^x-request-id' <<<"$headers")" 1 'with one number'
get "$url" -r "$(seq -s , 0 40 | sed 's/[0-9]\+/&-&/g')"
status_is 200 '41 parts are not cut out one by one'

# --- who has it already ---
get "$url"
version=$(header etag) time=$(header last-modified)
like "$version" '^"[0-9a-f]{32}"$' 'it has a version'
for known in "$version" "W/$version" '"x", '"$version" '*'; do
	get "$url" -H "If-None-Match: $known"
	status_is 304 "not again when it is known: $known"
	is "$(header etag)$body" "$version" 'with its version, without it'
	header_is cache-control 'public, no-cache' 'and how to keep it'
done
get "$url" -H "If-None-Match: ${version%?}0\"" -H "If-Modified-Since: $time"
status_is 200 'another version is sent, whatever its time'
get "$url" -H "If-Modified-Since: $time"
status_is 304 'a time alone will do'
get "$url" -H 'If-Modified-Since: Mon, 01 Jan 2001 00:00:00 GMT'
status_is 200 'an older one will not'
get "$url" -r 0-3 -H "If-Range: $version"
status_is 206 'the rest of the same version'
get "$url" -r 0-3 -H 'If-Range: "another"'
status_is 200 'of another all of it'

# --- only if it is still that version ---
for wanted in "$version" '*' "\"x\", $version"; do
	get "$url" -H "If-Match: $wanted"
	status_is 200 "sent if it is still $wanted"
	ok '  whole' cmp -s "$work/f.jpg" "$work/body"
	is "$(for name in etag content-type content-length cache-control last-modified accept-ranges x-content-type-options \
		content-security-policy cross-origin-resource-policy x-accel-redirect; do
		echo "$name: $(header $name)"
	done)" "etag: $version
content-type: image/jpeg
content-length: $size
cache-control: public, no-cache
last-modified: $time
accept-ranges: bytes
x-content-type-options: nosniff
content-security-policy: default-src 'none'; sandbox
cross-origin-resource-policy: same-site
x-accel-redirect: " '  with the same headers'
	like "$(header content-disposition)" '^inline; ' '  as it is shown'
	get "$url" -r 3-9 -H "If-Match: $wanted"
	is "$status $(header content-range)" "206 bytes 3-9/$size" '  a part of it'
	ok '    is that part' cmp <(tail -c +4 "$work/f.jpg" | head -c 7) "$work/body"
	get "$url" -r "$size-" -H "If-Match: $wanted"
	is "$status $(jqr '.errors[0].message')" '416 The file has no such part.' '  one that it does not have'
	request HEAD "$url" -H "If-Match: $wanted"
	is "$status $(header content-length)" "200 $size" '  its head'
	get "$url" -H "If-Match: $wanted" -H "If-None-Match: $version"
	status_is 304 '  and not again to who has it'
done
for wanted in '"x"' "W/$version" "\"${version:2}" '"x", "y"' '""'; do
	for part in 0-3 0-; do
		get "$url" -r "$part" -H "If-Match: $wanted"
		is "$status $(jqr '.errors[0].message')" '412 The file has another version by now.' "not if it is to be $wanted, $part"
	done
done
get "$url" -H 'If-Match: x'
status_is 400 'what is no list of versions'
get "$url" -H "If-Unmodified-Since: $time"
status_is 200 'sent if it has not changed since'
get "$url" -H 'If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT'
is "$status $(header content-type) $(jqr '.errors[0].message')" \
	'412 application/json The file has another version by now.' 'not if it has'
is "$(grep -c '^x-request-id' <<<"$headers") $(header cache-control)" '1 no-store' '  with one number, and not to be kept'
get "$url" -H "If-Match: $version" -H 'If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT'
status_is 200 'a version counts before a time'
request HEAD "$url"
status_is 200 'its head alone'
header_is content-length "$size" 'with its size'
header_is etag "$version" 'and its version'

# --- replaced by one of the same name, size and second ---
as admin
printf '\xff\xd8\xff\xfe\x00\x12%s' 0123456789abcdef >"$work/g.jpg"
tail -c +23 "$work/f.jpg" >>"$work/g.jpg"
is "$(stat -c %s "$work/g.jpg")" "$size" '(another file of that size)'
name=$(sql "SELECT filename FROM site.media WHERE id = $id")
request PATCH "/api/media/$id" -F "file=@$work/g.jpg;filename=\"$name\""
status_is 200 'a file is replaced'
as nobody
url=/api/media/file/$(jq -rn --arg n "$name" '$n | @uri')
get "$url" -H "If-None-Match: $version"
status_is 200 'who asks for the old version gets the new one'
ok 'at once' cmp -s "$work/g.jpg" "$work/body"
isnt "$(header etag)" "$version" 'as another version'
get "$url" -H "If-Match: $version"
status_is 412 'and who wants to go on with the old one learns of it'

as admin
upload "$fixtures/small.pdf"
get "$(jqr .doc.url)"
like "$(header content-disposition)" '^attachment; ' 'a document is saved, not shown'
for bad in none.jpg ..%2f..%2fetc%2fpasswd %2e%2e ''; do
	get "/api/media/file/$bad"
	like "$status" '^40[04]$' "no file: $bad"
done
key=$(sql 'SELECT storage_key FROM site.media LIMIT 1')
get "/_media/$key"
status_is 404 'the inner address is closed'
get "/api/media/file/$key"
status_is 404 'a key is no name'
done_testing
