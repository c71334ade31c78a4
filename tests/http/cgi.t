#!/bin/bash
# cgi.t: the same programs work as plain CGI, after() included.
. tests/lib.sh
command -v fcgiwrap >/dev/null || skip_all 'fcgiwrap is not installed'
stack_start CGI=on

post /api/users/login "{\"email\":\"$ADMIN_EMAIL\",\"password\":\"$ADMIN_PASSWORD\"}"
status_is 200 'login'
as "JWT $(jqr .token)"
post /api/pages '{"title":"Album","slug":"album","layout":[{"blockType":"gallery","autoSyncMedia":true,"images":[]}]}'
status_is 201 'a page'
page=$(jqr .doc.id)
upload "$(picture cgi.jpg)"
status_is 201 'an upload'
media=$(jqr .doc.id) job=$(jqr .job.id)
ok 'its job is run by a detached runner' job_done "$job"
as admin
get "/api/pages/$page?depth=0"
body_is '.layout[0].images | tostring' "[$media]" 'the picture is shown'
run_jobs
status_is 200 'a ping'
eventually 5 '[ -z "$(runner_pids)" ]' 'no runner stays'
request GET "$(get "/api/media/$media"; jqr .url)"
status_is 200 'the file is served'
ok 'as it was sent' cmp -s "$work/body" "$work/cgi.jpg"

home=$(readlink -f "$STATE")
ok 'the stack stops' quiet deploy/stack stop
eventually 5 '[ -z "$(processes_in "$home")" ]' 'and nothing of it runs on'
done_testing
