#!/bin/bash
# media-document.t: lists, one document, its change and its end.
. tests/lib.sh
stack_shared

upload "$(picture a.jpg)" 'first'
id=$(jqr .doc.id)
upload "$(picture b.jpg)"
next=$(jqr .doc.id)
jobs=$(sql 'SELECT count(*) FROM afterwork.jobs')

as nobody
get "/api/media/$id"
status_is 200 'anyone may read'
body_is '[.id, .alt] | @csv' "$id,\"first\"" 'the bare document'
for bad in 999999999 0 -1 abc 1.5 9007199254740992 '%20'; do
	get "/api/media/$bad"
	status_is 404 "no document: $bad"
	body_is '.errors[0].message' 'Not Found' 'Payload says it so'
done

get '/api/media/count'
body_is .totalDocs "$(sql 'SELECT count(*) FROM site.media')" 'count'
get '/api/media?limit=1&sort=-id'
status_is 200 'a list'
body_is '.docs[0].id' "$next" 'the newest by id'
body_is 'keys_unsorted | @csv' '"docs","hasNextPage","hasPrevPage","limit","nextPage","page",'\
'"pagingCounter","prevPage","totalDocs","totalPages"' \
	'ten fields'
body_is '[.hasNextPage, .hasPrevPage, .limit, .nextPage, .page, .pagingCounter, .prevPage] | @csv' \
	'true,false,1,2,1,1,' 'of the first page'
total=$(jqr .totalDocs)
body_is .totalPages "$total" 'and as many pages as documents'
get '/api/media?limit=1&sort=-id&page=2'
body_is '.docs[0].id' "$id" 'the second page'
body_is '[.hasPrevPage, .prevPage, .pagingCounter] | @csv' true,1,2 'knows the first'
get "/api/media?page=$((total + 1))&limit=1"
body_is '[(.docs | length), .hasNextPage] | @csv' 0,false 'behind the last: empty'
get '/api/media?limit=2&sort=id'
body_is '.docs[0].id < .docs[1].id' true 'upwards'
get '/api/media'
body_is '[.limit, .docs[0].id] | @csv' "10,$next" 'ten, the newest first, when nothing is said'
get '/api/media?limit=1&sort=createdAt'
body_is '.docs[0].id' "$(sql 'SELECT id FROM site.media ORDER BY created_at, id LIMIT 1')" 'by time'
get '/api/media?limit=0'
body_is '.docs | length' "$(sql 'SELECT least(count(*), 1000) FROM site.media')" 'no limit'
get '/api/media?pagination=false'
body_is '.docs | length' "$(sql 'SELECT least(count(*), 1000) FROM site.media')" 'no pages'
while read -r query field; do
	get "/api/media?$query"
	status_is 400 "refused: $query"
	body_is '.errors[0].data.errors[0].path' "$field" 'and named'
done <<'END'
limit=x limit
limit= limit
limit=-1 limit
limit=1001 limit
page=0 page
page=1.5 page
sort=secret sort
sort= sort
pagination=maybe pagination
END
get '/api/media?limit=1&unknown=1&select%5Bx%5D=true'
status_is 200 'an unknown parameter is ignored'

patch "/api/media/$id" '{"alt":"x"}'
status_is 403 'nobody may write'
as admin
patch "/api/media/$id" '{"alt":"second","filename":"evil.html","id":1,"zz":{}}'
status_is 200 'changed'
body_is .message 'Updated successfully.' 'with a message'
body_is '[.doc.alt, .doc.filename != "evil.html", .doc.id] | @csv' "\"second\",true,$id" 'only the text changes'
patch "/api/media/$id" '{}'
body_is .doc.alt second 'what is not sent stays'
patch "/api/media/$id" '{"alt":null}'
body_is .doc.alt null 'null takes it away'
for bad in '{"alt":1}' '{"alt":{}}' "{\"alt\":\"$(printf 'x%.0s' {1..1001})\"}"; do
	patch "/api/media/$id" "$bad"
	status_is 400 "refused: ${bad:0:20}"
	body_is '.errors[0].data.errors[0].path' alt 'and named'
done
patch "/api/media/$id" '{"alt":'
status_is 400 'bad JSON'
patch /api/media/999999999 '{"alt":"x"}'
status_is 404 'no such document'
sql_is 'SELECT count(*) FROM afterwork.jobs' "$jobs" 'a change enqueues nothing'

key=$(sql "SELECT storage_key FROM site.media WHERE id = $id")
as nobody
delete "/api/media/$id"
status_is 403 'nobody may delete'
as admin
delete "/api/media/$id"
status_is 200 'deleted'
body_is '[.message, .doc.id] | @csv' "\"Deleted successfully.\",$id" 'what it was comes back'
ok 'the file is gone' test ! -e "$STATE/media/$key"
get "/api/media/$id"
status_is 404 'the document too'
delete "/api/media/$id"
status_is 404 'once only'
put "/api/media/$next" '{}'
status_is 405 'a method that there is not'
done_testing
