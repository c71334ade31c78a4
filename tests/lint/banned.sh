#!/bin/bash
# Calls that have no place, or only one place, in this code.
# shellcheck source=tests/lint/tap.bash
. "$(dirname "$0")/tap.bash"

CC=${CC:-cc}

# Files that do not see base/banned.h.  "SOURCE: HEADER HEADER ...", the
# backslashes taken away, is what the compiler says of each.
unbanned() {
	sources common functions deploy | grep '\.c$' |
	    xargs -r $CC -std=c17 -D_GNU_SOURCE -I. -I"$top" -MM -MG |
	    sed -e ':more' -e '/\\$/{N; s/\\\n//; b more' -e '}' |
	    awk '!/common\/base\/banned\.h/ {
		print $2 ": does not include common/base/base.h" }'
}

# Every banned name, called, must stop the compiler with its own word.
banned_compiles() {
	local names name args said
	names=$(sed -n 's/^#define \([a-z]*\)(.*BANNED(.*/\1/p' \
	    common/base/banned.h)
	[ -n "$names" ] || echo 'common/base/banned.h bans nothing'
	said=$({
		echo '#include "common/base/base.h"'
		for name in $names; do
			args=$(sed -n "s/^#define $name(\\(.*\\)) BANNED.*/\\1/p" \
			    common/base/banned.h |
			    sed 's/[a-z][a-z]*/0/g; s/\.\.\./0/')
			echo "void f_$name(void);"
			echo "void f_$name(void) { (void)$name($args); }"
		done
	} | $CC -std=c17 -D_GNU_SOURCE -I. -fsyntax-only -x c - 2>&1)
	for name in $names; do
		[[ $said == *"sorry_${name}_is_banned_here"* ]] ||
			echo "$name can be called"
	done
}

banned_names() {
	for name in strcpy strcat strncpy strncat sprintf vsprintf strtok atoi \
	    atol atoll gmtime localtime system popen tmpnam mktemp alloca; do
		grep -q "^#define $name(" common/base/banned.h 2>/dev/null ||
		    echo "$name is not banned"
	done
}

undefined() {
	sources common functions deploy tests | xargs -r grep -nE \
	    '^[ 	]*#[ 	]*undef[ 	]+(str|sprintf|vsprintf|ato|gmtime|localtime|system|popen|tmpnam|mktemp|alloca)' \
	    /dev/null | grep -v '^common/base/banned\.h:'
}

# Processes are made in few places; a shell in none.
forks() {
	all_code common functions deploy |
	    grep -E '\<(fork|vfork|_Fork|clone|clone3|daemon)[ 	]*\(' |
	    grep -vE '^common/(base/proc\.c|runner/[a-z]*\.c|http/prefork\.c):'
	all_code common functions deploy |
	    grep -E '\<(exec[lv][a-z]*|f?execve(at)?|posix_spawnp?)[ 	]*\(' |
	    grep -vE '^(common/(base/proc|runner/[a-z]*)|deploy/command/[a-z]*)\.c:'
	sources common functions deploy | xargs -r grep -nE \
	    '"(/bin/|/usr/bin/)?(ba|da)?sh"' /dev/null
}

# Libraries stay behind their adapters even by name.
libpq_calls() {
	all_code common functions deploy |
	    grep -E '\<PQ[a-z][A-Za-z]*' | grep -v '^common/link/db'
}

# Every descriptor is close-on-exec from its birth: these calls carry the
# flag themselves, or another one is there for the purpose.
leaking_descriptors() {
	all_code common functions deploy | awk '
		{
			split($0, part, ":")
			if (part[1] != file)
				finish()
			file = part[1]
			sub(/^[^:]*:[0-9]*:/, "")
			text = text $0 " "
			at[part[2]] = length(text)
		}
		function line(pos, i) {
			for (i = 1; at[i] < pos; i++)
				;
			return i
		}
		# The call that begins at pos, up to its closing parenthesis.
		function call(pos, i, depth, c) {
			for (i = pos; i <= length(text); i++) {
				c = substr(text, i, 1)
				if (c == "(") depth++
				if (c == ")" && --depth == 0) break
			}
			return substr(text, pos, i - pos + 1)
		}
		function look(name, flag, rest, pos, here, before) {
			pos = 1
			while (match(substr(text, pos), "[^A-Za-z0-9_]" name "[ \t]*\\(")) {
				here = pos + RSTART
				pos = here + RLENGTH - 1
				before = call(here)
				if (flag == "" || index(before, flag) == 0)
					print file ":" line(here) ": " before
			}
		}
		function finish() {
			look("open", "O_CLOEXEC"); look("openat", "O_CLOEXEC")
			look("mkostemp", "O_CLOEXEC"); look("pipe2", "O_CLOEXEC")
			look("dup3", "O_CLOEXEC")
			look("socket", "SOCK_CLOEXEC")
			look("socketpair", "SOCK_CLOEXEC")
			look("accept4", "SOCK_CLOEXEC")
			look("memfd_create", "MFD_CLOEXEC")
			look("eventfd", "EFD_CLOEXEC")
			look("signalfd", "SFD_CLOEXEC")
			look("timerfd_create", "TFD_CLOEXEC")
			look("epoll_create1", "EPOLL_CLOEXEC")
			look("inotify_init1", "IN_CLOEXEC")
			look("creat"); look("pipe"); look("accept"); look("dup")
			look("mkstemp"); look("epoll_create")
			look("inotify_init")
			while (match(text, /[^A-Za-z0-9_]F_DUPFD[^_]/)) {
				print file ": F_DUPFD"
				text = substr(text, RSTART + RLENGTH)
			}
			text = ""
		}
		END { finish() }'
	sources common functions deploy | xargs -r grep -nE \
	    '\<(fopen|freopen)\(.*"[rwa]b?\+?"' /dev/null
}

