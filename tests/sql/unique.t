#!/bin/bash
# unique.t: how long a unique key is a job's, what a second one with it gets, and
# that this is so for forty at once.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone unique
task plain

# add ARGUMENTS: "id created"
add() {
	sql "SELECT id || ' ' || created FROM afterwork.enqueue_job('plain', $*)"
}
claim() {
	sql "SELECT string_agg(id::text, ' ') FROM afterwork.claim(NULL, '', '{plain}',
		'{plain}', 1, 60000)"
}
settle() {
	sql "SELECT afterwork.settle(queue, ARRAY[id], ARRAY[lease_no], '{$1}', '{0}',
		'{1}', '{1}', ARRAY[NULL::text], ARRAY['why'], ARRAY[NULL::text])
		FROM afterwork.job WHERE id = $2" >/dev/null
}
job() {
	sql "SELECT input, state FROM afterwork.job WHERE id = $1"
}
refused() {
	sql "SELECT afterwork.enqueue('plain', $1)" 2>&1 | sed -n 's/^ERROR: *//p;s/^DETAIL: */ /p' | tr -d '\n'
}

# --- until its end ---
read -r a made < <(add "unique_key => 'k'")
is "$made" true 'the first is made'
is "$(add "unique_key => 'k'")" "$a false" 'a second gets its id'
like "$(add "unique_key => 'k', queue => 'other'")" true 'in another queue the key is free'
sql "SELECT afterwork.cancel(id) FROM afterwork.job WHERE queue = 'other'" >/dev/null
claim >/dev/null
is "$(add "unique_key => 'k'")" "$a false" 'while it runs, too'
settle retry "$a"
is "$(add "unique_key => 'k'")" "$a false" 'and while it waits for another try'
claim >/dev/null
settle 'done' "$a"
like "$(add "unique_key => 'k'")" true 'after its end the key is free'
sql 'TRUNCATE afterwork.job'

# --- until its start ---
read -r a made < <(add "unique_key => 'k', unique_until => 'start'")
is "$(add "unique_key => 'k', unique_until => 'start'")" "$a false" 'until its start: while it waits'
claim >/dev/null
read -r b made < <(add "unique_key => 'k', unique_until => 'start'")
is "$made" true 'from its start on there may be another'
settle retry "$a"
is "$(add "unique_key => 'k', unique_until => 'start'")" "$b false" 'which has the key, also when the first waits again'
is "$(claim)|$(settle 'done' "$a")$(claim)" "$a|$b" 'both are run'
sql 'TRUNCATE afterwork.job'

# --- revived ---
# ended HOW: a job that is unique until its start, and has ended so
ended() {
	local id
	id=$(sql "SELECT afterwork.enqueue('plain', unique_key => 'k', unique_until => 'start')")
	if [ "$1" = cancelled ]; then
		sql "SELECT afterwork.cancel($id)" >/dev/null
	else
		claim >/dev/null
		settle "$1" "$id"
	fi
	echo "$id"
}
for how in 'done' failed park cancelled; do
	a=$(ended "$how")
	b=$(sql "SELECT afterwork.enqueue('plain', unique_key => 'k')")
	like "$(sql "SELECT afterwork.revive($a)" 2>&1)" 'duplicate key' "$how: with its key in use a job is not revived"
	isnt "$(sql "SELECT state FROM afterwork.jobs WHERE id = $a")" ready 'and stays as it was'
	sql "SELECT afterwork.cancel($b)" >/dev/null
	is "$(sql "SELECT afterwork.revive($a)")" ready 'it is when the key is free'
	is "$(add "unique_key => 'k'")" "$a false" 'and takes it again'
	claim >/dev/null
	read -r b made < <(add "unique_key => 'k'")
	is "$made" true 'until its start, as it was stored'
	sql 'TRUNCATE afterwork.job'
done
a=$(ended 'done')
sql "UPDATE afterwork.history SET unique_until = NULL"
sql "SELECT afterwork.revive($a)" >/dev/null
claim >/dev/null
is "$(add "unique_key => 'k'")" "$a false" 'one whose record does not say how long has it to its end'
sql 'TRUNCATE afterwork.job'

# --- for a time ---
read -r a made < <(add "unique_key => 'k', unique_for => '1 hour'")
claim >/dev/null
settle 'done' "$a"
is "$(add "unique_key => 'k', unique_for => '1 hour'")" "$a false" 'for an hour, though the job has ended'
sql "UPDATE afterwork.unique_period SET until = now() - interval '1 s'"
read -r b made < <(add "unique_key => 'k', unique_for => '1 hour'")
is "$made" true 'after that it is free'
is "$(sql "SELECT job_id FROM afterwork.unique_period")" "$b" 'and the new one'"'"'s'
sql 'TRUNCATE afterwork.unique_period'
is "$(add "unique_key => 'k', unique_for => '1 hour'")" "$b false" 'a live job has the key without that'
is "$(sql "SELECT job_id FROM afterwork.unique_period")" "$b" 'then the time is that job'"'"'s'
sql "UPDATE afterwork.unique_period SET until = now() - interval '1 s'"
sql "UPDATE afterwork.upkeep SET next_at = now(); SELECT afterwork.keep_house('1 day')"
is "$(sql "SELECT count(*) FROM afterwork.unique_period")" 0 'times that are over are swept'
sql 'TRUNCATE afterwork.job'

