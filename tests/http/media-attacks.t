#!/bin/bash
# media-attacks.t: paths, names, headers, JSON and slow bodies of those who mean
# harm get an error or are made harmless, and hold nobody else up.
. tests/lib.sh
stack_shared
jpg=$fixtures/small.jpg
address=${SERVER_URL#http://}

# --- slow bodies: more of them than the function has processes ---
slow=()
for i in {1..12}; do
	(
		exec 5<>"/dev/tcp/${address%:*}/${address#*:}"
		{
			printf 'POST /api/media HTTP/1.1\r\nHost: x\r\n'
			printf 'Authorization: %s\r\n' "$authorization"
			printf 'Content-Length: 5000000\r\n'
			printf 'Content-Type: multipart/form-data; boundary=XX\r\n\r\n--XX'
		} >&5
		cat <&5 >"$work/slow.$i" 2>/dev/null
	) &
	slow+=($!)
done
upload "$jpg"
status_is 201 'slow clients hold up nobody'

# --- paths ---
passwd=etc%2fpasswd
while read -r path; do
	request GET "$path" --path-as-is
	like "$status" '^(400|404)$' "nothing at ${path:0:60}"
	unlike "$body" 'root:|nologin' '  and nothing from inside'
done <<END_OF_PATHS
/api/media/file/../../../../../etc/passwd
/api/media/file/..%2f..%2f..%2f$passwd
/api/media/file/%2e%2e/%2e%2e/%2e%2e/etc/passwd
/api/media/file/%2e%2e%2f%2e%2e%2f$passwd
/api/media/file/%252e%252e%252f%252e%252e%252f$passwd
/api/media/file/..%252f..%252f$passwd
/api/media/file/..%5c..%5c..%5cetc%5cpasswd
/api/media/file/..\\..\\..\\etc\\passwd
/api/media/file/....//....//etc/passwd
/api/media/file/%c0%ae%c0%ae%c0%af$passwd
/api/media/file/%u002e%u002e/etc/passwd
/api/media/file//etc/passwd
/api/media/file/%2f$passwd
/api/media/file/file:%2f%2f%2f$passwd
/api/media/file/a.jpg%00.html
/api/media/file/a.jpg%0d%0aX-Accel-Redirect:%20/_media/x
/api/media/file/
/api/media/file/.
/api/media/file/%20
/_media/..%2f..%2f$passwd
/_media//etc/passwd
/_afterwork_large
/api/media/%2e%2e%2fusers
/api/media/1%2f..%2f2
/api/media/1;x=2
END_OF_PATHS
request GET "/api/media/file/$(head -c 5000 /dev/zero | tr '\0' a)"
status_is 404 'nothing under a name of 5,000 characters'

# --- names: each comes back under its own address, in one line ---
while IFS= read -r name; do
	printf -- '--XX\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' \
		"$name" >"$work/form"
	file=$(picture odd.jpg)
	cat "$file" >>"$work/form"
	printf '\r\n--XX--\r\n' >>"$work/form"
	request POST /api/media --data-binary "@$work/form" \
		-H 'Content-Type: multipart/form-data; boundary=XX'
	status_is 201 "taken: $name"
	got=$(jqr .doc.filename)
	unlike "$got" '[/\\:*?"<>|[:cntrl:]]|^[.-]|\.$' "  as $got"
	is "$(jqr .doc.url)" "/api/media/file/$(jq -rn --arg n "$got" '$n | @uri |
		gsub("%21"; "!") | gsub("%27"; "\u0027") | gsub("%28"; "(") |
		gsub("%29"; ")") | gsub("%2A"; "*")')" '  at its address'
	get "$(jqr .doc.url)"
	ok '  where it is' cmp -s "$file" "$work/body"
	like "$(header content-disposition)" "^inline; filename=\"[^\"\\]+\"; filename\*=UTF-8''[A-Za-z0-9%._~-]+$" \
		'  with a clean header'
	unlike "$headers" $'\n''(x-evil|set-cookie|location)' '  and none of theirs'
done <<'END_OF_NAMES'
..%2f..%2fetc%2fpasswd.jpg
%2e%2e%2f.jpg
a%0d%0aX-Evil: 1%0d%0a.jpg
a%0d%0a%0d%0a<script>alert(1)</script>.jpg
a%22; x-evil=%22b.jpg
%22><img src=x onerror=alert(1)>.jpg
<script>alert(1)</script>.jpg
javascript:alert(1).jpg
a;b=c.jpg
a&b=c#d?e.jpg
100%.jpg
%41%zz.jpg
a+b c.jpg
'quoted' (1)!~*.jpg
CON.jpg
日本語 čšž 🐝.jpg
gpj.exe‮.jpg
-rf.jpg
$(id)`id`.jpg
{{7*7}}${7*7}.jpg
END_OF_NAMES

# --- what a browser could run ---
while IFS='|' read -r name text; do
	# shellcheck disable=SC2059
	printf "$text" >"$work/bad"
	upload_name=$name upload "$work/bad"
	status_is 400 "refused: $name of ${text:0:30}"
done <<'END_OF_FILES'
x.svg|<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>
x.png|<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>
x.html|<!doctype html><script>alert(1)</script>
x.gif|<!doctype html><script>alert(1)</script>
x.xhtml|<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>
x.jpg|<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>
x.js|alert(1)
x.php|<?php phpinfo();
x.pdf.exe|MZ
x.webp|RIFF\0\0\0\0WAVEfmt 
END_OF_FILES
# One that is a picture and a page at once is served as a picture, to the letter.
printf 'GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\1x\0;<html><script>alert(1)</script>' \
	>"$work/both.gif"
upload "$work/both.gif"
status_is 201 'a picture that is a page, too'
get "$(jqr .doc.url)" -H 'Accept: text/html'
header_is content-type image/gif '  is served as a picture'
header_is x-content-type-options nosniff '  not to be guessed'
header_is content-security-policy "default-src 'none'; sandbox" '  and may run nothing'
alt='"><script>alert(1)</script>&<img src=x onerror=alert(1)>'
upload "$(picture alt.jpg)" "$alt"
body_is .doc.alt "$alt" 'a text is kept as it is'
header_is content-type application/json '  in JSON, which nothing runs'
header_is x-content-type-options nosniff '  whatever it looks like'
id=$(jqr .doc.id)

# --- JSON ---
deep=$(head -c 30000 /dev/zero | tr '\0' '[')
wide=$(head -c 30000 /dev/zero | sed 's/\x00/{},/g' | head -c 60000)
while IFS= read -r json; do
	for how in form body; do
		if [ $how = form ]; then
			request PATCH "/api/media/$id" -F "_payload=$json"
		else
			patch "/api/media/$id" "$json"
		fi
		like "$status" '^(400|413)$' "refused ($how): ${json:0:40}"
	done
done <<END_OF_JSON
$deep
{"alt":$deep
{"x":[${wide}{}]}
{"x":1e999999999}
{"x":99999999999999999999999999999999}
{"alt":"a\\u0000b"}
{"alt":"x"}{"alt":"y"}
{"alt":["x"]}
{"alt":{"toString":"x"}}
'x'
END_OF_JSON
printf '{"alt":"\xff\xfe"}' >"$work/bytes"
request PATCH "/api/media/$id" -H 'Content-Type: application/json' \
	--data-binary "@$work/bytes"
status_is 400 'refused: bytes that are no text'
patch "/api/media/$id" '{"__proto__":{"alt":"x"},"constructor":1}'
status_is 200 'names that mean something elsewhere'
body_is .doc.alt "$alt" 'mean nothing here, and the text is as it was'

# --- the slow ones, meanwhile ---
eventually 120 '! kill -0 "${slow[@]}" 2>/dev/null' 'slow clients are not waited for'
get /healthz
status_is 200 'and all is well'
done_testing
