#!/bin/bash
# packages-missing.t: a package that is missing and cannot be installed is told
# in one line, with exit status 1; when all is there nothing is said or done.
. tests/lib.sh

mkdir "$work/bin"
sed 's|jq:/usr/bin/jq|a-package:/nowhere/at/all|' deploy/packages.sh \
	>"$work/packages"
bash=$(command -v bash)

# as_user PATH: nobody in particular, who finds only these programs.
as_user() {
	printf '#!/bin/sh\necho 1000\n' >"$work/bin/id"
	chmod 0755 "$work/bin/id"
	said=$(env -i PATH="$1" "$bash" "$work/packages" build 2>&1 </dev/null)
	code=$?
}
as_user "$work/bin"
is "$code:$said" '1:packages: not a Debian system; install these yourself: a-package' \
	'another system'
printf '#!/bin/sh\necho installed\n' >"$work/bin/apt-get"
chmod 0755 "$work/bin/apt-get"
as_user "$work/bin"
is "$code:$said" '1:packages: root or sudo is needed to install: a-package' \
	'no right to install'
printf '#!/bin/sh\necho "no password" >&2; exit 1\n' >"$work/bin/sudo"
chmod 0755 "$work/bin/sudo"
as_user "$work/bin"
is "$code:$said" '1:no password' 'sudo that wants a password it cannot ask for'
is "$(deploy/packages.sh build 2>&1):$?" :0 'all is there'
like "$(deploy/packages.sh nonsense 2>&1)" '^packages: say "build"' 'called wrongly'
done_testing
