#!/bin/bash
# mass-assignment.t: what is not a client's to say of a page or a job is ignored,
# when it is made and when it is changed.  (users-accounts.t: of an account;
# media-document.t: of a picture.)
. tests/lib.sh
stack_shared
tag=mass-$$
old=1999-01-01T00:00:00.000Z
theirs="\"id\":987654321,\"createdAt\":\"$old\",\"created_at\":\"$old\",\"_status\":\"x\",\"__proto__\":{\"id\":1}"

# --- pages ---
post /api/pages "{$theirs,\"title\":\"t\",\"slug\":\"$tag\"}"
status_is 201 'a page'
id=$(jqr .doc.id) made=$(jqr .doc.createdAt)
isnt "$id" 987654321 'its id is its own'
unlike "$made" ^1999 'and so is the time of its making'
body_is '.doc | keys | join(" ")' 'createdAt id layout slug title updatedAt' 'nothing else is kept'
sql_is "SELECT created_at > now() - interval '5 minutes' FROM site.page WHERE id = $id" t 'nor stored'
other=$(sql "INSERT INTO site.page (title, slug) VALUES ('other', '$tag-other') RETURNING id")
for path in "/api/pages/$id" "/api/pages?where%5Bslug%5D%5Bequals%5D=$tag"; do
	patch "$path" "{${theirs/987654321/$other},\"title\":\"changed\"}"
	status_is 200 "PATCH ${path%%\?*}"
	body_is '.doc // .docs[0] | [.id, .createdAt, .title] | @csv' "$id,\"$made\",\"changed\"" '  changes the title alone'
done
sql_is "SELECT string_agg(title, ' ' ORDER BY id) FROM site.page WHERE slug LIKE '$tag%'" 'changed other' 'and of that page alone'
sql "DELETE FROM site.page WHERE slug LIKE '$tag%'"

# --- jobs ---
jobs=/api/payload-jobs
theirs="\"id\":987654321,\"state\":\"done\",\"attempts\":99,\"createdAt\":\"$old\",\"updatedAt\":\"$old\",\"leaseNo\":77,
	\"crashes\":3,\"completedAt\":\"$old\",\"totalTried\":9,\"hasError\":true,\"processing\":true,\"error\":{\"message\":\"x\"},
	\"log\":[{\"state\":\"succeeded\"}],\"taskStatus\":{\"a\":1},\"taskSlug\":\"lost\",\"workflowSlug\":\"w\",\"output\":{\"a\":1},
	\"progress\":0.5,\"runAt\":\"$old\",\"lease_no\":77,\"run_at\":\"$old\""
job="\"task\":\"noop\",\"queue\":\"$tag\",\"waitUntil\":\"2100-01-01T00:00:00Z\""
# as_made WHAT: the job in $doc is as new as any.
as_made() {
	body=$doc
	isnt "$(jqr .id)" 987654321 "$1: an id of its own"
	body_is '[.state, .attempts, .leaseNo, .crashes, .totalTried, .hasError, .processing, .completedAt, .taskSlug, .workflowSlug] | @csv' \
		'"delayed",0,,0,0,false,false,,"noop",' "$1: as new as any"
	body_is '[.output, .progress, .error, (.log | length), .taskStatus] | tojson' "$plain" "$1: with nothing done"
	body_is '[.createdAt, .updatedAt, .runAt, .waitUntil] | map(.[0:4]) | join(" ")' \
		"$(date -u +%Y) $(date -u +%Y) 2100 2100" "$1: of today"
}
post $jobs "{$job}"
plain=$(jqr '.doc | [.output, .progress, .error, (.log | length), .taskStatus] | tojson')
plain_keys=$(jqr '.doc | keys | join(" ")')
post $jobs "{$theirs,$job}"
status_is 201 'a job'
doc=$(jqr .doc)
body_is '.doc | keys | join(" ")' "$plain_keys" 'its fields are any job'"'"'s'
as_made 'a job'
post $jobs "[{$theirs,$job}]"
status_is 201 'a list of jobs'
get "$jobs/$(jqr '.ids[0]')"
doc=$body
as_made 'one of a list'
id=$(jqr .id)
for method in PATCH PUT; do
	request_json $method "$jobs/$id" "{$theirs}"
	status_is 405 "$method: a job is not changed so"
done
post "$jobs/queues/$tag/pause"
for what in cancel retry run; do
	post "$jobs/$id/$what" '{"id":1,"state":"done","leaseNo":77,"attempts":99,"queue":"default"}'
	[ $what != cancel ] || status_is 200 "$what"
	get "$jobs/$id"
	body_is '[.id, .leaseNo, .attempts, .queue] | @csv' "$id,,0,\"$tag\"" "$what changes what it is there for"
	isnt "$(jqr .state)" 'done' "  and the job is not done"
done
post "$jobs/queues/$tag/resume"
sql "SELECT afterwork.cancel(id) FROM afterwork.jobs WHERE queue = '$tag'" >/dev/null
done_testing
