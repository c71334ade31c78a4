#!/bin/bash
# query-many.t: a query of 100,000 parameters is refused, and costs the function
# next to no memory, however it comes.
. tests/lib.sh
stack_start
home=$(readlink -f "$STATE")
mapfile -t pids < <(function_pids pages; function_pids status)
pids=("${pids[@]/#//proc/}")

# KiB: the most that any process of the functions asked has ever had.
peak() {
	awk '/^VmHWM/ && $2 > most { most = $2 } END { print most }' "${pids[@]/%//status}"
}
# refused STATUSES WHAT COMMAND…: sets $status; with 2 MiB more.
refused() {
	local want=$1 what=$2 before after
	shift 2
	before=$(peak)
	"$@"
	after=$(peak)
	like "$status" "^($want)$" "$what: $status"
	# What a sanitizer keeps for later is its own.
	[ -n "${SAN-}" ] ||
		ok "  for $((after - before)) KiB" [ $((after - before)) -lt 2048 ]
}

# repeat N TEXT: @ is the number.
repeat() {
	perl -e 'print map { (my $t = $ARGV[1]) =~ s/\@/$_/g; $t } 1 .. $ARGV[0]' "$1" "$2"
}

as_get() {
	request POST "$1" -H 'X-Payload-HTTP-Method-Override: GET' -H "Content-Type: $2" \
		--data-binary "@$work/query"
}
form=application/x-www-form-urlencoded json=application/json

# A URL that is too long for curl's command line.
by_get() {
	exec 5<>"/dev/tcp/127.0.0.1/${SERVER_URL##*:}"
	{
		printf 'GET /api/pages?'
		cat "$work/query"
		printf ' HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
	} 2>/dev/null >&5
	read -r _ status _ <&5
	exec 5>&-
}
# To a function's socket, past nginx and its bound on a URL.
direct() {
	python3 - "$home/run/pages.sock" "$work/query" >"$work/answer" <<'END'
import socket, sys
def record(kind, data):
    return bytes([1, kind, 0, 1, len(data) >> 8, len(data) & 255, 0, 0]) + data
def length(n):
    return bytes([n]) if n < 128 else (n | 1 << 31).to_bytes(4, "big")
query = open(sys.argv[2], "rb").read()
params = b""
for name, value in ((b"REQUEST_METHOD", b"GET"), (b"REQUEST_URI", b"/api/pages"), (b"QUERY_STRING", query)):
    params += length(len(name)) + length(len(value)) + name + value
wire = record(1, bytes([0, 1, 0, 0, 0, 0, 0, 0]))
for i in range(0, len(params), 65000):
    wire += record(4, params[i:i + 65000])
wire += record(4, b"") + record(5, b"")
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
link.sendall(wire)
link.shutdown(socket.SHUT_WR)
answer = b""
while piece := link.recv(65536):
    answer += piece
sys.stdout.buffer.write(answer)
END
	status=$(tr -d '\0' <"$work/answer" | grep -aoE 'Status: [0-9]+' | head -n 1)
	status=${status#*: }
}

# All have loaded what they need.
for _ in {1..8}; do
	get '/api/pages?limit=1'
	get '/api/payload-jobs?limit=1'
	repeat 900 'a@=1&' >"$work/query"
	as_get /api/pages $form
	as_get /api/payload-jobs $form
done
status_is 200 'nine hundred are taken'

for text in 'a=1&' 'a&' 'where%5Bor%5D%5B@%5D%5Bid%5D%5Bequals%5D=1&' 'a%5B%5D=&'; do
	repeat 100000 "$text" >"$work/query"
	refused '414' "100,000 times $text, by GET" by_get
	refused '400|413' '  as a form' as_get /api/pages $form
	refused '400' '  past nginx' direct
	# What still fits into the bytes that a query may have.
	head -c 65000 "$work/query" >"$work/most" && mv "$work/most" "$work/query"
	refused '400' '  as many as fit, as a form' as_get /api/payload-jobs $form
done
repeat 65000 '&' >"$work/query"
refused 200 'nothing, 65,000 times, is nothing' as_get /api/pages $form
for text in '"a@":1,' '"where@":{"id":{"equals":1}},'; do
	{ printf '{'; repeat 40000 "$text"; printf '"z":1}'; } >"$work/query"
	refused '400|413' "JSON: many times $text" as_get /api/pages $json
	{ printf '{'; repeat 2000 "$text"; printf '"z":1}'; } >"$work/query"
	refused '400|413' '  two thousand of them' as_get /api/pages $json
done
for list in '1,' '"",' '{},' '[],'; do
	{ printf '{"sort":['; repeat 100000 "$list"; printf '1]}'; } >"$work/query"
	refused '400|413' "JSON: a list of 100,000 $list" as_get /api/pages $json
	{ printf '{"where":{"id":{"in":['; repeat 15000 "$list"; printf '1]}}}'; } >"$work/query"
	refused '400|413' "  a condition with 15,000 $list" as_get /api/pages $json
done
get '/api/pages?limit=1'
status_is 200 'and all is well'
done_testing
