#!/bin/bash
# media-same-name.t: 100 uploads of one name at once get 100 names.
. tests/lib.sh
stack_shared
stem=same$RANDOM$RANDOM
cp "$fixtures/small.png" "$work/$stem.png"

began=$(now_ms)
seq 100 | xargs -P 20 -I{} curl -sS -o "$work/{}.json" \
	-H "Authorization: $authorization" -F "file=@$work/$stem.png" \
	"$SERVER_URL/api/media"
note "100 uploads in $(($(now_ms) - began)) ms"

sql_is "SELECT count(*) FROM site.media WHERE filename ~ '^$stem'" 100 'all are there'
sql_is "SELECT count(DISTINCT storage_key) FROM site.media WHERE filename ~ '^$stem'" 100 \
	'each with a file of its own'
{
	echo "$stem.png"
	printf "$stem-%d.png\n" {1..99}
} | sort >"$work/want"
sql "SELECT filename FROM site.media WHERE filename ~ '^$stem'" | sort >"$work/got"
ok 'named -1 to -99 behind the first, without a gap' diff "$work/want" "$work/got"
jq -r '.doc.filename // .errors[0].message' "$work"/[0-9]*.json | sort >"$work/said"
ok 'and each client was told its own' diff "$work/want" "$work/said"

# A name that looks like a numbered one is a name like any other.
cp "$fixtures/small.png" "$work/$stem-100.png"
upload "$work/$stem-100.png"
body_is .doc.filename "$stem-100.png" 'a client may number itself'
upload "$work/$stem.png"
body_is .doc.filename "$stem-101.png" 'and is stepped over'
upload "$work/$stem-100.png"
body_is .doc.filename "$stem-100-1.png" 'a numbered name gets a number too'
delete "/api/media/$(sql "SELECT id FROM site.media WHERE filename = '$stem.png'")"
status_is 200 'the first goes'
upload "$work/$stem.png"
body_is .doc.filename "$stem.png" 'and its name is free again'
cp "$fixtures/small.png" "$work/$stem"
upload_name=".$stem" upload "$work/$stem.png"
status_is 400 'a name without an extension has no type'
done_testing
