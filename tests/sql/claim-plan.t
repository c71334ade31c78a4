#!/bin/bash
# claim-plan.t: a claim, a settlement and the questions around them read a few
# rows by an index, however many jobs there are and in whatever session.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone claim_plan
task noop
task slow
sql 'ALTER TABLE afterwork.job SET (autovacuum_enabled = off)'
sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at, input)
	SELECT 'default', 'noop', 'ready', 100, now() - n * interval '1 ms', '{}'
	FROM generate_series(1, 100000) AS n"
sql "INSERT INTO afterwork.job (queue, task, state, priority, run_at, input)
	SELECT 'default', 'noop', 'delayed', 100, now() + n * interval '1 s', '{}'
	FROM generate_series(1000, 100999) AS n"

# lean FILE WHAT: no plan in it reads a whole table of jobs, or sorts one.
lean() {
	is "$(grep -cE 'Seq Scan on (job|failed|history|place)' "$work/$1")" 0 \
		"$2: no table of jobs is read from end to end"
	is "$(grep -oE 'actual rows=[0-9]+' "$work/$1" | cut -d= -f2 | sort -n |
		awk '{ most = $1 } END { print most <= 201 }')" 1 \
		"$2: no step sees more rows than were asked for"
	grep -E 'Seq Scan on (job|failed|history|place)' "$work/$1" | head -3 | sed 's/^/# /'
}

claim="SELECT count(*) FROM afterwork.claim(NULL, '', '{noop,slow}', '{noop}', 100, 60000)"
one="SELECT count(*) FROM afterwork.claim('{default}', '', '{noop,slow}', '{}', 1, 60000)"
behind="SELECT count(*) FROM afterwork.claim_behind('default', '{noop,slow}', '{noop}', 100, 60000, '{}', 100, now() - interval '99 s', 0)"
first="SELECT count(*) FROM afterwork.claim_first('default', '{noop,slow}', 60000)"
settle_first="SELECT afterwork.settle_first('default', id, lease_no, 1, 1, NULL, NULL, true)
	FROM afterwork.claim_first('default', '{noop,slow}', 60000)"
settle="WITH held AS (
		SELECT array_agg(id) AS ids, array_agg(lease_no) AS leases
		FROM (SELECT id, lease_no FROM afterwork.claim(NULL, '', '{noop}',
			'{noop}', 100, 60000)) AS c)
	SELECT count(*) FROM held, afterwork.settle('default', ids, leases,
		array_fill('done'::text, ARRAY[100]), array_fill(0::bigint, ARRAY[100]),
		array_fill(1::bigint, ARRAY[100]), array_fill(1::bigint, ARRAY[100]),
		array_fill(NULL::text, ARRAY[100]), array_fill(NULL::text, ARRAY[100]),
		array_fill(NULL::text, ARRAY[100]))"

for known in 'before' 'after'; do
	[ $known = before ] || sql 'ANALYZE afterwork.job'
	# Seven in one session: from the sixth on plans are those for any value.
	plans claim "$claim" "$claim" "$claim" "$claim" "$claim" "$claim" "$claim"
	is "$(grep -cE 'Index Scan using job_claim on job' "$work/claim")" 7 \
		"claim, $known ANALYZE: in the order of its index, each time"
	is "$(grep -A 3 'FOR UPDATE SKIP LOCKED' "$work/claim" | grep -cE '(Sort|Hash|Merge)')" 0 \
		"claim, $known ANALYZE: without a sort"
	ok "claim, $known ANALYZE: the update goes by the primary key" \
		grep -qE '(Index Scan using|Bitmap Index Scan on) job_pkey' "$work/claim"
	lean claim "claim, $known ANALYZE"
	plans one "$one" "$one" "$one" "$one" "$one" "$one" "$one"
	is "$(grep -cE 'Index Scan using job_claim on job' "$work/one")" 7 \
		"claim of one, $known ANALYZE: by its index"
	lean one "claim of one, $known ANALYZE"
	plans behind "$behind" "$behind" "$behind"
	is "$(grep -cE 'Index Scan using job_claim on job' "$work/behind")" 3 \
		"behind a place, $known ANALYZE: in the order of its index"
	is "$(grep -cE 'Index Scan using job_pkey on job' "$work/behind")" 3 \
		"behind a place, $known ANALYZE: the update goes by the primary key"
	is "$(grep -A 3 'FOR UPDATE SKIP LOCKED' "$work/behind" | grep -cE '(Sort|Hash|Merge)')" 0 \
		"behind a place, $known ANALYZE: without a sort"
	lean behind "behind a place, $known ANALYZE"
	plans first "$first" "$settle_first"
	is "$(grep -cE 'Index Scan using job_claim on job' "$work/first")" 2 \
		"first claim, $known ANALYZE: by its index"
	is "$(grep -cE 'Index Scan using job_pkey on job' "$work/first")" 3 \
		"first claim and its end, $known ANALYZE: by the primary key"
	lean first "first claim and its end, $known ANALYZE"
	plans settle "$settle" "$settle" "$settle" "$settle" "$settle" "$settle" "$settle"
	is "$(grep -cE 'Delete on job' "$work/settle")" 7 \
		"settle, $known ANALYZE: the job is deleted"
	ok "settle, $known ANALYZE: by the primary key" \
		grep -qE '(Index Scan using|Bitmap Index Scan on) job_pkey' "$work/settle"
	lean settle "settle, $known ANALYZE"
	# Without statistics it is the one that sorts what is delayed: 10 ms.
	[ $known = before ] || plans outlook "SELECT * FROM afterwork.outlook(NULL)" \
		"SELECT * FROM afterwork.outlook('{default}')"
	[ $known = before ] || lean outlook 'outlook, after ANALYZE'
	plans page "SELECT id FROM afterwork.job_page(true, 10, 0)" \
		"SELECT id FROM afterwork.job_page(false, 10, 50)" \
		"SELECT id FROM afterwork.job_by_id(777)"
	lean page "the list and one job, $known ANALYZE"
