#!/bin/bash
# demo.t: the demo prints a picture's way with its times, the page for people
# and how to sign in; run again it works again and adds another picture.
. tests/lib.sh
stack_shared

# What it leaves would be in the way of others.
pages() {
	sql "SELECT id FROM site.page WHERE title IN ('Album', 'Front page',
		'Chosen by hand') ORDER BY id"
}
clean() {
	local id
	for id in $(pages); do
		delete "/api/pages/$id"
	done
}
trap 'as admin; clean; lib_end' EXIT
pictures() {
	sql 'SELECT count(*) FROM site.media'
}

before=$(pictures)
for run in first second; do
	said=$(deploy/demo 2>&1 </dev/null)
	is $? 0 "$run: it succeeds"
	while read -r want; do
		like "$said" " +[0-9]+ ms  $want" "$run: $want"
	done <<-'END'
		the stack runs
		signed in as admin@example.com
		answered: .+ \([0-9]+ bytes\) is picture [0-9]+, its job is [0-9]+
		job [0-9]+ is done
		page "Album" shows it
		page "Front page" shows it
		page "Chosen by hand" does not
	END
	like "$said" "$SERVER_URL/admin/ and sign in as $ADMIN_EMAIL" \
		"$run: where to look"
	like "$said" "password $ADMIN_PASSWORD" "$run: and how to sign in"
	like "$said" "make stop STATE=$STATE ends it" "$run: and how it ends"
done
is "$(pictures)" $((before + 2)) 'each adds a picture'
is "$(pages | wc -l)" 3 'to the same three pages'
get /healthz
status_is 200 'the stack runs on'
done_testing
