#!/bin/bash
# select.t: whatever answers with a document shows of it what was selected;
# a select that is none changes nothing.
. tests/lib.sh
stack_shared
one=select-$$-$RANDOM

keys='.doc | keys_unsorted | join(" ")'
file=$(picture "$one.jpg")
request POST '/api/media?select%5Balt%5D=true' -F "file=@$file" -F '_payload={"alt":"a"}'
is "$status $(jqr "$keys") $(jqr '.job.id | type')" '201 id alt number' 'an upload, with its job'
id=$(jqr .doc.id)
patch "/api/media/$id?select%5Balt%5D=true" '{"alt":"b"}'
is "$status $(jqr "$keys") $(jqr .doc.alt)" '200 id alt b' 'a change'
patch "/api/media/$id?select%5Bsizes%5D=false&select%5Burl%5D=false" '{}'
body_is '.doc | [has("sizes"), has("url"), has("filename"), has("updatedAt")] | @csv' 'false,false,true,true' 'or all but what was not'
request PATCH "/api/media/$id?select%5Bfilename%5D=true" -F "file=@$file"
is "$status $(jqr "$keys")" '200 id filename' 'another file'
mine="where%5Bfilename%5D%5Bequals%5D=$one.jpg"
patch "/api/media?$mine&select%5Balt%5D=true" '{"alt":"c"}'
is "$status $(jqr '.docs[0] | keys_unsorted | join(" ")')" '200 id alt' 'many'
for method in PATCH DELETE; do
	for path in "/api/media/$id?" "/api/media?$mine&"; do
		request_json "$method" "${path}select%5Balt%5D=maybe" '{"alt":"lost"}'
		is "$status $(jqr '.errors[0].data.errors[0].path')" '400 select' "$method ${path:0:12}: a select that is none"
	done
done
request POST '/api/media?select%5Balt%5D=maybe' -F "file=@$(picture "$one-2.jpg")"
status_is 400 'nor does an upload take it'
sql_is "SELECT count(*), min(alt) FROM site.media WHERE filename LIKE '$one%'" '1|c' 'and nothing has changed'
request DELETE "/api/media/$id?select%5Balt%5D=true"
is "$status $(jqr "$keys") $(jqr .doc.alt)" '200 id alt c' 'a removal'

post '/api/users?select%5Brole%5D=true' "{\"email\":\"$one@example.com\",\"password\":\"long enough\",\"enableAPIKey\":true}"
is "$status $(jqr "$keys")" '201 id role apiKey' 'an account; its new key is shown whatever was selected'
id=$(jqr .doc.id)
get "/api/users/$id?select%5Bemail%5D=true"
is "$status $(jqr 'keys_unsorted | join(" ")')" '200 id email' 'when it is read'
patch "/api/users/$id?select%5Brole%5D=true" '{"role":"operator"}'
is "$status $(jqr "$keys") $(jqr .doc.role)" '200 id role operator' 'changed'
get "/api/users?where%5BenableAPIKey%5D%5Bequals%5D=true&sort=-enableAPIKey,-id&limit=1"
is "$status $(jqr '.docs[0].id')" "200 $id" 'found by its key'
delete "/api/users/$id?select%5Bemail%5D=true"
is "$status $(jqr "$keys")" '200 id email' 'and removed'

id=$(sql "SELECT afterwork.enqueue('noop', '{\"n\":1}', queue => '$one', run_at => '2999-01-01')")
get "/api/payload-jobs/$id?select%5Bstate%5D=true&select%5Binput%5D%5Bn%5D=true"
is "$status $(jqr '[(keys_unsorted | sort | join(" ")), .id, .state, .input.n] | @csv')" \
	"200 \"id input state\",$id,\"delayed\",1" 'a job'
get "/api/payload-jobs/$id?select%5Binput%5D=false"
is "$status $(jqr '[has("input"), has("state"), has("id")] | @csv')" '200 false,true,true' 'or all but its input'
get "/api/payload-jobs/$id"
whole=$(jqr 'keys_unsorted | sort | tojson')
get "/api/payload-jobs?where%5Bid%5D%5Bequals%5D=$id"
is "$(jqr '.docs[0] | keys_unsorted | sort | tojson')" "$whole" 'without a select it is whole, as in the list'
get "/api/payload-jobs/$id?select%5Bstate%5D=maybe"
is "$status $(jqr '.errors[0].data.errors[0].path')" '400 select' 'a select that is none'
get '/api/payload-jobs/999999999999?select%5Bstate%5D=true'
status_is 404 'a job that there is not'
post "/api/payload-jobs/$id/cancel"
status_is 200 'one that is cancelled is shown whole'
body_is '.doc | keys_unsorted | sort | tojson' "$whole" '  with all its fields'
done_testing
