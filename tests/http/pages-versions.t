#!/bin/bash
# pages-versions.t: of two who edit one page the second learns of the first, by
# If-Match or by updatedAt in the body, and nothing of his is stored; who says
# no version overwrites, as in Payload.
. tests/lib.sh
stack_shared
tag=v$RANDOM$RANDOM

post '/api/pages?depth=0' "{\"title\":\"first\",\"slug\":\"$tag\",\"layout\":[
	{\"blockType\":\"gallery\",\"autoSyncMedia\":true}]}"
id=$(jqr .doc.id) first=$(jqr .doc.updatedAt)
header_is etag "\"$first\"" 'a new page tells its version'
get "/api/pages/$id"
header_is etag "\"$first\"" 'so does one that is read'
get "/api/pages/$id?select[title]=true"
header_is etag "\"$first\"" 'even if only a part of it is shown'

# change IF-MATCH JSON: with no header where IF-MATCH is empty.
change() {
	patch "/api/pages/$id" "$2" ${1:+-H "If-Match: $1"}
}
title_is() {
	sql_is "SELECT title FROM site.page WHERE id = $id" "$1" "$2"
}
change "\"$first\"" '{"title":"second"}'
status_is 200 'a change of the version that was read'
second=$(jqr .doc.updatedAt)
isnt "$second" "$first" 'makes another version'
header_is etag "\"$second\"" 'and tells it'
change "\"$first\"" '{"title":"stale"}'
status_is 412 'the old one is no longer there to be changed'
body_like '.errors[0].message' 'Read it again' 'and what to do is said'
title_is second 'nothing was stored'
change '' "{\"title\":\"stale\",\"updatedAt\":\"$first\"}"
status_is 409 'the same by the body'
body_like '.errors[0].message' 'Read it again' 'and what to do is said'
title_is second 'nothing was stored'
change '' "{\"title\":\"stale\",\"layout\":[{\"blockType\":\"text\"}],\"updatedAt\":\"$first\"}"
status_is 409 'nor with another layout'
sql_is "SELECT layout -> 0 ->> 'blockType' FROM site.page WHERE id = $id" gallery \
	'which is as it was'

# What is a match, and what is none.
while read -r tags want; do
	change "${tags//_/ }" '{}'
	status_is "$want" "If-Match: $tags"
	[ "$want" != 200 ] || second=$(jqr .doc.updatedAt)
	get "/api/pages/$id"
	body_is .updatedAt "$second" 'the version is the last one told'
done <<-END
*	200
_*_	200
"nothing"	412
"$first","nothing"	412
""	412
nothing	400
"nothing	400
"a""b"	400
"a"_"b"	400
W/"a"	412
END
change "\"x\", \"$second\"" '{}'
status_is 200 'one of a list will do'
second=$(jqr .doc.updatedAt)
change "W/\"$second\"" '{}'
status_is 412 'a weak tag matches nothing'
change "\"$second\"" "{\"updatedAt\":\"$first\"}"
status_is 409 'both have to be right'
change "\"$first\"" "{\"updatedAt\":\"$second\"}"
status_is 412 'both'
for bad in '"yesterday"' '"2026-07-20"' "\"$second \"" 7 '[]'; do
	change '' "{\"updatedAt\":$bad}"
	status_is 400 "updatedAt $bad"
	body_is '.errors[0].data.errors[0].path' updatedAt 'is named'
done
change '' '{"updatedAt":null,"title":"third"}'
status_is 200 'null says nothing'
change '' '{"title":"fourth"}'
status_is 200 'who says no version overwrites'
second=$(jqr .doc.updatedAt)

# What a job adds is no edit.
upload "$(picture "$tag.jpg")"
picture=$(jqr .doc.id)
ok 'a picture comes in' await 10 "sql 'SELECT media_id FROM site.gallery_image i
	JOIN site.gallery g ON g.id = i.gallery_id WHERE page_id = $id' | grep -qx $picture"
change "\"$second\"" '{"title":"fifth"}'
status_is 200 'a picture that a job put in hinders nobody'
second=$(jqr .doc.updatedAt)

# Of many at once with one version one is taken.
export work authorization SERVER_URL id second
cat >"$work/one" <<'END'
#!/bin/bash
curl -s -o /dev/null -w '%{http_code}\n' -X PATCH -H "Authorization: $authorization" \
	-H 'Content-Type: application/json' -H "If-Match: \"$second\"" \
	-d "{\"title\":\"racer $1\"}" "$SERVER_URL/api/pages/$id"
END
chmod +x "$work/one"
is "$(seq 12 | xargs -P 12 -n 1 "$work/one" | sort | uniq -c | tr -s ' ' | xargs)" \
	'1 200 11 412' 'of twelve at once one is taken'

# Every change has a version of its own, as it is shown.
versions=()
for i in {1..20}; do
	change '' '{}'
	versions+=("$(jqr .doc.updatedAt)")
done
is "$(printf '%s\n' "${versions[@]}" | sort -u | wc -l)" 20 'no two changes share a version'
is "$(printf '%s\n' "${versions[@]}")" "$(printf '%s\n' "${versions[@]}" | sort)" \
	'and versions grow'

# Several at once: each by itself.
patch "/api/pages?where[slug][equals]=$tag" "{\"title\":\"x\",\"updatedAt\":\"$first\"}"
status_is 400 'a change of several'
body_is '[.errors[0].id, (.docs | length)] | @csv' "$id,0" 'names the one that it is too late for'

# Required fields stay filled; a layout may be emptied.
for field in title slug; do
	for value in null '""'; do
		change '' "{\"$field\":$value}"
		status_is 400 "$field $value"
		body_is '.errors[0].data.errors[0].path' "$field" 'is named'
	done
done
change '' '{"layout":null}'
body_is '.doc.layout | length' 0 'a layout of null is empty'

delete "/api/pages/$id" -H "If-Match: \"$first\""
status_is 412 'an old version is not deleted'
sql_is "SELECT count(*) FROM site.page WHERE id = $id" 1 'it is there'
get "/api/pages/$id"
delete "/api/pages/$id" -H "If-Match: $(header etag)"
status_is 200 'the one that was read is'
delete "/api/pages/$id" -H 'If-Match: *'
status_is 404 'once'
done_testing
