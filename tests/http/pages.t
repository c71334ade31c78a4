#!/bin/bash
# pages.t: pages are made, read, changed and removed; galleries at any depth.
. tests/lib.sh
stack_shared
tag=p$RANDOM$RANDOM

picture_id() {
	upload "$(picture "$1.jpg")" "$1"
	jqr .doc.id
}
a=$(picture_id a) b=$(picture_id b) c=$(picture_id c)

post /api/pages "{\"title\":\"Home\",\"slug\":\"$tag\",\"extra\":1,\"layout\":[
	{\"blockType\":\"text\",\"body\":{\"x\":[1,null,\"é\"]}},
	{\"blockType\":\"gallery\",\"caption\":\"C\",\"images\":[$b,$a]},
	{\"blockType\":\"columns\",\"columns\":[{\"blocks\":[
		{\"blockType\":\"gallery\",\"id\":\"mine\",\"autoSyncMedia\":true}]}]}]}"
status_is 201 'a page is made'
body_is .message 'Page successfully created.' 'with a message'
body_is '.doc | keys_unsorted | @csv' '"id","title","slug","layout","createdAt","updatedAt"' 'its fields'
body_is '.doc.layout[0] | del(.id) | tojson' '{"body":{"x":[1,null,"é"]},"blockType":"text"}' \
	'a block of another type is kept as sent'
body_is '[.doc.layout[].id | test("^[0-9a-f]{24}$")] | all' true 'blocks get ids'
body_is '[.doc.layout[1].images[].id] | @csv' "$b,$a" 'images are documents, in their order'
body_is '.doc.layout[1].images[0].alt' b 'whole ones'
body_is '.doc.layout[1] | [.autoSyncMedia, .caption] | @csv' 'false,"C"' 'no sync when nothing is said'
body_is '.doc.layout[2].columns[0].blocks[0] | [.id, .autoSyncMedia, (.images | length)] | @csv' \
	'"mine",true,0' 'a gallery deep inside'
id=$(jqr .doc.id)
gallery=$(jqr '.doc.layout[1].id')

as nobody
get "/api/pages/$id?depth=0"
status_is 200 'anyone may read'
body_is '.layout[1].images | @csv' "$b,$a" 'depth 0: ids'
get "/api/pages/$id?depth=10"
body_is '.layout[1].images[1].filename | test("^a.*jpg$")' true 'depth 10: documents'
for bad in 11 -1 x ''; do
	get "/api/pages/$id?depth=$bad"
	status_is 400 "depth $bad"
	body_is '.errors[0].data.errors[0].path' depth 'is named'
done
get /api/pages/999999999
status_is 404 'no such page'
get '/api/pages?limit=1&sort=-id&depth=0'
body_is '[.docs[0].id, .docs[0].layout[1].images[0], .limit] | @csv' "$id,$b,1" 'a list'
get /api/pages/count
body_is .totalDocs "$(sql 'SELECT count(*) FROM site.page')" 'a count'
for method in post patch; do
	"$method" "/api/pages$([ $method = patch ] && echo "/$id")" '{"title":"x"}'
	status_is 403 "nobody may $method"
done
delete "/api/pages/$id"
status_is 403 'nobody may delete'
as admin

# order LAYOUT-GALLERY-MEMBERS: the gallery's ids after this patch.
set_images() {
	patch "/api/pages/$id?depth=0" "{\"layout\":[{\"blockType\":\"gallery\",\"id\":\"$gallery\",$1}]}"
	is "$(jq -r '.doc.layout[0].images | @csv' <<<"$body")" "$2" "images: $1"
}
set_images "\"images\":[$a,$b]" "$a,$b"
set_images "\"images\":[$c,$a,$b]" "$c,$a,$b"
set_images "\"images\":[$b,$c]" "$b,$c"
set_images "\"images\":[$b,$a,$c]" "$b,$a,$c"
set_images '"caption":"only"' "$b,$a,$c"
set_images "\"images\":null" "$b,$a,$c"
set_images "\"images\":[{\"id\":$c,\"alt\":\"x\"}]" "$c"
set_images '"images":[]' ''
sql_is "SELECT count(*) FROM site.gallery WHERE page_id = $id" 1 'galleries that went are gone'
patch "/api/pages/$id" "{\"layout\":[{\"blockType\":\"gallery\",\"id\":\"$gallery\",\"autoSyncMedia\":true}]}"
body_is '.doc.layout[0].autoSyncMedia' true 'the switch'
patch "/api/pages/$id" "{\"layout\":[{\"blockType\":\"gallery\",\"id\":\"$gallery\"}]}"
body_is '.doc.layout[0].autoSyncMedia' true 'stays as it is when it is not sent'
patch "/api/pages/$id" '{"title":"New","zz":1}'
status_is 200 'one field'
body_is '[.doc.title, .doc.slug, (.doc.layout | length)] | @csv' "\"New\",\"$tag\",1" 'the others stay'

# refused JSON PATH
refused() {
	patch "/api/pages/$id" "$1"
	status_is 400 "refused: ${1:0:60}"
	body_is '.errors[0].data.errors[0].path' "$2" 'and named'
}
g='"blockType":"gallery"'
refused '{"title":""}' title
refused '{"title":7}' title
refused "{\"title\":\"$(printf 'é%.0s' {1..201})\"}" title
refused '{"slug":""}' slug
refused '{"slug":[]}' slug
refused '{"layout":{}}' layout
refused '{"layout":[1]}' layout.0
refused '{"layout":[{"x":1}]}' layout.0.blockType
refused "{\"layout\":[{$g,\"images\":\"x\"}]}" layout.0.images
refused "{\"layout\":[{$g,\"images\":[$a,\"x\"]}]}" layout.0.images.1
refused "{\"layout\":[{$g,\"images\":[$a,$b,$a]}]}" layout.0.images.2
refused "{\"layout\":[{\"blockType\":\"t\"},{$g,\"images\":[$a,999999999]}]}" layout.1.images.1
refused "{\"layout\":[{$g,\"autoSyncMedia\":\"yes\"}]}" layout.0.autoSyncMedia
refused "{\"layout\":[{$g,\"imagesAsOf\":\"x\",\"images\":[]}]}" layout.0.imagesAsOf
refused "{\"layout\":[{$g,\"imagesAsOf\":\"9:5:\",\"images\":[]}]}" layout.0.imagesAsOf
refused "{\"layout\":[{$g,\"id\":\"x\"},{$g,\"id\":\"x\"}]}" layout.1.id
get "/api/pages/$id"
body_is '[.title, (.layout | length)] | @csv' '"New",1' 'a refused change changes nothing'
post /api/pages '{"slug":"only"}'
body_is '.errors[0].data.errors[0].path' title 'a title is required'
post /api/pages '{"title":"only"}'
body_is '.errors[0].data.errors[0].path' slug 'so is a slug'
post /api/pages "{\"title\":\"again\",\"slug\":\"$tag\"}"
status_is 400 'a slug in use'
body_is '.errors[0].data.errors[0].message' 'Value must be unique' 'as Payload says it'
patch /api/pages/999999999 '{"title":"x"}'
status_is 404 'no such page'
patch "/api/pages/$id" '{"title"'
status_is 400 'bad JSON'
deep=$(printf '[%.0s' {1..40})$(printf ']%.0s' {1..40})
patch "/api/pages/$id" "{\"layout\":$deep}"
status_is 400 'too deep'

# A picture that goes is gone from galleries.
set_images "\"images\":[$a,$b,$c]" "$a,$b,$c"
delete "/api/media/$b"
get "/api/pages/$id?depth=0"
body_is '.layout[0].images | @csv' "$a,$c" 'a deleted picture leaves the gallery'
delete "/api/pages/$id?depth=0"
status_is 200 'deleted'
body_is '[.message, .doc.layout[0].images[0]] | @csv' "\"Deleted successfully.\",$a" 'what it was comes back'
sql_is "SELECT count(*) FROM site.gallery WHERE page_id = $id" 0 'with its galleries'
delete "/api/pages/$id"
status_is 404 'once only'
get "/api/media/$a"
status_is 200 'its pictures stay'
done_testing
