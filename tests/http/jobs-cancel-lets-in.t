#!/bin/bash
# jobs-cancel-lets-in.t: a job that holds its key while it waits for another
# try is cancelled: the next of the key is run at once, not at the next ping.
. tests/lib.sh
stack_shared
jobs=/api/payload-jobs
q=lets-in-$$

# job SH: one that has the key; sets $id.
job() {
	post $jobs "$(jq -cn --arg sh "$1" --arg q "$q" \
		'{task: "script", queue: $q, concurrencyKey: "k", input: {$sh}}')"
	status_is 201 'a job of the key'
	id=$(jqr .doc.id)
}
state() {
	sql "SELECT state FROM afterwork.jobs WHERE id = $1"
}

job 'echo "{\"retry_after\":3600}"; exit 75'
first=$id
eventually 10 '[ "$(state "$first")" = delayed ]' 'the first waits for another try'
job 'echo "{}"'
next=$id
eventually 10 '[ "$(state "$next")" = blocked ]' 'and keeps the second from running'
ok 'no runner is there' await 10 '[ -z "$(runner_pids)" ]'
post "$jobs/$first/cancel"
status_is 200 'the first is cancelled'
eventually 10 '[ "$(state "$next")" = done ]' 'the second is run, without a ping'
done_testing
