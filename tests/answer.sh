# shellcheck shell=bash disable=SC2034
# A web server that answers every request alike and keeps what it was sent:
#
#	answer_with '503 Busy'     on a port of its own: $answer_url
#	answer_with '200 OK' 2     after two seconds
#	answered                   prints the heads of the requests so far
answer_pid=

answer_with() {
	answer_end
	rm -f "$work/answered" "$work/answer.port"
	perl -e '
	use strict;
	use IO::Socket::INET;
	my ($status, $delay, $file, $port) = @ARGV;
	$SIG{CHLD} = "IGNORE";
	my $server = IO::Socket::INET->new(Listen => 20,
	    LocalAddr => "127.0.0.1", LocalPort => 0) or die $!;
	open my $f, ">", "$port.new" or die $!;
	print $f $server->sockport;
	close $f;
	rename "$port.new", $port;
	while (my $client = $server->accept) {
		next if fork;
		my $head = "";
		while (my $line = <$client>) {
			$head .= $line;
			last if $line eq "\r\n";
		}
		open my $kept, ">>", $file or die $!;
		syswrite $kept, $head;
		sleep $delay if $delay;
		print $client "HTTP/1.1 $status\r\nLocation: /elsewhere\r\n",
		    "Connection: close\r\n\r\n";
		exit;
	}' "$1" "${2:-0}" "$work/answered" "$work/answer.port" &
	answer_pid=$!
	await 10 '[ -s "$work/answer.port" ]' || bail 'no server for answers'
	answer_url=http://127.0.0.1:$(cat "$work/answer.port")
	trap 'answer_end; lib_end' EXIT
}

answer_end() {
	[ -z "$answer_pid" ] || kill "$answer_pid"
	[ -z "$answer_pid" ] || wait "$answer_pid" 2>/dev/null
	answer_pid=
}

answered() {
	cat "$work/answered" 2>/dev/null
}
