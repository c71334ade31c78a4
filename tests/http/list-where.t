#!/bin/bash
# list-where.t: which documents a where chooses, for every operator on every type
# of field, in brackets and as JSON; and what is refused.
. tests/lib.sh
. tests/list.sh
stack_shared
media=/api/media
mark=where$$
# a to f: alt, filesize, width (none: no picture), created.
sql "INSERT INTO site.media (filename, storage_key, mime_type, filesize, hash,
		alt, width, height, created_at)
	SELECT '$mark-' || name || '.jpg', '$mark' || name, mime, size, '-',
		alt, width, width, at::timestamptz
	FROM (VALUES ('a', 'image/jpeg', 10, 'Red house', 100, '2020-01-01T00:00:00.0005Z'),
		('b', 'image/png', 20, 'red 100% Boat', 200, '2020-01-02T10:00:00Z'),
		('c', 'image/png', 30, 'a_b', NULL, '2020-01-03T00:00:00Z'),
		('d', 'application/pdf', 40, NULL, NULL, '2020-01-04T00:00:00Z'),
		('e', 'image/jpeg', 50, 'null', 300, '2020-01-05T00:00:00Z'),
		('f', 'video/mp4', 60, E'quote '' \" \\\\ ; --', 400, '2020-01-06T00:00:00Z'))
		AS v (name, mime, size, alt, width, at)" || bail 'no media'

