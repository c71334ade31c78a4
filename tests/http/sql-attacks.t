#!/bin/bash
# sql-attacks.t: SQL in what a client says is a text like any other: of users, of
# queues, in paths.  (list-attacks.t: of lists.)
. tests/lib.sh
. tests/list.sh
. tests/people.sh
stack_shared
person editor
# Sleep in a text is seen as an answer that never comes.
HTTP_SECONDS=15

sqls=("' OR 1=1 --" "1; DROP TABLE site.users; --" "1) OR (1=1" "x' UNION SELECT password_hash FROM site.users --"
	"'; SELECT pg_sleep(20); --" "\\'; SELECT 1; --" "{where}\$1%\"" "' || (SELECT email FROM site.users LIMIT 1) || '")
for field in password_hash site.users api_key_hash; do
	ask /api/users "where[$field][exists]=true"
	is "$status" 400 "users: a column $field"
	ask /api/users "sort=$field"
	is "$status" 400 "users: sorted by a column $field"
done

# --- what is written, and how it is asked for ---
# A page is kept, a picture has its text, and more.
post /api/pages "{\"title\":\"kept\",\"slug\":\"kept-$$\",\"layout\":[{\"blockType\":\"gallery\",\"id\":\"g\",\"images\":[]}]}"
page=$(jqr .doc.id)
upload "$(picture "attacked-$$.jpg")" kept
media=$(jqr .doc.id)
token_of() {
	as nobody
	post /api/users/login "$(jq -cn --arg email "$email" --arg password "$password" '{$email, $password}')"
	jqr .token
}
# answers TEXT: the status of every call that says it, with what came of it.
answers() {
	local text=$1 name how
	name=$(jq -rn --arg t "$text" '$t | @uri')
	as admin
	post /api/pages "$(jq -cn --arg t "$text" --arg slug "$$ $text" \
		'{title: $t, $slug, layout: [{blockType: $t, id: $t}, {blockType: "gallery", id: $t, images: []}]}')"
	echo "page: $status $(jq --arg t "$text" --arg slug "$$ $text" \
		'.doc | [.title == $t, .slug == $slug, (.layout | map(.id == $t))] | flatten | all' <<<"$body")"
	delete "/api/pages/$(jqr '.doc.id // 0')"
	echo "page is deleted: $status"
	patch "/api/pages/$page" "$(jq -cn --arg t "$text" '{title: $t, slug: $t}')"
	echo "page is changed: $status $(jq --arg t "$text" '.doc.title == $t and .doc.slug == $t' <<<"$body")"
	patch "/api/pages/$page" "$(jq -cn --arg t "$text" '{layout: [{blockType: "gallery", id: "g", images: [], imagesAsOf: $t}]}')"
	echo "imagesAsOf: $status $(jqr '.errors[0].data.errors[0].path')"
	patch "/api/pages/$page" "$(jq -cn --arg t "$text" '{updatedAt: $t}')"
	echo "updatedAt: $status"
	for how in PATCH DELETE; do
		# An entity tag has neither spaces nor quotes inside.
		for version in "$text" "\"$text\"" "\"${text//[ \"]/}\"" "\"x\", \"${text//[ \"]/}\""; do
			request_json $how "/api/pages/$page" '{"title":"lost"}' -H "If-Match: $version"
			echo "$how If-Match: $status"
		done
	done
	patch "/api/pages/$page?backfill=$name" '{"title":"lost"}'
	echo "backfill: $status"
	patch "/api/media/$media" "$(jq -cn --arg alt "$text" '{$alt}')"
	echo "alt: $status $(jq --arg t "$text" '.doc.alt == $t' <<<"$body")"
	upload "$(picture "attacked-$$-2.jpg")" '' --form-string "_payload=$(jq -cn --arg alt "$text" '{$alt}')"
	echo "alt of an upload: $status $(jq --arg t "$text" '.doc.alt == $t' <<<"$body")"
	delete "/api/media/$(jqr '.doc.id // 0')"
	patch "/api/media?where%5Balt%5D%5Bequals%5D=$name" '{"alt":"kept"}'
	echo "by its alt: $status $(jqr '.docs | length')"
	as cron
	get "/api/media/sweep?olderThan=$name"
	echo "olderThan: $status"
	as "JWT $token"
	post "/api/users/logout?allSessions=$name"
	echo "allSessions: $status"
	get /api/users/me
	echo "still in: $(jqr .user.email)"
	as admin
}
tables() {
	sql "SELECT string_agg(c.oid::regclass::text || ':' || c.relnatts, ' ' ORDER BY c.oid)
		FROM pg_class c WHERE c.relnamespace = 'site'::regnamespace AND c.relkind = 'r'"
}
token=$(token_of)
there=$(tables)
want=$(answers 'odd, (text) of nobody')
like "$want" '^page: 201 true.*PATCH If-Match: 412.*upload: 201 true' 'a harmless text is taken'
note "$want"
for text in "${sqls[@]}"; do
	is "$(answers "$text")" "$want" "so is $text, wherever it stands"
	is "$(tables)" "$there" '  and the tables are there'
