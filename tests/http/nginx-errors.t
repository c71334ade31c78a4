#!/bin/bash
# nginx-errors.t: what nginx itself answers is JSON of the functions' shape.
. tests/lib.sh
stack_start MAX_UPLOAD_BYTES=300000

# error STATUS MESSAGE WHAT: of the last answer.
error() {
	status_is "$1" "$3: status"
	body_is '.errors[0].message' "$2" "$3: message"
	header_is content-type application/json "$3: type"
	header_is cache-control no-store "$3: not stored"
	like "$(header x-request-id)" '^[0-9a-f]{32}$' "$3: request id"
}

head -c 400000 /dev/zero >"$work/large"
request POST /api/media -F "file=@$work/large;type=image/jpeg"
error 413 'The request body is too large. Send a smaller file.' 'an upload'
head -c 1100000 /dev/zero >"$work/large"
request POST /api/pages --data-binary "@$work/large"
error 413 'The request body is too large. Send a smaller file.' 'a page'

get '/api/nothing?secret=1'
status_is 404 'unknown path'
is "$body" '{"message":"Route not found \"/api/nothing\""}' 'as Payload says it'
header_is content-type application/json 'in JSON'
request GET '/api/a"b\c' --path-as-is
status_is 404 'a path that JSON cannot hold as it is'
ok 'is still JSON' jq empty <<<"$body"

get /_media/x.png
error 404 'Not Found' 'the media folder from outside'
get /healthz -H "X-Long: $(head -c 9000 /dev/zero | tr '\0' a)"
error 400 'The request is not valid HTTP.' 'a header of 9000 bytes'

# What nginx cannot read: there is no path yet that a location could be for.
get '/api/media/file/a%00b'
error 400 'The request is not valid HTTP.' 'a NUL byte in a path'
get "/$(head -c 9000 /dev/zero | tr '\0' a)"
error 414 'The request URL is too long.' 'a path of 9000 bytes'
raw() {
	exec 5<>"/dev/tcp/127.0.0.1/${SERVER_URL##*:}"
	# One write: bash would send each line by itself.
	printf '%s\r\n' "$@" '' >"$work/request"
	cat "$work/request" >&5
	tr -d '\r' <&5 >"$work/raw"
	exec 5>&-
	status=$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$work/raw")
	headers=$(sed '/^$/,$d; s/^[^:]*:/\L&/' "$work/raw")
	body=$(sed '1,/^$/d' "$work/raw")
}
raw 'GET /healthz HTTP/1.1' 'Host: a' 'Transfer-Encoding: gzip'
error 501 'This transfer encoding is not known here.' 'a foreign encoding'
raw 'GET /healthz HTTP/9.0' 'Host: a'
error 505 'This version of HTTP is not known here.' 'a foreign version'
raw 'GET /healthz%00 HTTP/1.1' 'Host: a' 'Content-Length: 99999999'
error 400 'The request is not valid HTTP.' 'and a large body announced'
get /_afterwork_error
error 404 'Not Found' 'the way to these answers from outside'

ok 'the status function stops' stack_part stop status
get /healthz
error 502 'The service is briefly unavailable. Try again.' 'no function'
header_is retry-after 2 'no function: when to come back'
ok 'it starts again' stack_part start status
get /healthz
status_is 200 'and answers'

get '/api/pages?limit=1&token=do-not-log-this'
is "$(grep -rl do-not-log-this "$STATE/log/" | wc -l)" 0 \
	'no log holds a query'
get /admin
status_is 308 'the page without its slash'
header_is location /admin/ 'leads to the page'
like "$(header x-request-id)" '^[0-9a-f]{32}$' 'and has its id'
get /admin/
status_is 200 'the page'
like "$(header content-security-policy)" "^default-src 'none'; script-src 'self'" \
	'has a policy'
header_is x-content-type-options nosniff 'and its type is not guessed'
done_testing
