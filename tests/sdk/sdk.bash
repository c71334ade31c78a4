# shellcheck shell=bash disable=SC2154
# Tests in JavaScript: npm's @payloadcms/sdk, as it is, drives the site.  Part
# of the .t files beside it:
#
#	sdk_test find      runs find.mjs, which prints the TAP
#
# It finds in its environment what "make start" writes for a person's scripts,
# and the account of an editor (EDITOR_…).
. tests/lib.sh
. tests/npm.bash
. tests/people.sh
case $B in /*) sdk=$B/sdk ;; *) sdk=$PWD/$B/sdk ;; esac

# Left out where there is no network; not where the project is judged.
sdk_test() {
	local why
	if ! npm_install tests/sdk "$sdk"; then
		why="no @payloadcms/sdk: $(npm_why)"
		[ -n "${CI-}" ] && bail "$why"
		skip_all "$why"
	fi
	stack_shared
	person editor
	set -a
	. "$STATE/env"
	EDITOR_EMAIL=$email EDITOR_PASSWORD=$password EDITOR_KEY=$key
	set +a
	node "$sdk/$1.mjs" </dev/null
}