done
sql_is "SELECT count(*) FROM site.page WHERE id = $page AND title <> 'lost'" 1 'the page is there, and no other text'
sql_is "SELECT alt FROM site.media WHERE id = $media" kept 'and the picture'
delete "/api/pages/$page"
delete "/api/media/$media"

for text in "${sqls[@]}"; do
	name=$(jq -rn --arg t "$text" '$t | @uri')

	# --- lists of users ---
	for parameter in sort limit page where 'where[id][equals]' 'where[id][in]' 'where[role][equals]' \
		'where[createdAt][less_than]' 'select[email]'; do
		ask /api/users "$parameter=$text"
		is "$status" 400 "users: $parameter=$text"
	done
	get "/api/users?where%5B$name%5D%5Bequals%5D=1"
	is "$status" 400 "users: a field $text"
	ask /api/users "where[email][equals]=$text"
	is "$status $(jqr .totalDocs)" '200 0' "users: an address $text"
	ask /api/users/count "where[email][not_equals]=$text"
	is "$status $(($(jqr .totalDocs) >= 2))" '200 1' "users: all but $text"
	ask /api/users "where[email][like]=$text" "where[email][contains]=$text"
	is "$status $(jqr .totalDocs)" '200 0' "users: a pattern $text"

	# --- signing in ---
	for address in "$text" "$email$text"; do
		said=$(jq -cn --arg email "$address" --arg password "$text" '{$email, $password}')
		as nobody
		post /api/users/login "$said"
		like "$status" '^40[01]$' "login: $address"
		as admin
		post /api/users/unlock "$said"
		like "$status" '^(200|400)$' "unlock: $address"
	done
	as "JWT $text"
	get /api/users/me
	is "$status $(jqr .user)" '200 null' "a token $text"
	as "users API-Key $text"
	get /api/users/me
	is "$status $(jqr .user)" '200 null' "a key $text"
	as admin

	# --- queues ---
	for path in run handle-schedules; do
		ask "/api/payload-jobs/$path" "queue=$text"
		like "$status" '^(200|400|404)$' "$path of a queue $text"
	done
	for what in pause resume; do
		post "/api/payload-jobs/queues/$name/$what"
		like "$status" '^(200|400|404)$' "$what of a queue $text"
	done
	post /api/payload-jobs "$(jq -cn --arg t "$text" '{task: $t, queue: $t}')"
	like "$status" '^40[04]$' "a task $text"

	# --- paths ---
	for path in pages users media payload-jobs; do
		get "/api/$path/$name"
		like "$status" '^40[04]$' "$path: an id $text"
		delete "/api/$path/1$name"
		like "$status" '^40[045]$' "$path: an id 1$text"
	done
	get "/api/media/file/$name"
	like "$status" '^40[04]$' "a file $text"
	get "/api/media/file/$name.jpg"
	like "$status" '^40[04]$' "a file $text.jpg"
done

# All is as it was.
sql_is "SELECT role FROM site.users WHERE email = '$email'" editor 'the account is there'
sql_is "SELECT count(*) FROM afterwork.queue WHERE name ~ '[^A-Za-z0-9._:-]'" 0 'no queue has such a name'
done_testing
