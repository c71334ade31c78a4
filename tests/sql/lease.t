#!/bin/bash
# lease.t: who holds a lease hears what is wanted of it and shows how far it is;
# SQL that asserts its lease fails when it is another's, and keeps others off
# until it has committed.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone lease
task one

# claim: sets $lease.
claim() {
	lease=$(sql "SELECT lease_no FROM afterwork.claim(NULL, '', '{one}', '{}',
	    1, 60000)")
}

# heed LEASE [PROGRESS]
heed() {
	sql "SELECT afterwork.heed('default', $job, $1${2+, '$2'})"
}

progress() {
	sql "SELECT afterwork.job_doc(j) -> 'progress' FROM afterwork.jobs j
	    WHERE id = $job"
}

settle() {
	sql "SELECT unnest(afterwork.settle('default', '{$job}', '{$lease}', '{$1}',
	    '{${2-0}}', '{0}', '{0}', '{NULL}', '{NULL}', '{NULL}'))"
}

# The transaction of another session: other SQL.
exec {other_in}> >(exec psql -XqAt "$direct" >>"$work/other" 2>&1)
other() {
	: >"$work/other"
	echo "$1; \\echo end" >&$other_in
	await 5 'grep -q "^end" "$work/other"' || bail "no answer to: $1"
	grep -v '^end' "$work/other"
}

# --- heed ---
job=$(sql "SELECT afterwork.enqueue('one')")
is "$(heed 1)" lost 'nobody holds a job that waits'
claim
first=$lease
is "$(heed "$lease")" 'go on' 'its holder may go on'
is "$(heed $((lease + 1)))" lost 'another number has lost it'
is "$(heed "$lease" '{"progress":0.5}')" 'go on' 'it may say how far it is'
is "$(progress)" '{"progress": 0.5}' 'which is shown'
is "$(heed $((lease + 1)) '{"progress":0.9}')" lost 'another may not'
is "$(progress)" '{"progress": 0.5}' 'and it is not shown'
is "$(settle retry)" "$job" 'it comes back'
is "$(progress)" null 'with no progress'
claim
is "$(progress)" null 'nor has its next attempt any, at first'
is "$(heed "$first")" lost 'the first holder has lost it'
sql "UPDATE afterwork.job SET cancel = 'x'" >/dev/null
is "$(heed "$lease")" cancel 'a cancel is heard'
is "$(heed "$lease" '{"message":"m"}')" cancel 'with progress too'
is "$(settle retry 60000)" "$job" 'if it fails meanwhile'
sql_is 'SELECT state FROM afterwork.job' ready 'it comes back at once'
sql_is "SELECT cancelled FROM afterwork.claim(NULL, '', '{one}', '{}', 1, 60000)" \
	t 'and the next claim is told not to run it'
lease=$(sql 'SELECT lease_no FROM afterwork.job')
is "$(settle cancelled)" "$job" 'but to settle it so'
sql_is 'SELECT state, error FROM afterwork.history' 'cancelled|x' \
	'with the words of the cancel'

# --- snooze ---
job=$(sql "SELECT afterwork.enqueue('one')")
claim
is "$(settle snooze 60000)" "$job" 'a job snoozes'
sql_is "SELECT state, attempts, crashes, run_at > now() + interval '50 s',
    log -> 0 ->> 'outcome' FROM afterwork.job" 'delayed|0|0|t|snoozed' \
	'later, and uncharged'
sql 'UPDATE afterwork.job SET run_at = now()'

# --- assert_lease ---
claim
sql "CREATE TABLE public.effect (n int)"
is "$(other "BEGIN; SELECT afterwork.assert_lease($job, $lease); INSERT INTO public.effect VALUES (1)")" \
	'' 'the holder asserts its lease'
like "$(sql "SET lock_timeout = '200ms'; DELETE FROM afterwork.job" 2>&1)" \
	'lock timeout' 'nobody changes the job meanwhile'
sql "UPDATE afterwork.job SET lease_until = now()" &
end=$!
is "$(sql "SELECT count(id) FROM afterwork.claim(NULL, '', '{one}', '{}', 1, 60000)")" \
	0 'nobody claims it'
other COMMIT >/dev/null
wait $end
sql_is 'SELECT count(*) FROM public.effect' 1 'then its work is there'

# Its lease has ended, but nobody has taken the job: it still may.
other BEGIN >/dev/null
is "$(other "SELECT afterwork.assert_lease($job, $lease)")" '' \
	'a lease that ended and is nobody else'"'"'s still holds'
is "$(sql "SELECT count(id) FROM afterwork.claim(NULL, '', '{one}', '{}', 1, 60000)")" \
	0 'and then nobody can take it'
other ROLLBACK >/dev/null
late=$lease
claim
ok 'another takes it' [ "$lease" -gt "$late" ]
like "$(other "BEGIN; INSERT INTO public.effect VALUES (2); SELECT afterwork.assert_lease($job, $late)")" \
	"Job $job is no longer held under lease $late\." 'the late one is refused'
other COMMIT >/dev/null
sql_is 'SELECT count(*) FROM public.effect' 1 'and its work with it'
like "$(sql "\\set VERBOSITY sqlstate
    SELECT afterwork.assert_lease(999999, 1)" 2>&1)" . 'no job, no lease'
is "$(psql -XqAt -v VERBOSITY=sqlstate "$DATABASE_URL" \
	-c "SELECT afterwork.assert_lease($job, $late)" 2>&1)" 'ERROR:  40001' \
	'the code says that it is another'"'"'s now'
done_testing
