#!/bin/bash
# media-metadata-bomb.t: a small PNG whose colour profile and texts unpack to
# hundreds of megabytes is taken like any other, since nothing unpacks them: not
# the upload, which reads how large the picture is and no more, and not what
# makes its thumbnails, which leaves them out.
. tests/lib.sh
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=300ms

# bomb CHUNK MIB: a PNG of 1000 x 1000 with a chunk that unpacks to so much.
bomb() {
	perl -MCompress::Zlib -e '
	my ($type, $mib) = @ARGV;
	sub chunk { my ($t, $d) = @_; pack("N", length $d) . $t . $d . pack("N", crc32($t . $d)) }
	my $z = deflateInit(-Level => 9);
	my $packed = join "", map { $z->deflate("\0" x (1 << 20)) } 1 .. $mib;
	$packed .= $z->flush();
	my $head = { iCCP => "p\0\0", zTXt => "Comment\0\0", iTXt => "Comment\0\1\0en\0\0" }->{$type};
	print "\x89PNG\r\n\x1a\n", chunk("IHDR", pack("NNC5", 1000, 1000, 8, 0, 0, 0, 0)),
	    chunk($type, $head . $packed), chunk("IDAT", compress("\0" x 1001000)), chunk("IEND", "")' "$1" "$2"
}

# KiB: the most that any process of the function has ever had in memory.
peak() {
	local pid
	for pid in $(function_pids upload); do
		sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"
	done | sort -n | tail -n 1
}

for _ in {1..12}; do
	upload "$(picture warm.jpg)"
done
for chunk in iCCP zTXt iTXt; do
	bomb $chunk 256 >"$work/$chunk.png"
	ok "(a $chunk of 256 MiB in a small file)" [ "$(stat -c %s "$work/$chunk.png")" -lt 600000 ]
	before=$(peak)
	upload "$work/$chunk.png"
	status_is 201 "$chunk: taken"
	body_is '.doc | [.mimeType, .width, .height] | @csv' '"image/png",1000,1000' '  as what it is'
	grown=$(($(peak) - before))
	ok "  in less than 2 MiB more ($grown KiB)" [ "$grown" -lt 2048 ]
	id=$(jqr .doc.id)
	post /api/payload-jobs "{\"task\":\"makeThumbnails\",\"input\":{\"mediaId\":$id}}"
	job=$(jqr .doc.id)
	run_jobs
	job_done "$job" 60
	get "/api/payload-jobs/$job"
	body_is '[.state, .output.made] | @csv' '"done",2' '  it gets its thumbnails' || diag "$(jqr '.log[-1].log')"
	body_is '.log[-1] | .peakMemoryBytes < 150000000 and .cpuSeconds < 10' true \
		"  with nothing unpacked ($(jqr '.log[-1] | "\(.peakMemoryBytes) bytes, \(.cpuSeconds) s"'))"
	get "/api/media/$id"
	get "$(jqr '.sizes.thumbnail.url' | sed "s|^$SERVER_URL||")"
	ok '  which carry none of it' [ "$(stat -c %s "$work/body")" -lt 20000 ]
done
done_testing
