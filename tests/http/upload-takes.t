#!/bin/bash
# upload-takes.t: each kind of file that is taken comes back byte for byte, with
# headers that keep a browser from making anything else of it.
. tests/lib.sh
stack_shared
tag=takes$$

# served TYPE DISPOSITION FILE WHAT: the document of the last answer is served.
served() {
	local url before=$authorization
	url=$(jqr .doc.url)
	like "$url" '^/api/media/file/' "$4: it has a URL"
	as nobody
	get "$url"
	authorization=$before
	status_is 200 '  where anyone may have it'
	ok '  byte for byte' cmp -s "$3" "$work/body"
	header_is content-type "$1" '  as what it is'
	header_is content-length "$(stat -c %s "$3")" '  of its size'
	header_is x-content-type-options nosniff '  which is not to be guessed'
	header_is content-security-policy "default-src 'none'; sandbox" '  with nothing in it allowed to run'
	like "$(header content-disposition)" "^$2; filename=\"[^\"\\]+\"; filename\*=UTF-8''[A-Za-z0-9%._~-]+$" \
		"  $2"
	header_is cache-control 'public, no-cache' '  to be kept, and asked about with each use'
	header_is set-cookie '' '  without a cookie'
}

# KIND | TYPE | WIDTH | HEIGHT | HOW IT IS SERVED
while IFS='|' read -r kind type width height how; do
	cp "$fixtures/small.$kind" "$work/$tag.$kind"
	upload "$work/$tag.$kind" "a $kind"
	status_is 201 "$kind is taken"
	body_is '.doc | [.mimeType, .filename, .filesize, .width, .height, .alt] | @csv' \
		"\"$type\",\"$tag.$kind\",$(stat -c %s "$work/$tag.$kind"),$width,$height,\"a $kind\"" \
		"$kind: its document"
	focal=${width:+,50,50}
	body_is '.doc | [.thumbnailURL, .focalX, .focalY] | @csv' "${focal:-,,}" "$kind: Payload's other fields"
	served "$type" "$how" "$work/$tag.$kind" "$kind"
	upload_type=$type upload "$work/$tag.$kind"
	status_is 201 "$kind: declared as what it is"
	body_is .doc.filename "$tag-1.$kind" "$kind: the second of a name gets a number"
	upload_type=application/octet-stream upload "$work/$tag.$kind"
	status_is 201 "$kind: declared as anything"
	body_is '.doc | [.filename, .mimeType] | @csv' "\"$tag-2.$kind\",\"$type\"" "$kind: is what its content says"
done <<'END'
jpg|image/jpeg|96|64|inline
png|image/png|96|64|inline
gif|image/gif|96|64|inline
webp|image/webp|96|64|inline
avif|image/avif|96|64|inline
pdf|application/pdf|||attachment
mp4|video/mp4|||inline
END

# The other way to write it, in what capitals it comes.
for name in "$tag.JPG" "$tag.Jpeg" "$tag.jpe"; do
	upload_name=$name upload "$(picture x.jpg)"
	if [ "$status" = 201 ]; then
		body_is .doc.filename "$name" "a name like $name stays as it is"
	else
		body_like '.errors[0].data.errors[0].message' 'Send a jpeg' "a name like $name is refused for its end"
	fi
done

# What takes more than one read, and more than memory holds of it at a time.
for bytes in 8191 8192 65536 65537 262144 262145 3000000; do
	head -c "$bytes" <(cat "$fixtures/small.jpg" /dev/urandom) >"$work/big.jpg"
	upload "$work/big.jpg"
	status_is 201 "a file of $bytes bytes"
	get "$(jqr .doc.url)"
	ok '  comes back as it was' cmp -s "$work/big.jpg" "$work/body"
done

# A file that contains what ends a part.
{
	cat "$fixtures/small.jpg"
	printf '\r\n--XX\r\n--XX-\r\n\r\n--X\r\n-\r\n--\r\n'
} >"$work/tricky.jpg"
{
	printf -- 'ignored\r\n--XXX  \r\nContent-Disposition: form-data; name="file"; filename="%s-t.jpg"\r\nContent-Type: image/jpeg\r\n\r\n' "$tag"
	cat "$work/tricky.jpg"
	printf '\r\n--XXX--\r\nignored too'
} >"$work/form"
request POST /api/media -H 'Content-Type: multipart/form-data; boundary="XXX"' --data-binary "@$work/form"
status_is 201 'a file that holds almost its boundary'
get "$(jqr .doc.url)"
ok '  comes back as it was' cmp -s "$work/tricky.jpg" "$work/body"
done_testing
