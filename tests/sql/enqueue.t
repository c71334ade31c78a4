#!/bin/bash
# enqueue.t: a job is stored with its caller's transaction or not at all, if its
# task is known and its input fits; the queue needs no site for it.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone enqueue
sql_is "SELECT string_agg(nspname, ' ') FROM pg_namespace
	WHERE nspname IN ('site', 'afterwork')" afterwork 'the site is not there'
task plain
task own '"queue":"mail","priority":7'

count() {
	sql 'SELECT count(*) FROM afterwork.job'
}

# --- defaults and arguments ---
id=$(sql "SELECT afterwork.enqueue('plain', '{\"a\":1}')")
sql_is "SELECT queue, priority, state, input, unique_key IS NULL, concurrency_key IS NULL,
	wait_until IS NULL, meta IS NULL, attempts, lease_no IS NULL FROM afterwork.job WHERE id = $id" \
	'default|100|ready|{"a": 1}|t|t|t|t|0|t' 'two arguments are enough'
sql_is "SELECT queue, priority FROM afterwork.job WHERE id = (SELECT afterwork.enqueue('own'))" \
	'' 'what a statement stores it does not yet see'
sql_is "SELECT queue, priority FROM afterwork.job WHERE task = 'own'" 'mail|7' 'queue and priority are the task'"'"'s'
id=$(sql "SELECT afterwork.enqueue('own', '{}', queue => 'other', priority => -3, unique_key => 'u',
	concurrency_key => 'c', meta => '[1]', run_at => '2100-01-01 00:00+00')")
sql_is "SELECT queue, priority, unique_key, concurrency_key, meta, state, run_at = wait_until
	FROM afterwork.job WHERE id = $id" 'other|-3|u|c|[1]|delayed|t' 'or the caller'"'"'s'
sql_is "SELECT count(*) FROM afterwork.queue WHERE name IN ('mail', 'other')" 2 'a new queue is made'
sql_is "SELECT state FROM afterwork.job WHERE id = (SELECT max(id) FROM afterwork.job)" delayed 'the last one waits'
sql "SELECT afterwork.enqueue('plain', run_at => now() - interval '1 day')" >/dev/null
sql_is "SELECT state FROM afterwork.job ORDER BY id DESC LIMIT 1" ready 'a time that has passed is now'

# --- with the caller's transaction ---
before=$(count)
psql -Xq "$direct" >/dev/null 2>&1 <<'END'
BEGIN;
SELECT afterwork.enqueue('plain', queue => 'rolled-back');
ROLLBACK;
BEGIN;
SELECT afterwork.enqueue('plain', queue => 'rolled-back');
SELECT 1 / 0;
COMMIT;
END
is "$(count)" "$before" 'rolled back, a job was never there'
sql_is "SELECT count(*) FROM afterwork.queue WHERE name = 'rolled-back'" 0 'nor its queue'
psql -Xq "$direct" >/dev/null 2>&1 <<'END'
BEGIN;
SELECT afterwork.enqueue('plain', unique_key => 'kept');
SAVEPOINT s;
SELECT afterwork.enqueue('nothing');
ROLLBACK TO s;
COMMIT;
END
sql_is "SELECT count(*) FROM afterwork.job WHERE unique_key = 'kept'" 1 'committed, it is there'
exec {tx}> >(exec psql -Xq "$direct" >"$work/tx" 2>&1)
tx_pid=$!
echo "BEGIN; SELECT afterwork.enqueue('plain', unique_key => 'open'); SELECT 'stored' AS told;" >&$tx
await 5 'grep -q stored "$work/tx"' || bail 'no transaction'
sql_is "SELECT count(*) FROM afterwork.claim('{default}', '', '{plain}', '{plain}', 100, 60000) AS c
	JOIN afterwork.job j ON j.id = c.id AND j.queue = c.queue WHERE j.unique_key = 'open'" 0 \
	'before that nobody can claim it'
echo 'COMMIT;' >&$tx
exec {tx}>&-
wait "$tx_pid"
sql_is "SELECT count(*) FROM afterwork.claim('{default}', '', '{plain}', '{plain}', 100, 60000)" 1 \
	'after that one can'

