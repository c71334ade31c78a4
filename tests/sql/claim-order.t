#!/bin/bash
# claim-order.t: who gets which jobs: in order, each once, as many as asked for,
# together only what is short, and never what does not fit.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone claim_order
task fast
task slow '"timeoutMs":60000'

# add TASK [ARGUMENTS]: a job; prints its id.
add() {
	sql "SELECT afterwork.enqueue('$1'${2+, $2})"
}

# claim MAX [FAST [FIT_MS [QUEUES [TASKS]]]]: ids, in the order of their claim index.
claim() {
	sql "SELECT string_agg(c.id::text, ' ' ORDER BY j.priority, j.run_at, c.id)
		FROM afterwork.claim(${4-NULL}, '', '${5-{fast,slow\}}', '${2-{fast\}}', $1, ${3-300000}) AS c
		JOIN afterwork.job AS j ON j.id = c.id AND j.queue = c.queue"
}

# Nothing is left from the case before.
fresh() {
	sql 'DELETE FROM afterwork.job; DELETE FROM afterwork.failed; DELETE FROM afterwork.history'
}

# The transaction of another session: other SQL.
exec {other_in}> >(exec psql -XqAt "$direct" >>"$work/other" 2>&1)
other_pid=$!
other() {
	: >"$work/other"
	echo "$1; \\echo end" >&$other_in
	await 5 'grep -q "^end" "$work/other"' || bail "no answer to: $1"
	grep -v '^end' "$work/other"
}

# --- order and number ---
later=$(add fast "priority => 100, run_at => now() - interval '1 min'")
first=$(add fast "priority => -2")
earlier=$(add fast "priority => 100, run_at => now() - interval '2 min'")
same=$(add fast "priority => 100, run_at => now() - interval '1 min'")
sql "UPDATE afterwork.job SET run_at = (SELECT run_at FROM afterwork.job WHERE id = $later) WHERE id = $same"
is "$(claim 1)" "$first" 'the lowest priority number first'
is "$(claim 2)" "$earlier $later" 'then the oldest, and of those the lowest id'
is "$(claim 5)" "$same" 'then the rest'
is "$(claim 5)" '' 'then nothing'
fresh
sql "SELECT afterwork.enqueue('fast') FROM generate_series(1, 30)" >/dev/null
for n in 1 7 20; do
	is "$(claim $n | wc -w)" $n "a claim of $n takes $n"
done
is "$(claim 20 | wc -w)" 2 'and the last two'
is "$(sql 'SELECT count(DISTINCT lease_no) FROM afterwork.job')" 30 'each under a lease number of its own'
fresh

# --- more ---
more() {
	sql "SELECT bool_or(more) FROM afterwork.claim(NULL, '', '{fast,slow}', '{fast}', $1, 300000)"
}
sql "SELECT afterwork.enqueue('fast') FROM generate_series(1, 5)" >/dev/null
is "$(more 2)$(more 3)" tf 'it tells whether anything is left'
add fast "queue => 'elsewhere'" >/dev/null
add fast >/dev/null
is "$(more 5)" t 'also in another queue'
fresh

# --- what is claimed together ---
a=$(add fast) b=$(add fast) c=$(add slow) d=$(add fast)
is "$(claim 9)" "$a $b" 'what is short goes together, up to what is not'
is "$(claim 9)" "$c" 'which goes alone'
is "$(claim 9)" "$d" 'and the next after it'
fresh
a=$(add fast) b=$(add fast)
is "$(claim 9 '{}')" "$a" 'what nobody knows to be short goes alone'
is "$(sql "SELECT alone FROM afterwork.job WHERE id = $a")" t 'and is marked so'
fresh

# --- a lease that has ended ---
a=$(add fast) b=$(add fast)
is "$(claim 9)" "$a $b" 'two are held'
sql 'UPDATE afterwork.job SET lease_until = now() - interval '"'1 ms'"
is "$(claim 9)" "$a" 'when the lease has ended each is claimed alone'
is "$(sql "SELECT attempts, crashes, alone FROM afterwork.job WHERE id = $a")" '1|0|t' \
	'and not charged: nobody knows which of them it was'
sql "UPDATE afterwork.job SET lease_until = now() - interval '1 ms' WHERE id = $a"
is "$(claim 1)" "$a" 'it ends once more'
is "$(sql "SELECT attempts, crashes FROM afterwork.job WHERE id = $a")" '1|1' \
	'alone it was this one: a crash, and no try'
fresh

