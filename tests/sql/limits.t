#!/bin/bash
# limits.t: no more jobs of a key, or of a queue, are held at a time than may be;
# a key with one place keeps its order; what has no place waits out of sight.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone limits
task plain
task one '"concurrency":{"key":"one:{n}","max":1}'
task three '"concurrency":{"key":"three","max":3}'
task newest '"concurrency":{"key":"newest:{n}","max":1,"supersedes":true}'

# claim [N [QUEUES]]: at once, the ids in claim order
claim() {
	sql "SELECT coalesce(string_agg(id::text, ' ' ORDER BY priority, run_at, id), '')
		FROM afterwork.claim(${2:-NULL}, '', '{plain,one,three,newest}',
		'{plain,one,three,newest}', ${1:-100}, 60000) WHERE id IS NOT NULL"
}
# settle OP ID…: as the holder
settle() {
	local op=$1 id
	shift
	for id; do
		sql "SELECT afterwork.settle(queue, ARRAY[id], ARRAY[lease_no],
			'{$op}', '{${delay:-0}}', '{1}', '{1}', ARRAY[NULL::text],
			ARRAY['why'], ARRAY[NULL::text])
			FROM afterwork.job WHERE id = $id" >/dev/null
	done
}
add() {
	sql "SELECT afterwork.enqueue('$1', '${2:-{\}}'${3:+, $3})"
}
states() {
	sql "SELECT coalesce(string_agg(state || CASE WHEN lease_until IS NULL
		THEN '' ELSE '*' END, ' ' ORDER BY id), '') FROM afterwork.job"
}
# What a key's row counts is what its jobs hold, always.
books() {
	sql "SELECT count(*) FROM (
		SELECT queue, concurrency_key AS key, count(*) AS n
		FROM afterwork.job WHERE has_place GROUP BY 1, 2
		UNION ALL SELECT queue, '', count(*) FROM afterwork.job
		WHERE has_queue_place GROUP BY 1) AS held
	FULL JOIN afterwork.place p USING (queue, key)
	WHERE coalesce(n, 0) <> coalesce(p.taken, 0)"
}
# begin SQL: in a transaction of somebody else's, which stays open until `end`
begin() {
	exec {tx}> >(exec psql -XqAt "$DATABASE_URL" >"$work/tx" 2>&1)
	tx_pid=$!
	echo "BEGIN; $1; SELECT 'is open';" >&$tx
	await 20 'grep -q "is open" "$work/tx"' || bail "$(cat "$work/tx")"
}
end() {
	echo "$1;" >&$tx
	exec {tx}>&-
	wait "$tx_pid"
}
clear() {
	sql 'TRUNCATE afterwork.job, afterwork.history, afterwork.failed, afterwork.place'
}

# --- a key with one place ---
a=$(add one '{"n":1}') b=$(add one '{"n":1}') c=$(add one '{"n":2}') d=$(add one '{"n":1}')
is "$(claim)" "$a $c" 'one of each key is claimed'
is "$(states)" 'ready* blocked ready* blocked' 'the others are out of sight'
is "$(claim)" '' 'there is nothing to claim'
is "$(sql "SELECT more FROM afterwork.claim(NULL, '', '{one}', '{one}', 9, 60000)")" f 'and nothing more'
settle 'done' "$a"
is "$(claim)" "$b" 'the next in order, when the first is done'
delay=60000 settle retry "$b"
is "$(claim)" '' 'while it waits for another try nobody overtakes it'
sql "SELECT afterwork.revive($b)" >/dev/null
is "$(claim)" "$b" 'its other try is next'
settle release "$b"
is "$(claim)" "$b" 'one that was given back too'
sql "UPDATE afterwork.job SET lease_until = now() - interval '1 s' WHERE id = $b"
is "$(claim)" "$b" 'and one whose runner died: the place is the job'"'"'s'
settle failed "$b"
is "$(claim)" "$d" 'failed for good, it lets the next one in'
is "$(books)" 0 'the books are right'
settle 'done' "$c" "$d"
sql "SELECT afterwork.places_keep('default')"
is "$(sql 'SELECT count(*) FROM afterwork.place')" 0 'a key that nobody needs has no row'
clear

