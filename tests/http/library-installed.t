#!/bin/bash
# library-installed.t: what `make install` puts there works from there: the
# command, the runner, and the README's program with libafterwork, in C and in
# C++; and `make uninstall` takes all of it away.
. tests/lib.sh
[ -z "${SAN-}" ] || skip_all "nobody's program is linked with a library that has a sanitizer"

make_() {
	env -u MAKEFLAGS -u MFLAGS make --no-print-directory "B=$B" "$@" \
		>"$work/make" 2>&1 || bail "make: $(tail -n 3 "$work/make")"
}
prefix=$work/usr
make_ install-files "PREFIX=$prefix"
make_ install-files PREFIX=/opt/aw "DESTDIR=$work/root"
is "$(cd "$work/root/opt/aw" && find . | sort)" \
	"$(cd "$prefix" && find . | sort)" 'DESTDIR is put before PREFIX'
is "$(grep -rlF "$work/root" "$work/root/opt/aw/lib/pkgconfig")" '' 'and named nowhere'
is "$(sed -n 's/^prefix=//p' "$work/root/opt/aw/lib/pkgconfig/afterwork.pc")" /opt/aw \
	'as PREFIX is'
for file in bin/afterwork include/afterwork.h lib/libafterwork.a lib/libafterwork.so \
	lib/libafterwork.so.1 lib/afterwork/functions/{run,upload,status,jobs,media,pages,users} \
	lib/afterwork/tasks/syncMediaToGalleries/task.json share/afterwork/vercel.json \
	share/afterwork/admin/index.html share/afterwork/nginx/afterwork.conf \
	share/doc/afterwork/README.md; do
	ok "there is $file" [ -r "$prefix/$file" ]
done
is "$(find "$prefix" -name '*.c' -o -name '*.o' -o -name '*.in')" '' 'and no source'

# --- the library as others see it ---
cc=${CC:-cc}
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
is "$(pkg-config --modversion afterwork)" 1.0.0 'pkg-config knows it'
is "$(nm -D --defined-only "$prefix/lib/libafterwork.so" | awk '{ print $3 }' | grep -v '^afterwork_')" \
	'' 'the shared one shows its own names only'
is "$(nm -g --defined-only "$prefix/lib/libafterwork.a" 2>/dev/null | awk 'NF == 3 { print $3 }' |
	grep -v '^afterwork_')" '' 'and so does the static one'
is "$(objdump -p "$prefix/lib/libafterwork.so" | awk '/SONAME/ { print $2 }')" \
	libafterwork.so.1 'its soname'
is "$(objdump -p "$prefix/lib/libafterwork.so" | awk '/NEEDED/ { print $2 }' | sort | xargs)" \
	'libc.so.6 libpq.so.5' 'it needs libpq, and nothing else of ours'
is "$(sed -n 's/^AFTERWORK_API.*[ *]\(afterwork_[a-z_]*\)(.*/\1/p' "$prefix/include/afterwork.h" | sort)" \
	"$(nm -D --defined-only "$prefix/lib/libafterwork.so" | awk '{ print $3 }' | sort)" \
	'the header declares what there is'
for lang in 'c -std=c99' 'c -std=c17' 'c++ -std=c++11' 'c++ -std=c++17'; do
	# shellcheck disable=SC2086
	ok "the header alone: $lang" quiet clang -x $lang -Wall -Wextra -Wpedantic \
		-Werror -fsyntax-only "$prefix/include/afterwork.h" -Wno-pragma-once-outside-header
done

# --- the README's program, built as the README says ---
section() {
	awk -v want="\`\`\`$1" '
	/^##+ / { here = $0 == "### From C" }
	!here { next }
	inside && /^```/ { exit }
	inside
	$0 == want { inside = 1 }' README.md
}
section c >"$work/sale.c"
ok 'the README has a program' [ -s "$work/sale.c" ]
mkdir -p "$work/tasks/greet"
echo '{ "slug": "greet", "handler": "./handler", "inputSchema":
	[ { "name": "name", "type": "text", "required": true } ] }' >"$work/tasks/greet/task.json"
printf '#!/bin/sh\nexec cat\n' >"$work/tasks/greet/handler"
chmod 0755 "$work/tasks/greet/handler"
stack_start "TASKS_DIR=tests/tasks:$work/tasks" RUNNER_LINGER=200ms
sql 'CREATE SCHEMA shop; CREATE TABLE shop.sale (name text)'
section sh | sed "s|^cc |$cc |" >"$work/build.sh"
(cd "$work" && sh -e build.sh) >"$work/out" 2>&1
ok 'it builds as it says' [ -x "$work/sale" ] || bail "$(cat "$work/build.sh" "$work/out")"
# shellcheck disable=SC2046
ok 'and with the static library' "$cc" -o "$work/sale-static" "$work/sale.c" \
	$(pkg-config --cflags afterwork libpq) "$prefix/lib/libafterwork.a" -lpq
unset CRON_SECRET
export DATABASE_URL LD_LIBRARY_PATH=$prefix/lib RUNTIME_DIRECTORY=$STATE/runtime
unset FUNCTIONS_DIR
await 10 '[ -z "$(runner_pids)" ]' || bail 'a runner stays'
id=$(cd / && "$work/sale" 2>"$work/err")
like "$id" '^[0-9]+$' 'it says which job'
sql_is 'SELECT count(*) FROM shop.sale' 1 'the sale is there'
ok 'the job is run at once, by the installed runner' \
	await 10 "[ \"\$(sql 'SELECT state FROM afterwork.jobs WHERE id = $id')\" = done ]"
sql 'UPDATE afterwork.task SET retired_at = now() WHERE slug = '"'greet'"
(cd / && "$work/sale") >"$work/out" 2>"$work/err"
is "$?" 1 'a job that is refused'
is "$(cat "$work/err")" 'task: The task "greet" is not registered.' 'with its reason'
sql_is 'SELECT count(*) FROM shop.sale' 1 'takes the sale along'
sql 'UPDATE afterwork.task SET retired_at = NULL'
id=$(cd / && env -u LD_LIBRARY_PATH "$work/sale-static" 2>"$work/err")
like "$id" '^[0-9]+$' 'the static one works by itself'

# --- the command, from another place ---
cd / || exit 1
like "$("$prefix/bin/afterwork" --help)" 'usage: afterwork COMMAND' 'the command runs from elsewhere'
is "$(env -u TASKS_DIR "$prefix/bin/afterwork" migrate --dry-run 2>&1)" 'up to date' \
	'with the schema in it'
sql 'DELETE FROM afterwork.task WHERE slug = '"'syncMediaToGalleries'"
like "$(env -u TASKS_DIR "$prefix/bin/afterwork" tasks sync 2>&1)" 'syncMediaToGalleries' \
	'it finds the built-in tasks'
like "$(SERVER_URL=http://h CRON_SECRET_FILE=/x "$prefix/bin/afterwork" cron --print crontab 2>&1)" \
	"$prefix/share/afterwork/vercel.json" 'and vercel.json'
out=$(REQUEST_METHOD=GET REQUEST_URI=/healthz SCRIPT_NAME=/healthz \
	"$prefix/lib/afterwork/functions/status" </dev/null 2>"$work/err")
like "$out" '"status":"ok"' 'a function answers as plain CGI'
cd "$OLDPWD" || exit 1
make_ uninstall "PREFIX=$prefix"
is "$(find "$prefix" ! -type d)" '' 'uninstall leaves no file'
done_testing
