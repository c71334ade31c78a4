#!/bin/bash
# fuzz.t: each fuzzer for a few seconds (FUZZ_SECONDS=5) on what is kept for it,
# and nothing that it holds fails.  `make fuzz` runs them for longer.
. tests/lib.sh
seconds=${FUZZ_SECONDS:-5}
clang=${FUZZ_CC:-clang}
# The least fuzzer: is there a compiler, and its libraries?
probe='int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n);
int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n)
{ return p && n > 9 ? 0 : 0; }'
"$clang" -x c -fsanitize=fuzzer,address,undefined -o "$work/probe" - \
	<<<"$probe" >"$work/out" 2>&1 || {
	[ -z "${CI-}" ] || bail "no fuzzer can be built: $(tail -n 1 "$work/out")"
	skip_all 'clang and its fuzzing library are not installed'
}
ok 'the fuzzers are built' quiet env -u MAKEFLAGS -u MAKELEVEL \
	make --no-print-directory -j2 B="$B" FUZZ_CC="$clang" fuzzers

for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	name=${name#fuzz_}
	kept=tests/fuzz/corpus/$name
	# Small enough to be kept, and read in no time.
	ok "$name: something is kept for it" [ -n "$(ls "$kept")" ]
	is "$(find "$kept" -type f -size +2047c | wc -l)" 0 "$name: nothing large"
	ok "$name: and not much" [ "$(find "$kept" -type f | wc -l)" -le 60 \
		-a "$(cat "$kept"/* | wc -c)" -le 40960 ]
	dict=()
	[ ! -e "tests/fuzz/$name.dict" ] || dict=(-dict="tests/fuzz/$name.dict")
	mkdir "$work/$name"
	ok "$name: $seconds seconds" quiet "$B/fuzz/fuzz_$name" \
		-max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-verbosity=0 -artifact_prefix="$B/fuzz/fuzz_$name-" \
		"${dict[@]}" "$work/$name" "$kept"
done
done_testing