# --- more places ---
for i in 1 2 3 4 5 6; do add three >/dev/null; done
mapfile -t ids < <(sql 'SELECT id FROM afterwork.job ORDER BY id')
is "$(claim 2)" "${ids[0]} ${ids[1]}" 'two places'
is "$(claim)" "${ids[2]}" 'a third'
delay=60000 settle retry "${ids[0]}"
is "$(claim)" "${ids[3]}" 'what waits for another try has given its place back'
sql "SELECT afterwork.revive(${ids[0]})" >/dev/null
is "$(claim)" '' 'and waits for another when it comes back'
is "$(sql "SELECT afterwork.cancel(${ids[0]})")" cancelled 'blocked, it is cancelled'
is "$(sql "SELECT afterwork.cancel(${ids[4]})")" cancelled 'so is one that never ran'
settle 'done' "${ids[1]}" "${ids[2]}" "${ids[3]}"
is "$(claim)" "${ids[5]}" 'the rest is not forgotten'
is "$(books)" 0 'the books are right'
clear
sql "SELECT count(afterwork.enqueue('three')) FROM generate_series(1, 500)" >/dev/null
sql "SELECT afterwork.enqueue('plain', priority => 1000)" >/dev/null
is "$(claim | wc -w)" 3 'three of five hundred'
is "$(claim | wc -w)" 1 'those behind them are found'
is "$(sql "SELECT count(*) FROM afterwork.job WHERE state = 'blocked'")" 497 'each of the others is passed over once'
is "$(sql "SELECT afterwork.keep_house('1 day')")$(books)" 0 'the house is kept, and the books'
clear

# --- a key that the caller gives ---
a=$(add plain '{}' "concurrency_key => 'k'") b=$(add plain '{}' "concurrency_key => 'k'")
c=$(add plain '{}' "concurrency_key => 'k', queue => 'other'")
is "$(claim 9 "'{default}'")" "$a" 'has one place'
is "$(claim)" "$c" 'in each queue'
is "$(claim)" '' 'and no more'
settle 'done' "$a" "$c"
is "$(claim)" "$b" 'the other one'
settle 'done' "$b"
clear

# --- a queue ---
is "$(sql "SELECT afterwork.limit_queue('default', 2), afterwork.limit_queue('nobody''s', 2)")" 't|f' 'a queue gets a maximum'
for i in 1 2 3 4 5; do add plain >/dev/null; done
mapfile -t ids < <(sql 'SELECT id FROM afterwork.job ORDER BY id')
is "$(claim)" "${ids[0]} ${ids[1]}" 'two are claimed'
is "$(claim)" '' 'no third'
is "$(sql "SELECT more FROM afterwork.claim(NULL, '', '{plain}', '{plain}', 9, 60000)")" f 'nor is anything claimable'
settle 'done' "${ids[0]}"
is "$(claim)" "${ids[2]}" 'another for one that is done'
delay=60000 settle retry "${ids[1]}"
is "$(claim)" "${ids[3]}" 'and for one that waits'
sql "UPDATE afterwork.job SET lease_until = now() - interval '1 s' WHERE id = ${ids[2]};
	UPDATE afterwork.place SET look_at = now() - interval '1 s'"
is "$(claim)" "${ids[2]}" 'one whose runner died is claimed though the queue is full'
is "$(sql "SELECT p.look_at > j.claimed_at FROM afterwork.place p, afterwork.job j
	WHERE p.key = '' AND j.id = ${ids[2]}")" t 'and the next look is for the next lease'
is "$(books)" 0 'the books are right'
is "$(sql "SELECT afterwork.limit_queue('default', NULL)")" t 'no maximum any more'
is "$(claim)" "${ids[4]}" 'all are claimed'
# The first jobs of the maximum that was are still at work.
is "$(sql "SELECT taken FROM afterwork.place WHERE key = ''")" 2 'who was counted stays so'
settle 'done' "${ids[2]}"
settle 'done' "${ids[4]}"
sql "SELECT afterwork.limit_queue('default', 1)" >/dev/null
e=$(add plain)
is "$(claim)" '' 'so that a maximum is right when there is one again'
settle 'done' "${ids[3]}"
is "$(claim)|$(books)" "$e|0" 'and a place is free when it has ended'
sql "SELECT afterwork.limit_queue('default', NULL)" >/dev/null
settle 'done' "$e"

