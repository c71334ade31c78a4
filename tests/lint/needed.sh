#!/bin/bash
# What the functions that start most often are linked with: each library costs
# a start its time, and libpq alone is enough.
# shellcheck source=tests/lint/tap.bash
. "$(dirname "$0")/tap.bash"
case ${B:=build} in /*) ;; *) B=$top/$B ;; esac

# needs PROGRAM LIBRARY...: a program that needs another
needs() {
	local program=$B/functions/$1 list
	shift
	list=$(objdump -p "$program" 2>/dev/null |
	    awk '/NEEDED/ { sub(/\.so.*/, "", $2); print $2 }' |
	    grep -vE '^(libc|libasan|libubsan|libm|ld-linux.*)$' | sort | xargs)
	[ "$list" = "$*" ] || echo "$program needs: $list"
}

if [ ! -e "$B/functions/run" ]; then
	skip 'nothing is built' 'make first'
else
	holds 'run needs no more than it must' needs run \
	    libfcgi libjson-c libpq libsodium
	holds 'upload neither' needs upload \
	    libfcgi libjson-c libmagic libpq libsodium
	finds 'one too many' x needs upload libfcgi libjson-c libpq <<<''
fi
done_testing
