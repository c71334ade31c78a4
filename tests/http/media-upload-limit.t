#!/bin/bash
# media-upload-limit.t: too large is 413, a full disk 507; nothing is left.
. tests/lib.sh
stack_start MAX_UPLOAD_BYTES=100000

upload "$(picture small.jpg)"
status_is 201 'below the limit'
head -c 100000 <(cat "$fixtures/small.jpg" /dev/zero) >"$work/exact.jpg"
upload "$work/exact.jpg"
status_is 201 'at the limit'
head -c 100001 <(cat "$fixtures/small.jpg" /dev/zero) >"$work/over.jpg"
upload "$work/over.jpg"
status_is 413 'a byte over it'
body_like '.errors[0].message' 100000 'and the limit is named'
upload "$work/over.jpg" '' -H 'Transfer-Encoding: chunked'
status_is 413 'also without a length'
head -c 1000000 <(cat "$fixtures/small.jpg" /dev/zero) >"$work/far.jpg"
upload "$work/far.jpg"
status_is 413 'far over it'
body_like '.errors[0].message' . 'JSON from nginx too'
is "$(find "$STATE/media" -type f | wc -l)" 2 'nothing of them is left on disk'
sql_is 'SELECT count(*) FROM site.media' 2 'nor in the database'

media=$(readlink -f "$STATE")/media
mkdir "$work/disk"
if mount -t tmpfs -o "size=64k,mode=0750,uid=$(stat -c %u "$media"),gid=$(stat -c %g "$media")" \
	tmpfs "$media" 2>/dev/null; then
	ok 'a new store on a small disk' stack_part restart upload
	upload "$work/exact.jpg"
	status_is 507 'a full disk'
	is "$(find "$media" -type f | wc -l)" 0 'leaves nothing'
	sql_is 'SELECT count(*) FROM site.media' 2 'and no row'
	upload "$(picture small.jpg)"
	status_is 201 'what fits is taken again'
	stack_part stop upload
	umount "$media"
else
	note 'no right to mount: the full disk is left to tests/unit/test_store.c'
fi
done_testing
