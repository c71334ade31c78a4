#!/bin/bash
# json-kept.t: whatever JSON was taken can be read again, lists included.
. tests/lib.sh
stack_shared

page() {
	post /api/pages "{\"title\":\"N\",\"slug\":\"numbers-$RANDOM$RANDOM\",\"layout\":[{\"blockType\":\"x\",\"n\":$1}]}"
}

# PostgreSQL keeps numbers as digits: 1e30 would come back as thirty-one.
for n in 1e30 1e18 -5E+18 1234567890123456789e1 1e131071 1e-16000; do
	page "$n"
	status_is 400 "a page with $n"
	body_is '.errors[0].message' 'Invalid JSON' 'as Payload says it'
	body_like '.errors[0].data.errors[0].message' '^malformed number' 'and why'
done
for n in 1e17 -0.5e18 9223372036854775807 5e-324 12345678901234567890.5; do
	page "$n"
	status_is 201 "a page with $n"
	delete_later="${delete_later-} $(jqr .doc.id)"
done
get '/api/pages?limit=1000'
status_is 200 'all pages can be read'
for id in $delete_later; do
	delete "/api/pages/$id"
	status_is 200 "page $id"
done

# A job may come from SQL, where none of this is checked.
deep=$(printf '[%.0s' {1..60})7$(printf ']%.0s' {1..60})
id=$(sql "SELECT afterwork.enqueue('noop', '{}',
	run_at => now() + interval '1 day',
	meta => '{\"n\": 1e30, \"deep\": $deep}')")
get "/api/payload-jobs/$id"
status_is 200 'a job with a long number and deep JSON'
get '/api/payload-jobs?limit=5&sort=-id'
status_is 200 'and the list that has it'
body_is ".docs[0].id" "$id" 'first'
like "$body" '"n": 1000000000000000000000000000000,' 'as it was stored'
body_is 'keys | @csv' '"docs","hasNextPage","hasPrevPage","limit","nextPage","page","pagingCounter","prevPage","totalDocs","totalPages"' \
	'with all that stands around it'
post "/api/payload-jobs/$id/cancel" '{}'
status_is 200 'it is cancelled'

# Half a megabyte of text would become half a gigabyte of objects.
printf '{"title":"N","slug":"n","layout":[{"blockType":"x","a":[%s{}]}]}' \
	"$(printf '{},%.0s' {1..20000})" >"$work/many"
request POST /api/pages -H 'Content-Type: application/json' \
	--data-binary "@$work/many"
status_is 413 'a body of 20000 objects'
body_is '.errors[0].message' 'The JSON has more than 20000 objects and lists.' \
	'says why'

# A field's name in an error is cut between characters.
for pad in a ab; do
	key=$pad$(printf 'é%.0s' {1..100})
	post /api/pages "{\"title\":\"N\",\"slug\":\"n\",\"layout\":[{\"blockType\":\"x\",\"$key\":{\"blockType\":\"gallery\",\"images\":[0]}}]}"
	status_is 400 "a field of many bytes behind $pad"
	ok 'in whole characters' iconv -f UTF-8 -t UTF-8 -o /dev/null "$work/body"
done
done_testing
