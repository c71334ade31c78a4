#!/bin/bash
# list-attacks.t: whatever a client says of a list is refused or bounded, and
# nothing of it reaches the database as SQL.
. tests/lib.sh
. tests/list.sh
stack_shared
sql "INSERT INTO site.page (title, slug) VALUES ('kept', 'attack-$$')" || bail 'no page'
before=$(sql 'SELECT count(*) FROM site.page')

# harmless WHAT: the last answer is no server's error, and came in time
harmless() {
	like "$status" '^(200|400|413|414)$' "$1"
	[[ $status == 200 || $body != *[Ss]yntax* ]] || diag "$body"
}
sqls=("' OR 1=1 --" "1; DROP TABLE site.page; --" "1) OR (1=1" "\$1" "x' UNION SELECT password_hash FROM site.users --"
	"{where}" "pg_sleep(10)" "\\'; SELECT 1; --" '"' '%' "1/**/OR/**/1")
for text in "${sqls[@]}"; do
	paths=(/api/pages)
	[ "$text" != "${sqls[0]}" ] || paths+=(/api/media /api/payload-jobs)
	for path in "${paths[@]}"; do
		for parameter in sort limit page depth pagination where 'where[id][equals]' 'where[id][in]' \
			'where[createdAt][less_than]' 'select[title]'; do
			ask "$path" "$parameter=$text"
			is "$status" 400 "$path $parameter=$text"
		done
	done
	ask /api/pages "where[title][equals]=$text"
	is "$status $(jqr .totalDocs)" '200 0' "a title that is $text"
	ask /api/pages "where[title][like]=$text" "where[slug][contains]=$text"
	harmless "a pattern: $text"
	name=$(jq -rn --arg t "$text" '$t | @uri')
	get "/api/pages?where%5B$name%5D%5Bequals%5D=1"
	is "$status" 400 "a field: $text"
	get "/api/payload-jobs?where%5Binput.$name%5D%5Bequals%5D=1"
	is "$status" 400 "a path: $text"
done
sql_is 'SELECT count(*) FROM site.page' "$before" 'nothing is gone'

# long WHAT: the text in $work/query as a query
long() {
	get "/api/pages?$(cat "$work/query")"
	harmless "$1: $status"
}
# repeat N TEXT: @ is the number
repeat() {
	seq "$1" | awk -v text="$2" '{ t = text; gsub("@", $1, t); printf "%s", t }' >"$work/query"
}
repeat 1200 'a@=1&'
long '1,200 parameters'
repeat 60 'where%5Btitle%5D%5Bequals%5D=@&'
long 'one condition sixty times'
repeat 60 'where%5Bor%5D%5B@%5D%5Bid%5D%5Bequals%5D=@&'
long 'sixty conditions'
is "$status" 400 '  are too many'
repeat 40 'where%5Bor%5D%5B@%5D%5Bid%5D%5Bequals%5D=@&'
long 'forty'
is "$status" 200 '  are not'
{
	printf where
	repeat 200 '%5Bor%5D%5B0%5D'
	cat "$work/query"
	printf '%%5Bid%%5D%%5Bequals%%5D=1'
} >"$work/deep"
mv "$work/deep" "$work/query"
long 'two hundred brackets deep'
is "$status" 400 '  are refused'
{
	printf 'where='
	repeat 1000 '@,'
	printf '{"id":{"in":[%s0]}}' "$(cat "$work/query")" | jq -sRr @uri
} >"$work/deep"
mv "$work/deep" "$work/query"
long 'a list of 1,001'
is "$status" 400 '  is too long'
{
	printf 'where='
	repeat 500 '{"or":['
	jq -sRr @uri <"$work/query"
} >"$work/deep"
mv "$work/deep" "$work/query"
long 'JSON that nests and never ends'
isnt "$status" 200 '  is refused'
# What nginx would not let through, spoken to the function itself through CGI.
big() {
	QUERY_STRING=$(cat "$work/query") REQUEST_METHOD=GET REQUEST_URI=/api/pages \
		SCRIPT_NAME=/api/pages GATEWAY_INTERFACE=CGI/1.1 DATABASE_URL=$DATABASE_URL \
		timeout 60 "$B/tests/functions/pages" </dev/null 2>"$work/cgi" | sed -n '1s/\r$//p'
}
seq 100 | awk '{ printf "where%%5Btitle%%5D%%5Blike%%5D%%5B%d%%5D=a&", $1 }' >"$work/query"
like "$(big)" '^Status: 400' 'by CGI: a hundred values for one'
repeat 12000 'a=1&'
like "$(big)" '^Status: 400' 'twelve thousand parameters'
repeat 4000 'where%5Ba'
like "$(big)" '^Status: 400' 'brackets that never close'

# Words that no index knows, in a pattern that is as long as it may be.
ask /api/pages "where[title][like]=$(printf 'w%.0s ' {1..40})"
is "$status" 400 'forty words are too many'
ask /api/pages "where[title][contains]=$(printf 'x%.0s' {1..3000})"
is "$status $(jqr .totalDocs)" '200 0' 'a long text is not'

# A list that takes too long ends, and says so.
(sql 'BEGIN; LOCK TABLE site.page IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)' >/dev/null 2>&1) &
locker=$!
await 30 "[ -n \"\$(sql \"SELECT 1 FROM pg_locks WHERE relation = 'site.page'::regclass
	AND mode = 'AccessExclusiveLock' AND granted\")\" ]" || bail 'no lock'
ask /api/pages 'where[title][equals]=x'
is "$status $(header retry-after)" '503 2' 'a list that cannot be read in time'
sql "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'site.page'::regclass
	AND mode = 'AccessExclusiveLock' AND granted" >/dev/null
wait "$locker"
ask /api/pages "where[slug][equals]=attack-$$"
is "$status $(jqr .totalDocs)" '200 1' 'and can be read again'
sql "DELETE FROM site.page WHERE slug = 'attack-$$'"
done_testing
