#!/bin/bash
# The layers of common/: who may include whom, which library belongs to which
# adapter, and who may read the environment.
# shellcheck source=tests/lint/tap.bash
. "$(dirname "$0")/tap.bash"

# Project includes as "FILE INCLUDED", as written.
includes() {
	each_source '
	/^[ \t]*#[ \t]*include[ \t]*"[^"]*"/ {
		split($0, part, "\"")
		print FILENAME, part[2]
	}' common functions deploy
}

# A layer uses itself and those of a lower rank; of two with the same rank
# neither uses the other.
wrong_direction() {
	includes | awk '
	function layer(path, part) {
		split(path, part, "/")
		return part[1] == "common" ? part[2] : part[1]
	}
	BEGIN {
		n = split("base:0 parse:1 link:2 queue:3 runner:4 site:4 lib:5 http:5 " \
		    "functions:6 deploy:6", list, " ")
		for (i = 1; i <= n; i++) {
			split(list[i], pair, ":")
			rank[pair[1]] = pair[2]
		}
	}
	{
		from = layer($1)
		to = layer($2)
		if (!(from in rank))
			print $1 ": is in no layer that is known here"
		else if (!(to in rank))
			print $1 ": includes " $2 ", which is in no layer"
		else if (from != to && rank[to] >= rank[from])
			print $1 ": " from " includes " $2
	}'
}

# What does no input or output: the only parts of base that parse may use.
impure_parse() {
	includes | awk '
	$1 ~ /^common\/parse\// && $2 ~ /^common\/base\// &&
	    $2 !~ /\/(base|buf|err|num)\.h$/ { print $1 ": includes " $2 }'
	all_code common/parse |
	    grep -E ':[ \t]*#[ \t]*include[ \t]*<(unistd|fcntl|sys/|poll|signal|netdb)'
}

# Headers that include each other, by whatever way round.
header_cycles() {
	includes | awk '$1 ~ /\.h$/ && $2 ~ /\.h$/ && $1 != $2' |
	    tsort 2>&1 >/dev/null | sed 's/^tsort: //'
}

planted_cycle() {
	echo '#include "common/base/x.h"' >common/base/y.h
	header_cycles
}

# library ADAPTER: "libpq-fe.h common/link/db" says that only files whose
# path begins with the second may include the first.
adapters='
libpq-fe.h    common/link/db
libpq/        common/link/db
json-c/       common/link/js
sodium        common/link/crypt
fcgiapp.h     common/link/fcgi
fcgi_         common/link/fcgi
curl/         common/link/net
magic.h       common/link/magic
'

foreign_library() {
	each_source '
	/^[ \t]*#[ \t]*include[ \t]*<[^>]*>/ {
		split($0, part, /[<>]/)
		print FILENAME, part[2]
	}' common functions deploy | awk -v adapters="$adapters" '
	BEGIN {
		n = split(adapters, word, /[ \n]+/)
		for (i = 2; i < n; i += 2)
			owner[word[i]] = word[i + 1]
	}
	{
		for (header in owner)
			if (index($2, header) == 1 && index($1, owner[header]) != 1)
				print $1 ": includes <" $2 ">"
	}'
}

environment_read() {
	all_code common functions deploy |
	    grep -E '\<(secure_)?getenv[ \t]*\(' |
	    grep -v '^common/link/conf\.c:'
}

holds 'each layer includes only those before it' wrong_direction
holds 'parse is pure' impure_parse
holds 'no headers include each other' header_cycles
holds 'each library has one adapter' foreign_library
holds 'only link/conf reads the environment' environment_read

finds 'base that includes link' common/base/x.c wrong_direction \
    <<<'#include "common/link/db.h"'
finds 'queue that includes site' common/queue/x.h wrong_direction \
    <<<'#include "common/site/page.h"'
finds 'site that includes runner' common/site/x.c wrong_direction \
    <<<'#include "common/runner/after.h"'
finds 'runner that includes site' common/runner/x.c wrong_direction \
    <<<'# include "common/site/page.h"'
finds 'common that includes functions' common/http/x.c wrong_direction \
    <<<'#include "functions/tasks/tasks.h"'
finds 'a folder that is no layer' common/util/x.c wrong_direction \
    <<<'#include "common/base/err.h"'
finds 'an include without its layer' common/http/x.c wrong_direction \
    <<<'#include "req.h"'
finds 'parse that opens files' common/parse/x.c impure_parse \
    <<<'#include "common/base/path.h"'
finds 'parse with system calls' common/parse/x.c impure_parse \
    <<<'#include <unistd.h>'
finds 'headers that include each other' common/base/x.h planted_cycle \
    <<<'#include "common/base/y.h"'
finds 'libpq in a function' functions/x.c foreign_library \
    <<<'#include <libpq-fe.h>'
finds 'libcurl in the runner' common/runner/x.c foreign_library \
    <<<'#include <curl/curl.h>'
finds 'json-c outside its adapter' common/http/x.c foreign_library \
    <<<'#include <json-c/json.h>'
finds 'getenv in a function' functions/x.c environment_read \
    <<<'	p = getenv("HOME");'
finds 'secure_getenv in base' common/base/x.c environment_read \
    <<<'	p = secure_getenv ("HOME");'
done_testing
