#!/bin/bash
# pages-depth.t: how deep a page is shown, in lists, alone and after a change, for
# galleries inside other blocks as well.
. tests/lib.sh
stack_shared
slug=depth-$$
upload "$(picture a.jpg)" 'first'
a=$(jqr .doc.id)
upload "$(picture b.jpg)" 'second'
b=$(jqr .doc.id)
layout="[{\"blockType\":\"gallery\",\"id\":\"g1\",\"images\":[$b,$a]},
	{\"blockType\":\"columns\",\"id\":\"c\",\"columns\":[{\"width\":0.5,\"blocks\":[{\"blockType\":\"group\",\"id\":\"x\",\"inner\":
		{\"blockType\":\"gallery\",\"id\":\"g2\",\"images\":[{\"id\":$a,\"alt\":\"ignored\"}],\"note\":{\"images\":[1,2]}}}]}]}]"
post '/api/pages?depth=0' "{\"title\":\"t\",\"slug\":\"$slug\",\"layout\":$layout}"
status_is 201 'a page'
id=$(jqr .doc.id)

# images FILTER: both galleries' images through a filter of jq.
images() {
	jq -c "(.doc // (.docs // [.])[0]) | [.layout[0], .layout[1].columns[0].blocks[0].inner] | map(.images | map($1))" <<<"$body"
}
is "$(images .)" "[[$b,$a],[$a]]" 'made with depth 0: ids'
get "/api/pages/$id?depth=0"
is "$(images .)" "[[$b,$a],[$a]]" 'depth 0: ids'
for depth in 1 2 10; do
	get "/api/pages/$id?depth=$depth"
	is "$(images '[.id, .alt, .mimeType]')" \
		"[[[$b,\"second\",\"image/jpeg\"],[$a,\"first\",\"image/jpeg\"]],[[$a,\"first\",\"image/jpeg\"]]]" "depth $depth: documents"
done
get "/api/media/$a"
whole=$(jq -cS . <<<"$body")
get "/api/pages/$id"
is "$(jq -cS '.layout[0].images[1]' <<<"$body")" "$whole" 'when nothing is said too: whole ones'
patch "/api/pages/$id" '{"title":"n"}'
is "$(images .id)" "[[$b,$a],[$a]]" 'after a change: documents'
patch "/api/pages/$id?depth=0" '{"title":"n"}'
is "$(images .)" "[[$b,$a],[$a]]" 'or ids'
get '/api/pages?limit=1&sort=-id&depth=0'
is "$(images .)" "[[$b,$a],[$a]]" 'in a list: ids'
get '/api/pages?limit=1&sort=-id'
is "$(images .id)" "[[$b,$a],[$a]]" 'or documents'
body_is '[.docs[0].layout[1] | .id, .columns[0].width, .columns[0].blocks[0].id, (.columns[0].blocks[0].inner | .id, (.note.images | tojson))] | @csv' \
	'"c",0.5,"x","g2","[1,2]"' 'what is no gallery is as it was sent, ids and all'

# A client that sends back what it was shown changes nothing.
for depth in 0 1 2; do
	get "/api/pages/$id?depth=$depth"
	patch "/api/pages/$id?depth=$depth" "$body"
	status_is 200 "depth $depth: what was read can be sent back"
	is "$(images 'if type == "object" then .id else . end')" "[[$b,$a],[$a]]" '  and is the same'
done

while read -r query field; do
	get "/api/pages?$query"
	status_is 400 "refused: $query"
	body_is '.errors[0].data.errors[0].path' "$field" '  and named'
done <<'END'
depth=11 depth
depth=-1 depth
depth= depth
depth=x depth
depth=1.0 depth
limit=x limit
limit=-1 limit
limit=1001 limit
page=0 page
sort=layout sort
pagination=7 pagination
END
for bad in 0 -1 x 1.5 %20 99999999999999999999; do
	for method in GET DELETE; do
		request $method "/api/pages/$bad"
		status_is 404 "$method: no page $bad"
	done
done
put "/api/pages/$id" '{}'
status_is 405 'PUT'
header_is allow 'GET, PATCH, DELETE' 'is told what would do'
delete "/api/pages/$id"
done_testing
