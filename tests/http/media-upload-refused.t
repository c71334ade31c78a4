#!/bin/bash
# media-upload-refused.t: a bad upload is a 400 that says what to do, and leaves
# no file, no row and no job.
. tests/lib.sh
stack_shared

count() {
	find "$STATE/media" -type f | wc -l
	sql 'SELECT count(*) FROM site.media'
	sql "SELECT count(*) FROM afterwork.jobs"
}
before=$(count)

# refused WHAT: the last answer.
refused() {
	status_is 400 "$1"
	body_like '.errors[0] | (.data.errors[0].message // .message)' \
		"${2:-.}" 'it says why'
}

# raw TYPE: the body is $work/form, made before.
raw() {
	request POST /api/media -H "Content-Type: $1" --data-binary "@$work/form"
}

# part HEADERS BODY: one part with the boundary XX.
part() {
	printf -- '--XX\r\n%b\r\n\r\n' "$1"
	cat "$2"
	printf '\r\n'
}
# whole HEADERS BODY: a form of this part, in $work/form.
whole() {
	{ part "$@" && printf -- '--XX--\r\n'; } >"$work/form"
}
form='multipart/form-data; boundary=XX'
file='Content-Disposition: form-data; name="file"; filename="a.jpg"'
jpg=$fixtures/small.jpg

request POST /api/media -F '_payload={"alt":"x"}'
refused 'no file part' '^No files were uploaded.$'
request POST /api/media -F 'file=text'
refused 'a text in the place of the file' '^No files were uploaded.$'
: >"$work/empty.jpg"
upload "$work/empty.jpg"
refused 'an empty file' 'empty'
whole "${file/a.jpg/}" /dev/null
raw "$form"
refused 'a file field that was left open' '^No files were uploaded.$'
upload "$jpg" '' -F "file=@$jpg"
refused 'two file parts' 'one file'
upload "$jpg" 'a' -F '_payload={"alt":"b"}'
refused 'two payloads' 'once'
body_is '.errors[0].data.errors[0].path' _payload 'and it names the part'

# Content, name and declared type.
upload_name=a.png upload "$jpg"
refused 'a name that is not the content' 'image/png'
upload_type=image/png upload "$jpg"
refused 'a type that is not the content' 'declared'
upload_type=text/html upload "$jpg"
refused 'a type that nobody takes' 'declared'
for bad in svg html htm js xml php exe txt ''; do
	upload_name=a${bad:+.$bad} upload "$jpg"
	refused "a name that ends in ${bad:-nothing}" 'jpeg, png, gif'
done
printf '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>' >"$work/v.svg"
upload "$work/v.svg"
refused 'SVG' 'not taken'
cp "$work/v.svg" "$work/v.jpg"
upload "$work/v.jpg"
refused 'SVG with another name' 'content'
printf '<html><script>alert(1)</script>' >"$work/h.png"
upload "$work/h.png"
refused 'HTML with another name' 'content'
printf 'RIFF\0\0\0\0WEBP' >"$work/s.avif"
upload "$work/s.avif"
refused 'a picture of another kind' 'content'

# The payload.
for bad in '{"alt":' '[]' '"x"' '{"alt":1}' '{"alt":["x"]}' '{"alt":"\u0000"}' '{} {}' ''; do
	upload "$jpg" '' -F "_payload=$bad"
	refused "payload $bad"
done
upload "$jpg" '' -F "_payload={\"alt\":\"$(printf 'ü%.0s' {1..1001})\"}"
refused 'a text of 1001 characters' '1000'
body_is '.errors[0].data.errors[0].path' alt 'and it names the field'
{ printf '{"alt":"x"'; head -c 66000 /dev/zero | tr '\0' ' '; printf '}'; } >"$work/p.json"
upload "$jpg" '' -F "_payload=<$work/p.json"
refused 'a payload over 64 KiB' 'bytes'

# The form itself.
whole "$file" "$jpg"
raw 'multipart/form-data'
refused 'no boundary'
whole "$file" "$jpg"
raw "multipart/form-data; boundary=$(printf 'X%.0s' {1..1000})"
refused 'a boundary of 1000 characters'
whole "$file" "$jpg"
raw 'multipart/form-data; boundary=XX; boundary=YY'
refused 'two boundaries'
part "$file" "$jpg" >"$work/form"
raw "$form"
refused 'no closing boundary'
part "$file" "$jpg" | head -c 900 >"$work/form"
raw "$form"
refused 'cut off in the middle of the file'
whole "X-Long: $(head -c 100000 /dev/zero | tr '\0' x)\r\n$file" "$jpg"
raw "$form"
refused 'a part header of 100 KB'
whole "${file/a.jpg/a\\000.jpg}" "$jpg"
raw "$form"
refused 'a NUL in a name'
echo '{"alt":"x"}' >"$work/form"
raw application/json
refused 'no form at all' '^No files were uploaded.$'
: >"$work/form"
raw "$form"
refused 'no body'

is "$(count)" "$before" 'no file, no row and no job is left'
done_testing
