#!/bin/bash
# admin.t: a person signs in, uploads a picture and sees it in the gallery.
# Chromium is driven over WebDriver's HTTP, by curl.
. tests/lib.sh
stack_shared

driver_start() {
	local i
	driver_port=$(free_port)
	chromedriver --port="$driver_port" --log-path="$work/driver.log" \
		>/dev/null 2>&1 &
	driver_pid=$!
	driver=http://127.0.0.1:$driver_port
	for ((i = 0; i < 200; i++)); do
		curl -sf "$driver/status" >/dev/null && return
		sleep 0.05
	done
	bail 'chromedriver did not start'
}

# wd METHOD PATH [JSON]: the value of the driver's answer.
wd() {
	curl -s -m 60 -X "$1" -H 'Content-Type: application/json' \
		${3+--data-binary "$3"} "$driver$2" | jq -r .value
}

session_start() {
	local args
	args=$(jq -cn --arg dir "$work/profile" '["--headless=new",
		"--no-sandbox", "--disable-gpu", "--disable-quic",
		"--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync",
		"--disable-dev-shm-usage", "--window-size=1000,900",
		"--user-data-dir=" + $dir]')
	session=$(curl -s -m 60 "$driver/session" --data-binary "$(jq -cn \
		--argjson args "$args" '{capabilities: {alwaysMatch:
		{browserName: "chrome", "goog:loggingPrefs": {browser: "ALL"},
		"goog:chromeOptions": {args: $args}}}}')" |
		jq -r .value.sessionId)
	[ "$session" != null ] || bail "no browser: $(tail -n 3 "$work/driver.log")"
	s=/session/$session
}

# js EXPRESSION: evaluated in the page.
js() {
	wd POST "$s/execute/sync" \
		"$(jq -cn --arg js "return ($1)" '{script: $js, args: []}')"
}

# The element of a selector, clicked, or with text typed into it.
element() {
	wd POST "$s/element" \
		"$(jq -cn --arg c "$1" '{using: "css selector", value: $c}')" |
		jq -r '.[]'
}

click() {
	wd POST "$s/element/$(element "$1")/click" '{}' >/dev/null
}

type_into() {
	wd POST "$s/element/$(element "$1")/value" \
		"$(jq -cn --arg t "$2" '{text: $t}')" >/dev/null
}

driver_start
trap 'kill "$driver_pid" 2>/dev/null; lib_end' EXIT
session_start
slug=browser-$$
post /api/pages "$(jq -cn --arg slug "$slug" '{title: "Seen by people", $slug,
	layout: [{blockType: "gallery", autoSyncMedia: true}]}')"
status_is 201 'there is a page with a gallery'

wd POST "$s/url" "$(jq -cn --arg u "$SERVER_URL/admin/" '{url: $u}')" >/dev/null
eventually 10 '[ "$(js "!document.getElementById(\"sign-in\").hidden")" = true ]' \
	'who is not signed in is asked to'
type_into '[name=email]' "$ADMIN_EMAIL"
type_into '[name=password]' 'not the password'
click '#sign-in button'
eventually 10 '[[ "$(js "document.getElementById(\"sign-in-error\").textContent")" == *incorrect* ]]' \
	'a wrong password is said to be one'
wd POST "$s/element/$(element '[name=password]')/clear" '{}' >/dev/null
type_into '[name=password]' "$ADMIN_PASSWORD"
click '#sign-in button'
eventually 10 '[ "$(js "!document.getElementById(\"work\").hidden")" = true ]' \
	'the right one opens the page'

file=$(picture "$slug <img src=x onerror='window.ran=1'>.jpg" photo.jpg)
text="\"><img src=x onerror='window.ran=1'><b>not markup</b>"
type_into '[name=file]' "$file"
type_into '[name=alt]' "$text"
js '(window.bar = document.getElementById("progress"), window.seen = [],
	new MutationObserver(() => window.seen.push([bar.hidden, bar.value]))
		.observe(bar, { attributes: true }), 1)' >/dev/null
is "$(js 'bar.hidden')" true 'there is no progress yet'
click '#upload button'
eventually 15 '[ "$(js "document.querySelectorAll(\".gallery .new img\").length > 0")" = true ]' \
	'the gallery shows the picture'
is "$(js 'seen.some(([hidden, part]) => !hidden && part === 1)')" true \
	'a bar went to its end while it was sent'
eventually 5 '[ "$(js bar.hidden)" = true ]' 'and is gone'
is "$(js 'document.querySelector(".gallery .new img").alt')" \
	"$text" 'its description is text, not markup'
like "$(js 'document.querySelector(".gallery .new figcaption").textContent')" \
	"^$slug _img" 'so is its name'
is "$(js 'window.ran ?? "nothing"')" nothing 'and neither runs'
eventually 10 '[ "$(js "document.querySelector(\".gallery .new img\").naturalWidth")" = 800 ]' \
	'the browser got the very picture'
like "$(js 'document.getElementById("steps").textContent')" 'is done' \
	'the steps tell that the job is done'
is "$(curl -s "$driver$s/se/log" -H 'Content-Type: application/json' \
	--data-binary '{"type": "browser"}' |
	jq '[.value[] | select(.message | test("Content Security|refused"; "i"))] | length')" \
	0 'the page keeps its own security policy'
[ -z "${SCREENSHOT-}" ] || wd GET "$s/screenshot" | base64 -d >"$SCREENSHOT"

# A sign-out that does not reach the server.
js '(window.whole = window.fetch, window.asked = 0, window.fetch = (p, o) => {
	window.asked += p.endsWith("/me");
	return p.endsWith("/logout") ? Promise.reject(new Error("cut")) : window.whole(p, o);
}, 1)' >/dev/null
click '#sign-out'
eventually 10 '[ "$(js "window.asked")" = 1 ]' 'a sign-out that is lost is noticed'
sleep 0.5
is "$(js '!document.getElementById("work").hidden')" true \
	'and nobody is shown as signed out who is not'
js '(window.fetch = window.whole, 1)' >/dev/null

click '#sign-out'
eventually 10 '[ "$(js "!document.getElementById(\"sign-in\").hidden")" = true ]' \
	'signing out closes the page'

# A file that is a picture and a page at once, opened by itself.
printf 'GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\1x\0;<html><script>document.title="ran"</script>' \
	>"$work/$slug.gif"
upload "$work/$slug.gif"
status_is 201 'a picture that is a page, too'
wd POST "$s/url" "$(jqr "{url: (\"$SERVER_URL\" + (.doc.url | ltrimstr(\"$SERVER_URL\")))}")" >/dev/null
eventually 10 '[ "$(js "document.contentType")" = image/gif ]' \
	'is a picture to the browser'
isnt "$(js 'document.title')" ran 'which runs nothing of it'
wd DELETE "$s" >/dev/null
done_testing
