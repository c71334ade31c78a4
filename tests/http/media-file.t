#!/bin/bash
# media-file.t: the bytes come back, with headers that keep them harmless.
. tests/lib.sh
stack_shared

upload_name='čebela <x> 1%.jpg' upload "$(picture f.jpg)"
url=$(jqr .doc.url)
like "$url" '^/api/media/file/%C4%8Debela%20_x_%201%25' 'the URL is encoded'
as nobody
get "$url"
status_is 200 'anyone may have it'
ok 'the bytes are the same' cmp "$work/f.jpg" "$work/body"
header_is content-type image/jpeg 'its own type'
header_is x-content-type-options nosniff 'no guessing'
header_is content-security-policy "default-src 'none'; sandbox" 'no scripts'
header_is cache-control 'public, max-age=3600' 'it may be cached'
like "$(header content-disposition)" '^inline; filename="[ -~]+"; filename\*=UTF-8'"''"'%C4%8Debela%20_x_%201%25(-[0-9]+)?\.jpg$' \
	'pictures are shown'
header_is x-accel-redirect '' 'where it lies is nobody'"'"'s business'
get "$url" -r 3-9
status_is 206 'a part of it'
ok 'is that part' cmp <(tail -c +4 "$work/f.jpg" | head -c 7) "$work/body"
get "$url" -H "If-None-Match: $(get "$url" && header etag)"
status_is 304 'not again when it is known'
request HEAD "$url"
status_is 200 'its head alone'

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
