#!/bin/bash
# claim-behind.t: a claim of what comes behind a place in one queue takes what a
# look at everything takes from there, with the same rows left behind; where one
# of those that it sees has a lease that ran out, or a place, it takes nothing.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone claim_behind
task fast
task quick
task slow '"timeoutMs":60000'
task keyed '"concurrency":{"key":"k","max":2}'

add() {
	sql "SELECT afterwork.enqueue('$1'${2+, $2})" >/dev/null
}

fresh() {
	sql 'DELETE FROM afterwork.job; DELETE FROM afterwork.place;
		DELETE FROM afterwork.schedule'
}

claim() {
	echo "afterwork.claim(NULL, '', '{fast,slow,keyed}', '{fast,quick,keyed}', $1, 90000, '{}', true)"
}

# claim_behind MAX [QUEUE [PLACE]]: from the first on, where nothing else is said
claim_behind() {
	echo "afterwork.claim_behind('${2-default}', '{fast,slow,keyed}', '{fast,quick,keyed}', $1, 90000, '{}', ${3:--1, '-infinity', 0})"
}

# taken CLAIM: what it gives out, and what becomes of the rows; undone.
taken() {
	sql "BEGIN; SELECT c.id, c.task, c.input, c.attempt,
			c.crashes, c.lease_ms, c.timeout_ms, c.retries, c.backoff,
			c.delay_ms, c.max_delay_ms, c.jitter, c.retired, c.cancelled,
			c.handler, c.folder, c.memory_bytes, c.cpu_ms, c.traceparent,
			c.settings, c.priority, c.run_at, c.has_place, c.awaited, c.more
		FROM $1 c
		WHERE c.id IS NOT NULL ORDER BY c.priority, c.run_at, c.id;
		SELECT to_jsonb(j) - 'lease_no' - 'claimed_at' - 'lease_until' - 'log',
			lease_no IS NULL, date_trunc('s', lease_until - claimed_at)
		FROM afterwork.job j ORDER BY id;
		SELECT p.key, p.taken, p.max, p.waiting FROM afterwork.place p
		WHERE p.key <> '' ORDER BY p.key;
		ROLLBACK"
}

untouched() {
	taken '(SELECT * FROM afterwork.claim_behind(NULL, NULL, NULL, 1, 1, NULL, NULL, NULL, NULL))'
}

# same WHAT HOW MAX [COUNT]: both take as many, alike (HOW: behind), or the claim
# behind a place leaves it to the other (look).
same() {
	local long
	long=$(taken "$(claim "$3")")
	is "$(grep -c '^[0-9]' <<<"$long")" "${4-1}" "$1: ${4-1} taken"
	if [ "$2" = behind ]; then
		is "$(taken "$(claim_behind "$3")")" "$long" "$1: alike"
	else
		is "$(taken "$(claim_behind "$3")")" "$(untouched)" \
			"$1: not behind a place"
	fi
}

add fast
same 'one job' behind 1
same 'one job, ten asked for' behind 10
add fast "priority => 1, input => '{\"a\": 1.50}', meta => '{\"traceparent\": \"t\"}'"
add quick
add fast "run_at => now() - interval '1 h'"
same 'the first of several' behind 1
same 'two of several' behind 2 2
same 'all that the caller has' behind 10 3
sql "UPDATE afterwork.task SET handler = '/bin/true', folder = '/' WHERE slug = 'quick'"
same 'a handler of its own' behind 10 4
sql "UPDATE afterwork.task SET retired_at = now() WHERE slug = 'quick'"
same 'a retired task' behind 10 4
add slow
same 'those before a slow one' behind 10 4
add slow "priority => 0"
same 'a slow one in front, alone' behind 10
sql "UPDATE afterwork.task SET timeout_ms = 90001 WHERE slug = 'slow'"
same 'what does not fit is left' behind 10 4
sql "UPDATE afterwork.task SET timeout_ms = 60000 WHERE slug = 'slow'"
sql "UPDATE afterwork.job SET cancel = 'x', crashes = 1, attempts = 2 WHERE priority = 1"
sql "DELETE FROM afterwork.job WHERE priority = 0"
same 'one that is to be cancelled' behind 10 4
add keyed
same 'one with a key behind' behind 10 4
same 'one with a key further behind' behind 2 2
sql "UPDATE afterwork.job SET lease_until = now() - interval '1 s', alone = true,
	claimed_at = now() - interval '1 min', lease_no = 1 WHERE task = 'quick'"
