#!/bin/bash
# users-secure-cookie.t: a session begun by TLS never leaves without it, and
# the site's own page is told by its host and port.
. tests/lib.sh
stack_start

login() {
	post /api/users/login "$(jq -cn --arg e "$ADMIN_EMAIL" --arg p "$ADMIN_PASSWORD" '{email: $e, password: $p}')"
	token=$(jqr .token)
}

as nobody
login
status_is 200 'signed in'
like "$(header set-cookie)" '; SameSite=Lax$' 'over plain HTTP the cookie is not Secure'

# from ORIGIN: a change by the cookie, as a browser without Sec-Fetch-Site.
from() {
	post /api/users/refresh-token '{}' -H "Cookie: payload-token=$token" \
		-H "Origin: $1"
}
from "$SERVER_URL"
status_is 200 'a change from our own page'
for origin in "${SERVER_URL%:*}" "${SERVER_URL%:*}:1" https://example.com null; do
	from "$origin"
	status_is 403 "not from $origin"
done

# As behind a proxy that ends TLS, with nginx told about it.
home=$(readlink -f "$STATE")
echo 'fastcgi_param HTTPS on;' >>"$home/conf/afterwork-request.conf"
sed -i '/ HTTPS /d' "$home/conf/fastcgi_params"
read -r pid _ <"$home/pids/nginx"
kill -HUP "$pid"
secure() {
	login
	[[ $(header set-cookie) == *'; SameSite=Lax; Secure' ]]
}
eventually 5 secure 'over TLS it is'
done_testing