done

# Delayed jobs come due: by their index, and no more than there are.
sql "UPDATE afterwork.job SET run_at = now()
	WHERE id IN (SELECT id FROM afterwork.job WHERE state = 'delayed'
		ORDER BY id LIMIT 50)"
plans promote "SELECT afterwork.promote('default')"
ok 'promotion goes by the index of delayed jobs' \
	grep -q 'job_delayed' "$work/promote"
lean promote promotion

# The test itself can fail: this is the plan that it is there to refuse.
plans bad "SET enable_indexscan = off" "SET enable_bitmapscan = off" \
	"SELECT id FROM afterwork.job WHERE queue = 'default' AND state = 'ready' ORDER BY priority, run_at, id LIMIT 1"
is "$(grep -cE 'Seq Scan on job' "$work/bad")" 1 'a scan of all would be seen'

# A claim moves no index entry: the new version of the row stays on its page.
hot() {
	sql "DO \$\$ BEGIN
		FOR i IN 1..$1 LOOP
			PERFORM afterwork.claim(NULL, '', '{noop}', '{noop}', $2, 60000);
			COMMIT;
		END LOOP;
	END \$\$" &&
		sql 'SELECT pg_stat_force_next_flush()' >/dev/null
}
updates() {
	sql "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables
		WHERE relid = 'afterwork.job'::regclass"
}
IFS='|' read -r all hot < <(updates)
hot 200 1
hot 40 5
await 5 "[ \"\$(updates | cut -d'|' -f1)\" -ge $((all + 400)) ]"
IFS='|' read -r all_now hot_now < <(updates)
note "$((hot_now - hot)) of $((all_now - all)) updates were HOT"
is $((all_now - all)) 400 '400 jobs are claimed'
ok 'and at least 95 of 100 updates leave the indexes alone' \
	[ $(((hot_now - hot) * 100)) -ge $(((all_now - all) * 95)) ]
is "$(sql "SELECT count(*) FROM pg_index i, unnest(i.indkey) AS k
	JOIN pg_attribute a ON a.attnum = k
	WHERE i.indrelid = 'afterwork.job'::regclass AND a.attrelid = i.indrelid
	AND a.attname IN ('lease_no', 'claimed_at', 'lease_until', 'attempts',
		'crashes', 'alone', 'log')")" 0 'no index holds what a claim writes'
is "$(sql "SELECT count(*) FROM pg_index i
	JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
	WHERE i.indrelid IN ('afterwork.job'::regclass, 'afterwork.failed'::regclass,
		'afterwork.history'::regclass) AND a.attname <> 'queue'")" 0 \
	'every index begins with the queue'

# Places of keys: by their index, of jobs with few others and with one place.
task keyed '"concurrency":{"key":"{k}","max":10}'
task single '"concurrency":{"key":"{k}","max":1}'
for slug in keyed single; do
	sql "SELECT count(*) FROM afterwork.enqueue_many('$slug', (SELECT jsonb_agg(
		jsonb_build_object('k', n % 5000)) FROM generate_series(1, 20000) n), priority => 1)" \
		>/dev/null
	for known in 'before' 'after'; do
		[ $known = before ] || sql 'ANALYZE afterwork.job, afterwork.place'
		keyed="SELECT count(*) FROM afterwork.claim(NULL, '', '{$slug}', '{$slug}', 100, 60000)"
		plans places "$keyed" "$keyed" "$keyed" "$keyed" "$keyed" "$keyed" "$keyed"
		ok "$slug, $known ANALYZE: the keys by their index" \
			grep -q 'Index Scan using place_pkey' "$work/places"
		is "$(grep -oE 'Rows Removed by Filter: [0-9]+' "$work/places" |
			awk '$5 > 2000' | wc -l)" 0 \
			"$slug, $known ANALYZE: no scan of all keys"
		lean places "$slug, $known ANALYZE"
	done
	sql "DELETE FROM afterwork.job WHERE task = '$slug'"
done
done_testing
