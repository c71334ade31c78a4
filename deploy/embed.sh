#!/bin/sh
# The SQL files named on the command line as C source on standard output: what
# deploy/command/schema.h declares.  Names are the paths below schema/.
set -eu
export LC_ALL=C

printf '#include "deploy/command/schema.h"\n'
i=0
for f; do
	printf '\nstatic const char file_%d[] = {\n' "$i"
	od -An -v -tx1 "$f" | sed "s/ \\(..\\)/ '\\\\x\\1',/g"
	printf '0 };\n'
	i=$((i + 1))
done
printf '\nconst struct schema_file schema_files[] = {\n'
i=0
for f; do
	printf '\t{ "%s", file_%d, sizeof(file_%d) - 1 },\n' \
	    "${f#schema/}" "$i" "$i"
	i=$((i + 1))
done
printf '};\nconst size_t schema_nfiles = %d;\n' "$i"
