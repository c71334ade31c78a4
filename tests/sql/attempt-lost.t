#!/bin/bash
# attempt-lost.t: an attempt whose runner and guard both died has its entry in
# the job's log, from the claim that rescues the job.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone attempt_lost
task one
task keyed '"concurrency":{"key":"k","max":1}'

# claim [N]: "id lease", one a line, in claim order
claim() {
	sql "SELECT id, lease_no FROM afterwork.claim(NULL, '', '{one,keyed}', '{one,keyed}', ${1:-1}, 60000)
		WHERE id IS NOT NULL ORDER BY priority, run_at, id" | tr '|' ' '
}
lapse() {
	sql "UPDATE afterwork.job SET claimed_at = '2026-03-01 12:00Z', lease_until = '2026-03-01 12:01Z' WHERE lease_until IS NOT NULL"
}
log_of() {
	sql "SELECT log FROM afterwork.job WHERE id = $1"
}

for task in one keyed; do
	job=$(sql "SELECT afterwork.enqueue('$task')")
	read -r got first < <(claim)
	is "$got|$(log_of "$job")" "$job|" "$task: a claim leaves the log alone"
	lapse
	sql "SELECT * FROM afterwork.claim_first('default', '{one,keyed}', 60000)" >/dev/null
	is "$(log_of "$job")" '' 'a first claim takes nothing whose lease ran out'
	read -r got second < <(claim)
	is "$got" "$job" 'the next claim does'
	is "$(log_of "$job" | jq -c '[.[] | {attempt, leaseNo, outcome, startedAt, finishedAt}]')" \
		"[{\"attempt\":1,\"leaseNo\":$first,\"outcome\":\"lost\",\"startedAt\":\"2026-03-01T12:00:00.000Z\",\"finishedAt\":\"2026-03-01T12:01:00.000Z\"}]" \
		'and keeps the attempt that was lost, from its claim to the end of its lease'
	like "$(log_of "$job" | jq -r '.[0].error')" 'Nothing was heard' 'with why'
	lapse
	read -r got third < <(claim)
	is "$(log_of "$job" | jq -c 'map(.leaseNo)')" "[$first,$second]" 'so the second time'
	sql "SELECT afterwork.settle('default', '{$job}', '{$third}', '{done}', '{0}', '{1}', '{1}', '{NULL}', '{NULL}', '{NULL}')" >/dev/null
	body=$(sql "SELECT afterwork.job_doc(j) FROM afterwork.jobs j WHERE id = $job")
	body_is '.log | map(.outcome) | join(" ")' 'lost lost succeeded' 'the document has all three'
	body_is '.log | map(.state) | join(" ")' 'failed failed succeeded' 'in Payload'"'"'s words'
	body_is '.log[0] | .executedAt + " " + .completedAt + " " + .error.message' \
		'2026-03-01T12:00:00.000Z 2026-03-01T12:01:00.000Z Nothing was heard of the attempt until its lease ran out.' \
		'with times and words'
	body_is '.attempts, .crashes' $'1\n2' 'and as many crashes as it counts'
done

# Of a batch, too, though none of it is charged.
sql "SELECT afterwork.enqueue('one') FROM generate_series(1, 3)" >/dev/null
claim 3 >/dev/null
lapse
claim 3 >/dev/null
sql_is "SELECT crashes, string_agg(coalesce(log -> 0 ->> 'outcome', '-'), ' ' ORDER BY id) FROM afterwork.job GROUP BY 1" \
	'0|lost - -' 'one of a batch that is rescued'
sql 'DELETE FROM afterwork.job'

# A long log stays as short as it was to be.
job=$(sql "SELECT afterwork.enqueue('one')")
sql "UPDATE afterwork.job SET log = (SELECT jsonb_agg(n) FROM generate_series(1, 50) AS n)"
claim >/dev/null
lapse
claim >/dev/null
is "$(log_of "$job" | jq -c '[length, .[0], .[49].outcome]')" '[50,2,"lost"]' 'the oldest entry makes room'
done_testing
