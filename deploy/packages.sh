#!/bin/bash
# Installs the Debian packages that are missing, and says which.
#
#   deploy/packages.sh build    what building and the private stack need
#   deploy/packages.sh pooled   that, and the pooler of a stack with POOLED=1
#   deploy/packages.sh test     all that, and what the tests need: npm, too,
#                               for the client that they drive the site with
#   deploy/packages.sh bench    the first, and npm, by which `make bench` gets
#                               the queues that it measures beside ours
#
# Nothing is started, enabled or created on the system: a PostgreSQL cluster or
# an nginx that was not running before is not running afterwards.  When all is
# there this looks at a few files and leaves.
set -u
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

# package:file that it brings.  A file that is there is good enough, whoever
# put it there.
build_set=(
	gcc:/usr/bin/gcc make:/usr/bin/make libc6-dev:/usr/include/stdio.h
	pkg-config:/usr/bin/pkg-config
	libfcgi-dev:/usr/include/fcgiapp.h
	libpq-dev:/usr/include/postgresql/libpq-fe.h
	libjson-c-dev:/usr/include/json-c/json.h
	libsodium-dev:/usr/include/sodium.h
	libcurl4-openssl-dev:/usr/include/*/curl/curl.h
	libmagic-dev:/usr/include/magic.h
	postgresql-15:/usr/lib/postgresql/15/bin/initdb
	nginx:/usr/sbin/nginx
	spawn-fcgi:/usr/bin/spawn-fcgi multiwatch:/usr/bin/multiwatch
	curl:/usr/bin/curl jq:/usr/bin/jq
	libvips-tools:/usr/bin/vipsthumbnail
)
pooled_set=(pgbouncer:/usr/sbin/pgbouncer)
test_set=(
	libfcgi-bin:/usr/bin/cgi-fcgi fcgiwrap:/usr/sbin/fcgiwrap
	strace:/usr/bin/strace perl:/usr/bin/prove procps:/usr/bin/pgrep
	chromium:/usr/bin/chromium chromium-driver:/usr/bin/chromedriver
	clang:/usr/bin/clang
	libclang-rt-14-dev:/usr/lib/llvm-14/lib/clang/*/lib/linux
	clang-format:/usr/bin/clang-format
	shellcheck:/usr/bin/shellcheck
	openssl:/usr/bin/openssl python3:/usr/bin/python3
	npm:/usr/bin/npm
)
# The mail server that tests talk to.  A host has one: it is not to take the
# place of another that is there (then the test of mail is left out).
[ -e /usr/sbin/sendmail ] || test_set+=(exim4-daemon-light:/usr/sbin/exim4)
bench_set=(npm:/usr/bin/npm)

die() {
	echo "packages: $*" >&2
	exit 1
}

# The packages of the set whose file is not there, in $missing.
look() {
	local item
	missing=()
	for item; do
		compgen -G "${item#*:}" >/dev/null || missing+=("${item%%:*}")
	done
}

case ${1-} in
build) want=("${build_set[@]}") ;;
pooled) want=("${build_set[@]}" "${pooled_set[@]}") ;;
test) want=("${build_set[@]}" "${pooled_set[@]}" "${test_set[@]}") ;;
bench) want=("${build_set[@]}" "${bench_set[@]}") ;;
*) die 'say "build", "pooled", "test" or "bench"' ;;
esac

look "${want[@]}"
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null ||
	die "not a Debian system; install these yourself: ${missing[*]}"
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		die "root or sudo is needed to install: ${missing[*]}"
	ask=-n
	[ -t 0 ] && ask=
	# shellcheck disable=SC2086
	exec sudo $ask -- "$0" "$1"
fi

echo "packages: installing ${missing[*]}"

work=$(mktemp -d) || die 'no temporary folder can be made'
policy=/usr/sbin/policy-rc.d
createcluster=/etc/postgresql-common/createcluster.conf
# Services that a package would have enabled for the next boot.
services=()
for item in nginx fcgiwrap pgbouncer exim4-daemon-light; do
	[[ " ${missing[*]} " == *" $item "* ]] && services+=("${item%-daemon*}")
done

restore() {
	[ -e "$work/policy" ] && rm -f "$policy"
	if [ -e "$work/createcluster.conf" ]; then
		cat "$work/createcluster.conf" >"$createcluster"
	fi
	rm -rf "$work"
}
trap restore EXIT
trap 'exit 1' INT TERM HUP

apt() {
	apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" \
		>"$work/apt" 2>&1 </dev/null
}

install() {
	apt install --no-install-recommends --no-remove "$@" && return
	die "could not install $*: $(grep '^E:' "$work/apt" | head -1)"
}

# A list of packages that cannot be refreshed may still be good enough.
apt update || echo "packages: apt-get update failed, trying all the same"

if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy" || die "cannot write $policy"
	chmod 0755 "$policy"
	touch "$work/policy"
fi

# postgresql-15 would make and start a cluster of its own.  The setting that
# forbids it belongs to postgresql-common, so that comes first.
if [[ " ${missing[*]} " == *' postgresql-15 '* ]]; then
	[ -e "$createcluster" ] || install postgresql-common
	cp "$createcluster" "$work/createcluster.conf" ||
		die "cannot copy $createcluster"
	echo 'create_main_cluster = false' >>"$createcluster"
fi

install "${missing[@]}"

for item in "${services[@]}"; do
	for unit in /lib/systemd/system/"$item".{service,socket}; do
		[ -e "$unit" ] && DPKG_MAINTSCRIPT_PACKAGE=$item \
			deb-systemd-helper disable "${unit##*/}"
	done
	update-rc.d "$item" disable
done >/dev/null 2>&1
[ ${#services[@]} -eq 0 ] ||
	echo "packages: left off at boot: ${services[*]}"

look "${want[@]}"
[ ${#missing[@]} -eq 0 ] || die "still missing: ${missing[*]}"
