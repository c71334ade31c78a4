#!/bin/bash
# upload-refuses.t: whatever is wrong with an upload, the answer is an error in
# Payload's shape that a person can act on, and nothing of it stays.
. tests/lib.sh
stack_shared
jpg=$fixtures/small.jpg

# What the store and the tables hold; a file without a row is listed twice.
holdings() {
	(cd "$STATE/media" && find . -type f -printf '%P\n') | sort
	sql 'SELECT storage_key FROM site.media' | sort
	sql 'SELECT max(id) FROM site.media'
	sql "SELECT max(id) FROM afterwork.jobs
		WHERE task = 'syncMediaToGalleries'"
}

# refused STATUS PATH MESSAGE WHAT: the last answer; PATH is - for errors that
# are no single field's, JSON for text that is none, and Label:path for a field
# of the document.
refused() {
	local at='"message":"string","path":"string"' path=${2#*:}
	local shape='{"errors":[{"message":"string"}]}'
	case $2 in
	-) ;;
	JSON) shape='{"errors":[{"message":"string","data":{"errors":[{'$at'}]}}]}' ;;
	*:*) shape='{"errors":[{"name":"string","data":{"collection":"string","errors":[{"label":"string",'$at'}]},"message":"string"}]}' ;;
	*) shape='{"errors":[{"name":"string","data":{"errors":[{'$at'}]},"message":"string"}]}' ;;
	esac
	status_is "$1" "$4"
	body_is 'walk(scalars |= type) | tojson' "$shape" '  in its shape'
	case $2 in
	-) ;;
	JSON) body_is '.errors[0].message' 'Invalid JSON' '  as Payload says it' ;;
	*) body_is '.errors[0] | [.name, .message, .data.errors[0].path] | join("|")' \
		"ValidationError|The following field is invalid: ${2%%:*}|$path" \
		'  which names the field' ;;
	esac
	body_like '.errors[0] | .data.errors[0].message // .message' "$3" \
		'  and says what to do'
	unlike "$body" 'SELECT|INSERT|site\.|afterwork\.|media_add|multipart\.c|/(tmp|var|work|home|media|proc)' \
		'  without SQL or a path'
	header_is content-type application/json '  as JSON'
	header_is cache-control no-store '  not to be stored'
	like "$(header x-request-id)" '^[0-9a-f]{32}$' '  with its number'
}

# form CONTENT-DISPOSITION-REST FILE [MORE HEADERS]: a form of one part with
# the boundary XX, in $work/form.
form() {
	{
		printf -- '--XX\r\nContent-Disposition: form-data; %b\r\n%b\r\n' \
			"$1" "${3-}"
		cat "$2"
		printf '\r\n--XX--\r\n'
	} >"$work/form"
}

send() {
	request POST /api/media --data-binary "@$work/form" \
		-H "Content-Type: ${1-multipart/form-data; boundary=XX}"
}

file='name="file"; filename="a.jpg"'
before=$(holdings)

# --- the parts ---
request POST /api/media -F '_payload={"alt":"x"}'
refused 400 - '^No files were uploaded\.$' 'no file part'
: >"$work/empty.jpg"
upload "$work/empty.jpg"
refused 400 file '^The file is empty\.$' 'an empty file'
upload "$jpg" '' -F "file=@$jpg"
refused 400 file '^Send one file at a time\.$' 'two file parts'
: >"$work/form"
send
refused 400 - . 'an empty body'

# --- the form ---
form "$file" "$jpg"
send multipart/form-data
refused 400 - '[Bb]oundary' 'a boundary that is missing'
send "multipart/form-data; boundary=$(printf 'X%.0s' {1..1000})"
refused 400 - '[Bb]oundary' 'a boundary of 1,000 characters'
send 'multipart/form-data; boundary='
refused 400 - '[Bb]oundary' 'an empty boundary'
send application/x-www-form-urlencoded
refused 400 - '^No files were uploaded\.$' 'another kind of form'
size=$(stat -c %s "$work/form")
for part in 20 50 "$((size / 2))" "$((size - 9))" "$((size - 3))"; do
	form "$file" "$jpg"
	truncate -s "$part" "$work/form"
	send
	refused 400 - . "a form that ends at byte $part"
done
form "$file" "$jpg" "X-Long: $(head -c 100000 /dev/zero | tr '\0' x)\r\n"
send
refused 400 - . 'a part header of 100 KB'

