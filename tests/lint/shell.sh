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

# Each by itself: to read in a library again for each script that uses it takes
# ten times as long.  A library and its users set variables for each other,
# which look unused (2034) or never set (2154) then.
complaints() {
	scripts | xargs -r -P 2 -n 8 shellcheck --severity=warning \
	    --format=gcc --exclude=SC2034,SC2154
}

command -v shellcheck >/dev/null || {
	echo '1..0 # SKIP shellcheck is not installed'
	exit 0
}
holds 'shellcheck has nothing to say' complaints
finds 'an unquoted star' deploy/x complaints <<<$'#!/bin/sh\nrm $(ls)/*\ncd x'
done_testing
