#!/bin/bash
# replace-kill.t: kill -9 of the function while a picture's file is replaced
# leaves the row with a whole file, the old one or the new one, and nothing that
# the sweep does not remove.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
command -v strace >/dev/null || skip_all 'strace is not installed'
stack_start PROCESSES=1 RUNNER_SLOTS=1 RUNNER_LINGER=0ms
# shellcheck source=tests/crash/traced.bash
. tests/crash/traced.bash

replace() {
	request PATCH "/api/media/$id" -F "file=@$(picture "$1" photo.jpg)" \
		-F '_payload={"alt":"new"}'
}

# The row's own file: is it the one that the row tells of?
row_is_whole() {
	local key hash
	IFS='|' read -r key hash < <(sql "SELECT storage_key, hash
		FROM site.media WHERE id = $id")
	[ "$(b2sum -l 256 "$STATE/media/$key" | cut -d' ' -f1)" = "$hash" ]
}

hash_of_row() {
	sql "SELECT hash FROM site.media WHERE id = $id"
}

# The calls of a replacement, on a link to the database that has been used, in
# their order: CALL NUMBER | WHICH FILE THE ROW HAS THEN
upload "$(picture start.jpg)"
status_is 201 '(a picture)'
id=$(jqr .doc.id)
while IFS='|' read -r call n want; do
	await 20 find_server || bail 'no process serves'
	request PATCH "/api/media/$id" -F '_payload={"alt":"warm"}'
	before=$(hash_of_row)
	trace -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n"
	replace "new-$call-$n.jpg" </dev/null
	is "$status" 502 "killed at $call $n: no answer"
	await 20 '! is_alive "$server"' || bail "not killed at $call $n"
	end_trace
	ok '  the row has a whole file' row_is_whole
	is "$(sql "SELECT alt FROM site.media WHERE id = $id")" \
		"$([ "$want" = old ] && echo warm || echo new)" \
		"  the row tells of the $want one"
	if [ "$want" = old ]; then
		is "$(hash_of_row)" "$before" '  and has the old hash'
	else
		isnt "$(hash_of_row)" "$before" '  and has another hash'
	fi
done <<'END_OF_CALLS'
write|1|old
pread64|1|old
fsync|1|old
renameat|1|old
fsync|2|old
sendto|2|old
unlinkat|1|new
END_OF_CALLS
kill -CONT "$still"
ok 'files without a row were left' [ "$(media_on_disk | wc -l)" -gt 0 ]
is "$(media_on_disk | grep '^row')" '' 'no row is without its file'
as cron
sweep_all
status_is 200 'the sweep'
is "$(media_on_disk)" '' 'no file is without a row'
is "$(ls -A "$STATE/media/tmp")" '' 'nothing is in tmp'
ok 'and the row has its file' row_is_whole
done_testing
