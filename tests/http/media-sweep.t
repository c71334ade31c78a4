#!/bin/bash
# media-sweep.t: old files that no row names go, and nothing else.
. tests/lib.sh
stack_shared

upload "$(picture k.jpg)"
id=$(jqr .doc.id)
key=$(sql "SELECT storage_key FROM site.media WHERE id = $id")
store=$STATE/media
folder=$store/${key%/*}
name=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
old=$folder/$name new=$folder/${name/?/f}
[ "$old" = "$new" ] && new=$folder/${name/?/e}
cp "$store/$key" "$old"
cp "$store/$key" "$new"
cp "$store/$key" "$store/tmp/$name"
echo mine >"$folder/README"
touch -d '2 hours ago' "$store/$key" "$old" "$store/tmp/$name" "$folder/README"

for who in nobody admin 'Bearer wrong'; do
	as "$who"
	get /api/media/sweep
	status_is 401 "not for $who"
done
as cron
get '/api/media/sweep?olderThan=soon'
status_is 400 'a duration that is none'
body_is '.errors[0].data.errors[0].path' olderThan 'and named'
# What an upload may just be about to name.
for young in 0s 10s 299s; do
	get "/api/media/sweep?olderThan=$young"
	status_is 400 "$young"
	body_is '.errors[0].data.errors[0].path' olderThan 'and named'
done
ok 'nothing is gone' test -e "$old" -a -e "$new" -a -e "$store/tmp/$name"
get '/api/media/sweep?olderThan=3h'
status_is 200 'sweep'
ok 'two hours are younger than three' test -e "$old"
get /api/media/sweep
status_is 200 'sweep'
body_is '.removed >= 2' true 'says how many went'
body_is '.kept >= 2' true 'and stayed'
ok 'an old file without a row is gone' test ! -e "$old"
ok 'an old temporary file too' test ! -e "$store/tmp/$name"
ok 'a young one without a row stays' test -e "$new"
ok 'an old one with a row stays' test -e "$store/$key"
ok 'a file that is not ours stays' test -e "$folder/README"
get /api/media/sweep
body_is .removed 0 'nothing is left to do'
rm -f "$new" "$folder/README"

# More than one statement's worth.
for i in {1..1100}; do
	printf -v name '%032x' "$i"
	: >"$folder/$name"
done
touch -d '2 hours ago' "$folder"/00000000*
get /api/media/sweep
body_is .removed 1100 'many at once'
ok 'the named one stays' test -e "$store/$key"
done_testing
