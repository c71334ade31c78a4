#!/bin/bash
# limits-rescue.t: nothing that goes wrong on the way keeps a limited queue, a
# key, or the jobs without a key from going on.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone limits_rescue
task plain
task long '"timeout":"60s"'
task one '"concurrency":{"key":"k","max":1}'
task by '"concurrency":{"key":"{who}","max":1}'

# claim [FIT_MS]: the ids
claim() {
	sql "SELECT coalesce(string_agg(id::text, ' ' ORDER BY priority, run_at, id), '')
		FROM afterwork.claim(NULL, '', '{plain,long,one,by}',
		'{plain,long,one,by}', 10, ${1:-100000}) WHERE id IS NOT NULL"
}
settle() {
	sql "SELECT afterwork.settle(queue, ARRAY[id], ARRAY[lease_no], '{$1}', '{0}',
		'{1}', '{1}', '{NULL}', '{why}', '{NULL}')
		FROM afterwork.job WHERE id = $2" >/dev/null
}
add() {
	sql "SELECT afterwork.enqueue($*)"
}
clear() {
	sql 'TRUNCATE afterwork.job, afterwork.place, afterwork.unique_period'
}

# --- a full queue, a lease that ran out, and a runner that can't take the job ---
a=$(add "'long'")
sql "SELECT afterwork.limit_queue('default', 1)" >/dev/null
is "$(claim)" "$a" 'the only place is taken'
sql "UPDATE afterwork.job SET lease_until = clock_timestamp() - interval '1 s';
	UPDATE afterwork.place SET look_at = clock_timestamp() - interval '1 s'"
is "$(sql 'SELECT claimable FROM afterwork.outlook(NULL)')" t 'it is known that something can be claimed'
is "$(claim 1000)" '' 'a runner late in its time leaves the job'
ok 'a fresh one takes it soon' await 5 "[ \"\$(claim)\" = $a ]"
settle 'done' "$a"
sql "SELECT afterwork.limit_queue('default', NULL)" >/dev/null
clear

# --- replace ---
a=$(add "'one'") b=$(add "'one', unique_key => 'u'") c=$(add "'one'")
is "$(claim)" "$a" 'one of three'
settle 'done' "$a"
is "$(add "'one', '{\"v\":1}', unique_key => 'u', replace => true")" "$b" 'the next one is replaced'
is "$(claim)" "$b" 'and keeps its turn'
sql "SELECT afterwork.settle(queue, ARRAY[id], ARRAY[lease_no], '{retry}', '{60000}',
	'{1}', '{1}', '{NULL}', '{why}', '{NULL}') FROM afterwork.job WHERE id = $b" >/dev/null
add "'one', '{\"v\":2}', unique_key => 'u', replace => true, run_at => now() + interval '1 year'" >/dev/null
is "$(claim)" "$c" 'put off to next year, it gives its place back'
clear
add "'plain', unique_key => 'u'" >/dev/null
like "$(add "'long', unique_key => 'u', replace => true" 2>&1)" 'A job of the task "plain" has this key' \
	'a job of another task is not replaced'
clear
a=$(add "'by', '{\"who\":\"ann\"}', unique_key => 'u'")
add "'by', '{\"who\":\"bob\"}', unique_key => 'u', replace => true" >/dev/null
is "$(sql 'SELECT concurrency_key FROM afterwork.job')" bob 'the key goes with the input'
clear
a=$(add "'plain', unique_key => 'u'")
claim >/dev/null
sql "SELECT afterwork.cancel($a)" >/dev/null
settle retry "$a"
b=$(add "'plain', '{\"v\":2}', unique_key => 'u', replace => true")
ok 'one that is being cancelled is not replaced: another is made' [ "$a" != "$b" ]
clear

# --- a key that somebody has locked ---
add "'one'" >/dev/null
claim >/dev/null
sql "INSERT INTO afterwork.place (queue, key, max) VALUES ('default', 'ann', 1)"
add "'by', '{\"who\":\"ann\"}'" >/dev/null
plain=$(add "'plain'")
exec {tx}> >(exec psql -Xq "$DATABASE_URL" >"$work/tx" 2>&1)
tx_pid=$!
echo "BEGIN; SELECT 'locked' FROM afterwork.place WHERE key = 'ann' FOR UPDATE;" >&$tx
await 5 'grep -q locked "$work/tx"' || bail 'no transaction'
is "$(claim)" "$plain" 'holds up nobody without it'
echo 'COMMIT;' >&$tx
exec {tx}>&-
wait "$tx_pid"
is "$(claim | wc -w)" 1 'and is claimed when it is free'
clear

# --- keys that are none, and a maximum that grows ---
like "$(sql "SELECT afterwork.enqueue_many('by', '[{\"who\":\"ann\"},{}]')" 2>&1)" '1 to 255 characters' \
	'an empty key is refused among many, too'
is "$(sql "SELECT count(*) FROM afterwork.job")" 0 'none of them is stored'
sql "SELECT afterwork.enqueue_many('one', '[{},{},{}]')" >/dev/null
is "$(claim | wc -w),$(claim | wc -w)" 1,0 'one of three'
task one '"concurrency":{"key":"k","max":3}'
sql "SELECT afterwork.places_keep('default')"
is "$(claim | wc -w)" 2 'the others, when there are more places'
clear

# --- for a time, whoever asks ---
a=$(add "'plain', unique_key => 'u', unique_for => '1 hour'")
claim >/dev/null
settle 'done' "$a"
is "$(add "'plain', unique_key => 'u'")" "$a" 'a key that is taken for a time is taken for all'
clear

# --- what a caller has in pg_temp is not what the owner calls ---
sql_as postgres "GRANT TEMPORARY ON DATABASE $alone TO PUBLIC; CREATE ROLE rescue_$$ LOGIN;
	GRANT afterwork_producer TO rescue_$$" >/dev/null
said=$(sql_as postgres "SET SESSION AUTHORIZATION rescue_$$;
CREATE FUNCTION pg_temp.evil(v pg_catalog.text) RETURNS boolean LANGUAGE plpgsql AS
	'BEGIN RAISE NOTICE ''evil as %'', current_user; RETURN true; END';
CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (pg_temp.evil(value));
SELECT 'stored ' || afterwork.enqueue('plain', unique_key => 'e', tags => '{a}', unique_for => '1 s')" 2>&1)
like "$said" 'stored [0-9]' 'a producer with types of its own stores a job'
unlike "$said" 'evil as afterwork' 'and none of them runs as the owner'
sql_as postgres "DROP OWNED BY rescue_$$; DROP ROLE rescue_$$" >/dev/null
done_testing
