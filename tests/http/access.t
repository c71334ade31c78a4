#!/bin/bash
# access.t: who may do what is what functions/README.md says, for every route
# of every function and every kind of caller; nothing else is there.
. tests/lib.sh
. tests/people.sh
stack_shared

# The table's lines: METHOD PATH | nobody | editor | operator | admin |
# scheduler | own
table() {
	sed -n 's/^| `\([A-Z]* \/[^`]*\)` |\(.*\)|$/\1|\2/p' functions/README.md
}
routes() {
	cat functions/*.c | tr '\n' ' ' |
		grep -oE '\{ "[A-Z]+", "/[^"]*",[[:space:]]+ACCESS_' |
		sed -E 's/\{ "([A-Z]+)", "([^"]*)".*/\1 \2/' | sort -u
}
is "$(routes)" "$(table | cut -d '|' -f 1 | sort)" \
	'the table has every route, and every route is in the table'

person editor
editor=$key editor_id=$(sql "SELECT id FROM site.users WHERE email = '$email'")
person operator
operator=$key
nothing=nothing-$$

# call METHOD PATH ID: harmless by what it asks for: what is not there, or a
# body that is refused.
call() {
	local path=${2//:id/$3} sent=()
	path=${path//:queue/$nothing}
	path=${path//:filename/$nothing}
	case $path in
	*/run | */handle-schedules) path+="?queue=$nothing" ;;
	*/sweep) path+='?olderThan=bogus' ;;
	esac
	[ "$1" = GET ] || sent=(-H 'Content-Type: application/json' -d '{}')
	request "$1" "$path" "${sent[@]}"
}
refused() {
	[[ $status == 40[13] && $body == *'"You are not allowed'* || $body == *'"Unauthorized, you must'* ]]
}
let_in() {
	if refused; then
		echo no
	elif [[ $status == [24]* ]]; then
		echo yes
	else
		echo "answered $status"
	fi
}

# Who may not is told so in the same words, whatever was asked for.
refusals=()
while IFS='|' read -r route nobody editor_may operator_may admin_may cron own; do
	read -r method path <<<"$route"
	want='' got=''
	for cell in "$nobody" "$editor_may" "$operator_may" "$admin_may" "$cron"; do
		# Here there are accounts.
		[[ $cell == *yes* ]] && want+='yes ' || want+='no '
	done
	for who in nobody "users API-Key $editor" "users API-Key $operator" \
		admin cron; do
		as "$who"
		call "$method" "$path" 999999999
		got+="$(let_in) "
		! refused || refusals+=("$status $(jqr '.errors[0].message')")
	done
	is "$got" "$want" "$route"
	[[ $path == /api/users/:id ]] || continue
	as "users API-Key $editor"
	call "$method" "$path" "$editor_id"
	is "$(let_in)" "$([[ $own == *yes* ]] && echo yes || echo no)" \
		"$route, one's own"
done < <(table)
is "$(printf '%s\n' "${refusals[@]}" | sort -u)" \
	'401 Unauthorized, you must be logged in to make this request.
403 You are not allowed to perform this action.' 'two refusals, always the same'
ok 'and many' [ "${#refusals[@]}" -gt 80 ]

# What a caller is told of it, in Payload's shape.
get_access() {
	as "$1"
	get /api/access
	jqr '.collections | tojson' >"$work/collections"
	jq -c '[.canAccessAdmin, (.collections | map_values(keys | sort) | to_entries | sort_by(.key)
		| map(.key + ":" + (.value | join(","))))] | flatten' <<<"$body"
}
collections_are() {
	is "$(jq -r "$1" "$work/collections")" "$2" "$3"
}
is "$(get_access nobody)" '[null,"media:fields,read","pages:fields,read"]' 'nobody may read'
is "$(get_access "users API-Key $editor")" \
	'[true,"media:create,delete,fields,read,update","pages:create,delete,fields,read,update","users:fields,read,update"]' \
	'an editor may write, and change his own account'
collections_are '.users | [.read, .update] | unique | tojson' \
	"[{\"permission\":true,\"where\":{\"id\":{\"equals\":$editor_id}}}]" 'no other one'
collections_are '[.pages.fields, .users.fields.role, .users.fields.email, .users.fields.apiKey] | tojson' \
	'[true,{"read":true},{"read":true,"update":true},{"update":true}]' 'but not what he is'
like "$(get_access "users API-Key $operator")" '"payload-jobs:create,fields,read"' 'an operator has jobs'
collections_are '.["payload-jobs"].fields | [.input, .state] | tojson' \
	'[{"create":true,"read":true},{"read":true}]' 'which he fills in, but for how they stand'
like "$(get_access admin)" '"users:create,delete,fields,read,unlock,update"' 'an admin has users'
collections_are '.users | [.read, .update, .fields.role] | tojson' '[true,true,true]' 'all of them, and what they are'
done_testing
