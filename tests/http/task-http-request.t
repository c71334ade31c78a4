#!/bin/bash
# task-http-request.t: httpRequest sends what it was told to, signed, to public
# addresses only; the answer decides what becomes of the job.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/answer.sh
. tests/answer.sh
secret_text=0123456789abcdefghijklmnopqrstuv
secret=whsec_$(printf %s "$secret_text" | base64)
handler=$PWD/$B/tasks/httpRequest/handler
case $B in /*) handler=$B/tasks/httpRequest/handler ;; esac

# --- a server that notes what it gets ---
port=$(free_port) tls_port=$(free_port)
here=http://127.0.0.1:$port
mkdir "$work/nginx"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
	-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
head -c 3000000 /dev/zero | tr '\0' x >"$work/nginx/big"
printf 'caf\303\251 %04090d\303\251\303\251' 0 >"$work/nginx/text"
head -c 5000 /dev/urandom >"$work/nginx/bytes"
cat >"$work/nginx.conf" <<END
daemon off; pid $work/nginx.pid; error_log $work/nginx.log;
worker_processes 1; events { worker_connections 64; }
http {
	client_body_temp_path $work/nginx/1; proxy_temp_path $work/nginx/2;
	fastcgi_temp_path $work/nginx/3; uwsgi_temp_path $work/nginx/4;
	scgi_temp_path $work/nginx/5;
	client_body_in_single_buffer on; client_body_buffer_size 1m;
	log_format seen escape=json '{"method":"\$request_method","uri":"\$request_uri",'
		'"id":"\$http_webhook_id","at":"\$http_webhook_timestamp",'
		'"signature":"\$http_webhook_signature","type":"\$content_type",'
		'"x":"\$http_x_shop","agent":"\$http_user_agent",'
		'"expect":"\$http_expect","trace":"\$http_traceparent","body":"\$request_body"}';
	access_log off;
	server {
		listen 127.0.0.1:$port; listen 127.0.0.1:$tls_port ssl;
		ssl_certificate $work/cert.pem; ssl_certificate_key $work/key.pem;
		location /hook {
			access_log $work/seen seen;
			proxy_pass $here/sink; proxy_method POST;
		}
		location = /sink { default_type application/json; return 200 '{"ok":true}'; }
		location ~ ^/answer/(?<code>[0-9]+)\$ {
			access_log $work/seen seen;
			add_header Retry-After \$arg_after always;
			if (\$code = 200) { return 200; } if (\$code = 204) { return 204; }
			if (\$code = 302) { return 302 $here/hook; }
			if (\$code = 400) { return 400; } if (\$code = 404) { return 404; }
			if (\$code = 410) { return 410; } if (\$code = 425) { return 425; } if (\$code = 429) { return 429; }
			if (\$code = 500) { return 500; } if (\$code = 503) { return 503; }
		}
		location /file/ { alias $work/nginx/; default_type text/plain; }
		location /slow/ { alias $work/nginx/; limit_rate 1k; }
	}
}
END
/usr/sbin/nginx -p "$work/" -c "$work/nginx.conf" -e "$work/nginx.log" &
nginx=$!
end_server() {
	kill $nginx
	wait $nginx
} 2>/dev/null
trap 'end_server; lib_end' EXIT
await 5 "(exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null" ||
	bail "no server: $(cat "$work/nginx.log")"

# call INPUT [NAME=value…]: the handler by itself; sets $code, $out and $said.
call() {
	local input=$1
	shift
	out=$(printf %s "$input" | env -i AFTERWORK_JOB_ID=7 AFTERWORK_TIMEOUT=60 \
		HTTP_ALLOW_PRIVATE=127.0.0.1 "$@" "$handler" 2>"$work/said")
	code=$?
	said=$(cat "$work/said")
	body=$out
}

seen() {
	tail -n 1 "$work/seen" 2>/dev/null | jq -r "$1"
}

signature() {
	printf 'v1,%s' "$(printf '%s.%s.%s' "$(seen .id)" "$(seen .at)" \
		"$(seen .body)" | openssl dgst -sha256 -hmac "$secret_text" \
		-binary | base64)"
}

# --- what is sent ---
call "{\"url\":\"$here/hook?a=1\",\"body\":{\"invoice\":7,\"to\":\"Žiga\"},
    \"headers\":{\"X-Shop\":\"north\"}}" "WEBHOOK_SECRET=$secret" TRACEPARENT=00-aa
is "$code" 0 'an answer of 200 is success'
body_is '[.status, .bytes, .signed, .body, .contentType] | tostring' \
	'[200,11,true,"{\"ok\":true}","application/json"]' 'the output tells of it'
is "$(seen '[.method, .uri, .type, .x, .agent, .expect, .trace] | join("|")')" \
	'POST|/hook?a=1|application/json|north|afterwork||00-aa' 'so it was sent'
is "$(seen .body)" '{"invoice":7,"to":"Žiga"}' 'with its body as JSON'
is "$(seen .id)" job_7 'the id is the job'
ok 'the time is now' [ $(($(date +%s) - $(seen .at))) -le 5 ]
is "$(seen .signature)" "$(signature)" 'the signature is that of Standard Webhooks'
call "{\"url\":\"$here/hook\",\"body\":\"plain\"}" "WEBHOOK_SECRET=$secret_text"
is "$(seen '[.type, .body] | join("|")')" 'text/plain; charset=utf-8|plain' \
	'a text is sent as it is'
is "$(seen .signature)" "$(signature)" 'a secret without whsec_ is its bytes'
call "{\"url\":\"$here/hook\"}"
is "$(seen '[.method, .signature, .body] | join("|")')" 'GET||' \
	'without a body it is a GET, without a secret not signed'
body_is .signed false 'which the output says'
for method in PUT PATCH DELETE; do
	call "{\"url\":\"$here/hook\",\"method\":\"$method\",\"body\":[]}"
	is "$code:$(seen .method)" "0:$method" "$method"
done
call "{\"url\":\"$here/answer/200\",\"method\":\"HEAD\"}"
is "$code:$(seen .method)" 0:HEAD 'HEAD'
call "{\"url\":\"$here/hook\",\"body\":1,\"headers\":{\"content-type\":\"text/x\",\"X-Shop\":\"\"}}"
is "$(seen '[.type, .x] | join("|")')" 'text/x|' 'a type of the input wins'

# --- what the answer means ---
for status in 204 302 400 404 410 425 429 500 503; do
	call "{\"url\":\"$here/answer/$status?after=9\"}"
	case $status in
	204) want=0 ;;
	425 | 429 | 5*) want=75 ;;
	*) want=65 ;;
	esac
	is "$code" $want "$status: exit status $want"
	body_is .status "$status" '  and in the output'
	[ $want != 75 ] || body_is .retry_after 9 '  Retry-After is handed on'
done
call "{\"url\":\"$here/answer/302\"}"
is "$(seen .uri)" /answer/302 'a redirect is not followed'
like "$said" 'redirects are not followed' 'and said to be one'
answer_with '408 Request Timeout'
trap 'end_server; answer_end; lib_end' EXIT
call "{\"url\":\"$answer_url\"}"
is "$code:$(jqr .status)" 75:408 'a server that waited in vain is asked again'
answer_end
call "{\"url\":\"$here/answer/503?after=$(date -u -d '+100 seconds' \
	'+%a,%%20%d%%20%b%%20%Y%%20%H:%M:%S%%20GMT')\"}"
is "$code" 75 'a date in Retry-After'
call "{\"url\":\"$here/answer/503?after=99999999\"}"
ok 'is at most a day' [ "$(jqr .retry_after)" -le 86400 ]
call "{\"url\":\"$here/file/big\"}"
is "$code" 0 'a long answer is success'
body_is '[.bytes, .cut, (.body | length)] | tostring' '[1048576,true,4096]' \
	'cut after a MiB, and its beginning kept'
call "{\"url\":\"$here/file/text\"}"
body_is '(.body | utf8bytelength) < 4097 and (.body | startswith("café"))' true \
	'no character is cut in two'
call "{\"url\":\"$here/file/bytes\"}"
is "$code:$(jqr 'has("body")')" 0:false 'bytes that are no text are not kept'
call "{\"url\":\"$here/slow/big\",\"timeout\":1}"
is "$code" 75 'one that takes too long is tried again'
call '{"url":"http://127.0.0.1:1/"}'
is "$code" 75 'one that is not there'
call '{"url":"http://nowhere.invalid/"}'
is "$code" 75 'a name that is not there'
call "{\"url\":\"https://127.0.0.1:$tls_port/hook\"}"
is "$code" 75 'a certificate of nobody'
like "$said" 'certificate' '  is said to be one'

# --- where it does not go ---
: >"$work/seen"
for host in "127.0.0.1:$port" "localhost:$port" "2130706433:$port" \
	"0x7f.1:$port" "0177.0.0.1:$port" "127.1:$port" "0:$port" \
	"[::1]:$port" "[::ffff:127.0.0.1]:$port" "[::127.0.0.1]:$port" \
	169.254.169.254 10.0.0.1 192.168.1.1 172.16.0.1 100.64.0.1 224.0.0.1 \
	'[fe80::1]' '[fd00::1]' '[64:ff9b::7f00:1]' '[2002:7f00:1::]'; do
	call "{\"url\":\"http://$host/hook\"}" HTTP_ALLOW_PRIVATE=
	is "$code" 65 "not public: $host"
	like "$said" 'not a public one' '  and says so'
done
ok 'nothing came there' [ ! -s "$work/seen" ]
call "{\"url\":\"http://127.0.0.1:$port/hook\"}" HTTP_ALLOW_PRIVATE=127.0.0.2
is "$code" 65 'another address that is allowed is another'
call "{\"url\":\"http://[::ffff:127.0.0.1]:$port/hook\"}"
is "$code" 65 'an allowed one in disguise is not'
ok 'nothing came there still' [ ! -s "$work/seen" ]
call "{\"url\":\"http://localhost:$port/hook\"}"
is "$code" 0 'a name of an allowed address is'
call "{\"url\":\"$here/hook\"}" "http_proxy=http://127.0.0.1:1"
is "$code" 0 'no proxy of the environment'

# --- what cannot be sent ---
while IFS= read -r input; do
	call "${input//HERE/$here}"
	is "$code" 65 "refused: ${input:0:70}"
done <<'END'
{}
{"url":7}
{"url":""}
{"url":"ftp://example.com/"}
{"url":"file:///etc/passwd"}
{"url":"gopher://example.com/"}
{"url":"HERE/hook","method":"CONNECT"}
{"url":"HERE/hook","method":"GET","body":1}
{"url":"HERE/hook","headers":[]}
{"url":"HERE/hook","headers":{"a":1}}
{"url":"HERE/hook","headers":{"a b":"c"}}
{"url":"HERE/hook","headers":{"":"c"}}
{"url":"HERE/hook","headers":{"a":"b\r\nc: d"}}
{"url":"HERE/hook","headers":{"a":"b\nc: d"}}
{"url":"HERE/hook","headers":{"a\r\nb":"c"}}
{"url":"HERE/hook","headers":{"Host":"example.com"}}
{"url":"HERE/hook","headers":{"transfer-encoding":"chunked"}}
{"url":"HERE/hook","headers":{"Webhook-Signature":"v1,x"}}
{"url":"HERE/hook","timeout":100}
[]
END
for secret_bad in stubby whsec_stubby 'whsec_!!!!'; do
	call "{\"url\":\"$here/hook\"}" "WEBHOOK_SECRET=$secret_bad"
	is "$code" 78 "a secret that is none: $secret_bad"
	unlike "$said" "$secret_bad" '  is not told'
done
call "{\"url\":\"$here/hook\"}" HTTP_ALLOW_PRIVATE=everything
is "$code" 78 'addresses that are none'

# --- as a job ---
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=300ms HTTP_ALLOW_PRIVATE=127.0.0.0/8 \
	WEBHOOK_SECRET="$secret"
enqueue httpRequest "{\"url\":\"$here/hook\",\"body\":{}}"
ok 'a job' ends_as "$job" 'done'
is "$(seen .id)" "job_$job" 'has its own id'
is "$(seen .signature)" "$(signature)" 'and is signed with the setting'
enqueue httpRequest "{\"url\":\"$here/answer/503?after=1\",\"method\":\"POST\"}"
await 10 "answers 1 'SELECT count(*) FROM afterwork.job
    WHERE id = $job AND attempts = 1 AND lease_until IS NULL'"
ask "SELECT run_at - clock_timestamp() < interval '1.1 s' FROM afterwork.job WHERE id = $job"
is "$answer" t 'Retry-After is when it is tried again'
await 5 'run_jobs; [ "$(grep -c answer/503 "$work/seen")" -ge 2 ]'
is "$(grep -c '"id":"job_'"$job"'"' "$work/seen")" \
	"$(grep -c "answer/503?after=1\"" "$work/seen")" \
	'a retry has the same id'
enqueue httpRequest "{\"url\":\"$here/answer/404\"}"
ok 'a 404 fails' ends_as "$job" failed
get "/api/payload-jobs/$job"
body_is '[.attempts, .output.status] | tostring' '[1,404]' 'at once, and why is kept'
enqueue httpRequest '{"url":"http://169.254.169.254/latest/meta-data/"}'
ok 'another private address' ends_as "$job" failed

# --- its secret ---
enqueue httpRequest "{\"url\":\"$here/slow/big\",\"timeout\":20}"
# The process that has this job.
handler_of() {
	local dir
	for dir in /proc/[0-9]*; do
		grep -qszxF "AFTERWORK_JOB_ID=$1" "$dir/environ" &&
			pid=${dir##*/} && return
	done
	return 1
} 2>/dev/null
find_owner
if await 10 "handler_of $job"; then
	environ=$(tr '\0' '\n' <"/proc/$pid/environ")
	like "$environ" 'WEBHOOK_SECRET_FILE=/proc/self/fd/[45]' \
		'the environment names the file'
	unlike "$environ$(tr '\0' ' ' <"/proc/$pid/cmdline")" \
		"$secret|$secret_text" 'and has no secret, nor has the command line'
	for file in environ fd/4 fd/5 mem; do
		ok "$file is closed to others of its user" [ -z \
			"$("${as_owner[@]}" head -c 1 "/proc/$pid/$file" 2>/dev/null | tr '\0' x)" ]
	done
else
	bail 'no handler runs'
fi
post "/api/payload-jobs/$job/cancel" '{}'
ok 'it can be cancelled' ends_as "$job" cancelled
enqueue script '{"sh":"jq -n --arg e \"$(env)\" --arg f \"$(ls /proc/self/fd)\" \"{\\$e,\\$f}\""}'
ok 'a task of one'"'s own" ends_as "$job" 'done'
get "/api/payload-jobs/$job"
body_is '.output.e | test("WEBHOOK|HTTP_ALLOW")' false 'has no setting'
body_is '.output.f | split("\n") | length' 5 'and no descriptor for one'

enqueue httpRequest '{}'
is "$status" 400 'a job without a url is no job'
done_testing
