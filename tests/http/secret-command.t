#!/bin/bash
# secret-command.t: secrets are made long enough, and checked as the functions
# read them, without being shown.
. tests/lib.sh

check() {
	env -u CRON_SECRET -u CRON_SECRET_PREVIOUS -u CRON_SECRET_FILE "$@" \
		"$B/afterwork" secret check >"$work/out" 2>"$work/err"
	code=$?
	out=$(cat "$work/out")
}

one=$("$B/afterwork" secret new)
two=$("$B/afterwork" secret new)
like "$one" '^[0-9a-f]{64}$' 'a secret of 64 digits'
isnt "$one" "$two" 'each is another'

check
is "$code:${out%%$'\n'*}" '1:CRON_SECRET is not set' 'none is told'
like "$out" 'every call without a user is answered 401' 'and what follows'
check CRON_SECRET="$one"
is "$code:$out" '0:CRON_SECRET is good' 'a good one'
unlike "$out" "$one" 'is not shown'
check CRON_SECRET="$one" CRON_SECRET_PREVIOUS="$two"
is "$code" 0 'two while rotating'
check CRON_SECRET="$one" CRON_SECRET_PREVIOUS="$one"
is "$code" 1 'the same twice rotates nothing'
check CRON_SECRET="${one:0:31}"
is "$code:$out" '1:CRON_SECRET is shorter than 32 characters, so it counts as none' \
	'31 characters are too few'
check CRON_SECRET="${one:0:32}"
is "$code" 0 '32 are enough'
check CRON_SECRET="$one $two"
is "$code" 1 'what no header can carry is refused'
check CRON_SECRET="$one" CRON_SECRET_PREVIOUS=short
is "$code" 1 'a short previous one is told'
check CRON_SECRET="$(printf '%513s' '' | tr ' ' a)"
is "$code" 1 'one that is too long to be looked at'

printf '%s\n' "$one" >"$work/secret"
check CRON_SECRET_FILE="$work/secret"
is "$code:$out" '0:CRON_SECRET is good' 'from a file, without its newline'
check CRON_SECRET_FILE="$work/none" CRON_SECRET="$one"
is "$code" 1 'a file that is not there is not made up for'
mkdir "$work/credentials"
cp "$work/secret" "$work/credentials/cron_secret"
check CREDENTIALS_DIRECTORY="$work/credentials"
is "$code" 0 'from a systemd credential'
done_testing
