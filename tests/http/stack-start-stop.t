#!/bin/bash
# stack-start-stop.t: the private stack starts, keeps its data over a restart,
# and stop ends exactly what start started.
. tests/lib.sh
stack_start PINGER=on

home=$(readlink -f "$STATE")
processes() {
	processes_in "$home"
}

is "$(stat -c %a "$STATE/env")" 600 'the login is for its owner only'
for name in SERVER_URL ADMIN_EMAIL ADMIN_PASSWORD API_KEY CRON_SECRET \
	DATABASE_URL; do
	isnt "$(. "$STATE/env" && echo "${!name}")" '' "env holds $name"
done
ok 'the command works with what env holds' quiet env -i PATH="$PATH" \
	bash -c '. "$1" && "$2" migrate' - "$STATE/env" "$B/afterwork"

get /healthz
status_is 200 'it is healthy'
deploy/stack status >"$work/out"
is $? 0 'status: all runs'
is "$(grep -c running "$work/out")" $((10 + ${DATABASE_POOLED:-0})) \
	'ten parts, and a pooler where one is wanted'

if [ "$(id -u)" -eq 0 ]; then
	is "$(for p in $(processes); do stat -c %U "/proc/$p"; done 2>/dev/null |
		grep -c root)" 0 'no server runs as root'
fi
port=${SERVER_URL##*:}
ports() {
	awk '$4 == "0A" { print $2 }' /proc/net/tcp /proc/net/tcp6
}
is "$(ports | grep -c "^0100007F:$(printf %04X "$port")$")" 1 \
	'nginx listens on loopback'
is "$(ports | grep -c "^00000000:$(printf %04X "$port")$")" 0 \
	'and on nothing else'

before=$(cat "$home"/pids/*)
said=$(deploy/stack start)
is $? 0 'a second start succeeds'
is "$said" "stack: running already, $SERVER_URL" 'and says why'
is "$(cat "$home"/pids/*)" "$before" 'and starts nothing'

sql 'CREATE TABLE public.kept AS SELECT 42 AS n'
sleep 300 &
bystander=$!
ok 'it stops' quiet deploy/stack stop
is "$(processes)" '' 'nothing of it is left'
ok 'a bystander is' kill -0 "$bystander"
kill "$bystander"
deploy/stack status >"$work/out" 2>&1
is $? 3 'status: nothing runs'
ok 'stop again is fine' quiet deploy/stack stop

key=$API_KEY secret=$CRON_SECRET
ok 'it starts again' quiet deploy/stack start
stack_use
sql_is 'SELECT n FROM public.kept' 42 'with its data'
is "$API_KEY $CRON_SECRET" "$key $secret" 'with its keys'
get /api/users/me
body_is .user.email admin@example.com 'which still work'

# A number that now belongs to another process is not ours to end.
pid=$(cut -d' ' -f1 "$STATE/pids/pinger")
kill "$pid"
await 5 '! kill -0 $pid 2>/dev/null'
sleep 300 &
bystander=$!
sed -i "s/^[0-9]*/$bystander/" "$STATE/pids/pinger"
ok 'it stops with a stale number' quiet deploy/stack stop
ok 'and leaves the other process' kill -0 "$bystander"
kill "$bystander"
done_testing
