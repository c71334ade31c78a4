#!/bin/bash
# media-where.t: pictures by what their documents say of the file: its address,
# that of the thumbnail, and the middle of the picture.
. tests/lib.sh
. tests/list.sh
stack_shared
one=mw$$
for kind in jpg pdf; do
	cp "$fixtures/small.$kind" "$work/$one ž.$kind"
	upload "$work/$one ž.$kind"
done
jpg=$(sql "SELECT id FROM site.media WHERE filename LIKE '$one%jpg'")
pdf=$(sql "SELECT id FROM site.media WHERE filename LIKE '$one%pdf'")
name=$(sql "SELECT filename FROM site.media WHERE id = $jpg")
sql "INSERT INTO site.media_size (media_id, name, filename, storage_key, mime_type, filesize, width, height)
	VALUES ($jpg, 'thumbnail', '$one-9x9.jpg', '$one', 'image/jpeg', 1, 9, 9);
	UPDATE site.media SET sized = true WHERE id = $jpg" || bail 'no size'

found() {
	local want=$1
	shift
	ask /api/media "where[filename][like]=$one" "$@"
	is "$status $(field_of_docs .id)" "200 $want" "$*"
}
get "/api/media/$jpg"
url=$(jqr .url)
like "$url" '%C5%BE' "the address of $name is encoded"
found "$jpg" "where[url][equals]=${url#"$SERVER_URL"}"
found "$jpg $pdf" "where[url][like]=/api/media/file/$one" sort=url
found "$jpg" "where[thumbnailURL][equals]=/api/media/file/$one-9x9.jpg"
found "$pdf" 'where[thumbnailURL][exists]=false'
found "$jpg" 'where[focalX][equals]=50'
found "$jpg" 'where[focalX][greater_than]=49' 'where[focalY][less_than]=51'
found "$pdf" 'where[focalY][exists]=false'
found "$pdf $jpg" sort=-focalX,id 'where[id][exists]=true'
found "$pdf $jpg" sort=-url
found "$jpg" 'where[sizes.thumbnail.width][exists]=true'
found "$pdf" 'where[sizes.thumbnail.width][exists]=false'
found "$pdf $jpg" 'where[sizes.card.width][exists]=false'
found "$jpg" 'where[sizes.thumbnail.width][equals]=9'
found '' 'where[sizes.thumbnail.width][equals]=400'
found "$pdf" 'where[sizes.thumbnail.width][not_equals]=9'
found "$jpg" "where[sizes.thumbnail.url][equals]=/api/media/file/$one-9x9.jpg"
found "$jpg" 'where[sizes.thumbnail.filename][like]=9X9' 'where[sizes.thumbnail.mimeType][in]=image/jpeg,x'
ask /api/media "where={\"filename\":{\"like\":\"$one\"},\"sizes.thumbnail.height\":{\"equals\":9}}"
is "$status $(field_of_docs .id)" "200 $jpg" 'a number of JSON'
found "$pdf $jpg" 'where[sizes][exists]=true'
ask /api/media/count "where[filename][like]=$one" 'where[sizes.thumbnail.filesize][equals]=1'
body_is .totalDocs 1 'and counted'
refused /api/media sizes.thumbnail.width 'where[sizes.thumbnail.width][greater_than]=8'
refused /api/media sort sort=sizes
refused /api/media focalX 'where[focalX][equals]=half'
delete "/api/media?where%5Bfilename%5D%5Blike%5D=$one"
done_testing
