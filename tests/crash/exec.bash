# shellcheck shell=bash disable=SC2034,SC2154
# What the tests of executables share; source it after crash.bash.
#
# exec_stack LINGER     starts a stack with one runner at a time, points and a
#                       ledger (crash.bash), and $at, where tasks may write
# script SH [MEMBERS]   enqueues the task "script" (tests/tasks/script); $job
# limited SH            the same under limits
# ended JOB [SECONDS]   waits for its end; its document is in $body
# mark FILE             shell text that notes its own process number in a file
# alive_in DIR          which of the processes noted there live

exec_stack() {
	points_open
	stack_start RUNNER_SLOTS=1 RUNNER_LINGER="$1"
	ledger_open
	at=$work/at
	install -d -m 0777 "$at"
}

script() {
	enqueue script "$(jq -cn --arg sh "$1" '{$sh}')" "${2-}" ||
		bail "not taken: $body"
}

limited() {
	enqueue limited "$(jq -cn --arg sh "$1" '{$sh}')" || bail "$body"
}

ended() {
	await "${2:-20}" "[ -n \"\$(job_end $1)\" ]" ||
		diag "job $1 has not ended"
	get "/api/payload-jobs/$1"
}

# With pings, for one that is due later.
run_until_ended() {
	local end
	end=$(($(now_ms) + 15000))
	until [ -n "$(job_end "$1")" ] || [ "$(now_ms)" -gt "$end" ]; do
		run_jobs
		sleep 0.2
	done
	get "/api/payload-jobs/$1"
}

progress_is() {
	get "/api/payload-jobs/$1"
	[ "$(jq -cS .progress <<<"$body")" = "$2" ]
}

# Processes whose numbers are the names of files in DIR.
alive_in() {
	local file
	for file in "$1"/*; do
		[ -e "$file" ] && is_alive "${file##*/}" && echo "${file##*/}"
	done
}
