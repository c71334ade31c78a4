#!/bin/bash
# claim-plain.t: a claim that one statement does takes what the long way would,
# in the same order and with the same rows left behind; and where the first job
# is no plain one it goes the long way.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone claim_plain
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

asked() {
	echo "(NULL, '', '{fast,slow,keyed}', '{fast,quick,keyed}', $1, 90000, '{}', true)"
}

# taken FUNCTION MAX: what it gives out, and what becomes of the rows; undone.
taken() {
	sql "BEGIN; SELECT c.nth, c.queue, c.id, c.task, c.input, c.attempt,
			c.crashes, c.lease_ms, c.timeout_ms, c.retries, c.backoff,
			c.delay_ms, c.max_delay_ms, c.jitter, c.retired, c.cancelled,
			c.handler, c.folder, c.memory_bytes, c.cpu_ms, c.traceparent,
			c.settings, c.has_place, c.more
		FROM afterwork.$1$(asked "$2") c
		WHERE c.id IS NOT NULL ORDER BY c.nth;
		SELECT to_jsonb(j) - 'lease_no' - 'claimed_at' - 'lease_until' - 'log',
			lease_no IS NULL, date_trunc('s', lease_until - claimed_at)
		FROM afterwork.job j ORDER BY id;
		ROLLBACK"
}

# As if there were no long way.
plainly() {
	sql "BEGIN;
		ALTER FUNCTION afterwork.claim_any(text[], text, text[], text[],
			integer, bigint, text[], boolean) RENAME TO elsewhere;
		SELECT id FROM afterwork.claim$(asked "$1");
		ROLLBACK" 2>&1
}

# same WHAT HOW MAX [COUNT]: both ways take as many, alike; HOW: plain or long
same() {
	local long
	long=$(taken claim_any "$3")
	is "$(grep -c '^[0-9]' <<<"$long")" "${4-1}" "$1: ${4-1} taken"
	is "$(taken claim "$3")" "$long" "$1: alike"
	if [ "$2" = plain ]; then
		unlike "$(plainly "$3")" 'does not exist' "$1: by one statement"
	else
		like "$(plainly "$3")" 'claim_any.* does not exist' "$1: the long way"
	fi
}

add fast
same 'one job' plain 1
same 'one job, ten asked for' plain 10
add fast "priority => 1, input => '{\"a\": 1.50}', meta => '{\"traceparent\": \"t\"}'"
add quick
add fast "run_at => now() - interval '1 h'"
same 'the first of several' plain 1
same 'two of several' plain 2 2
same 'all that the caller has' plain 10 3
sql "UPDATE afterwork.task SET handler = '/bin/true', folder = '/' WHERE slug = 'quick'"
same 'a handler of its own' plain 10 4
sql "UPDATE afterwork.task SET retired_at = now() WHERE slug = 'quick'"
same 'a retired task' plain 10 4
add slow
same 'those before a slow one' plain 10 4
add slow "priority => 0"
same 'a slow one in front, alone' plain 10
sql "UPDATE afterwork.task SET timeout_ms = 90001 WHERE slug = 'slow'"
same 'what does not fit is left' plain 10 4
sql "UPDATE afterwork.task SET timeout_ms = 60000 WHERE slug = 'slow'"
sql "UPDATE afterwork.job SET cancel = 'x', crashes = 1, attempts = 2 WHERE priority = 1"
sql "DELETE FROM afterwork.job WHERE priority = 0"
same 'one that is to be cancelled' plain 10 4
add fast "queue => 'elsewhere'"
same 'more is in another queue' plain 10 4
add keyed
same 'one with a key behind' long 10 4
same 'one with a key further behind' plain 2 2
sql "UPDATE afterwork.job SET lease_until = now() - interval '1 s', alone = true,
	claimed_at = now() - interval '1 min', lease_no = 1 WHERE task = 'quick'"
sql "DELETE FROM afterwork.job WHERE task = 'keyed'"
same 'one that was claimed before, behind' long 10 3
fresh

add keyed
same 'a key' long 10
add fast
same 'a key in front' long 10 2
sql "UPDATE afterwork.job SET priority = 200 WHERE task = 'keyed'"
same 'a key behind' long 10 2
fresh
add fast
sql "UPDATE afterwork.job SET lease_until = now() - interval '1 s', alone = true,
	claimed_at = now() - interval '1 min', lease_no = 1"
same 'one that was claimed before' long 10
sql "UPDATE afterwork.job SET alone = false"
same 'and with others' long 10
fresh
add fast
add fast "run_at => now() + interval '1 h'"
same 'one that is not due' plain 10
sql "UPDATE afterwork.job SET run_at = now() WHERE state = 'delayed'"
same 'one that has come due' long 10 2
fresh
add fast
sql "SELECT afterwork.limit_queue('default', 1)"
same 'a queue with a maximum' long 10
sql "SELECT afterwork.limit_queue('default', NULL)"
fresh
add fast
sql "INSERT INTO afterwork.owed VALUES ('default', 'k')"
same 'a key that is owed a job' long 10
sql 'DELETE FROM afterwork.owed'
sql "UPDATE afterwork.queue SET paused = true WHERE name = 'default'"
add fast "queue => 'elsewhere'"
same 'a queue that is paused is passed by' plain 10
sql 'UPDATE afterwork.queue SET paused = false'
sql "DELETE FROM afterwork.job WHERE queue = 'default'"
same 'nothing in the first queue' plain 10
sql "SELECT afterwork.enqueue('fast', run_at => now() + interval '1 h');
	UPDATE afterwork.job SET run_at = now() WHERE state = 'delayed'" >/dev/null
same 'but one that has come due' long 10
sql 'DELETE FROM afterwork.job'
is "$(taken claim 10)" '' 'nothing in any'
fresh
task timely '"schedule":[{"cron":"0 0 1 1 *"}]'
add fast
same 'a schedule that is not due' plain 10
sql "UPDATE afterwork.schedule SET next_at = now() - interval '1 s'"
like "$(plainly 10)" 'claim_any.* does not exist' 'one that is: the long way'
fresh
add fast
sql "UPDATE afterwork.job SET attempts = 2, crashes = 1, lease_no = 7,
	claimed_at = now() - interval '1 h'"
same 'one that came back' plain 10
done_testing
