#!/bin/bash
# The scripts, as shellcheck sees them.
# shellcheck source=tests/lint/tap.bash
. "$(dirname "$0")/tap.bash"

# Files that begin as a script for sh or bash.
scripts() {
	find . \( -name .git -o -name build -o -name .run -o -name node_modules \) \
	    -prune -o -type f -print | sort | while read -r file; do
		head -n 1 "$file" | grep -qE '^#!.*[/ ](ba)?sh( |$)' && echo "$file"
	done
}

# A library and its users set variables for each other, which shellcheck, one
# script at a time, takes for unused (2034) or never set (2154).
complaints() {
	scripts | xargs -r shellcheck --severity=warning --external-sources \
	    --source-path=SCRIPTDIR --format=gcc --exclude=SC2034,SC2154
}

command -v shellcheck >/dev/null || {
	echo '1..0 # SKIP shellcheck is not installed'
	exit 0
}
holds 'shellcheck has nothing to say' complaints
finds 'an unquoted star' deploy/x complaints <<<$'#!/bin/sh\nrm $(ls)/*\ncd x'
done_testing