# --- replace ---
read -r a made < <(add "input => '{\"v\":1}', unique_key => 'k', run_at => now() + interval '1 h'")
is "$(job "$a")" '{"v": 1}|delayed' 'one that waits'
is "$(add "input => '{\"v\":2}', unique_key => 'k', replace => true")" "$a false" 'is replaced'
is "$(job "$a")" '{"v": 2}|ready' 'its input and its time'
is "$(add "input => '{\"v\":3}', unique_key => 'k', replace => true, run_at => now() + interval '1 h'")" "$a false" 'and again'
is "$(job "$a")" '{"v": 3}|delayed' 'to later'
is "$(add "input => '{\"v\":4}', unique_key => 'k'")" "$a false" 'not without the word'
is "$(job "$a")" '{"v": 3}|delayed' 'which changes nothing'
sql "SELECT afterwork.revive($a)" >/dev/null
claim >/dev/null
read -r b made < <(add "input => '{\"v\":5}', unique_key => 'k', replace => true")
is "$made" true 'one that runs is not changed: another is made'
is "$(job "$a")" '{"v": 3}|ready' 'it goes on with what it has'
is "$(add "input => '{\"v\":6}', unique_key => 'k', replace => true")" "$b false" 'the other one has the key'
is "$(job "$b")" '{"v": 6}|ready' 'and what came last'
settle 'done' "$a"
is "$(claim)" "$b" 'is run'
sql 'TRUNCATE afterwork.job'

# --- forty at once ---
for i in $(seq 40); do
	sql "SELECT afterwork.enqueue('plain', unique_key => 'forty', unique_for => '1 hour')" \
		>"$work/id.$i" &
done
wait
is "$(cat "$work"/id.* | sort -u | wc -l)" 1 'forty at once get one id'
is "$(sql "SELECT count(*) FROM afterwork.job")" 1 'of one job'
is "$(cat "$work"/id.* | sort -u)" "$(sql "SELECT id FROM afterwork.job")" 'which is there'
for i in $(seq 40); do
	sql "SELECT afterwork.enqueue('plain', jsonb_build_object('v', $i), unique_key => 'forty', replace => true)" \
		>"$work/id.$i" &
done
wait
is "$(cat "$work"/id.* | sort -u | wc -l)" 1 'forty that replace, too'

# --- tags, and what is refused ---
id=$(sql "SELECT afterwork.enqueue('plain', tags => '{red,big}')")
is "$(sql "SELECT tags FROM afterwork.jobs WHERE id = $id")" '{red,big}' 'tags are kept'
sql "DELETE FROM afterwork.job WHERE id <> $id"
claim >/dev/null
settle 'done' "$id"
is "$(sql "SELECT tags FROM afterwork.history WHERE id = $id")" '{red,big}' 'with the record'
while IFS='|' read -r arguments want; do
	is "$(refused "$arguments")" "$want" "refused: $arguments"
done <<'END'
tags => ARRAY['']|A job has up to 16 tags of 1 to 64 characters. tags
tags => ARRAY[NULL]|A job has up to 16 tags of 1 to 64 characters. tags
tags => array_fill('x'::text, ARRAY[17])|A job has up to 16 tags of 1 to 64 characters. tags
unique_key => 'k', unique_for => '-1 s'|A key is held for a time of up to ten years. uniqueFor
unique_key => 'k', unique_until => 'noon'|A key is held until the start or until the end. uniqueUntil
unique_until => 'noon'|A key is held until the start or until the end. uniqueUntil
unique_key => ''|A key has 1 to 255 characters. uniqueKey
concurrency_key => repeat('x', 256)|A key has 1 to 255 characters. concurrencyKey
END

# --- many ---
ids=$(sql "SELECT string_agg(i::text, ' ') FROM afterwork.enqueue_many('plain', '[{\"n\":3},{\"n\":1},{\"n\":2}]') i")
is "$ids" "$(sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM afterwork.job")" 'the ids come in the order of the inputs'
is "$(sql "SELECT string_agg(input ->> 'n', ' ' ORDER BY id) FROM afterwork.job")" '3 1 2' 'many keep their order'
like "$(sql "SELECT afterwork.enqueue_many('plain', '[{}, 7]')" 2>&1)" 'DETAIL: *1\.input' 'one that does not fit is named'
is "$(sql "SELECT count(*) FROM afterwork.job")" 3 'and none is stored'
is "$(sql "SELECT count(*) FROM afterwork.enqueue_many('plain', '[]')")" 0 'none is none'
sql "SELECT afterwork.enqueue_many('plain', '[{}]', queue => 'many', priority => 7, tags => '{t}', run_at => now() + interval '1 h')" >/dev/null
is "$(sql "SELECT priority, tags, state FROM afterwork.job WHERE queue = 'many'")" '7|{t}|delayed' 'many take the options'
done_testing