# A claim that has seen the maximum and a settlement, both still open.
sql "SELECT afterwork.limit_queue('default', 2)" >/dev/null
a=$(add plain)
is "$(claim)" "$a" 'one of two places is taken'
add plain >/dev/null
begin "SELECT count(*) FROM afterwork.claim(NULL, '', '{plain}', '{plain}', 9, 60000)"
is "$(sql "SET lock_timeout = '2s'; SELECT afterwork.limit_queue('default', NULL)")" t \
	'the maximum goes without waiting for a claim'
end COMMIT
is "$(sql "SELECT taken FROM afterwork.place WHERE key = ''")|$(books)" '2|0' 'whose job is counted'
sql "SELECT afterwork.limit_queue('default', NULL)" >/dev/null
like "$(sql "SELECT afterwork.limit_queue('default', 0)" 2>&1)" 'at least one job' 'none is not a maximum'
clear

# --- supersedes ---
a=$(add newest '{"n":1}') b=$(add newest '{"n":2}')
is "$(claim 1)" "$a" 'one runs'
c=$(add newest '{"n":1}') d=$(add newest '{"n":1}')
is "$(sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM afterwork.job")" "$a $b $d" \
	'a newer job takes the place of those that wait, not of the one that runs, nor of another key'
is "$(sql "SELECT state, error FROM afterwork.history WHERE id = $c")" \
	"cancelled|The job was superseded by job $d." 'their record says by which'
settle 'done' "$a"
is "$(claim 1)$(claim 1)" "$b$d" 'the newest runs'
is "$(books)" 0 'the books are right'
delay=60000 settle retry "$d"
e=$(add newest '{"n":1}')
is "$(sql "SELECT state FROM afterwork.jobs WHERE id = $d")|$(claim 1)" "cancelled|$e" \
	'one that waits for another try leaves its place to the newer one'
is "$(books)" 0 'the books are right'
settle retry "$e"
f=$(add newest '{"n":1}') # has the place now, and is claimed
claim 1 >/dev/null
begin "SELECT afterwork.enqueue('newest', '{\"n\":1}')"
PGOPTIONS='-c lock_timeout=1s' settle 'done' "$f"
is "$(sql "SELECT state FROM afterwork.jobs WHERE id = $f")" 'done' \
	'a transaction that stores a newer one keeps nobody from ending his'
end COMMIT
is "$(claim 1 | wc -w),$(books)" 1,0 'and the newer one is claimed'
clear

# --- supersedes: a lease that ran out, in a queue with a maximum ---
lapse() {
	sql "UPDATE afterwork.job SET lease_until = now() - interval '1 s' WHERE id = $1;
		UPDATE afterwork.place SET look_at = now() - interval '1 s' WHERE key = ''"
}
places() {
	sql "SELECT string_agg(CASE key WHEN '' THEN 'queue' ELSE 'key' END || taken, ' ' ORDER BY key) FROM afterwork.place"
}
sql "SELECT afterwork.limit_queue('default', 1)" >/dev/null
a=$(add newest '{"n":1}')
is "$(claim)" "$a" 'one runs'
b=$(add newest '{"n":1}')
is "$(sql "SELECT state FROM afterwork.jobs WHERE id = $a")" running 'and is left alone'
lapse "$a"
begin "SELECT afterwork.enqueue('newest', '{\"n\":1}', unique_key => 'u')"
is "$(sql 'SELECT count(*) FROM (SELECT FROM afterwork.place FOR UPDATE SKIP LOCKED) p')" 2 \
	'a transaction that makes it needless when its lease is over holds no place'
end COMMIT
is "$(sql "SELECT string_agg(state, ' ') FROM afterwork.jobs WHERE id IN ($a, $b)")|$(books)" \
	'cancelled cancelled|0' 'it is cancelled, with the one that waited'
