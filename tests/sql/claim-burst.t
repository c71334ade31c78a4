#!/bin/bash
# claim-burst.t: a burst into a queue that was empty when its statistics were
# taken, as queues mostly are, costs each claim no more than its own jobs.
. tests/lib.sh
stack_start

sql "ALTER TABLE afterwork.job SET (autovacuum_enabled = off)"
sql "SELECT count(afterwork.enqueue('noop')) FROM generate_series(1, 2000)" >/dev/null
sql 'DELETE FROM afterwork.job'
sql 'VACUUM ANALYZE afterwork.job'
sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at, input)
	SELECT 'default', 'noop', 'ready', 100, clock_timestamp(), '{}' FROM generate_series(1, 200000)"
sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at, input)
	SELECT 'default', 'noop', 'delayed', 100, now() + i * interval '1 s', '{}' FROM generate_series(1000, 201000) AS i"

# Pages that the second of two calls touches: the first one warms the caches.
pages() {
	psql -XqAt "$direct" -c "SELECT count(*) FROM $1" \
		-c "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM $1" </dev/null |
		sed 1d | jq '.[0].Plan | .["Shared Hit Blocks"] + .["Shared Read Blocks"]'
}
one=$(pages "afterwork.claim(NULL, '', '{noop}', '{noop}', 1, 100000)")
ok "one job: $one pages" [ "$one" -lt 200 ]
many=$(pages "afterwork.claim(NULL, '', '{noop}', '{noop}', 100, 100000)")
ok "a hundred: $many pages" [ "$many" -lt 3000 ]
look=$(pages 'afterwork.outlook(NULL)')
ok "a look at what is left: $look pages" [ "$look" -lt 200 ]
done_testing
