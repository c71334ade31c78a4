#!/bin/bash
# bulk.t: PATCH and DELETE of a collection change what a where chooses, each
# document by itself.
. tests/lib.sh
. tests/list.sh
stack_shared
mark=bulk$$
make() {
	local n
	for n; do
		post /api/pages "{\"title\":\"$mark\",\"slug\":\"$mark-$n\",\"layout\":[{\"blockType\":\"gallery\",\"id\":\"g\"}]}"
	done
}
slugs() {
	sql "SELECT string_agg(substr(slug, $((${#mark} + 2))) || ':' || title, ' ' ORDER BY slug)
		FROM site.page WHERE slug LIKE '$mark-%'"
}
make a b c
mine="where%5Bslug%5D%5Blike%5D=$mark"
patch "/api/pages?$mine&where%5Bslug%5D%5Bnot_like%5D=-c" '{"title":"new"}'
status_is 200 'two are changed'
body_is '[(.docs | map(.title) | join(" ")), (.errors | length), .message, (keys_unsorted | join(" "))] | @csv' \
	'"new new",0,"Updated 2 Pages successfully.","docs errors message"' 'and shown'
is "$(slugs)" "a:new b:new c:$mark" 'the third stays'
patch "/api/pages?$mine&sort=-slug&limit=1&select%5Btitle%5D=true&depth=0" '{"title":"last","layout":[{"blockType":"text"}]}'
body_is '[.message, (.docs[0] | keys_unsorted | join(" ")), .docs[0].title] | @csv' \
	'"Updated 1 Page successfully.","id title","last"' 'one of them, the last, in part'
is "$(slugs)" 'a:new b:new c:last' 'and no other'
patch "/api/pages?$mine&where%5Btitle%5D%5Bequals%5D=nobody" '{"title":"x"}'
is "$status $(jqr .message)" '200 Updated 0 Pages successfully.' 'none'

# One slug for all: the first has it, the others cannot.
patch "/api/pages?$mine&sort=id" "{\"slug\":\"$mark-same\",\"title\":\"same\"}"
status_is 400 'some fail'
body_is '[(.docs | length), (.errors | length), .message] | @csv' '1,2,"Unable to update 2 out of 3 Pages."' 'which is said'
body_is '.errors[0] | [(.id | type), .message, .isPublic] | @csv' '"number","The following field is invalid: slug",true' 'of each'
is "$(slugs)" 'b:new c:last same:same' 'those stay whole'
patch "/api/pages?$mine" '{"title":7}'
status_is 400 'a body that fits none'
body_is '.errors[0].data.errors[0].path' title 'is refused once'

# A branch that says nothing is no branch: it never chooses the others.
for branch in '{}' '{"title":{}}' '{"and":[]}' '{"or":[{}]}'; do
	make t
	only="where=$(jq -rn --arg b "$branch" --arg s "$mark-t" \
		'{or: [{slug: {equals: $s}}, ($b | fromjson)]} | tojson | @uri')"
	patch "/api/pages?$only" '{"title":"hit"}'
	is "$status $(jqr .message)" '200 Updated 1 Page successfully.' "PATCH beside $branch"
	request DELETE "/api/pages?$only"
	is "$status $(jqr .message)" '200 Deleted 1 Page successfully.' "DELETE beside $branch"
	is "$(slugs)" 'b:new c:last same:same' 'the others stay as they were'
	only="where=$(jq -rn --arg b "$branch" '{or: [{}, ($b | fromjson)]} | tojson | @uri')"
	request DELETE "/api/pages?$only"
	is "$status $(jqr '.errors[0].message')" "400 Missing 'where' query of documents to delete." "nothing beside $branch"
done

# --- what is refused before anything is done ---
for query in '' '?' '?where=' '?where=%7B%7D' '?where%5Bor%5D=' '?limit=1'; do
	for method in PATCH DELETE; do
		for path in /api/pages /api/media; do
			request_json $method "$path$query" '{"title":"gone"}'
			is "$status $(jqr '.errors[0].message' | sed 's/ of.*//')" "400 Missing 'where' query" "$method $path$query"
		done
	done
done
for method in PATCH DELETE; do
	request_json $method '/api/pages?where%5Bnope%5D%5Bequals%5D=1' '{}'
	is "$status $(jqr '.errors[0].name')" '400 QueryError' "$method by a field that is not there"
	request_json $method "/api/pages?$mine&sort=nope" '{}'
	status_is 400 "$method in an order that is none"
	as nobody
	request_json $method "/api/pages?$mine" '{}'
	status_is 403 "$method by nobody"
	as admin
done
is "$(slugs)" 'b:new c:last same:same' 'nothing has changed'

sql "INSERT INTO site.page (title, slug) SELECT 'many', '$mark-many-' || n FROM generate_series(1, 1001) n"
request DELETE "/api/pages?where%5Btitle%5D%5Bequals%5D=many"
is "$status $(jqr '.errors[0].message')" '400 More than 1000 documents match. Narrow the where, or set a limit.' 'too many'
sql_is "SELECT count(*) FROM site.page WHERE title = 'many'" 1001 'none is gone'
sql "DELETE FROM site.page WHERE title = 'many' AND slug LIKE '$mark-%'"

# --- deleting ---
request DELETE "/api/pages?$mine&where%5Btitle%5D%5Bequals%5D=new"
is "$status $(jqr '[.docs[].title, .message] | join(" ")')" '200 new Deleted 1 Page successfully.' 'one page'
request DELETE "/api/pages?$mine"
is "$status $(jqr .message)" '200 Deleted 2 Pages successfully.' 'the rest'
is "$(slugs)" '' 'they are gone'

# --- media ---
for n in 1 2 3; do
	upload "$(picture "$mark-$n.jpg")" old
done
mine="where%5Bfilename%5D%5Blike%5D=$mark"
patch "/api/media?$mine" '{"alt":"new","filename":"x"}'
is "$status $(jqr '[.docs[].alt, .message] | join(" ")')" '200 new new new Updated 3 Media successfully.' 'the text of three'
patch "/api/media?$mine" '{"alt":7}'
is "$status $(jqr '[(.docs | length), (.errors | length), .message] | @csv')" '400 0,3,"Unable to update 3 out of 3 Media."' 'a text that is none'
keys=$(sql "SELECT string_agg(storage_key, ' ') FROM site.media WHERE filename LIKE '$mark%'")
request DELETE "/api/media?$mine&where%5Bfilename%5D%5Bnot_like%5D=-3"
is "$status $(jqr .message)" '200 Deleted 2 Media successfully.' 'two of them'
request DELETE "/api/media?$mine"
is "$status $(jqr .message)" '200 Deleted 1 Media successfully.' 'and the third'
gone=0
for key in $keys; do
	[ -e "$STATE/media/$key" ] || gone=$((gone + 1))
done
is "$gone" 3 'with their files'
done_testing
