#!/bin/bash
# The measurable part of the style: lengths, widths, spaces and clang-format.
# shellcheck source=tests/lint/tap.bash
. "$(dirname "$0")/tap.bash"

all_sources() {
	sources common functions deploy tests
}

# Lines between a "{" and a "}" in the first column.
long_functions() {
	all_sources | xargs -r awk '
	FNR == 1 { from = 0 }
	/^{/ { from = FNR }
	/^}/ && from {
		if (FNR - from - 1 > 80)
			print FILENAME ":" from ": " FNR - from - 1 " lines"
		from = 0
	}'
}

long_files() {
	all_sources | xargs -r awk 'FNR == 701 { print FILENAME }'
}

# Columns: a tab goes to the next multiple of 8; the bytes behind the first of
# a UTF-8 character take none.
wide_lines() {
	all_sources | xargs -r awk '
	function width(line, n, at) {
		gsub(/[\200-\277]/, "", line)
		while ((at = index(line, "\t")) > 0) {
			n += at - 1
			n += 8 - n % 8
			line = substr(line, at + 1)
		}
		return n + length(line)
	}
	length($0) > 20 && width($0) > 80 {
		print FILENAME ":" FNR ": " width($0) " columns"
	}'
}

spaces() {
	all_sources | xargs -r awk '
	/[ \t]$/ { print FILENAME ":" FNR ": space at the end" }
	/\r/ { print FILENAME ":" FNR ": carriage return" }
	/^        / { print FILENAME ":" FNR ": eight spaces for a tab" }'
	all_sources | while read -r file; do
		[ -z "$(tail -c 1 "$file")" ] || echo "$file: no last line feed"
	done
}

unformatted() {
	all_sources | xargs -r clang-format -style=file --dry-run 2>&1 |
	    sed -n 's/^\([^ :]*\):[0-9]*:[0-9]*: warning: .*/\1/p' | sort -u
}

# fault LINES: a function of so many
fault() {
	printf 'void\nf(void)\n{\n'
	for ((i = 0; i < $1; i++)); do
		printf '\tx();\n'
	done
	printf '}\n'
}

holds 'no function has more than 80 lines' long_functions
holds 'no file has more than 700 lines' long_files
holds 'no line is wider than 80 columns' wide_lines
holds 'tabs indent, and nothing hangs over' spaces
# Versions differ in what they make of one and the same file.
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
	cp .clang-format "$scratch/"
	holds 'clang-format has nothing to change' unformatted
	finds 'a file that is not formatted' common/base/x.c unformatted \
	    <<<'int   x ;'
else
	skip 'clang-format has nothing to change' 'needs clang-format 14'
fi

finds 'a function of 81 lines' common/base/x.c long_functions < <(fault 81)
finds 'a file of 701 lines' common/base/x.c long_files \
    < <(yes '/* */' | head -n 701)
finds 'a line of 81 columns' common/base/x.c wide_lines \
    < <(printf '\t%073d\n' 0)
finds 'a space at the end' common/base/x.c spaces <<<'int x; '
finds 'a line indented with spaces' common/base/x.c spaces \
    <<<'        int x;'
finds 'a last line without its end' common/base/x.c spaces \
    < <(printf 'int x;')
done_testing
