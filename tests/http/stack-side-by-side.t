#!/bin/bash
# stack-side-by-side.t: two stacks share nothing.
. tests/lib.sh
stack_start

first=$STATE first_url=$SERVER_URL second=$work/second
port=$(free_port)
second_stack() {
	STATE=$second PORT=$port deploy/stack "$@" >"$work/out" 2>&1
}
trap 'second_stack stop; lib_end' EXIT

ok 'a second one starts' second_stack start
post /api/pages '{"title":"Here only","slug":"here"}'
status_is 201 'a page in the first'

# shellcheck disable=SC1091
. "$second/env"
isnt "$SERVER_URL" "$first_url" 'it has an address of its own'
as admin
get /api/pages
status_is 200 'the second answers'
body_is .totalDocs 0 'without the page of the first'

ok 'the second stops' second_stack stop
is "$(curl -s -o /dev/null -w '%{http_code}' "$first_url/healthz")" 200 \
	'the first runs on'
is "$(STATE=$first deploy/stack status | grep -c 'not running')" 0 \
	'all of it'
done_testing
