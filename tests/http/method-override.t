#!/bin/bash
# method-override.t: a POST that says so is a GET whose query is its body.
. tests/lib.sh
stack_shared
tag=override$$
for i in 1 2 3; do
	upload "$(picture "$tag-$i.jpg")" "number $i"
	status_is 201 "(picture $i)"
	ids[i]=$(jqr .doc.id)
done

# as_get PATH TYPE BODY [CURL OPTION…]
as_get() {
	local path=$1 type=$2 text=$3
	shift 3
	request POST "$path" -H 'X-Payload-HTTP-Method-Override: GET' \
		-H "Content-Type: $type" --data-binary "$text" "$@"
}
form=application/x-www-form-urlencoded json=application/json

# same WHAT: as the GET that was kept in $want.
same() {
	status_is 200 "$1"
	body_is '.docs | map(.id) | tojson' "$want" '  has what the GET has'
}

get '/api/media?limit=2&sort=-id'
want=$(jqr '.docs | map(.id) | tojson')
is "$want" "[${ids[3]},${ids[2]}]" '(the last two)'
as_get /api/media $form 'limit=2&sort=-id'
same 'the query as a form'
as_get '/api/media?limit=2' $form 'sort=-id'
same 'a part of it in the URL'
as_get /api/media $json '{"limit":2,"sort":"-id","page":null}'
same 'as JSON'
as_get /api/media "$json; charset=utf-8" '{"limit":"2","sort":["-id"]}'
same 'as JSON with texts and a list'
request POST '/api/media?limit=2&sort=-id' -H 'X-HTTP-Method-Override: GET'
same 'the other name of the header, and no body'
as_get "/api/media/${ids[1]}" $form 'depth=0'
status_is 200 'a document'
body_is .alt 'number 1' '  is that document'
as_get "/api/media/file/$tag-1.jpg" $form ''
ok 'a file comes as it is' cmp -s "$work/$tag-1.jpg" "$work/body"
as_get /api/pages $json '{"limit":1}'
status_is 200 'another collection'
as_get /api/payload-jobs $json '{"limit":1}'
status_is 200 'jobs, which another function reads'
body_is '.docs | length' 1 '  are read, not made'
as_get /api/payload-jobs/count $form ''
body_like .totalDocs '^[0-9]+$' 'and counted'

# Nothing else is meant by it.
as nobody
as_get /api/payload-jobs $json '{"limit":1}'
status_is 403 'who may not read may not read so'
as admin
before=$(sql 'SELECT count(*) FROM site.media')
for method in DELETE PATCH get 'GET, GET' POST ''; do
	request POST "/api/media/${ids[1]}" \
		-H "X-Payload-HTTP-Method-Override: $method" \
		-H "Content-Type: $form" --data-binary 'limit=1'
	is "$status" 405 "not $method"
done
request DELETE "/api/media/${ids[3]}" -H 'X-Payload-HTTP-Method-Override: GET'
status_is 200 'another method than POST stays what it is'
sql_is 'SELECT count(*) FROM site.media' $((before - 1)) 'and does it'
request POST /api/media -H 'X-HTTP-Method-Override: GET' \
	-H 'X-HTTP-Method-Override: GET'
status_is 400 'the header twice'

# Bodies that are no query.
as_get /api/media $json '{"limit":'
status_is 400 'JSON that is none'
as_get /api/media $json '[1]'
status_is 400 'JSON that is no object'
as_get /api/media $json "{\"limit\":$(printf '[%.0s' {1..40})$(printf ']%.0s' {1..40})}"
status_is 400 'JSON that is too deep'
as_get /api/media $json "{\"x\":[$(printf '[],%.0s' {1..3000})[]]}"
status_is 413 'JSON of too many lists'
name=$(head -c 20000 /dev/zero | tr '\0' n)
as_get /api/media $json "{\"$name\":[$(printf '1,%.0s' {1..20000})1]}"
status_is 400 'a long name many times over'
as_get /api/media $form 'limit=%zz'
status_is 400 'a form with a bad escape'
as_get /api/media $form 'limit=1%00'
status_is 400 'a form with a NUL'
as_get /api/media text/plain 'limit=1'
status_is 400 'another type'
head -c 70000 /dev/zero | tr '\0' a >"$work/long"
request POST /api/media -H 'X-HTTP-Method-Override: GET' \
	-H "Content-Type: $form" --data-binary "@$work/long"
status_is 413 'a form of 70 KB'
as_get /api/media $form "$(printf 'a&%.0s' {1..2000})"
status_is 400 'a form of 2,000 parameters'
done_testing
