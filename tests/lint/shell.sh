#!/bin/bash
# The scripts, as shellcheck sees them.
# shellcheck source=tests/lint/tap.bash
. "$(dirname "$0")/tap.bash"

# What begins as a script for sh or bash, and what such scripts read in.
scripts() {
	find . \( -name .git -o -name build -o -name .run -o -name node_modules \) \
	    -prune -o -type f -print0 | sort -z | xargs -0r awk '
	FNR == 1 && /^#!.*[\/ ](ba)?sh( |$)|^# shellcheck shell=/ {
		print FILENAME
	}
	{ nextfile }'
}

# Scripts that nothing was said of, by what is in them.  They are not looked at
# again until they change, or this script or shellcheck does.
known=$(cd "$top" && readlink -m "${B:-build}")/lint/shell.known
known+=-$({ shellcheck --version; cat "$top/tests/lint/shell.sh"; } 2>/dev/null |
	sha256sum | cut -c 1-16)

# Each by itself: to read in a library again for each script that uses it takes
# ten times as long.  A library and its users set variables for each other,
# which look unused (2034) or never set (2154) then.
complaints() {
	local found
	mkdir -p "${known%/*}" && touch "$known" || return
	scripts | xargs -r sha256sum | grep -vxF -f "$known" >"$scratch/new"
	found=$(sed 's/^[^ ]*  //' "$scratch/new" | xargs -r -P 2 -n 8 \
	    shellcheck --severity=warning --format=gcc --exclude=SC2034,SC2154 2>&1)
	if [ -n "$found" ]; then
		echo "$found"
	else
		cat "$scratch/new" >>"$known"
	fi
}

command -v shellcheck >/dev/null || {
	echo '1..0 # SKIP shellcheck is not installed'
	exit 0
}
holds 'shellcheck has nothing to say' complaints
finds 'an unquoted star' deploy/x complaints <<<$'#!/bin/sh\nrm $(ls)/*\ncd x'
done_testing
