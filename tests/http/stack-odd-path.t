#!/bin/bash
# stack-odd-path.t: a checkout whose path no configuration file could hold.
. tests/lib.sh

odd="$work/it's a|checkout & more;"
mkdir -p "$odd/build"
cp -R deploy functions vercel.json "$odd/"
cp -R "$B/afterwork" "$B/functions" "$B/tasks" "$odd/build/"
state=$work/state port=$(free_port)
mine() {
	(cd "$odd" && env -u TASKS_DIR -u FUNCTIONS_DIR B=build \
		STATE="$state" PORT="$port" PINGER=off deploy/stack "$@")
}
trap 'mine stop >/dev/null 2>&1; lib_end' EXIT

said=$(mine start 2>&1)
is $? 0 'it starts' || note "$said"
like "$said" "the programs run from $state" 'and says from where'
STATE=$state
stack_use
get /admin/
status_is 200 'the page is there'
upload "$(picture odd.jpg)"
status_is 201 'an upload works'
ok 'its job is run' job_done "$(jqr .job.id)"
mine stop >/dev/null
said=$(state="$work/a state" mine start 2>&1)
is $? 1 'a state with such a path is refused'
like "$said" 'STATE has characters that configuration files cannot hold' 'and named'
done_testing