# --- refusals: SQLSTATE, message for people, field ---
refused() {
	sql "DO \$\$ DECLARE said text; field text; BEGIN
		$1;
		RAISE NOTICE 'taken';
	EXCEPTION WHEN raise_exception THEN
		GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, field = PG_EXCEPTION_DETAIL;
		RAISE NOTICE 'P0001 % %', field, said;
	END \$\$" 2>&1 | sed 's/^NOTICE:  //'
}
before=$(count)
task typed '"inputSchema":[
	{"name":"number","type":"number","min":2,"max":5},{"name":"text","type":"text","minLength":2,"maxLength":3},
	{"name":"area","type":"textarea"},{"name":"email","type":"email"},{"name":"code","type":"code"},{"name":"date","type":"date"},
	{"name":"flag","type":"checkbox"},{"name":"json","type":"json"},{"name":"group","type":"group"},
	{"name":"rel","type":"relationship"},{"name":"file","type":"upload"},
	{"name":"pick","type":"select","options":["a",{"label":"B","value":"b"}]},
	{"name":"radio","type":"radio","options":["x"]},
	{"name":"many","type":"number","hasMany":true,"max":9},
	{"name":"tags","type":"select","hasMany":true,"options":["a","b"]}]'
task must '"inputSchema":[{"name":"a","type":"text","required":true},{"name":"b","type":"number","required":true}]'
# TASK | INPUT | WHAT IS SAID
while IFS='|' read -r task input want; do
	is "$(refused "PERFORM afterwork.enqueue('$task', '$input')")" "$want" "$task $input"
done <<'END'
nothing|{}|P0001 task The task "nothing" is not registered.
plain|[]|P0001 input The input must be an object.
plain|7|P0001 input The input must be an object.
plain|null|P0001 input The input must be an object.
plain|"x"|P0001 input The input must be an object.
must|{}|P0001 a This field is required.
must|{"a":null,"b":1}|P0001 a This field is required.
must|{"a":"x"}|P0001 b This field is required.
must|{"a":"x","b":0}|taken
typed|{}|taken
typed|{"unknown":{"a":[1]}}|taken
typed|{"number":2}|taken
typed|{"number":5.0}|taken
typed|{"number":null}|taken
typed|{"number":"2"}|P0001 number This field must be a number.
typed|{"number":true}|P0001 number This field must be a number.
typed|{"number":1.99}|P0001 number This field must be at least 2.
typed|{"number":5.01}|P0001 number This field must be at most 5.
typed|{"number":[3]}|P0001 number This field must be a number.
typed|{"text":"ab"}|taken
typed|{"text":"čšž"}|taken
typed|{"text":"a"}|P0001 text This field must be at least 2.
typed|{"text":"abcd"}|P0001 text This field must be at most 3.
typed|{"text":7}|P0001 text This field must be a text.
typed|{"area":"a","email":"e","code":"c","date":"2026-01-01"}|taken
typed|{"area":{}}|P0001 area This field must be a text.
typed|{"email":false}|P0001 email This field must be a text.
typed|{"code":1}|P0001 code This field must be a text.
typed|{"date":1}|P0001 date This field must be a text.
typed|{"flag":false}|taken
typed|{"flag":"true"}|P0001 flag This field must be true or false.
typed|{"flag":0}|P0001 flag This field must be true or false.
typed|{"json":[1,"x",null],"group":{"a":1}}|taken
typed|{"rel":7,"file":"abc"}|taken
typed|{"rel":true}|P0001 rel This field must be an id.
typed|{"file":{"id":1}}|P0001 file This field must be an id.
typed|{"pick":"a"}|taken
typed|{"pick":"b"}|taken
typed|{"pick":"B"}|P0001 pick This field has an invalid selection.
typed|{"pick":1}|P0001 pick This field must be a text.
typed|{"radio":"y"}|P0001 radio This field has an invalid selection.
typed|{"many":[1,2,9]}|taken
typed|{"many":[]}|taken
typed|{"many":1}|P0001 many This field must be a list.
typed|{"many":[1,"2"]}|P0001 many This field must be a number.
typed|{"many":[1,10]}|P0001 many This field must be at most 9.
typed|{"tags":["a","b"]}|taken
typed|{"tags":["a","c"]}|P0001 tags This field has an invalid selection.
END
is "$(refused "PERFORM afterwork.enqueue(NULL)")" 'P0001 task The task "" is not registered.' 'no task'
is "$(refused "PERFORM afterwork.enqueue('plain', NULL)")" 'P0001 input The input must be an object.' 'no input'
is "$(refused "PERFORM afterwork.enqueue('plain', queue => 'a b')")" \
	'P0001 queue A queue name has 1 to 100 letters, digits or . _ : - and begins with a letter or digit.' 'a queue of another name'