c=$(sql 'SELECT max(id) FROM afterwork.job')
is "$(places)|$(claim)" "queue1 key1|$c" 'the newer one has its places, and is claimed though the queue is full'
lapse "$c"
d=$(add newest '{"n":1}' "run_at => now() + interval '1 hour'")
is "$(places),$(books)" 'queue0 key1,0' 'one that is to wait for its time leaves the queue to others'
sql "SELECT afterwork.revive($d)" >/dev/null
is "$(claim)" "$d" 'until it is due'
lapse "$d"
e=$(add newest '{"n":1}' "unique_key => 'u'")
is "$(add newest '{"n":1}' "unique_key => 'u', replace => true, run_at => now() + interval '1 hour'"),$(places),$(books)" \
	"$e,queue0 key0,0" 'so does one that is put off'
sql "SELECT afterwork.limit_queue('default', NULL)" >/dev/null
clear

# --- supersedes: a job that stays locked ---
a=$(add newest '{"n":1}')
begin "SELECT id FROM afterwork.job WHERE id = $a FOR UPDATE"
like "$(sql "SET statement_timeout = '30s'; SELECT afterwork.enqueue('newest', '{\"n\":1}')" 2>&1)" \
	'lock timeout' 'is waited for, but not for ever'
end COMMIT
is "$(states)" ready 'and no newer one is stored meanwhile'
clear

# --- hard, whoever claims when ---
sql "SELECT count(afterwork.enqueue('one', jsonb_build_object('n', n % 7)))
		+ count(afterwork.enqueue('three')) FROM generate_series(1, 300) n" >/dev/null
sql "CREATE TABLE watch (key text, most integer, allowed integer)"
cat >"$work/turn" <<'END'
BEGIN;
SELECT coalesce(array_agg(c.id) FILTER (WHERE c.id IS NOT NULL), '{}')::text AS ids, coalesce(array_agg(c.lease_no) FILTER (WHERE c.id IS NOT NULL), '{}')::text AS leases FROM afterwork.claim(NULL, '', '{one,three}', '{one,three}', 5, 60000) c \gset
COMMIT;
INSERT INTO watch SELECT concurrency_key, count(*), CASE WHEN concurrency_key = 'three' THEN 3 ELSE 1 END FROM afterwork.job WHERE lease_until IS NOT NULL GROUP BY 1;
SELECT afterwork.settle('default', :ids, :leases, array_fill('done'::text, ARRAY[cardinality(:ids::bigint[])]), array_fill(0::bigint, ARRAY[cardinality(:ids::bigint[])]), array_fill(1::bigint, ARRAY[cardinality(:ids::bigint[])]), array_fill(1::bigint, ARRAY[cardinality(:ids::bigint[])]), array_fill(NULL::text, ARRAY[cardinality(:ids::bigint[])]), array_fill(NULL::text, ARRAY[cardinality(:ids::bigint[])]), array_fill(NULL::text, ARRAY[cardinality(:ids::bigint[])]));
END
sed -i "s/:ids::bigint\[\]/:'ids'::bigint[]/g; s/'default', :ids, :leases/'default', :'ids', :'leases'/" "$work/turn"
for i in 1 2 3 4 5 6; do
	for j in $(seq 60); do cat "$work/turn"; done |
		psql -Xq -v ON_ERROR_STOP=1 "$DATABASE_URL" >"$work/out.$i" 2>&1 &
	pids[i]=$!
done
failed=0
for i in 1 2 3 4 5 6; do wait "${pids[i]}" || failed=$((failed + 1)); done
is "$failed" 0 "six at once: no error, no deadlock: $(cat "$work"/out.* | head -n 2)"
is "$(sql 'SELECT count(*) FROM watch WHERE most > allowed')" 0 'no key had more than it may'
ok 'and was looked at often' [ "$(sql 'SELECT count(*) FROM watch')" -gt 300 ]
for i in $(seq 300); do
	[ "$(sql 'SELECT count(*) FROM afterwork.job')" = 0 ] && break
	# shellcheck disable=SC2046
	settle 'done' $(claim)
done
is "$(sql 'SELECT count(*) FROM afterwork.history'),$(states),$(books)" '600,,0' 'all were run, the books are right'
done_testing
