# shellcheck shell=bash disable=SC2154
# Programs of npm's that tests and the table of figures use: pinned by a
# package-lock.json, installed into the build folder, once.  Needs tests/lib.sh.
#
#	npm_install tests/sdk "$B/sdk"     what that folder's lock names, beside
#	                                   the folder's own files
#	npm_why                            why it failed, in one line

# No script of a package runs.  Nothing is fetched when the lock is the one of
# the last time.
npm_install() {
	local from=$1 to=$2
	mkdir -p "$to" && cp -R "$from/." "$to/" || return
	cmp -s "$from/package-lock.json" "$to/node_modules/.afterwork" &&
		return
	(npm_fetch "$to") >"$work/npm" 2>&1 &&
		cp "$from/package-lock.json" "$to/node_modules/.afterwork"
}

npm_fetch() {
	cd "$1" && timeout 300 npm ci --ignore-scripts --no-audit --no-fund \
		</dev/null
}

npm_why() {
	grep -m 1 -iE 'err(or|!)|npm: ' "$work/npm" || tail -n 1 "$work/npm"
}
