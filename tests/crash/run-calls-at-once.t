#!/bin/bash
# run-calls-at-once.t: of 50 run calls at once over 1,000 jobs two work, as
# many as there are slots, and each job is run once; who finds no slot answers
# at once and opens no link to the database.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
points_open
stack_start RUNNER_SLOTS=2 PROCESSES=8 RUNNER_LINGER=0ms
ledger_open
sql_as postgres 'ALTER SYSTEM SET log_connections = on' >/dev/null
sql_as postgres 'SELECT pg_reload_conf()' >/dev/null

# Two jobs hold both slots, for as long as the test wants.
sql "UPDATE afterwork.task SET timeout_ms = 60000 WHERE slug = 'ledger'"
for i in 1 2; do
	set_point handled.stop
	enqueue ledger
	await_stopped handled || bail 'no runner came'
	held+=("$stopped")
done
is "$(slots_held)" 2 'both slots are taken'
# The jobs' time must not run out meanwhile.
for pid in "${held[@]}"; do
	kill -STOP "$(ps -o ppid= -p "$pid" | tr -d ' ')"
done

call() {
	printf 'url=%s/api/payload-jobs/run?%s\noutput=%s\n' \
		"$SERVER_URL" "$1" "$work/call.$2"
}

# calls N QUERY: so many run calls at once; prints their statuses, counted.
calls() {
	local i
	for ((i = 1; i <= $1; i++)); do
		call "$2" "$i" >"$work/request.$i"
	done
	seq "$1" | CRON_SECRET=$CRON_SECRET xargs -P 50 -I @ sh -c \
		'curl -s -m 60 -H "Authorization: Bearer $CRON_SECRET" \
		    -w "%{http_code}\n" -K "$0"' "$work/request.@" |
		sort | uniq -c | tr -s ' '
}

connections() {
	grep -c 'connection authorized: user=afterwork_run' \
		"$STATE/log/postgresql.log"
}

before=$(connections)
is "$(calls 20 allQueues=true)" ' 20 200' \
	'without a slot 20 calls are answered'
is "$(jq -c '[.success, .message, .result, .noJobsRemaining,
    .remainingJobsFromQueried]' "$work"/call.{1..20} | sort -u)" \
	'[true,"Success",{"jobStatus":{}},false,0]' \
	'with nothing done, and jobs that remain'
is "$(connections)" "$before" 'not one of them asked the database'
is "$(jq .executionTimeMs "$work"/call.{1..20} | sort -n | tail -n 1 |
	awk '{ print $1 < 1000 }')" 1 'and none waited'
for pid in "${held[@]}"; do
	kill -CONT "$pid"
	await 5 "! is_alive $pid || ! is_stopped $pid"
	kill -CONT "$(ps -o ppid= -p "$pid" | tr -d ' ')" 2>/dev/null
done
ok 'the two held jobs end' await 10 \
	'answers 0 "SELECT count(*) FROM afterwork.job"'
ok 'both slots are free' await 10 '[ "$(slots_held)" = 0 ]'

# Each entry notes when its job began and ended, and in which process.
sql "TRUNCATE tests.ledger;
    ALTER TABLE tests.ledger ADD pid int, ADD from_at timestamptz;
    CREATE FUNCTION tests.note() RETURNS trigger LANGUAGE plpgsql AS \$\$
    BEGIN
        NEW.pid := pg_backend_pid();
        NEW.from_at := clock_timestamp();
        PERFORM pg_sleep(0.002);
        NEW.at := clock_timestamp();
        RETURN NEW;
    END\$\$;
    CREATE TRIGGER note BEFORE INSERT ON tests.ledger
    FOR EACH ROW EXECUTE FUNCTION tests.note()"
sql "SELECT count(afterwork.enqueue('ledger', '{}'))
    FROM generate_series(1, 1000)" >/dev/null
is "$(calls 50 'allQueues=true&limit=100')" ' 50 200' '50 calls are answered'
# What the calls leave, the runners do that they have woken.
ok 'nothing is left' await 30 'answers 0 "SELECT count(*) FROM afterwork.job"'
ledger_is 1000 'each of 1,000 jobs took effect once'
sql_is 'SELECT DISTINCT attempts, crashes FROM afterwork.history' '1|0' \
	'at its first attempt'
sql_is 'SELECT max(n) FROM (SELECT count(DISTINCT b.pid) AS n
    FROM tests.ledger a JOIN tests.ledger b
    ON b.from_at <= a.from_at AND b.at > a.from_at GROUP BY a.job) o' 2 \
	'two at a time and never more'
is "$(jq -r '.result.jobStatus | keys[]' "$work"/call.{1..50} | sort |
	uniq -d)" '' 'no job is in two answers'
is "$(jq -r '.result.jobStatus[].status' "$work"/call.{1..50} | sort -u)" \
	success 'all were successful'
losers=$(jq -r 'select(.result.jobStatus == {}) | .noJobsRemaining' \
	"$work"/call.{1..50} | grep -c false)
ok "$losers calls had no slot" [ "$losers" -ge 10 ]
done_testing