sql "DELETE FROM afterwork.job WHERE task = 'keyed'"
same 'one that was claimed before, behind' look 10 3
fresh

add keyed
same 'a key' behind 10
add fast
same 'a key in front' behind 10 2
sql "UPDATE afterwork.job SET priority = 200 WHERE task = 'keyed'"
same 'a key behind' behind 10 2
add keyed
add keyed
same 'three of a key that has two places' behind 10 3
sql "INSERT INTO afterwork.place (queue, key, max, taken) VALUES ('default', 'k', 1, 2)"
same 'a key without a place left' behind 10
sql "DELETE FROM afterwork.job WHERE task = 'fast'"
same 'nothing but that' behind 10 0
fresh
add keyed
sql "UPDATE afterwork.job SET has_place = true"
sql "INSERT INTO afterwork.place (queue, key, max, taken) VALUES ('default', 'k', 2, 1)"
same 'one that has kept its place' look 10
fresh
# Does the claim say that somebody waits?
waits() {
	sql "BEGIN; SELECT bool_or(awaited) FROM $(claim_behind 10); ROLLBACK"
}
add keyed
add keyed
is "$(waits)" f 'two of a key with two places: nobody waits'
add keyed
is "$(waits)" t 'a third one waits'
sql "UPDATE afterwork.job SET state = 'blocked' WHERE id = (SELECT max(id) FROM afterwork.job)"
sql "INSERT INTO afterwork.place (queue, key, max, taken, waiting)
	VALUES ('default', 'k', 2, 0, true)"
is "$(waits)" t 'one that has waited since before'
fresh
# One of a key with one place that has come due is before what was stored later.
task single '"concurrency":{"key":"s","max":1}'
sql "SELECT afterwork.enqueue('single', run_at => now() + interval '1 h')" >/dev/null
sql "UPDATE afterwork.job SET run_at = now() - interval '1 s'"
sql "SELECT afterwork.enqueue('single')" >/dev/null
is "$(sql "SELECT count(*) FROM afterwork.claim_behind('default', '{single}', '{single}',
	10, 90000, '{}', -1, '-infinity', 0)")" 0 'it is not passed by'
is "$(sql "SELECT string_agg(id::text, ' ') FROM afterwork.claim(NULL, '', '{single}', '{single}', 10, 90000)")" \
	"$(sql 'SELECT min(id) FROM afterwork.job')" 'but taken by who looks at everything'
fresh
add fast
sql "UPDATE afterwork.job SET lease_until = now() - interval '1 s', alone = true,
	claimed_at = now() - interval '1 min', lease_no = 1"
same 'one that was claimed before' look 10
sql "UPDATE afterwork.job SET alone = false"
same 'and with others' look 10
fresh
add fast
add fast "run_at => now() + interval '1 h'"
same 'one that is not due' behind 10
sql "UPDATE afterwork.job SET run_at = now() WHERE state = 'delayed'"
is "$(taken "$(claim 10)" | grep -c '^[0-9]')" 2 'one that has come due: is taken'
is "$(taken "$(claim_behind 10)" | grep -c '^[0-9]')" 1 \
	'but who goes on does not look for it'
fresh

add fast
add fast "queue => 'elsewhere'"
is "$(sql "BEGIN; SELECT more FROM $(claim 10); ROLLBACK") $(
	sql "BEGIN; SELECT more FROM $(claim_behind 10); ROLLBACK")" \
	't f' 'of more in another queue who goes on knows nothing'
fresh

