# shellcheck shell=bash
# What the scripts in this folder share.  A rule is a function that looks at
# the tree below the current folder and prints what is wrong there, nothing
# when all is well.  Each rule is applied to the project (holds) and to a
# tree with one planted fault (finds), so that a rule gone blind fails too.
# shellcheck shell=bash
set -u
export LC_ALL=C
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$top" || exit 1
tap_n=0
tap_failed=0

# result GOOD WHAT [DETAIL]
result() {
	tap_n=$((tap_n + 1))
	if [ "$1" = yes ]; then
		echo "ok $tap_n - $2"
		return
	fi
	tap_failed=1
	echo "not ok $tap_n - $2"
	[ -z "${3:-}" ] || printf '%s\n' "$3" | head -n 40 | sed 's/^/#   /'
}

# holds WHAT RULE [ARGUMENT...]
holds() {
	local what=$1 found
	shift
	found=$("$@" 2>&1)
	if [ -z "$found" ]; then
		result yes "$what"
	else
		result no "$what" "$found"
	fi
}

# finds WHAT FILE RULE [ARGUMENT...] <FAULT
finds() {
	local what="notices $1" file=$scratch/tree/$2 found
	shift 2
	rm -rf "$scratch/tree"
	mkdir -p "$(dirname "$file")"
	cat >"$file"
	found=$(cd "$scratch/tree" && "$@" 2>&1)
	if [ -n "$found" ]; then
		result yes "$what"
	else
		result no "$what" 'nothing was found'
	fi
}

# skip WHAT WHY
skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

# sources FOLDER...: the C files below those that are there
sources() {
	local folder
	for folder in "$@"; do
		[ -d "$folder" ] && find "$folder" -name '*.[ch]' -type f
	done | sort
}

# code FILE [strings]: its lines as "FILE:LINE:text", comments blanked, and
# strings too unless they are asked for
code() {
	code_of "${2:-}" "$1"
}

# code_of STRINGS FILE...
code_of() {
	local strings=$1
	shift
	awk -v strings="$strings" '
	FNR == 1 { comment = 0 }
	# Most lines have nothing that needs a closer look.
	comment && !/\*\// { print FILENAME ":" FNR ":"; next }
	!comment && !/["\047]|\/[*\/]/ { print FILENAME ":" FNR ":" $0; next }
	{
		out = ""
		n = length($0)
		for (i = 1; i <= n; i++) {
			c = substr($0, i, 1)
			two = substr($0, i, 2)
			if (comment) {
				if (two == "*/") { comment = 0; i++ }
			} else if (quote != "") {
				if (strings) out = out (c == "\\" ? two : c)
				if (c == "\\") i++
				else if (c == quote) {
					quote = ""
					if (!strings) out = out c
				}
			} else if (two == "/*") { comment = 1; i++; out = out " " }
			else if (two == "//") break
			else {
				if (c == "\"" || c == "\047") quote = c
				out = out c
			}
		}
		quote = ""
		print FILENAME ":" FNR ":" out
	}' "$@"
}

# each_source AWK-PROGRAM FOLDER...: one process reads them all
each_source() {
	local program=$1
	shift
	sources "$@" | xargs -r awk "$program"
}

# all_code FOLDER...
all_code() {
	local files
	mapfile -t files < <(sources "$@")
	[ ${#files[@]} -eq 0 ] || code_of '' "${files[@]}"
}

done_testing() {
	echo "1..$tap_n"
	exit $tap_failed
}
