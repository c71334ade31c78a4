#!/bin/bash
# list-jobs.t: which jobs a where chooses, by every field that a job's document
# has, in what order; and that states which are not wanted are not looked for.
. tests/lib.sh
. tests/list.sh
. tests/people.sh
stack_shared
jobs=/api/payload-jobs
q=listed$$
await 10 '[ -z "$(runner_pids)" ]' || bail 'a runner stays'
# One of each: ready, delayed, failed, done, cancelled.
enqueue() {
	sql "SELECT afterwork.enqueue('$1', '$2', queue => '$q', $3)"
}
ready=$(enqueue noop '{"n":1,"deep":{"list":["a","b"]}}' \
	"priority => 7, unique_key => 'u', concurrency_key => 'c', meta => '{\"by\":\"Ana\"}', tags => '{red,big}'")
delayed=$(enqueue noop '{"n":2}' "run_at => '2999-01-01T00:00:00Z'")
sql "INSERT INTO afterwork.failed (id, queue, task, state, priority, attempts, crashes, lease_no,
		run_at, created_at, started_at, finished_at, input, error)
	VALUES (nextval('afterwork.job_id'), '$q', 'fail', 'failed', 100, 4, 2, nextval('afterwork.lease_no'),
		now(), now(), now(), now(), '{}', 'it broke');
	INSERT INTO afterwork.history (id, queue, task, state, priority, attempts, crashes, lease_no,
		run_at, created_at, started_at, finished_at, input, output)
	SELECT nextval('afterwork.job_id'), '$q', 'noop', s, 100, 1, 0, nextval('afterwork.lease_no'),
		now(), now(), now(), '2020-02-02T02:02:02.002Z', '{}', '{\"sum\":3}'
	FROM unnest(ARRAY['done', 'cancelled']) AS s" || bail 'no jobs'
