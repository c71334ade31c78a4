#!/bin/bash
# upload-memory.t: what the upload function keeps in memory does not grow with
# the file, whether it reads nginx's file or has the body sent: from 1 KB to
# 200 MB here, and to 2 GB when it is asked for, since that takes minutes:
#
#	make test T=tests/http/upload-memory.t BYTES=2000000000
. tests/lib.sh
bytes=${BYTES:-200000000}
stack_start MAX_UPLOAD_BYTES=$((bytes + 1000))
HTTP_SECONDS=900

# KiB: the most that any process of the function has ever had in memory.
peak() {
	local pid
	for pid in $(function_pids upload); do
		sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"
	done | sort -n | tail -n 1
}

cp "$fixtures/small.jpg" "$work/large.jpg"
truncate -s "$bytes" "$work/large.jpg"
# Each process serves some, so that all have loaded what they need.
warm_up() {
	local i
	for ((i = 0; i < 12; i++)); do
		upload "$(picture small.jpg)"
	done
}

# without_growth WHAT [CURL OPTION…]
without_growth() {
	local what=$1 before after
	shift
	before=$(peak)
	upload "$work/large.jpg" '' "$@"
	status_is 201 "$bytes bytes, $what"
	body_is .doc.filesize "$bytes" '  are all there'
	after=$(peak)
	ok "  in less than 1 MiB more ($((after - before)) KiB)" \
		[ $((after - before)) -lt 1024 ]
	sql_is "SELECT hash FROM site.media WHERE id = $(jqr .doc.id)" "$hash" \
		'  with the right hash'
	ok '  byte for byte' cmp -s "$work/large.jpg" \
		"$STATE/media/$(sql "SELECT storage_key FROM site.media
		WHERE id = $(jqr .doc.id)")"
	delete "/api/media/$(jqr .doc.id)"
	status_is 200 '  (removed)'
}

hash=$(b2sum -l 256 "$work/large.jpg" | cut -d' ' -f1)
warm_up
ok 'it is small to begin with' [ "$(peak)" -lt 40000 ]
without_growth "from nginx's file"
without_growth 'through the socket' -H 'Transfer-Encoding: chunked'
is "$(find "$STATE/nginx/body" -type f | wc -l)" 0 'nginx keeps no body'
is "$(find "$STATE/media/tmp" -type f | wc -l)" 0 'nothing is left in tmp'

# One byte too many, told or not.
truncate -s $((bytes + 1001)) "$work/large.jpg"
for how in 'X-Nothing: 1' 'Transfer-Encoding: chunked'; do
	upload "$work/large.jpg" '' -H "$how"
	status_is 413 "a byte more than allowed ($how)"
done
is "$(find "$STATE/media/tmp" -type f | wc -l)" 0 'nothing is left of it'
done_testing
