#!/bin/bash
# cors.t: pages of listed origins may read answers, with credentials; those of
# others only where the list has a *, and without.
. tests/lib.sh
good=https://app.example.com:8443
stack_start CORS_ORIGINS="http://localhost:3000, $good"

# from ORIGIN METHOD PATH […]
from() {
	local origin=$1
	shift
	request "$@" -H "Origin: $origin"
}

# let_in ORIGIN WHAT: by the last answer.
let_in() {
	header_is access-control-allow-origin "$1" "$2: let in"
	header_is access-control-allow-credentials true "$2: with credentials"
	header_is vary Origin "$2: caches are told"
}

kept_out() {
	unlike "$headers" 'access-control' "$1: not a word of it"
	header_is vary Origin "$1: caches are told"
}

upload "$(picture cors.jpg)"
status_is 201 '(a picture)'
id=$(jqr .doc.id)
from $good GET /api/media
status_is 200 'a list'
let_in $good 'a listed origin'
like "$(header access-control-expose-headers)" ETag 'it may read more than the body'
header_is access-control-allow-methods '' 'only a preflight is told methods'
from http://localhost:3000 GET /healthz
let_in http://localhost:3000 'the other one'
from HTTPS://APP.example.com:8443 GET /api/media
let_in $good 'written otherwise: the setting'"'"'s own bytes come back'
for origin in https://evil.example "$good.evil.example" https://app.example.com \
	"${good%3}" null "$good/" '*' "x$good" "$good,http://localhost:3000"; do
	from "$origin" GET /api/media
	status_is 200 "$origin is answered"
	kept_out "$origin"
done
get /api/media
kept_out 'no origin'
request GET /api/media -H "Origin: $good" -H 'Origin: https://evil.example'
status_is 400 'two origins'

# The way up to a call.
from $good OPTIONS "/api/media/$id" -H 'Access-Control-Request-Method: PATCH' \
	-H 'Access-Control-Request-Headers: authorization,content-type'
status_is 200 'a preflight'
is "$body" '{}' 'with nothing in it'
let_in $good 'a preflight'
like "$(header access-control-allow-methods)" 'PATCH.*DELETE' 'which methods'
like "$(header access-control-allow-headers)" 'Authorization.*X-Payload-HTTP-Method-Override' \
	'which headers'
header_is access-control-max-age 600 'for how long'
from https://evil.example OPTIONS "/api/media/$id"
status_is 200 'a preflight of another'
kept_out 'a preflight of another'

# Errors are for the page to read, too.
as nobody
from $good DELETE "/api/media/$id"
status_is 403 'an error'
let_in $good 'an error'
from $good GET /api/media/none/of/this
status_is 404 'no such route'
let_in $good 'no such route'

# What nginx answers by itself, and a path that no function has.
# by_nginx STATUS WHAT: to a listed origin and to another.
by_nginx() {
	local want=$1 what=$2 origin
	shift 2
	for origin in $good HTTP://LOCALHOST:3000; do
		from "$origin" "$@"
		is "$status $(header access-control-allow-origin)" "$want ${origin,,}" "$what: let in"
		header_is access-control-allow-credentials true "$what: with credentials"
		like "$(header access-control-expose-headers)" X-Request-Id "$what: and may quote it"
	done
	for origin in https://evil.example "$good.evil.example" null '*'; do
		from "$origin" "$@"
		status_is "$want" "$what: $origin is answered"
		unlike "$headers" 'access-control' "$what: $origin is not let in"
	done
	request "$@"
	unlike "$headers" 'access-control' "$what: nor is no origin"
}
as admin
head -c 1100000 /dev/zero >"$work/large"
by_nginx 413 'a body too large' POST /api/pages --data-binary "@$work/large"
by_nginx 200 'the description' GET /api/openapi.json
ok 'the status function stops' stack_part stop status
by_nginx 502 'no function' GET /healthz
ok 'it starts again' stack_part start status
by_nginx 404 'an unknown path' GET /api/nothing
from $good OPTIONS /api/nothing -H 'Access-Control-Request-Method: PATCH'
is "$status $body" '200 {}' 'a preflight of an unknown path'
let_in $good 'a preflight of an unknown path'
like "$(header access-control-allow-methods)" PATCH 'which methods'
as nobody

# Files.
from $good GET /api/media/file/cors.jpg
status_is 200 'a file'
let_in $good 'a file'
header_is cross-origin-resource-policy cross-origin 'other sites may show it'
from $good GET /api/media/file/cors.jpg -r 0-9
status_is 206 'a part of it'
let_in $good 'a part of it'
from https://evil.example GET /api/media/file/cors.jpg
kept_out 'a file for another'

# A cookie of a listed origin still changes nothing.
request POST /api/users/login -H 'Content-Type: application/json' \
	--data-binary "{\"email\":\"$ADMIN_EMAIL\",\"password\":\"$ADMIN_PASSWORD\"}"
cookie=$(header set-cookie | sed 's/;.*//')
like "$cookie" '^payload-token=' '(signed in)'
from $good PATCH "/api/media/$id" -H "Cookie: $cookie" \
	-H 'Content-Type: application/json' --data-binary '{"alt":"theirs"}'
like "$status" '^40[13]$' 'a cookie from a listed origin does not change anything'
sql_is "SELECT alt FROM site.media WHERE id = $id" '' 'nothing is changed'

# Everybody, and settings that are none.
# program SETTING ORIGIN: a function as plain CGI; sets $headers.
program() {
	headers=$(CORS_ORIGINS=$1 HTTP_ORIGIN=$2 REQUEST_METHOD=OPTIONS \
		REQUEST_URI=/healthz "$B/functions/status" 2>"$work/out" \
		</dev/null | tr -d '\r' | sed '/^$/,$d; s/^[^:]*:/\L&/')
}
program "* $good" https://anybody.example
header_is status '200 OK' 'a list with a *'
header_is access-control-allow-origin '*' 'anybody may read'
header_is access-control-allow-credentials '' 'without credentials'
program "* $good" $good
let_in $good 'the listed one beside it'
program '*' https://anybody.example
header_is access-control-allow-origin '*' 'nothing but a *'
header_is vary '' 'is the same for all'
program '' $good
unlike "$headers" 'access-control|vary' 'no setting, no word'
# nginx is told by the same list.
lines() {
	(
		CORS_ORIGINS=$1
		# shellcheck source=deploy/stack-parts.sh disable=SC2034
		. deploy/stack-parts.sh
		origin_lines
	) | tr -d '\t' | xargs
}
is "$(lines '')" 'default ;' 'nginx: nobody'
is "$(lines "$good,https://[::1]:8443 $good")" \
	"$good $good; https://[::1]:8443 https://[::1]:8443; default ;" 'nginx: each once'
is "$(lines "* $good")" "$good $good; default *;" 'nginx: everybody else, too'
is "$(lines 'https://a"; x "https://b')" 'default ;' 'nginx: no words of another kind'
for wrong in example.com https://a/b 'ftp://a' 'https://' null; do
	printf '' | CORS_ORIGINS=$wrong REQUEST_METHOD=GET "$B/functions/status" \
		>"$work/out" 2>&1
	is "$?" 78 "a setting that is none: $wrong"
done
done_testing
