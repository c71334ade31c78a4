#!/bin/bash
# jobs-wait-until.t: a job waits for a date, and for nothing that is none.
. tests/lib.sh
stack_shared

job() {
	post /api/payload-jobs "$(jq -cn --arg at "$1" '{task: "noop", waitUntil: $at}')"
}

for at in 2999-01-01 2999-01-01T10:00:00Z '2999-01-01 10:00:00.5+02'; do
	job "$at"
	status_is 201 "until $at"
	body_is .doc.state delayed 'it waits'
	post "/api/payload-jobs/$(jqr .doc.id)/cancel" '{}'
done
for at in infinity -infinity tomorrow now epoch '' 2999 20990101 2999-13-01 \
	2999-02-30 '2999-01-01 and more' 12999-01-01; do
	job "$at"
	status_is 400 "until \"$at\""
	body_is '.errors[0].data.errors[0].path' waitUntil 'is named'
done
done_testing