for key in unique concurrency; do
	is "$(refused "PERFORM afterwork.enqueue('plain', ${key}_key => '')")" \
		"P0001 ${key}Key A key has 1 to 255 characters." "an empty $key key"
	is "$(refused "PERFORM afterwork.enqueue('plain', ${key}_key => repeat('x', 256))")" \
		"P0001 ${key}Key A key has 1 to 255 characters." "a $key key that is too long"
done
sql_is "SELECT string_agg(n, ' ' ORDER BY n) FROM (SELECT task || '=' || count(*) AS n
	FROM afterwork.job WHERE task <> 'plain' AND queue = 'default' GROUP BY task) AS t" \
	'must=1 typed=16' 'what was refused is not there'
is "$(count)" $((before + 17)) 'nor anything else'
sql "SELECT afterwork.task_retire('{plain,own,typed}')" >/dev/null
is "$(refused "PERFORM afterwork.enqueue('must', '{\"a\":\"x\",\"b\":1}')")" \
	'P0001 task The task "must" is not registered.' 'a retired task takes no more'

# --- many ---
before=$(count)
sql_is "SELECT count(*), count(DISTINCT e) FROM afterwork.enqueue_many('typed', '[{\"number\":2},{\"number\":3},{}]') AS e" \
	'3|3' 'many at once'
sql_is "SELECT string_agg(coalesce(input ->> 'number', '-'), ' ' ORDER BY id) FROM
	(SELECT id, input FROM afterwork.job ORDER BY id DESC LIMIT 3) AS j" '2 3 -' 'in their order'
is "$(refused "PERFORM afterwork.enqueue_many('typed', '[{\"number\":2},{\"number\":9}]')")" \
	'P0001 1.number This field must be at most 5.' 'one that does not fit'
is "$(refused "PERFORM afterwork.enqueue_many('typed', '{}')")" 'P0001 inputs The inputs must be a list.' 'no list'
is "$(count)" $((before + 3)) 'stores none of them'

# --- unique keys ---
first=$(sql "SELECT afterwork.enqueue('plain', '{\"n\":1}', unique_key => 'key')")
sql_is "SELECT afterwork.enqueue('plain', '{\"n\":2}', unique_key => 'key')" "$first" 'a key in use gives its holder'
sql_is "SELECT created FROM afterwork.enqueue_job('plain', unique_key => 'key')" f 'and enqueue_job says so'
sql_is "SELECT input FROM afterwork.job WHERE id = $first" '{"n": 1}' 'which is unchanged'
isnt "$(sql "SELECT afterwork.enqueue('plain', queue => 'other', unique_key => 'key')")" "$first" 'a key holds within its queue'
for i in {1..20}; do
	sql "SELECT afterwork.enqueue('plain', unique_key => 'raced')" >"$work/race.$i" &
	pids[i]=$!
done
wait "${pids[@]}"
is "$(cat "$work"/race.* | sort -u | wc -l)" 1 'twenty at once get one job'
sql "SELECT afterwork.cancel($first)" >/dev/null
isnt "$(sql "SELECT afterwork.enqueue('plain', unique_key => 'key')")" "$first" 'a key is free when its job has ended'

# --- later ---
sql 'DELETE FROM afterwork.job'
soon=$(sql "SELECT afterwork.enqueue('plain', run_at => clock_timestamp() + interval '2 s')")
claim="SELECT id FROM afterwork.claim(NULL, '', '{plain}', '{plain}', 10, 60000)"
sql_is "SELECT state FROM afterwork.job WHERE id = $soon" delayed 'a job for later is delayed'
sql_is "$claim" '' 'and not claimed before its time'
sql_is "SELECT next_ms BETWEEN 1 AND 2000 FROM afterwork.outlook(NULL)" t 'a runner is told when it comes due'
eventually 5 "[ \"\$(sql \"$claim\")\" = $soon ]" 'it is claimed when it has come due'
done_testing
