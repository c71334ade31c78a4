#!/bin/bash
# allow.t: a method that a path does not have is answered 405 with those that it
# has: functions/README.md's, whichever function is asked.
. tests/lib.sh
stack_shared

# "METHOD PATH", as the table has them.
table() {
	sed -n 's/^| `\([A-Z]* \/[^`]*\)` |.*|$/\1/p' functions/README.md
}
# The methods of a path, in order, on one line.
of_path() {
	table | awk -v path="$1" '$2 == path { print $1 }' | sort | xargs
}

paths=$(table | cut -d ' ' -f 2 | sort -u)
ok 'there are paths' [ "$(wc -l <<<"$paths")" -gt 20 ]
while read -r path; do
	want=$(of_path "$path")
	asked=${path//:id/1}
	asked=${asked//:filename/none.jpg}
	asked=${asked//:queue/default}
	got=''
	for method in PUT GET POST PATCH DELETE; do
		[[ " $want " != *" $method "* ]] || continue
		request "$method" "$asked"
		got+="$method: $status $(header allow | tr -d , | xargs -n 1 | sort | xargs)
"
	done
	is "$got" "$(for method in PUT GET POST PATCH DELETE; do
		[[ " $want " == *" $method "* ]] || echo "$method: 405 $want"
	done)
" "$path"
done <<<"$paths"

# Another word in an id's place is another path, which there is not.
for method in PUT POST PATCH DELETE; do
	request "$method" /api/payload-jobs/nothing
	is "$status $(jqr .message)" '404 Route not found "/api/payload-jobs/nothing"' "$method of a path that there is not"
done
done_testing