read -r failed finished cancelled < <(sql "SELECT string_agg(id::text, ' ' ORDER BY id)
	FROM afterwork.jobs WHERE queue = '$q' AND finished_at IS NOT NULL")
# chosen WANT PARAMETER…: WANT are the letters r d f o c
chosen() {
	local want=$1
	shift
	ask "$jobs" "where[queue][equals]=$q" sort=id "$@"
	is "$status $(field_of_docs .id | sed "s/\<$ready\>/r/; s/\<$delayed\>/d/; s/\<$failed\>/f/; s/\<$finished\>/o/; s/\<$cancelled\>/c/; s/ //g")" \
		"200 $want" "$*"
}
while IFS='|' read -r want field op value; do
	chosen "$want" "where[$field][$op]=$value"
done <<END
r|id|equals|$ready
fc|id|in|$failed,$cancelled
rdf|id|less_than|$finished
r|state|equals|ready
d|state|equals|delayed
f|state|equals|failed
o|state|equals|done
c|state|equals|cancelled
|state|equals|running
ro|state|in|ready,done
dfc|state|not_in|ready, done
rdoc|state|not_equals|failed
fc|hasError|equals|true
rdo|hasError|not_equals|true
rdfoc|hasError|not_equals|
rdfoc|hasError|not_equals|null
|hasError|equals|
rdfoc|processing|equals|false
rdfoc|processing|not_equals|
|processing|equals|null
|processing|equals|true
o|completedAt|exists|true
o|completedAt|equals|2020-02-02T02:02:02.002Z
rd|input.n|exists|true
r|input.n|equals|1
rd|input.n|in|1,2
dfoc|input.n|not_equals|1
r|input.deep.list.1|equals|b
r|input|like|deep
r|meta.by|equals|Ana
r|meta.by|contains|AN
dfoc|meta|exists|false
oc|output.sum|equals|3
f|error.message|like|broke IT
c|error.cancelled|equals|true
rdoc|taskSlug|equals|noop
f|taskSlug|not_equals|noop
rdfoc|taskStatus|exists|true
rdfoc|workflowSlug|exists|false
rd|totalTried|equals|0
f|totalTried|greater_than|1
oc|attempts|in|1
f|crashes|greater_than_equal|2
foc|leaseNo|exists|true
r|priority|less_than|100
r|uniqueKey|equals|u
r|concurrencyKey|in|c,x
r|tags|contains|red
r|tags|all|red,big
dfoc|tags|exists|false
rdfoc|progress|exists|false
d|waitUntil|equals|2999-01-01T00:00:00.000Z
d|runAt|greater_than|2900-01-01
rdfoc|createdAt|greater_than|2020-01-01
oc|updatedAt|less_than|2020-03-01
foc|log|like|attempt
END
chosen ro 'where[or][0][state][equals]=done' 'where[or][1][uniqueKey][equals]=u'
ask "$jobs/count" "where[queue][equals]=$q" 'where[state][in]=ready,delayed'
body_is .totalDocs 2 'counted'
# null is neither true nor false, however it is sent.
for field in hasError processing; do
	ask "$jobs/count" "where[queue][equals]=$q" "where[$field][not_equals]="
	is "$status $(jqr .totalDocs)" '200 5' "$field is not null: counted"
	where="{\"queue\":{\"equals\":\"$q\"},\"$field\":{\"not_equals\":null}}"
	ask "$jobs" "where=$where"
	is "$status $(jqr '.docs | length')" '200 5' '  the where as JSON'
	for path in "$jobs" "$jobs/count"; do
		post "$path" "{\"where\":$where}" -H 'X-HTTP-Method-Override: GET'
		is "$status $(jqr .totalDocs)" '200 5' "  POST $path as a GET"
	done
done
while IFS='|' read -r field parameter; do
	refused "$jobs" "$field" "$parameter"
done <<'END'
secret|where[secret][equals]=1
state|where[state][equals]=asleep
state|where[state][like]=do
processing|where[processing][equals]=1
tags|where[tags][like]=red
input|where[input][greater_than]=1
lease_no|where[lease_no][equals]=1
store|where[store][equals]=live
sort|sort=store
sort|sort=input.n
END

# --- order, and every field has one ---
for sort in id input taskStatus meta completedAt totalTried hasError error log workflowSlug taskSlug queue \
	waitUntil createdAt updatedAt processing state priority runAt attempts crashes leaseNo uniqueKey \
	concurrencyKey tags progress output; do
	ask "$jobs" "where[queue][equals]=$q" "sort=-$sort" 'select[state]=true'
	is "$status $(jqr '.docs | length')" '200 5' "sorted by $sort"
done
ask "$jobs" "where[queue][equals]=$q" sort=state,-id
is "$(field_of_docs .state)" 'cancelled delayed done failed ready' 'by state'
ask "$jobs" "where[queue][equals]=$q" sort=-attempts limit=2 page=2
is "$(field_of_docs .id) $(jqr '[.totalDocs, .totalPages, .hasNextPage, .hasPrevPage] | @csv')" \
	"$finished $delayed 5,3,true,true" 'and by pages'

# --- what is not wanted is not read ---
plan() {
	sql "EXPLAIN SELECT j.id FROM afterwork.jobs j WHERE j.queue = '$q' AND j.store = ANY ('$1') AND j.state = 'failed'" |
		grep -oE ' on (job|failed|history)' | sort -u | xargs
}
is "$(plan '{live}')" 'on job' 'live jobs: the table of live jobs'
is "$(plan '{failed}')" 'on failed' 'failed ones: theirs'
is "$(plan '{live,failed}')" 'on failed on job' 'neither reads what has ended'

person editor
as "users API-Key $key"
ask "$jobs" "where[queue][equals]=$q"
is "$status $(jqr '.docs // "none"')" '403 none' 'nothing of it is for an editor'
as admin
sql "SELECT afterwork.cancel(id) FROM afterwork.jobs WHERE queue = '$q' AND finished_at IS NULL" >/dev/null
done_testing