# --- the name ---
form 'name="file"; filename="a\0.jpg"' "$jpg"
send
refused 400 - . 'a NUL in the name'
form 'name="file"; filename="a.jpg\r' "$jpg"
send
refused 400 - . 'a name that does not end'

# --- content, name and declared type ---
# SENT NAME | DECLARED | FIXTURE | WHAT IT SAYS
while IFS='|' read -r name type from what; do
	upload_name=$name upload_type=$type upload "$fixtures/small.$from"
	refused 400 file "$what" "content $from as $name, declared as ${type:-nothing}"
done <<'END'
a.png||jpg|The file.s name says image/png, its content does not
a.jpg||pdf|name says image/jpeg
a.mp4||webp|name says video/mp4
a.avif||mp4|name says image/avif
a.jpg|image/png|jpg|declared as another type
a.pdf|text/html|pdf|declared as another type
a.svg||png|Send a jpeg, png, gif, webp, avif, pdf or mp4 file
a.html|image/png|png|Send a jpeg
a||png|Send a jpeg
a.jpg.php||jpg|Send a jpeg
END
printf '<script>alert(1)</script>' >"$work/page.gif"
upload "$work/page.gif"
refused 400 file 'its content does not' 'a page with the name of a picture'
head -c 3 "$jpg" >"$work/short.jpg"
upload "$work/short.jpg"
refused 400 file 'its content does not' 'a picture of three bytes'

# --- the document ---
# WHAT IS SENT | FIELD
while IFS='|' read -r json field; do
	upload "$jpg" '' -F "_payload=$json"
	refused 400 "$field" . "_payload $json"
done <<'END'
{"alt":|JSON
{"alt":"x"|JSON
[]|JSON
"text"|JSON
null|JSON
{"alt":1}|Alt:alt
{"alt":true}|Alt:alt
{"alt":["x"]}|Alt:alt
{"alt":{}}|Alt:alt
END
upload "$jpg" '' -F "_payload={\"alt\":\"$(printf 'x%.0s' {1..1001})\"}"
refused 400 Alt:alt '1000 characters' 'a text of 1,001 characters'
upload "$jpg" a -F '_payload={"alt":"b"}'
refused 400 _payload 'Send this part once' 'two documents'

# --- size: at the function's limit, then at nginx's, which has room for a form
# around a file of the size that is allowed ---
for more in 1 65000 2000000; do
	cp "$jpg" "$work/large.jpg"
	truncate -s $((50 * 1024 * 1024 + more)) "$work/large.jpg"
	upload "$work/large.jpg"
	refused 413 - 'larger than the 52428800 bytes allowed|Send a smaller file' \
		"a file $more bytes over the limit"
done
upload "$work/large.jpg" '' -H 'Transfer-Encoding: chunked'
refused 413 - . 'the same without a length'
rm "$work/large.jpg"

# --- who, how, where ---
for who in nobody 'Bearer wrong' "users API-Key ${API_KEY%?}" cron; do
	as "$who"
	upload "$jpg"
	refused 403 - '^You are not allowed to perform' "upload by ${who:0:12}"
done
as admin
request PUT /api/media -F "file=@$jpg"
refused 405 - 'Use GET' 'another method'
upload "$jpg" '' -H "Authorization: $authorization"
refused 400 - 'not valid HTTP' 'two credentials'

# --- a client that goes away in the middle ---
form "$file" "$jpg"
{
	printf 'POST /api/media HTTP/1.1\r\nHost: x\r\n'
	printf 'Authorization: %s\r\nContent-Length: %d\r\n' "$authorization" "$size"
	printf 'Content-Type: multipart/form-data; boundary=XX\r\n\r\n'
	head -c $((size / 2)) "$work/form"
} >"$work/half"
url=${SERVER_URL#http://}
exec 3<>"/dev/tcp/${url%:*}/${url#*:}"
cat "$work/half" >&3
exec 3>&-
get /healthz
status_is 200 'a client that is gone hurts nobody'

is "$(find "$STATE/media/tmp" -type f | wc -l)" 0 'no temporary file is left'
is "$(holdings)" "$before" 'nor a file, a row or a job'
form "$file" "$jpg"
send
status_is 201 'and the same form is taken when nothing is wrong with it'
done_testing
