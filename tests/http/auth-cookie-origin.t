#!/bin/bash
# auth-cookie-origin.t: a cookie, which any page can make a browser send, changes
# something only when the page is our own.
. tests/lib.sh
stack_shared
as nobody
post /api/users/login "$(jq -cn --arg email "$ADMIN_EMAIL" --arg password "$ADMIN_PASSWORD" '{$email, $password}')"
cookie="Cookie: payload-token=$(jqr .token)"
port=${SERVER_URL##*:}
slug=origin-$$

# The headers of a browser, one of each kind | allowed or refused
while IFS='|' read -r site origin want; do
	with=(-H "$cookie")
	[ "$site" = - ] || with+=(-H "Sec-Fetch-Site: $site")
	[ "$origin" = - ] || with+=(-H "Origin: ${origin//@/$SERVER_URL}")
	request_json POST /api/pages "{\"title\":\"t\",\"slug\":\"$slug\"}" "${with[@]}"
	status_is "$want" "site $site, origin $origin: POST"
	if [ "$want" = 201 ]; then
		id=$(jqr .doc.id)
		request_json PATCH "/api/pages/$id" '{"title":"n"}' "${with[@]}"
		status_is 200 '  PATCH too'
		request DELETE "/api/pages/$id" "${with[@]}"
		status_is 200 '  and DELETE'
	else
		body_is '.errors[0].message' 'You are not allowed to perform this action.' \
			'  as if nobody had asked'
	fi
	get /api/users/me "${with[@]}"
	body_is .user.email "$ADMIN_EMAIL" '  reading is free: the answer is not the other site'"'"'s to see'
done <<END
-|-|403
cross-site|-|403
same-site|-|403
cross-site|@|403
same-site|@|403
-|null|403
-|http://evil.example|403
-|http://127.0.0.1|403
-|http://127.0.0.1:1$port|403
-|http://127.0.0.1:$port.evil.example|403
-|http://x@127.0.0.1:$port|403
same-origin|-|201
same-origin|@|201
none|-|201
-|@|201
END
sql_is "SELECT count(*) FROM site.page WHERE slug = '$slug'" 0 'nothing was made in between'
request_json POST "/api/pages" "{\"title\":\"t\",\"slug\":\"$slug\"}" -H "$cookie" \
	-H 'Sec-Fetch-Site: same-origin' -H 'Authorization: Bearer wrong'
status_is 403 'a wrong header is not made good by a cookie'
get /api/users/me -H 'Origin: http://evil.example'
header_is access-control-allow-origin '' 'no other site is let in'
request OPTIONS /api/pages -H 'Origin: http://evil.example' -H 'Access-Control-Request-Method: POST'
header_is access-control-allow-origin '' 'even when its browser asks before'
done_testing
