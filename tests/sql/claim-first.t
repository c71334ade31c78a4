#!/bin/bash
# claim-first.t: the first claim of a session takes what any claim would, and
# leaves its row as that would; where anything else is to be done it takes none.
# And so for the settlement of what it took.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone claim_first
task fast
task other '"timeoutMs":60000,"retries":{"attempts":5,"backoff":{"type":"fixed","delay":7}}'
task keyed '"concurrency":{"key":"k"}'

add() {
	sql "SELECT afterwork.enqueue('$1'${2+, $2})"
}

fresh() {
	sql 'DELETE FROM afterwork.job; DELETE FROM afterwork.history'
}

# taken FUNCTION: what it gives out and what becomes of the row, undone.
columns='id, task, input, attempt, crashes, lease_ms, timeout_ms, retries,
	backoff, delay_ms, max_delay_ms, jitter, cancelled, handler, folder,
	memory_bytes, cpu_ms, traceparent, settings, more'
taken() {
	sql "BEGIN; SELECT $columns FROM $1 WHERE id IS NOT NULL;
		SELECT id, to_jsonb(j) - 'lease_no' - 'claimed_at' - 'lease_until',
			lease_no = (SELECT last_value FROM afterwork.lease_no),
			date_trunc('s', lease_until - claimed_at)
		FROM afterwork.job j WHERE lease_until > now() ORDER BY id;
		ROLLBACK"
}
full="afterwork.claim(NULL, '', '{fast,other}', '{}', 1, 300000, '{}', false)"
first="afterwork.claim_first('default', '{fast,other}', 300000)"

same() {
	local as_full
	as_full=$(taken "$full")
	isnt "$as_full" '' "$1: a claim takes it"
	is "$(taken "$first")" "$as_full" "$1: so does the first, alike"
}

none() {
	is "$(taken "$first")" '' "$1: nothing is taken"
}

# --- what it takes ---
add fast >/dev/null
same 'one job'
add other "priority => 1, input => '{\"a\": 1.50}', meta => '{\"traceparent\": \"t\"}'" >/dev/null
same 'the first of two, of another task'
sql "UPDATE afterwork.job SET lease_until = now() + interval '1 h' WHERE task = 'other'"
same 'what nobody holds'
fresh
add fast "unique_key => 'u', unique_until => 'start'" >/dev/null
same 'a key that is free from the start on'
sql "UPDATE afterwork.job SET cancel = 'x', crashes = 2, attempts = 3"
same 'one that is to be cancelled'
add fast "queue => 'elsewhere'" >/dev/null
same 'more is in another queue'
sql "UPDATE afterwork.queue SET paused = true WHERE name = 'elsewhere'"
same 'but nothing in one that is paused'
sql "UPDATE afterwork.queue SET paused = false WHERE name = 'elsewhere'"
for what in "handler = '/bin/true'" 'retired_at = now()' 'label = slug'; do
	sql "UPDATE afterwork.job SET task = 'keyed' WHERE queue = 'elsewhere';
		UPDATE afterwork.task SET $what WHERE slug = 'keyed'"
	same "a task there that the caller has not: $what"
	is "$(sql "BEGIN; SELECT more FROM $first; ROLLBACK")" \
		"$([[ $what == label* ]] && echo f || echo t)" \
		"$what: anybody can run it, or not"
	sql "UPDATE afterwork.task SET handler = NULL, retired_at = NULL
		WHERE slug = 'keyed'"
done
sql "UPDATE afterwork.queue SET paused = true WHERE name = 'elsewhere'"
sql "SELECT afterwork.enqueue('fast', run_at => now() + interval '1 h')" >/dev/null
same 'one that is not due yet does not matter'

# --- what it leaves ---
sql "UPDATE afterwork.job SET run_at = now() WHERE state = 'delayed'"
none 'a delayed job is due'
fresh
none 'no job'
add fast "queue => 'elsewhere'" >/dev/null
none 'a job elsewhere'
add fast >/dev/null
sql "UPDATE afterwork.queue SET paused = true WHERE name = 'default'"
none 'a queue that is paused'
sql "UPDATE afterwork.queue SET paused = false, limited = true WHERE name = 'default'"
none 'a queue with a maximum'
sql "UPDATE afterwork.queue SET limited = false"
sql "UPDATE afterwork.job SET lease_until = now() - interval '1 s'"
none 'a lease that ran out'
sql "UPDATE afterwork.job SET lease_until = NULL, task = 'keyed'"
none 'a task that the caller does not have'
first="afterwork.claim_first('default', '{fast,keyed}', 29999)"
none 'a task that does not fit'
first="afterwork.claim_first('default', '{fast,keyed}', 300000)"
fresh
add keyed >/dev/null
none 'a job with a key'
fresh
add fast >/dev/null
sql "UPDATE afterwork.task SET retired_at = now() WHERE slug = 'fast'"
none 'a retired task'
sql "UPDATE afterwork.task SET retired_at = NULL"
exec {held}> >(exec psql -XqAt "$direct" >"$work/held" 2>&1)
holder=$!
echo "BEGIN; SELECT 'has it' FROM $first;" >&$held
await 20 'grep -q "has it" "$work/held"' ||
	bail "nobody holds the job: $(cat "$work/held")"
none 'a job that somebody is just claiming'
exec {held}>&-
wait "$holder"

# --- its end ---
# ended FUNCTION: the record of a job that is claimed and settled so, undone.
ended() {
	script "BEGIN; SELECT id AS job, lease_no AS lease FROM $first \\gset
		SELECT $1 = :job;
		SELECT to_jsonb(h) - 'lease_no' - 'started_at' - 'finished_at',
			h.lease_no = :lease, h.finished_at - h.started_at,
			(SELECT count(*) FROM afterwork.job)
		FROM afterwork.history h;
		ROLLBACK"
}
script() {
	psql -XqAt -v ON_ERROR_STOP=1 "$direct" <<<"$1" 2>&1
}
settle_full="(afterwork.settle('default', ARRAY[:job], ARRAY[:lease], '{done}', '{0}',
	'{7}', '{1500}', '{\"{\\\"n\\\": 1}\"}', '{NULL}', '{\"{\\\"cpu\\\": 2}\"}'))[1]"
settle_first="afterwork.settle_first('default', :job, :lease, 7, 1500,
	'{\"n\": 1}', '{\"cpu\": 2}', true)"
is "$(ended "$settle_first")" "$(ended "$settle_full")" 'done: recorded alike'
like "$(ended "$settle_first")" 'done.*00:00:00.0015.0' 'and out of the queue'
read -r job lease < <(sql "SELECT id, lease_no FROM $first" | tr '|' ' ')
lost() {
	script "SELECT afterwork.settle_first('default', $job, $1, 1, 1, NULL, NULL, $2)"
}
is "$(lost $((lease - 1)) false)" '' 'under an old number it is nobody'"'"'s'
like "$(lost $((lease - 1)) true)" 'A lease was lost' 'which undoes the work with it'
is "$(sql 'SELECT count(*) FROM afterwork.job')" 1 'and nothing is changed'
sql 'UPDATE afterwork.job SET lease_until = NULL'
is "$(lost "$lease" false)" '' 'nor when it was given back'
sql "UPDATE afterwork.job SET lease_until = now() - interval '1 s'"
is "$(lost "$lease" false)" "$job" 'late, but nobody else has it: it counts'
done_testing
