#!/bin/bash
# header-injection.t: nothing that a client says of itself, of an origin, a
# request's id, a file's type or name, becomes a header of an answer.
. tests/lib.sh
stack_shared

# clean WHAT: by the last answer.
clean() {
	unlike "$headers" "(^|"$'\n'")(x-evil|set-cookie|location|x-accel)" "$1: no header of theirs"
	like "$(header x-request-id)" '^[0-9a-f]{32}$' "$1: an id of ours"
}

# --- over HTTP, as far as nginx lets it ---
for text in 'https://a.example%0d%0aX-Evil:%201' $'https://a.example\rX-Evil: 1' $'https://a.example\tX-Evil: 1' \
	'https://a.example, X-Evil: 1' "$(printf 'a%.0s' {1..3000})"; do
	request GET /api/media -H "Origin: $text"
	like "$status" '^(200|400)$' "an origin: ${text:0:40}"
	clean "an origin"
	unlike "$headers" evil '  and not a word of it'
	for name in X-Request-Id Request-Id X-Correlation-Id; do
		request GET /api/media -H "$name: $text"
		like "$status" '^(200|400)$' "$name: ${text:0:40}"
		clean "$name"
	done
done
request GET /api/media -H 'X-Request-Id: 00000000000000000000000000000000'
isnt "$(header x-request-id)" 00000000000000000000000000000000 'nobody chooses an id'
unlike "$(cat "$STATE/log/access.log" "$STATE"/log/media.log)" '"request":"0{32}"' 'nor that of a log line'

# --- to the function itself, with line ends in it ---
# program NAME=VALUE…: a function as plain CGI; sets $headers and $body.
program() {
	env "$@" REQUEST_METHOD=GET "$B/functions/status" </dev/null 2>"$work/log" | tr -d '\r' >"$work/answer"
	headers=$(sed '/^$/,$d; s/^[^:]*:/\L&/' "$work/answer")
	body=$(sed '1,/^$/d' "$work/answer")
}
for end in $'\r\n' $'\n' $'\r'; do
	value="https://a.example${end}X-Evil: 1${end}${end}<script>"
	for name in HTTP_ORIGIN REQUEST_ID HTTP_X_REQUEST_ID HTTP_HOST HTTP_COOKIE HTTP_AUTHORIZATION HTTP_USER_AGENT CONTENT_TYPE; do
		for origins in '' 'https://a.example *'; do
			program CORS_ORIGINS="$origins" REQUEST_URI=/none "$name=$value"
			clean "CGI: $name"
			is "$(grep -c script "$work/answer")" 0 "CGI: $name: nor any of it in the body"
		done
	done
	program REQUEST_URI="/none${end}X-Evil: 1"
	clean 'CGI: a path'
	is "$(wc -l <"$work/log") $(jq -es 'length' "$work/log")" '1 1' 'CGI: a path: one line of the log'
done

# --- parts of a form ---
# part HEADER…: a picture with these headers of its part, \r and the like taken
# as printf does.
part() {
	local line
	{
		printf -- '--XX\r\n'
		for line; do
			# shellcheck disable=SC2059
			printf "${line//%/%%}"'\r\n'
		done
		printf '\r\n'
		cat "$(picture part.jpg)"
		printf '\r\n--XX--\r\n'
	} >"$work/form"
	request POST /api/media --data-binary "@$work/form" -H 'Content-Type: multipart/form-data; boundary=XX'
}
named='Content-Disposition: form-data; name="file"; filename="part.jpg"'
while IFS='|' read -r want first second; do
	part "$first" ${second:+"$second"}
	like "$status" "^($want)$" "a part with ${first:38:70} ${second:0:60}: $status"
	clean 'its answer'
	[ "$status" = 201 ] || continue
	name=$(jqr .doc.filename) id=$(jqr .doc.id)
	unlike "$name" '[[:cntrl:]/\\:"]' "  named $name"
	is "$(jqr .doc.mimeType)" image/jpeg '  of its true type'
	get "$(jqr .doc.url)"
	is "$status $(header content-type)" '200 image/jpeg' '  and sent as such'
	clean '  the file'
	like "$(header content-disposition)" "^inline; filename=\"[^\"\\]+\"; filename\*=UTF-8''[A-Za-z0-9%._~-]+$" '  under a clean name'
	delete "/api/media/$id"
done <<END
201|$named|Content-Type: image/jpeg; x="a%0d%0aX-Evil: 1"
400|$named|Content-Type: image/jpeg\rX-Evil: 1
400|$named|Content-Type: image/jpeg\nX-Evil: 1
201|$named|Content-Type: image/jpeg\r\nX-Evil: 1
400|$named|Content-Type: image/jpeg\r\n X-Evil: 1
400|$named|Content-Type: text/html
400|$named|Content-Type: image/jpeg, text/html
201|$named; filename*=UTF-8''a%0d%0aX-Evil%3a%201.jpg|Content-Type: image/jpeg
201|$named; filename*=UTF-8''..%2f..%2fetc%2fpasswd|
400|$named; filename*="UTF-8''a\r.jpg"|
400|Content-Disposition: form-data; name="file"; filename*=UTF-8''a%0d%0aX-Evil%3a%201.jpg|
400|Content-Disposition: form-data; name="file"; filename="a\rX-Evil: 1.jpg"|
201|Content-Disposition: form-data; name="file"; filename="a%0d%0aX-Evil: 1.jpg"|
END
done_testing
