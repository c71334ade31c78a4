#!/bin/bash
# stack-unreachable.t: a checkout below a folder that the servers' user may not
# enter (root's home) works: data and programs live elsewhere then.
. tests/lib.sh
[ "$(id -u)" -eq 0 ] || skip_all 'only root starts servers as somebody else'

closed=$work/closed
mkdir -m 0700 "$closed"
mkdir "$closed/afterwork"
cp -R deploy functions vercel.json "$closed/afterwork/"
mkdir "$closed/afterwork/build"
cp -R "$B/afterwork" "$B/functions" "$B/tasks" "$closed/afterwork/build/"
state=$closed/afterwork/.run port=$(free_port)
mine() {
	(cd "$closed/afterwork" && env -u TASKS_DIR -u FUNCTIONS_DIR \
		B=build STATE=.run PORT="$port" PINGER=on deploy/stack "$@")
}
trap 'mine stop >/dev/null 2>&1; rm -rf "$(readlink -f "$state")"; lib_end' \
	EXIT

said=$(mine start 2>&1)
is $? 0 'it starts' || note "$said"
like "$said" "so $state is a link to /var/tmp/afterwork-" 'says where data is'
like "$said" 'so the programs run from /var/tmp/' 'and where programs run'
ok 'the state is a link' test -L "$state"
STATE=$state
stack_use
upload "$(picture closed.jpg)"
status_is 201 'an upload works'
ok 'its job is run' job_done "$(jqr .job.id)"
first=$(readlink "$state")
ok 'it stops' quiet mine stop
ok 'it starts again' quiet mine start
is "$(readlink "$state")" "$first" 'with the same folder'
stack_use
get /api/media/count
body_is .totalDocs 1 'and the same data'
done_testing