# --- two sessions ---
sql "SELECT afterwork.enqueue('fast') FROM generate_series(1, 40)" >/dev/null
other BEGIN
mine=$(other "SELECT id FROM afterwork.claim(NULL, '', '{fast}', '{fast}', 10, 300000)" | sort)
yours=$(claim 10 | xargs -n 1 | sort)
is "$(wc -w <<<"$mine") $(wc -w <<<"$yours") $(comm -12 <(echo "$mine") <(echo "$yours") | wc -l)" '10 10 0' \
	'two open claims have different jobs, and none waits'
other ROLLBACK
is "$(claim 100 | wc -w)" 30 'what was rolled back is there again'
fresh

# --- what fits ---
a=$(add slow) b=$(add fast)
is "$(claim 9 '{fast}' 59999)" "$b" 'a task with a longer timeout than there is time is left'
is "$(claim 9 '{fast}' 60000)" "$a" 'one that just fits is taken'
is "$(sql "SELECT round(extract(epoch FROM lease_until - claimed_at)) FROM afterwork.job WHERE id = $a")" 90 \
	'for its timeout and 30 s'
fresh
a=$(add slow) b=$(add fast)
is "$(claim 9 '{fast}' 300000 NULL '{fast}')" "$b" 'a task that the runner does not have is left'
task gone
gone=$(add gone)
sql "SELECT afterwork.task_retire('{fast,slow}')" >/dev/null
is "$(claim 9 '{fast}' 1 NULL '{fast}')" "$gone" 'a retired task is taken by anybody, to be ended'
fresh

# --- queues ---
a=$(add fast "queue => 'a'") b=$(add fast "queue => 'b'") c=$(add fast "queue => 'c'")
is "$(claim 9 '{fast}' 9999999 "'{b}'")" "$b" 'a named queue'
sql "UPDATE afterwork.queue SET paused = true WHERE name = 'a'"
is "$(claim 9)" "$c" 'not one that is paused'
is "$(claim 9 '{fast}' 9999999 "'{a}'")" '' 'even by name'
sql "UPDATE afterwork.queue SET paused = false"
fresh
for name in a b c; do
	sql "SELECT afterwork.enqueue('fast', queue => '$name') FROM generate_series(1, 3)" >/dev/null
done
turn='' seen=''
for _ in 1 2 3 4 5 6; do
	turn=$(sql "SELECT queue FROM afterwork.claim(NULL, '$turn', '{fast}', '{fast}', 1, 300000)")
	seen+=$turn
done
is "$seen" abcabc 'queues take turns'
fresh

# --- the fence ---
settle() {
	sql "SELECT unnest(afterwork.settle('default', '{$1}', '{$2}', '{$3}', '{0}', '{1}', '{1}',
		ARRAY[NULL::text], ARRAY['why'], ARRAY[NULL::text]))"
}
a=$(add fast)
claim 1 >/dev/null
old=$(sql "SELECT lease_no FROM afterwork.job WHERE id = $a")
sql "UPDATE afterwork.job SET lease_until = now() - interval '1 ms'"
claim 1 >/dev/null
new=$(sql "SELECT lease_no FROM afterwork.job WHERE id = $a")
ok 'a new claim has a higher number' [ "$new" -gt "$old" ]
row=$(sql "SELECT j FROM afterwork.job AS j")
for op in 'done' failed retry release crash park; do
	is "$(settle "$a" "$old" $op)" '' "$op under the old number is refused"
done
is "$(sql "SELECT j FROM afterwork.job AS j")" "$row" 'and changes nothing'
is "$(settle "$a" "$new" release)" "$a" 'the holder of the new one may'
is "$(settle "$a" "$new" 'done')" '' 'once'
is "$(sql "SELECT state, attempts, lease_until IS NULL FROM afterwork.job WHERE id = $a")" 'ready|0|t' \
	'what was given back was not tried'
claim 1 >/dev/null
is "$(settle "$a" "$(sql 'SELECT lease_no FROM afterwork.job')" 'done')" "$a" 'done'
is "$(sql "SELECT state, attempts FROM afterwork.history WHERE id = $a")|$(sql 'SELECT count(*) FROM afterwork.job')" \
	'done|1|0' 'goes to history'
a=$(add fast)
claim 1 >/dev/null
is "$(settle "$a" "$(sql 'SELECT lease_no FROM afterwork.job')" park)" "$a" 'parked'
is "$(sql "SELECT state, crashes, error FROM afterwork.failed WHERE id = $a")" 'failed|1|why' \
	'goes to failed, with why'

exec {other_in}>&-
wait "$other_pid"
done_testing