# chosen WANT PARAMETER…: by the letters of their names
chosen() {
	local want=$1 got
	shift
	ask "$media" "where[filename][like]=$mark" sort=id limit=0 "$@"
	got=$(jqr '[.docs[].filename] | join("")')
	got=${got//"$mark-"/} got=${got//.jpg/}
	is "$status $got" "200 $want" "$*"
}
while IFS='|' read -r want field op value; do
	chosen "$want" "where[$field][$op]=$value"
done <<'END'
b|filesize|equals|20
abcde|filesize|not_equals|60
ac|filesize|in|10, 30,77
bdef|filesize|not_in|10,30
|filesize|in|
def|filesize|greater_than|30
cdef|filesize|greater_than_equal|30
ab|filesize|less_than|30
abc|filesize|less_than_equal|30
abef|width|exists|true
cd|width|exists|false
bcdef|width|not_equals|100
cd|width|equals|null
abef|width|not_equals|
bcdef|width|not_in|100
a|alt|equals|Red house
|alt|equals|red house
bcdef|alt|not_equals|Red house
ab|alt|like|red
a|alt|like|HOUSE red
b|alt|like|100%
c|alt|like|_
cdef|alt|not_like|red
b|alt|contains|0% b
|alt|contains|house red
e|alt|equals|null
bc|alt|in|red 100% Boat,a_b
d|alt|exists|false
f|alt|equals|quote ' " \ ; --
bce|alt|in|null,a_b,red 100% Boat
ae|mimeType|equals|image/jpeg
bc|mimeType|contains|PNG
df|mimeType|not_like|image
a|createdAt|equals|2020-01-01T00:00:00.000Z
bcdef|createdAt|not_equals|2020-01-01
a|createdAt|in|2020-01-01,2021-01-01
bcdef|createdAt|not_in|2020-01-01T00:00:00Z
def|createdAt|greater_than|2020-01-03T00:00:00.000Z
cdef|createdAt|greater_than_equal|2020-01-03
bcdef|createdAt|greater_than|2020-01-01T00:00:00Z
ab|createdAt|less_than|2020-01-03T00:00:00Z
abc|createdAt|less_than_equal|2020-01-03T01:00:00+01:00
abcdef|createdAt|exists|true
|updatedAt|exists|false
END
chosen ac 'where[filesize][in][]=10' 'where[filesize][in][]=30'
chosen ac 'where[filesize][in]=10' 'where[filesize][in]=30'
chosen cd 'where[filesize][greater_than]=20' 'where[filesize][less_than]=50'
chosen cd 'where[or][0][filesize][equals]=30' 'where[or][1][filesize][equals]=40'
chosen d 'where[and][0][or][0][filesize][equals]=30' 'where[and][0][or][1][filesize][equals]=40' \
	'where[and][1][alt][exists]=false'
chosen abcdef 'where[or]=' 'where[and]='
ask "$media/count" "where[filename][like]=$mark" 'where[width][exists]=false'
body_is .totalDocs 2 'and they are counted'

# as_json WANT JSON
as_json() {
	ask "$media" sort=id "where={\"and\":[{\"filename\":{\"contains\":\"$mark\"}},$2]}"
	is "$status $(jqr '[.docs[].filename[-5:-4]] | join("")')" "200 $1" "$2"
}
as_json b '{"filesize":{"equals":20}}'
as_json b '{"filesize":{"equals":"20"}}'
as_json ab '{"filesize":{"in":[10,20]}}'
as_json cd '{"width":{"equals":null}}'
as_json d '{"alt":{"equals":null}}'
as_json e '{"alt":{"equals":"null"}}'
as_json bc '{"alt":{"in":["red 100% Boat","a_b"]}}'
as_json abef '{"width":{"exists":true}}'
as_json ade '{"or":[{"filesize":{"less_than":20}},{"and":[{"filesize":{"greater_than":30}},{"filesize":{"less_than":60}}]}]}'
# What says nothing chooses nothing: it is left out, as in Payload.
as_json b '{"or":[{"filesize":{"equals":20}},{}]}'
as_json b '{"or":[{"alt":{}},{"filesize":{"equals":20}}]}'
as_json b '{"or":[{"and":[]},{"filesize":{"equals":20}},{"or":[{},{"and":[{}]}]}]}'
as_json ab '{"or":[{"filesize":{"equals":20}},{"and":[{"filesize":{"equals":10}},{}]}]}'
as_json abcdef '{"or":[{},{"alt":{}}]}'
chosen b 'where[or][0][filesize][equals]=20' 'where[or][1][and]='

while IFS='|' read -r path parameter; do
	refused "$media" "$path" "$parameter"
done <<'END'
secret|where[secret][equals]=1
storage_key|where[storage_key][equals]=1
m.id|where[m.id][equals]=1
filesize.x|where[filesize][x]=1
filesize|where[filesize]=1
filesize|where[filesize][equals]=ten
filesize|where[filesize][equals]=1.5
filesize|where[filesize][in]=1,ten
filesize|where[filesize][equals]=99999999999999999999
filesize|where[filesize][like]=1
filesize|where[filesize][contains]=1
filesize|where[filesize][all]=1
filesize|where[filesize][exists]=perhaps
filesize|where[filesize][near]=1
filesize|where[filesize][within]=1
filesize|where[filesize][intersects]=1
filesize|where[filesize][equals][a]=1
alt|where[alt][all]=a
createdAt|where[createdAt][equals]=soon
createdAt|where[createdAt][greater_than]=2026-02-30
createdAt|where[createdAt][like]=2026
where|where=x
where|where=[]
where|where={"alt":{"equals":"\u0000"}}
where|where[or]=x
where|where[
END
ask "$media" 'where[secret][equals]=1'
body_is '.errors[0] | [.name, .message] | join(": ")' \
	'QueryError: The following path cannot be queried: secret' 'in the words of Payload'
refused "$media/count" secret 'where[secret][equals]=1'

# --- pages ---
for name in one two three; do
	post /api/pages "{\"title\":\"$mark $name\",\"slug\":\"$mark-$name\",
		\"layout\":[{\"blockType\":\"$name\"},{\"blockType\":\"all\"}]}"
done
# pages WANT PARAMETER…
pages() {
	local want=$1
	shift
	ask /api/pages "where[title][like]=$mark" sort=-id "$@"
	is "$status $(jqr "[.docs[].slug | sub(\"$mark-\"; \"\")] | join(\" \")")" "200 $want" "pages: $*"
}
pages 'three two one' 'where[layout][exists]=true'
pages two "where[slug][equals]=$mark-two"
pages two 'where[layout.blockType][equals]=two'
pages 'three one' 'where[layout.blockType][not_equals]=two'
pages 'two one' 'where[layout.blockType][in]=one,two'
pages three 'where[layout.blockType][not_in]=one,two'
pages one 'where[layout.blockType][all]=one,all'
pages 'three two one' 'where[layout.blockType][contains]=all'

# --- what is inside of a page: pictures, switches, ids, blocks in blocks ---
one=$(sql "SELECT id FROM site.media WHERE storage_key = '${mark}a'") two=$(sql "SELECT id FROM site.media WHERE storage_key = '${mark}b'")
post /api/pages "{\"title\":\"$mark four\",\"slug\":\"$mark-four\",\"layout\":[
	{\"blockType\":\"gallery\",\"id\":\"$mark-g\",\"autoSyncMedia\":true,\"images\":[$one,$two]},
	{\"blockType\":\"text\",\"id\":\"$mark-t\",\"link\":{\"id\":\"$mark-link\"},\"odd\":{\"blockType\":7,\"id\":\"$mark-odd\"}}]}"
status_is 201 '(a page with a gallery)'
post /api/pages "{\"title\":\"$mark five\",\"slug\":\"$mark-five\",\"layout\":[
	{\"blockType\":\"columns\",\"id\":\"$mark-c\",\"columns\":[{\"blockType\":\"gallery\",\"id\":\"$mark-in\",\"images\":[$two]}]}]}"
status_is 201 '(and one with a gallery in another block)'
pages four "where[layout.images][equals]=$one"
pages 'five four' "where[layout.images][in]=$two,$one"
pages 'five four' "where[layout.images][contains]=$two"
pages four "where[layout.images][all]=$two,$one"
pages 'five three two one' "where[layout.images][not_equals]=$one"
pages 'three two one' 'where[layout.images][exists]=false'
pages four 'where[layout.autoSyncMedia][equals]=true'
pages five 'where[layout.autoSyncMedia][equals]=false'
pages 'five four' 'where[layout.autoSyncMedia][exists]=true'
pages four "where[layout.id][equals]=$mark-g"
pages four "where[layout.id][all]=$mark-t,$mark-g"
pages five "where[layout.id][equals]=$mark-in"
pages '' "where[layout.id][in]=$mark-link,$mark-odd"
pages 'five four' 'where[layout.blockType][equals]=gallery'
pages five 'where[layout.blockType][all]=columns,gallery'
pages '' 'where[layout.blockType][equals]=7'
for json in "{\"layout.images\":{\"equals\":$one}}" '{"layout.autoSyncMedia":{"equals":true}}'; do
	ask /api/pages "where={\"and\":[{\"title\":{\"like\":\"$mark\"}},$json]}"
	is "$status $(field_of_docs .slug)" "200 $mark-four" "as JSON: $json"
done
ask /api/pages/count "where[title][like]=$mark" 'where[layout.blockType][equals]=gallery'
body_is .totalDocs 2 'and they are counted'
for field in images autoSyncMedia id blockType; do
	refused /api/pages sort "sort=layout.$field"
	refused /api/pages "layout.$field" "where[layout.$field][like]=x"
done
refused /api/pages layout 'where[layout][equals]=x'
refused /api/pages layout.title 'where[layout.title][equals]=x'
sql "DELETE FROM site.media WHERE storage_key LIKE '$mark%'"
sql "DELETE FROM site.page WHERE slug LIKE '$mark%'"
done_testing
