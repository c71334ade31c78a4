#!/bin/bash
# Each header compiles alone and twice, and its guard is named after its path.
# shellcheck source=tests/lint/tap.bash
. "$(dirname "$0")/tap.bash"

CC=${CC:-cc}
flags="-std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -I. -I$top"
# shellcheck disable=SC2046
flags="$flags $(pkg-config --cflags libpq 2>/dev/null)"

# alone FOLDER...
alone() {
	local file
	sources "$@" | grep '\.h$' | while read -r file; do
		# shellcheck disable=SC2086
		printf '#include "%s"\n#include "%s"\ntypedef int a_file;\n' \
		    "$file" "$file" |
		    $CC $flags -fsyntax-only -x c - 2>&1 | head -n 5
	done
}

# common/base/err.h: AFTERWORK_BASE_ERR_H
guards() {
	sources common | grep '\.h$' | xargs -r awk '
	function finish() {
		if (file != "" && !(asked && defined))
			print file ": its guard is not " want
	}
	FNR == 1 {
		finish()
		file = want = FILENAME
		sub(/^common\//, "afterwork/", want)
		gsub(/[\/.]/, "_", want)
		want = toupper(want)
		asked = defined = 0
	}
	$0 == "#ifndef " want { asked = 1 }
	$0 == "#define " want { defined = 1 }
	END { finish() }'
}

for folder in common/*/ functions deploy tests; do
	[ -z "$(sources "$folder" | grep '\.h$')" ] ||
	    holds "the headers of ${folder%/} compile alone" alone "$folder"
done
holds 'guards are named after their paths' guards

finds 'a header that needs another' common/base/x.h alone common <<EOF2
#ifndef AFTERWORK_BASE_X_H
#define AFTERWORK_BASE_X_H
size_t x(void);
#endif
EOF2
finds 'a header without a guard' common/base/x.h alone common \
    <<<'struct x { int y; };'
finds 'the guard of another' common/base/x.h guards <<<'#ifndef X_H'
done_testing
