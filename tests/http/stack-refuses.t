#!/bin/bash
# stack-refuses.t: what keeps the stack from starting is said in one line, with
# exit status 1, and nothing stays behind.
. tests/lib.sh
stack_shared

# refused WHAT PATTERN NAME=value…: start has to fail, saying PATTERN.
refused() {
	local what=$1 pattern=$2 said
	shift 2
	said=$(env PORT="$(free_port)" STATE="$work/refused" "$@" \
		deploy/stack start 2>&1 </dev/null)
	is $? 1 "$what: exit status 1"
	is "$(grep -c . <<<"$said")" 1 "$what: one line"
	like "$said" "$pattern" "$what: says why"
}

# Where start was wrong to succeed, its stack ends all the same.
trap 'STATE=$work/refused deploy/stack stop >/dev/null 2>&1; lib_end' EXIT

used=${SERVER_URL##*:}
refused 'a port in use' "^stack: port $used is in use: choose another" \
	PORT="$used"
refused 'a port that is none' 'not a port number: 80a' PORT=80a
refused 'a port out of range' 'not a port number: 65536' PORT=65536
long=$work/$(printf 'd%.0s' {1..100})
refused 'a long folder' 'too long for a unix socket' STATE="$long"
refused 'a folder with a quote' 'characters that configuration' \
	STATE="$work/a'b"
refused 'a build that is not there' 'is not built: run make' B="$work/none"
refused 'a user that is not there' 'no user "nobody-here"' \
	STACK_USER=nobody-here
refused 'a size that is none' 'MAX_UPLOAD_BYTES is not a number' \
	MAX_UPLOAD_BYTES=50M
refused 'a tasks folder that is not there' 'TASKS_DIR names a folder' \
	TASKS_DIR="$work/none"
is "$(processes_in "$work/refused")" '' 'nothing of it runs'

# Functions that end at once, and one that is not a function.
mkdir -p "$work/bad"
cp "$B/functions/"* "$work/bad/"
printf '#!/bin/sh\necho broken >&2\nexit 1\n' >"$work/bad/status"
chmod 0755 "$work/bad/status"
refused 'a broken function' 'status does not run: broken' \
	FUNCTIONS_DIR="$work/bad"
is "$(processes_in "$work/refused")" '' 'nothing of it runs either'

if [ "$(id -u)" -eq 0 ] && mkdir "$work/small" &&
	mount -t tmpfs -o size=12m tmpfs "$work/small" 2>/dev/null; then
	refused 'a full disk' 'the disk is full' STATE="$work/small/state"
	umount "$work/small"
	mount -t tmpfs -o size=64m tmpfs "$work/small"
	refused 'a disk too small' 'the disk is full: .* needs 128 MiB' \
		STATE="$work/small/state"
	umount "$work/small"
fi
done_testing