# --- behind a place ---
# Two of a priority at one time, one later, one less urgent.
sql "SELECT afterwork.enqueue('fast', priority => p, run_at => now() - t)
	FROM (VALUES (1, 10, interval '2 h'), (2, 10, '2 h'), (3, 10, '1 h'), (4, 20, '3 h'))
	AS v (n, p, t) ORDER BY n" >/dev/null
mapfile -t in_order < <(sql 'SELECT id FROM afterwork.job ORDER BY priority, run_at, id')
for n in 0 1 2 3; do
	behind=$(sql "SELECT priority || ', ' || quote_literal(run_at) || ', ' || id
		FROM afterwork.job WHERE id = ${in_order[n]}")
	want=$(printf '%s\n' "${in_order[@]:n+1}" | paste -sd ' ')
	for max in 1 10; do
		is "$(sql "BEGIN; SELECT string_agg(id::text, ' ' ORDER BY priority, run_at, id)
			FROM $(claim_behind $max default "$behind"); ROLLBACK")" \
			"$([ $max = 1 ] && echo "${want%% *}" || echo "$want")" \
			"behind $((n + 1)) of 4, $max asked for: those that follow"
	done
done
is "$(sql "BEGIN; SELECT more FROM $(claim_behind 1 default "$(sql "SELECT priority
	|| ', ' || quote_literal(run_at) || ', ' || id FROM afterwork.job
	WHERE id = ${in_order[2]}")"); ROLLBACK")" f \
	'of more before the place it knows nothing'
fresh

# A reader with an old snapshot keeps in the index what is claimed and done: who
# goes on behind it does not read it again.
sql 'ALTER TABLE afterwork.job SET (autovacuum_enabled = off)'
sql "SELECT count(*) FROM afterwork.enqueue_many('fast',
	(SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, 20100)))" >/dev/null
coproc reader { exec psql -XqAt "$direct"; }
echo 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM afterwork.job;' \
	>&"${reader[1]}"
read -r _ <&"${reader[0]}"
sql 'WITH gone AS (DELETE FROM afterwork.job WHERE id IN (SELECT id
	FROM afterwork.job ORDER BY priority, run_at, id LIMIT 20000) RETURNING id)
	SELECT max(id) FROM gone' >/dev/null
# read_by CLAIM: how many pages of jobs it reads
read_by() {
	sql "BEGIN; SELECT count(*) FROM $1;
		SELECT pg_stat_get_xact_blocks_fetched('afterwork.job'::regclass);
		ROLLBACK" | tail -n 1
}
place=$(sql "SELECT priority || ', ' || quote_literal(run_at) || ', ' || id - 1
	FROM afterwork.job ORDER BY id LIMIT 1")
first=$(read_by "$(claim_behind 10)") behind=$(read_by "$(claim_behind 10 default "$place")")
ok "from the first on: $first pages, behind what is done: $behind" \
	[ "$((behind * 5))" -lt "$first" ]
echo 'COMMIT;' >&"${reader[1]}"
fresh
sql 'ALTER TABLE afterwork.job RESET (autovacuum_enabled)'

add fast
sql "SELECT afterwork.limit_queue('default', 1)"
same 'a queue with a maximum' look 10
sql "SELECT afterwork.limit_queue('default', NULL)"
fresh
add fast
sql "UPDATE afterwork.queue SET paused = true WHERE name = 'default'"
is "$(taken "$(claim 10)")" "$(untouched)" 'of a queue that is paused: nothing'
is "$(taken "$(claim_behind 10)")" "$(untouched)" 'nor behind a place'
add fast "queue => 'elsewhere'"
is "$(taken "$(claim_behind 10 elsewhere)")" "$(taken "$(claim 10)")" \
	'of another queue: alike'
is "$(taken "$(claim_behind 10 none)")" "$(untouched)" 'of no queue: nothing'
sql 'UPDATE afterwork.queue SET paused = false'
fresh
is "$(taken "$(claim_behind 10)")" '' 'nothing in any'
add fast
sql "UPDATE afterwork.job SET attempts = 2, crashes = 1, lease_no = 7,
	claimed_at = now() - interval '1 h'"
same 'one that came back' behind 10
done_testing
