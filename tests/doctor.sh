# shellcheck shell=bash disable=SC2034
# What the tests of `afterwork doctor` share:
#
#	doctor [NAME=value…] [-- OPTION…]   runs it in a good environment; sets
#	                                    $code, $out
#	finds LEVEL TOPIC PATTERN WHAT      one of its lines
#	well WHAT                           all is

doctor() {
	local vars=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	out=$(env RUNTIME_DIRECTORY="$STATE/runtime" RUNNER_SLOTS=1 TASKS_DIR= \
		MEDIA_STORE="file:$STATE/media" DATABASE_URL="$DATABASE_URL" \
		CRON_SECRET="$CRON_SECRET" "${vars[@]}" \
		"$B/afterwork" doctor "$@" 2>"$work/err")
	code=$?
}

finds() {
	local want=0
	case $1 in warn) want=1 ;; bad) want=2 ;; esac
	like "$(grep -E "^$1 +$2: " <<<"$out")" "$3" "$4" ||
		diag "$out $(cat "$work/err")"
	[ "$code" -ge "$want" ] || report 1 "the exit status says so: $4"
	[ "$1" = ok ] || unlike "$(grep -E "^$1 +$2: " <<<"$out" |
		grep -vE ' - .{4}')" . '  and what to do'
}

well() {
	doctor
	is "$code:$(grep -v '^ok ' <<<"$out")" 0: "$1"
}
