#!/bin/bash
# jobs-options.t: tags, times of unique keys and replace over HTTP, and what is
# refused of them.
. tests/lib.sh
stack_shared
q=options-$$
jobs=/api/payload-jobs
sql "INSERT INTO afterwork.queue (name, paused) VALUES ('$q', true)"

post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",\"tags\":[\"red\",\"a, b\"],\"uniqueKey\":\"k\",\"uniqueFor\":\"1h\",\"uniqueUntil\":\"start\",\"input\":{\"v\":1}}"
status_is 201 'a job is stored'
body_is '.doc.tags | tojson' '["red","a, b"]' 'with its tags'
id=$(jqr .doc.id)
sql_is "SELECT unique_until, (SELECT round(extract(epoch FROM until - clock_timestamp()) / 60)
	FROM afterwork.unique_period u WHERE u.queue = j.queue) FROM afterwork.job j WHERE id = $id" \
	'start|60' 'and its key for an hour'
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",\"uniqueKey\":\"k\",\"input\":{\"v\":2}}"
status_is 200 'a second one is not'
body_is '.doc | [.id, .input.v] | @csv' "$id,1" 'and changes nothing'
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",\"uniqueKey\":\"k\",\"replace\":true,\"input\":{\"v\":3}}"
status_is 200 'one that replaces is not stored either'
body_is '.doc | [.id, .input.v] | @csv' "$id,3" 'but changes the first'
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\"}"
body_is '.doc.tags | tojson' '[]' 'no tags are an empty list'

sql "DELETE FROM afterwork.job WHERE id = $id"	# as its record goes in the end
post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",\"uniqueKey\":\"k\"}"
status_is 200 'the key outlives the record of its job'
body_is '.doc | tojson' "{\"id\":$id}" 'whose id is all that is left'
body_like .message 'no longer kept' 'and it is said why'

before=$(sql "SELECT count(*) FROM afterwork.job WHERE queue = '$q'")
# FIELDS | the field at fault | what it says
while IFS='|' read -r fields field says; do
	post $jobs "{\"task\":\"noop\",\"queue\":\"$q\",$fields}"
	status_is 400 "refused: $fields"
	body_is '.errors[0].data.errors[0].path // .errors[0].data.errors[0].field' "$field" "names $field"
	body_like '.errors[0]|tojson' "$says" "says: $says"
done <<'END'
"tags":"red"|tags|must be a list
"tags":[1]|tags|must be a text
"tags":[""]|tags|1 to 64 characters
"uniqueKey":"x","uniqueFor":"soon"|uniqueFor|must be a duration
"uniqueKey":"x","uniqueFor":"0s"|uniqueFor|up to ten years
"uniqueUntil":"noon"|uniqueUntil|the start or until the end
"replace":"yes"|replace|
END
sql_is "SELECT count(*) FROM afterwork.job WHERE queue = '$q'" "$before" 'nothing of it is stored'
sql "DELETE FROM afterwork.job WHERE queue = '$q'; DELETE FROM afterwork.queue WHERE name = '$q'"

# Where nothing is paused, and nobody pings.
post $jobs "{\"task\":\"noop\",\"queue\":\"$q-now\",\"uniqueKey\":\"k\",\"waitUntil\":\"2100-01-01T00:00:00Z\"}"
id=$(jqr .doc.id)
post $jobs "{\"task\":\"noop\",\"queue\":\"$q-now\",\"uniqueKey\":\"k\",\"replace\":true}"
is "$status:$(jqr .doc.id)" "200:$id" 'a job of a far day is changed to run now'
ok 'and a runner is woken for it' job_done "$id"
done_testing
