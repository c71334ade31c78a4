#!/bin/bash
# backlog-joins.t: of runners that linger all take part in a backlog, although
# one call tells of it and each claim of a job tells only the next.
. tests/lib.sh
. tests/queue-alone.sh
# shellcheck source=tests/runner-alone.sh
. tests/runner-alone.sh
stack_shared
queue_alone backlog_joins
task nap
slots=16

naps() {
	sql "SELECT count(afterwork.enqueue('nap', '{\"ms\":$2}'))
		FROM generate_series(1, $1)" >/dev/null
}
done_all() {
	[ "$(sql 'SELECT count(*) FROM afterwork.job')" = 0 ]
}

# Longer than a runner takes to start, so that each gets one.
naps 64 400
runner_alone RUNNER_SLOTS=$slots RUNNER_LINGER=20s
ok 'jobs without an end in sight are run' await 60 done_all
is "$(alone_runners | wc -l)" $((2 * slots)) "by $slots runners"

first=$(sql 'SELECT max(id) FROM afterwork.history')
naps 480 60
DATABASE_URL=$direct "$B/afterwork" enqueue nap '{"ms":60}' >"$work/id" 2>&1
is "$?" 0 'one call'
ok 'a backlog is run' await 60 done_all
# When one ended and the next began is told to within a round trip.
most=$(sql "SELECT max(n) FROM (
	SELECT count(*) AS n
	FROM afterwork.history a JOIN afterwork.history b
	ON b.started_at <= a.started_at AND b.finished_at > a.started_at
	WHERE a.id > $first AND b.id > $first GROUP BY a.id) c")
note "$most at a time"
ok 'by all of them at a time' [ "$most" -ge $slots ]
is "$(alone_runners | wc -l)" $((2 * slots)) 'and no other was started'
runner_alone_end
done_testing
