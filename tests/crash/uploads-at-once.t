#!/bin/bash
# uploads-at-once.t: 100 uploads at once of one name into one gallery, which an
# editor keeps saving meanwhile: the gallery holds exactly those 100, once
# each, and the editor's last change.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
stack_start PROCESSES=4
album album

# edit N [READ]: sends the page back as it was read, but for a text and the
# title.
ask_page() {
	curl -s -m 60 -H "Authorization: $authorization" "$@" \
		"$SERVER_URL/api/pages/$page?depth=0"
}
edit() {
	[ -n "${2-}" ] || ask_page >"$work/read"
	jq -c "{title: \"Title $1\", layout: (.layout[0].text = \"new $1\" |
	    .layout)}" "${2-$work/read}" >"$work/change"
	[ "$(ask_page -o /dev/null -w '%{http_code}' -X PATCH \
		-H 'Content-Type: application/json' -d "@$work/change")" = 200 ]
}
edits=0 failed=0
ask_page >"$work/first"

picture photo.jpg >/dev/null
cat >"$work/one" <<'END'
#!/bin/bash
curl -s -m 60 -o "$work/answer.$1" -w '%{http_code}\n' \
	-H "Authorization: $authorization" \
	-F "file=@$work/photo.jpg" "$SERVER_URL/api/media"
END
chmod +x "$work/one"
export work authorization
seq 100 | xargs -P 100 -n 1 "$work/one" >"$work/codes" &
uploads=$!

while is_alive "$uploads" || [ "$edits" -lt 3 ]; do
	edit $((++edits)) || failed=$((failed + 1))
done
wait "$uploads"
is "$(sort "$work/codes" | uniq -c | tr -s ' ')" ' 100 201' \
	'100 uploads are answered'
is "$failed" 0 "$edits edits are taken"
ok 'and one more, of a page read before the first picture' \
	edit $((++edits)) "$work/first"
ok 'all jobs are done' await 20 \
	'answers 0 "SELECT count(*) FROM afterwork.job"'

sent=$(jq -s -c '[.[].doc.id] | sort' "$work"/answer.*)
is "$(jq length <<<"$sent")" 100 '100 documents'
is "$(gallery_of "$page")" "$sent" 'the gallery has them all, once each'
is "$(jq -r .doc.filename "$work"/answer.* | sort -u | wc -l)" 100 \
	'each has a name of its own'
get "/api/pages/$page?depth=0"
body_is '.layout[0].text' "new $edits" "the editor's text is there"
body_is .title "Title $edits" 'and the title'
sql_is "SELECT count(*), count(DISTINCT input), sum(attempts)
    FROM afterwork.history WHERE state = 'done'" '100|100|100' \
	'each job took one attempt'
is "$(media_on_disk)" '' 'each row has its file, each file its row'
done_testing