# JSON comes from json-c or from PostgreSQL, never from a format string.
printed_json() {
	sources common functions deploy | grep '\.c$' |
	    grep -v '^common/base/log\.c$' | xargs -r grep -nE \
	    '"[^"]*[{,] *\\"[A-Za-z_]+\\" *:[^"]*%[sdlzu]' /dev/null
}

# A secret is compared in the time that any other takes.
told_by_time() {
	code common/link/crypt.c strings | grep -E '\<(mem|str|strn|strcase|b)cmp[ 	]*\(' |
	    grep -v '"HS256"'
	grep -q 'sodium_memcmp' common/link/crypt.c ||
	    echo 'common/link/crypt.c compares nothing in constant time'
}

unfinished() {
	sources common functions deploy tests | xargs -r grep -nwE \
	    'TODO|FIXME|XXX|HACK|for now|stub' /dev/null
	[ ! -d schema ] || grep -rnwE 'TODO|FIXME|XXX|HACK|for now' schema
}

holds 'every source sees the banned calls' unbanned
holds 'what is banned cannot be called' banned_compiles
holds 'the list of banned calls is whole' banned_names
holds 'nobody lifts a ban' undefined
holds 'only proc, the runner and prefork make processes' forks
holds 'only link/db names libpq' libpq_calls
holds 'every descriptor is close-on-exec' leaking_descriptors
holds 'no JSON from format strings' printed_json
holds 'secrets are compared in constant time' told_by_time
holds 'nothing is left for later' unfinished

finds 'a source without base.h' common/queue/x.c unbanned <<<'int x;'
finds 'a ban that does nothing' common/base/banned.h banned_compiles \
    < <(sed 's/sorry_##name##_is_banned_here/0/' "$top/common/base/banned.h")
finds 'a ban that is missing' common/base/banned.h banned_names \
    < <(grep -v 'define strcpy' "$top/common/base/banned.h")
finds 'a ban lifted' common/site/x.c undefined <<<'# undef strcpy'
finds 'fork in a function' functions/x.c forks <<<'	pid = fork();'
finds 'exec in the site' common/site/x.c forks <<<'	execve(p, a, env);'
finds 'a shell' common/runner/x.c forks <<<'	argv[0] = "/bin/sh";'
finds 'libpq by name' functions/x.c libpq_calls <<<'	PQclear(r);'
finds 'open without O_CLOEXEC' common/site/x.c leaking_descriptors \
    <<<'	fd = open(path, O_RDONLY);'
finds 'openat on two lines' common/site/x.c leaking_descriptors \
    <<<$'\tfd = openat(dir, name(x),\n\t    O_RDONLY);'
finds 'pipe' common/site/x.c leaking_descriptors <<<'	if (pipe(fds) != 0)'
finds 'fopen without e' common/site/x.c leaking_descriptors \
    <<<'	f = fopen(path, "r");'
finds 'a duplicate without the flag' common/site/x.c leaking_descriptors \
    <<<'	fd = fcntl(fd, F_DUPFD, 3);'
finds 'printed JSON' functions/x.c printed_json \
    <<<'	buf_addf(b, "{\"id\": %d}", id);'
finds 'a secret compared byte by byte' common/link/crypt.c told_by_time \
    < <(sed 's/sodium_memcmp(presented/memcmp(presented/' \
	"$top/common/link/crypt.c")
finds 'a mark for later' common/site/x.c unfinished \
    < <(printf '/* TO%s: more */\n' DO)
done_testing
