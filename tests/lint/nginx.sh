#!/bin/bash
# What the nginx files must and must not have.
# shellcheck source=tests/lint/tap.bash
. "$(dirname "$0")/tap.bash"

# "FILE:LINE:text" of the configuration, comments taken away.
directives() {
	[ -d deploy/nginx ] || return 0
	for file in deploy/nginx/*; do
		[ -f "$file" ] && awk -v file="$file" '
		{ sub(/(^|[ \t])#.*/, ""); print file ":" NR ":" $0 }' "$file"
	done
}

# Private addresses of the TCP stack are nobody's business.
tcpinfo() {
	directives | grep -F 'tcpinfo_'
}

# The first of two parameters with a name wins: ours must come behind.
parameters_first() {
	directives | awk -F: '
	{ text = $0; sub(/^[^:]*:[^:]*:/, "", text) }
	text ~ /include[ \t]+(fastcgi_params|afterwork-(request|function)\.conf)[ \t]*;/ {
		seen[$1] = 1
	}
	text ~ /fastcgi_param[ \t]/ && !seen[$1] {
		print $1 ":" $2 ": fastcgi_param before include fastcgi_params"
	}'
}

# A kept connection would be cut when a function ends after its last request.
kept_connections() {
	directives | grep -E '\<(fastcgi_keep_conn|keepalive)[ 	]'
}

# Every way to a function goes through the file with the common rules, and
# that file takes away the header that libraries mistake for a setting.
unguarded_pass() {
	directives | awk -F: '
	{ text = $0; sub(/^[^:]*:[^:]*:/, "", text) }
	text ~ /^[ \t]*location[ \t]/ { where = $1 ":" $2; ruled = 0 }
	text ~ /include[ \t]+afterwork-(request|function)\.conf/ { ruled = 1 }
	text ~ /fastcgi_pass[ \t]/ && !ruled {
		print where ": fastcgi_pass without the common rules"
	}
	text ~ /HTTP_PROXY[ \t]+""/ { proxy = 1 }
	END { if (!proxy) print "HTTP_PROXY is not emptied" }'
}

# A query may hold what no log should keep.
logged_queries() {
	directives | awk '
	/log_format/ { inside = 1 }
	inside && /\$(request_uri|request|args|query_string|http_authorization|http_cookie)([^_a-z]|$)/
	inside && /;[ \t]*$/ { inside = 0 }'
}

[ -d deploy/nginx ] || {
	echo '1..0 # SKIP deploy/nginx is not there'
	exit 0
}

holds 'no variables of the TCP stack' tcpinfo
holds 'fastcgi_params come before our own parameters' parameters_first
holds 'no kept connections to functions' kept_connections
holds 'every function is behind the common rules' unguarded_pass
holds 'the log keeps no queries and no credentials' logged_queries

finds '$tcpinfo_rtt' deploy/nginx/x.conf tcpinfo \
    <<<'fastcgi_param RTT $tcpinfo_rtt;'
finds 'parameters in the wrong order' deploy/nginx/x.conf parameters_first \
    <<<$'fastcgi_param A b;\ninclude fastcgi_params;'
finds 'kept FastCGI connections' deploy/nginx/x.conf kept_connections \
    <<<'	fastcgi_keep_conn on;'
finds 'an upstream that keeps connections' deploy/nginx/x.conf \
    kept_connections <<<'upstream x { server unix:/x; keepalive 4; }'
finds 'a location without the rules' deploy/nginx/x.conf unguarded_pass \
    <<<$'fastcgi_param HTTP_PROXY "";\nlocation / {\n\tfastcgi_pass x;\n}'
finds 'HTTP_PROXY left in' deploy/nginx/x.conf unguarded_pass \
    <<<'include fastcgi_params;'
finds 'a log with queries' deploy/nginx/x.conf logged_queries \
    <<<"log_format x '\$request_uri';"
done_testing
