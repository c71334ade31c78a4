#!/bin/bash
# task-send-email.t: sendEmail gives a mail to a real mail server, where it
# arrives whole; who may have it and what it says can't be meddled with; the
# server's answer decides what becomes of the job.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
[ -x /usr/sbin/exim4 ] || skip_all \
	'exim4 is not installed, since this host has another mail server'
handler=$PWD/$B/tasks/sendEmail/handler
case $B in /*) handler=$B/tasks/sendEmail/handler ;; esac

# --- a mail server of this test's own ---
port=$(free_port) tls_port=$((port + 1)) plain_port=$((port + 2))
here=smtp://127.0.0.1:$port
user=$(id -un) as_user=()
[ "$(id -u)" -ne 0 ] || user=${STACK_USER:-www-data}
[ "$(id -u)" -ne 0 ] || as_user=(setpriv --reuid "$user"
	--regid "$(id -g "$user")" --clear-groups --no-new-privs --)
mail=$work/exim
mkdir -p "$mail/spool" "$mail/box"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$mail/key.pem" \
	-out "$mail/cert.pem" 2>/dev/null
cat >"$mail/conf" <<END
primary_hostname = mail.example.com
spool_directory = $mail/spool
log_file_path = $mail/log-%s
pid_file_path = $mail/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = $port : $tls_port : $plain_port
tls_on_connect_ports = $tls_port
tls_certificate = $mail/cert.pem
tls_privatekey = $mail/key.pem
tls_advertise_hosts = \${if eq{\$received_port}{$plain_port}{}{*}}
auth_advertise_hosts = *
exim_user = $user
exim_group = $(id -gn "$user")
deliver_drop_privilege = true
never_users =
keep_environment =
acl_smtp_mail = sender
acl_smtp_rcpt = recipient
acl_smtp_data = content
begin acl
sender:
	defer senders = busy@example.com
	accept
recipient:
	deny local_parts = never
		message = nobody of that name
	defer local_parts = later
	deny local_parts = boss
		!authenticated = *
		message = log in first
	accept
content:
	deny condition = \${if match{\$h_subject:}{spam}}
		message = we do not want this
	accept
begin routers
all:
	driver = accept
	transport = box
begin transports
box:
	driver = appendfile
	directory = $mail/box
	maildir_format
	create_directory
	envelope_to_add
	batch_max = 1000
begin authenticators
plain:
	driver = plaintext
	public_name = PLAIN
	server_prompts = :
	server_condition = \${if and{{eq{\$auth2}{ana}}{eq{\$auth3}{se/cret}}}}
	server_set_id = \$auth2
END
chown -R "$user": "$mail"
"${as_user[@]}" /usr/sbin/exim4 -C "$mail/conf" -bdf >"$mail/out" 2>&1 &
exim=$!
end_server() {
	kill $exim
	wait $exim
} 2>/dev/null
trap 'end_server; lib_end' EXIT
await 5 "(exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null" ||
	bail "no mail server: $(cat "$mail/out" "$mail"/log-*)"

# send INPUT [NAME=value…]: the handler by itself; sets $code, $body and $said.
# A mail that was taken is awaited.
send() {
	local input=$1
	shift
	rm -f "$mail"/box/new/*
	body=$(printf %s "$input" | env -i AFTERWORK_JOB_ID=7 AFTERWORK_TIMEOUT=20 \
		"SMTP_URL=$here" 'SMTP_FROM=Shop <shop@example.com>' \
		"SMTP_CA_FILE=$mail/cert.pem" "$@" "$handler" 2>"$work/said")
	code=$?
	said=$(cat "$work/said")
	[ $code -ne 0 ] || arrived 1 || diag 'it does not arrive'
}

# arrived N: so many copies came; the first is in $letter.
arrived() {
	await 10 "[ \"\$(find $mail/box/new -type f 2>/dev/null | wc -l)\" -ge $1 ]" ||
		return 1
	letter=$(find "$mail/box/new" -type f | sort | head -n 1)
	[ "$(find "$mail/box/new" -type f | wc -l)" -eq "$1" ]
}

# head NAME: of the letter, unfolded and decoded; all of that name.
head_of() {
	NAME=$1 perl -MEncode -0777 -ne '
		my ($head) = split /\n\n/, $_, 2;
		$head =~ s/\n[ \t]+/ /g;
		print encode("UTF-8", decode("MIME-Header", $1)), "\n"
		    while $head =~ /^\Q$ENV{NAME}\E: *(.*)$/mgi' "$letter"
}

# part TYPE: that part of the letter's body, decoded.
part() {
	TYPE=$1 perl -MMIME::QuotedPrint -0777 -ne '
		my ($head, $rest) = split /\n\n/, $_, 2;
		my ($edge) = $head =~ /boundary="?([^"\n;]+)/ or exit;
		for (split /\n?--\Q$edge\E(?:--)?\n/, $rest) {
			my ($h, $b) = split /\n\n/, $_, 2;
			next unless defined $b && $h =~ /^Content-Type: \Q$ENV{TYPE}\E; charset=utf-8$/mi;
			print decode_qp($b) if $h =~ /quoted-printable/;
		}' "$letter"
}

# --- it arrives whole ---
text=$'Živjo,\n.\n..\nFrom here\n\n'$(printf 'dolga %.0s' {1..400})$'\ntrailing \tspace \nkonec = 100 %'
html='<p title="x">Živjo &amp; <b>čao</b></p>'
send "$(jq -cn --arg text "$text" --arg html "$html" '{
    to: ["Ana Žagar <ana@example.com>", "bor@example.com"],
    cc: "\"Cene, d.o.o. \\ \"\"\" <cene@example.com>", bcc: "dana@example.com",
    replyTo: "Pomoč <help@example.com>",
    subject: "Račun št. 7 – plačano, in še precej dolg naslov, ki gre čez eno samo vrstico 🎉",
    $text, $html}')"
is "$code" 0 "a mail is taken $said"
ok 'and arrives' arrived 1
is "$(head_of Envelope-To)" \
	'ana@example.com, bor@example.com, cene@example.com, dana@example.com' \
	'for all of them'
is "$(head_of From)" '"Shop" <shop@example.com>' 'From'
is "$(head_of To)" 'Ana Žagar <ana@example.com>, bor@example.com' 'To'
like "$(head_of Cc)" '^"Cene, d.o.o. .*" <cene@example.com>$' 'Cc'
is "$(head_of Reply-To)" 'Pomoč <help@example.com>' 'Reply-To'
is "$(head_of Subject)" \
	'Račun št. 7 – plačano, in še precej dolg naslov, ki gre čez eno samo vrstico 🎉' \
	'Subject'
is "$(head_of Bcc)" '' 'the blind copy is in no header'
is "$(grep -c dana "$letter")" 1 'nor anywhere else in the mail'
is "$(head_of Message-ID)" "$(jqr .messageId)" 'the output has its Message-ID'
like "$(jqr .messageId)" '^<job-7\.[0-9a-f]{16}@example\.com>$' 'of the job'
body_is .recipients 4 'and how many it is for'
like "$(head_of Received)" 'with esmtps' 'it came encrypted'
is "$(head_of Auto-Submitted)" auto-generated 'no machine is to answer it'
ok 'its date is now' [ $(($(date +%s) - $(date -d "$(head_of Date)" +%s))) -le 10 ]
is "$(part text/plain; echo x)" "$text"x 'the text is as it was'
is "$(part text/html; echo x)" "$html"x 'and the HTML'
ok 'no line is too long' [ "$(awk 'length > 200' "$letter" | wc -l)" -eq 0 ]
id=$(jqr .messageId)

small='"to":"ana@example.com","subject":"Hello"'
send "{$small,\"text\":\"a\"}"
isnt "$(jqr .messageId)" "$id" 'another mail has another Message-ID'
id=$(jqr .messageId)
send "{$small,\"text\":\"a\"}"
is "$(jqr .messageId)" "$id" 'the same at another attempt'
ok 'a text alone' arrived 1
is "$(part text/plain)|$(part text/html)|$(head_of Subject)" 'a||Hello' 'is one part'
send "{$small,\"html\":\"<i>a</i>\"}"
ok 'HTML alone' arrived 1
is "$(part text/plain)|$(part text/html)" '|<i>a</i>' 'is one part'

# --- ways to the server ---
send "{$small,\"text\":\"a\"}" "SMTP_URL=smtps://ana:se%2Fcret@127.0.0.1:$tls_port"
is "$code" 0 'TLS from the start'
arrived 1
like "$(head_of Received)" 'with esmtpsa' 'with a login'
send '{"to":"boss@example.com","subject":"s","text":"a"}' \
	"SMTP_URL=smtp://ana:se%2Fcret@127.0.0.1:$port"
is "$code" 0 'a login after STARTTLS'
send "{$small,\"text\":\"a\"}" "SMTP_URL=smtp://ana:wrong-word@127.0.0.1:$port"
is "$code" 78 'a wrong password is one of settings'
unlike "$said" wrong-word 'and is not told'
send "{$small,\"text\":\"a\"}" "SMTP_URL=smtp://127.0.0.1:$plain_port"
is "$code" 78 'no STARTTLS, no mail'
ok 'none came' [ -z "$(ls "$mail/box/new")" ]
for word in try off; do
	send "{$small,\"text\":\"a\"}" "SMTP_URL=smtp://127.0.0.1:$plain_port" \
		SMTP_STARTTLS=$word
	is "$code" 0 "unless it may do without: $word"
	arrived 1
	like "$(head_of Received)" 'with esmtp$|with esmtp ' '  then it comes open'
done
send "{$small,\"text\":\"a\"}" SMTP_STARTTLS=try
arrived 1
like "$(head_of Received)" 'with esmtps' 'try does it where it can'
send "{$small,\"text\":\"a\"}" SMTP_CA_FILE=
is "$code" 75 'a certificate of nobody'
ok 'gets no mail' [ -z "$(ls "$mail/box/new")" ]
send "{$small,\"text\":\"a\"}" SMTP_URL=smtp://127.0.0.1:1
is "$code" 75 'a server that is not there'
perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => shift) or die;
	my $c = $s->accept; sleep 20' $((port + 3)) &
silent=$!
await 5 "ss -Hltn 2>/dev/null | grep -q ':$((port + 3)) ' || (exec 3<>/dev/tcp/127.0.0.1/$((port + 3))) 2>/dev/null"
start=$(now_ms)
send "{$small,\"text\":\"a\"}" "SMTP_URL=smtp://127.0.0.1:$((port + 3))" AFTERWORK_TIMEOUT=2
is "$code" 75 'one that says nothing'
ok 'is waited for no longer than there is time' [ $(($(now_ms) - start)) -lt 3000 ]
kill $silent 2>/dev/null
wait $silent 2>/dev/null

# --- what the server says ---
# RECIPIENT | FROM | SUBJECT | EXIT STATUS
while IFS='|' read -r to from subject want; do
	send "{\"to\":[\"ana@example.com\",\"$to\"],\"subject\":\"$subject\",\"text\":\"a\"}" \
		"SMTP_FROM=$from"
	is "$code" "$want" "$to from $from, $subject: $want"
	ok '  and nobody got it' [ -z "$(ls "$mail/box/new")" ]
done <<'END'
never@example.com|shop@example.com|Hello|65
later@example.com|shop@example.com|Hello|75
boss@example.com|shop@example.com|Hello|65
bor@example.com|busy@example.com|Hello|75
bor@example.com|shop@example.com|spam|65
END
like "$said" '550' 'its answer is in the log'

# --- what is no mail ---
: >"$mail/log-main"
while IFS= read -r input; do
	send "$input"
	is "$code" 65 "refused: ${input:0:70}"
done <<'END'
{}
{"to":"ana@example.com","subject":"s"}
{"to":"ana@example.com","text":"a"}
{"to":[],"subject":"s","text":"a"}
{"to":"ana","subject":"s","text":"a"}
{"to":7,"subject":"s","text":"a"}
{"to":["ana@example.com",null],"subject":"s","text":"a"}
{"to":{"a":"b"},"subject":"s","text":"a"}
{"to":"ana@example.com\r\nRCPT TO:<eva@example.com>","subject":"s","text":"a"}
{"to":"ana@example.com>\r\nRCPT TO:<eva@example.com","subject":"s","text":"a"}
{"to":"A\r\nBcc: eva@example.com <ana@example.com>","subject":"s","text":"a"}
{"to":"A\nB <ana@example.com>","subject":"s","text":"a"}
{"to":"ana@example.com","cc":"eva@example.com, x","subject":"s","text":"a"}
{"to":"ana@example.com","replyTo":"x\r\nX: y <a@b.c>","subject":"s","text":"a"}
{"to":"ana@example.com","subject":"s\r\nBcc: eva@example.com","text":"a"}
{"to":"ana@example.com","subject":"s\nBcc: eva@example.com","text":"a"}
{"to":"ana@example.com","subject":"s\rBcc: eva@example.com","text":"a"}
{"to":"ana@example.com","subject":"s","text":7}
{"to":"žiga@example.com","subject":"s","text":"a"}
END
ok 'none of it reached the server' [ ! -s "$mail/log-main" ]
send "$(jq -cn '{to: [range(101) | "a\(.)@example.com"], subject: "s", text: "a"}')"
is "$code" 65 'too many at once'
send "$(jq -cn '{to: [range(100) | "a\(.)@example.com"], subject: "s", text: "a"}')"
is "$code:$(jqr .recipients)" 0:100 'a hundred are not'
send "{$small,\"text\":\"x\\r\\n.\\r\\nMAIL FROM:<eva@example.com>\\r\\n\"}"
arrived 1
is "$(part text/plain | tr -d '\r')" $'x\n.\nMAIL FROM:<eva@example.com>' \
	'a text that looks like the end is text'
# NAME=value
while IFS= read -r setting; do
	send "{$small,\"text\":\"a\"}" "$setting"
	is "$code" 78 "a setting that is wrong: $setting"
done <<'END'
SMTP_URL=
SMTP_FROM=
SMTP_FROM=shop
SMTP_URL=http://127.0.0.1/
SMTP_URL=file:///etc/passwd
SMTP_STARTTLS=perhaps
END

# --- as a job ---
stack_start RUNNER_SLOTS=1 RUNNER_LINGER=300ms SMTP_URL="$here" \
	SMTP_FROM=shop@example.com SMTP_CA_FILE="$mail/cert.pem"
rm -f "$mail"/box/new/*
enqueue sendEmail "{$small,\"text\":\"a\"}"
ok 'a job' ends_as "$job" 'done'
ok 'is a mail' arrived 1
like "$(head_of Message-ID)" "^<job-$job\\." 'with its number'
enqueue sendEmail '{"to":"never@example.com","subject":"s","text":"a"}'
ok 'one that is refused for good' ends_as "$job" failed
get "/api/payload-jobs/$job"
body_is .attempts 1 'fails at once'
body_like '.log[0].log' '550' 'and keeps why'
done_testing
