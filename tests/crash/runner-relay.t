#!/bin/bash
# runner-relay.t: 10,000 jobs drain without any ping: a runner whose time is up
# hands over to a fresh one at once, and the last one leaves when it is dry.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
points_open
stack_start PINGER=off RUNNER_SLOTS=2
seconds=4	# of a runner; a nap may take two of them
jobs=10000

# run --detached as a waker starts it, but with less time.
relay() {
	read -r pid _ <"$STATE/pids/upload"
	mapfile -d '' vars <"/proc/$pid/environ"
	find_owner
	program=$(readlink -f "$FUNCTIONS_DIR")/run
	(cd "$(readlink -f "$STATE")" && exec env -i "${vars[@]}" \
		MAX_DURATION=$seconds "${as_owner[@]}" "$program" --detached) \
		2>>"$work/runner.log" &
}

sql "SELECT count(*) FROM afterwork.enqueue_many('nap', (
	SELECT jsonb_agg('{\"ms\": 2}'::jsonb) FROM generate_series(1, $jobs)))" >/dev/null
# Who ran what: each worker's link is a backend of its own, which a claim names.
sql "CREATE SCHEMA tests; CREATE TABLE tests.claim (backend int, at timestamptz);
	CREATE FUNCTION tests.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS \$\$
	BEGIN
		INSERT INTO tests.claim VALUES (pg_backend_pid(), clock_timestamp());
		RETURN NULL;
	END \$\$;
	CREATE TRIGGER note AFTER UPDATE ON afterwork.job
		FOR EACH STATEMENT EXECUTE FUNCTION tests.note()"
relay
ok "$jobs jobs are run to the end" await 90 \
	"answers $jobs \"SELECT count(*) FROM afterwork.history WHERE state = 'done'\""
ok 'then no runner is left' await 10 '[ "$(slots_held)" = 0 ]'
runners=$(sql 'SELECT count(DISTINCT backend) FROM tests.claim')
spent=$(sql "SELECT ceil(extract(epoch FROM max(finished_at) - min(started_at)))::int
	FROM afterwork.history")
note "$runners runners, $spent s"
# Behind a pooler they share its backends.
if [ "${DATABASE_POOLED-}" != 1 ]; then
	ok 'it took more runners than one runner and its like can be' \
		[ "$runners" -ge 4 ]
	ok 'none had more than its time' answers t "SELECT bool_and(d <= interval '$((seconds + 1)) s')
		FROM (SELECT max(at) - min(at) AS d FROM tests.claim GROUP BY backend) AS b"
fi
# The start of a runner is a fork and a link: the pause is far from a minute.
gap=$(sql "SELECT (extract(epoch FROM max(gap)) * 1000)::int FROM (
	SELECT started_at - lag(started_at) OVER (ORDER BY started_at) AS gap
	FROM afterwork.history) AS g")
note "the longest time in which no job began: $gap ms"
ok 'nobody waited for a ping' [ "$gap" -lt 2000 ]
sql_is "SELECT count(*), max(attempts), max(crashes) FROM afterwork.history" "$jobs|1|0" \
	'each was tried once'
done_testing
