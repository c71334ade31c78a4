#!/bin/bash
# migrate.t: the database is brought forward file by file, each whole or not
# at all, once, whoever else is at it.
. tests/lib.sh
stack_shared

migrate() {
	DATABASE_URL=$url TASKS_DIR='' "$B/afterwork" migrate "$@" \
		>"$work/out" 2>&1
	code=$?
	out=$(cat "$work/out")
}

q() {
	direct=${direct/\/afterwork\?/\/$name?} sql "$1"
}

# An empty database of this test's own, beside the stack's.
fresh() {
	sql_as postgres "DROP DATABASE IF EXISTS $name WITH (FORCE)" >/dev/null
	sql_as postgres "CREATE DATABASE $name OWNER afterwork" || bail "$name"
}

name=migrate_$$
url=${DATABASE_URL/\/afterwork\?/\/$name?}
isnt "$url" "$DATABASE_URL" 'the test has a database of its own'
trap 'sql_as postgres "DROP DATABASE IF EXISTS $name WITH (FORCE)" >/dev/null
lib_end' EXIT
files=$(cd schema && printf '%s\n' queue/[0-9]*.sql queue/api/*.sql \
	site/[0-9]*.sql site/api/*.sql roles.sql site/roles.sql)
total=$(wc -l <<<"$files")

# --- forward, once ---
fresh
migrate --dry-run
is "$code" 0 'a dry run succeeds'
is "$(grep -c '^would be ' <<<"$out")" "$total" 'and names every file'
is "$(q "SELECT count(*) FROM pg_namespace
	WHERE nspname IN ('afterwork', 'site')")" 0 'and changes nothing'

is "$(DATABASE_URL=$url "$B/afterwork" user add a@example.com 2>&1 \
	</dev/null | grep -c '; run "afterwork migrate" first$')" 1 \
	'other commands say that it is to be run first'

migrate --no-tasks
is "$code" 0 'an empty database is brought to the schema'
is "$(cut -d ' ' -f 2 <<<"$out")" "$files" \
	'numbered files, functions and grants in this order'
is "$(q 'SELECT count(*) FROM afterwork.migration')" "$total" \
	'each has a record'
is "$(q "SELECT length(value) FROM site.secret WHERE name = 'token'")" 64 \
	'the key of login tokens is made'
secret=$(q "SELECT value FROM site.secret WHERE name = 'token'")
migrate --no-tasks
is "$code:$out" '0:up to date' 'the second time there is nothing to do'
is "$(q "SELECT value FROM site.secret WHERE name = 'token'")" "$secret" 'and the key stays'

# --- functions and grants follow the program ---
q "UPDATE afterwork.migration SET checksum = 'old'
	WHERE name = 'queue/api/read.sql'"
migrate --no-tasks --dry-run
is "$out" 'would be replaced: queue/api/read.sql' 'a dry run says what changed'
migrate --no-tasks
is "$out" 'replaced queue/api/read.sql' 'functions are replaced when changed'

# --- what cannot go forward is refused ---
q "UPDATE afterwork.migration SET checksum = 'old'
	WHERE name IN ('queue/0001_queue.sql', 'queue/api/read.sql')"
migrate --no-tasks
is "$code" 1 'an applied file that changed is refused'
like "$out" '^afterwork: queue/0001_queue\.sql was changed after it was applied' \
	'by its name, in one line'
is "$(q "SELECT count(*) FROM afterwork.migration WHERE checksum = 'old'")" 2 \
	'and nothing else is applied'

fresh
migrate --no-tasks
q "INSERT INTO afterwork.migration (name, checksum)
	VALUES ('queue/9999_later.sql', 'x')"
migrate --no-tasks
is "$code" 1 'a database of a newer version is refused'
like "$out" 'queue/9999_later\.sql, which this version does not know' \
	'and the file is named'

# --- the queue alone ---
fresh
migrate --no-tasks --queue-only
is "$code" 0 'the queue can be had alone'
is "$(q "SELECT string_agg(nspname, ' ') FROM pg_namespace
	WHERE nspname IN ('afterwork', 'site')")" afterwork 'without the site'
migrate --no-tasks
is "$(grep -vc site/ <<<"$out")" 0 'the site may come later'
migrate --no-tasks --queue-only
is "$out" 'up to date' 'and the queue is up to date all the while'

# --- logins, which are the cluster's ---
# settings: of one that has them from the stack's own database
settings() {
	q "SELECT s.xmin, s.setconfig FROM pg_db_role_setting s
		WHERE s.setrole = 'afterwork_status'::regrole"
}
set_before=$(settings)
like "$set_before" 'statement_timeout=9800' 'a login has its settings'
fresh
migrate --no-tasks
is "$code:$(settings)" "0:$set_before" 'and they are not set again'
sql_as postgres "ALTER ROLE afterwork_status SET statement_timeout = 1"
fresh
migrate --no-tasks
like "$(settings)" 'statement_timeout=9800' 'unless they are others by now'

# --- together ---
fresh
for i in 1 2 3 4 5 6; do
	DATABASE_URL=$url TASKS_DIR='' "$B/afterwork" migrate --no-tasks \
		>"$work/out.$i" 2>&1 &
	pids[i]=$!
done
codes=
for i in 1 2 3 4 5 6; do
	wait "${pids[i]}"
	codes+=$?
done
is "$codes" 000000 'six at once all succeed'
is "$(cat "$work"/out.? | grep -v '^up to date$' | cut -d ' ' -f 2 | sort)" \
	"$(sort <<<"$files")" 'and each file is applied once'

# --- a lock in the way ---
held() {
	[ "$(q "SELECT count(*) FROM pg_locks
		WHERE relation = 'afterwork.migration'::regclass
		AND mode = 'ShareLock' AND granted")" = 1 ]
}

waiting() {
	[ "$(q 'SELECT count(*) FROM pg_locks WHERE NOT granted
		AND database = (SELECT oid FROM pg_database
			WHERE datname = current_database())')" = 1 ]
}

hold() {
	psql -Xq "$url" -c 'BEGIN' -c 'LOCK afterwork.migration IN SHARE MODE' \
		-c "SELECT pg_sleep($1)" >/dev/null 2>&1 </dev/null &
	holder=$!
	await 10 held || bail 'the lock is not taken'
}

q "UPDATE afterwork.migration SET checksum = 'old'
	WHERE name = 'queue/api/read.sql'"
hold 7
migrate --no-tasks
is "$code:$out" '0:replaced queue/api/read.sql' \
	'a lock held longer than it waits at a time is tried again'
wait "$holder"

# --- cut off in the middle ---
fresh
q 'CREATE SCHEMA afterwork' && q 'CREATE TABLE afterwork.migration (
	name text PRIMARY KEY, checksum text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now())'
hold 60
DATABASE_URL=$url TASKS_DIR='' "$B/afterwork" migrate >/dev/null 2>&1 &
victim=$!
await 10 waiting || bail 'the migration does not wait'
kill -9 "$victim"
wait "$victim" 2>/dev/null
kill "$holder"
wait "$holder" 2>/dev/null
q "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
	WHERE datname = current_database() AND pid <> pg_backend_pid()" \
	>/dev/null
is "$(q "SELECT to_regclass('afterwork.job') IS NULL")" t \
	'of a file that was cut off nothing stays'
is "$(q 'SELECT count(*) FROM afterwork.migration')" 0 'nor a record'
migrate --no-tasks
is "$code:$(wc -l <<<"$out")" "0:$total" 'and it can be run again'
done_testing
