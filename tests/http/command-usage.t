#!/bin/bash
# command-usage.t: the operator's command explains itself, and says in one
# line what was called wrongly.
. tests/lib.sh

run() {
	env -u CRON_SECRET -u DATABASE_URL -u TASKS_DIR "$B/afterwork" "$@" \
		>"$work/out" 2>"$work/err" </dev/null
	code=$?
	err=$(cat "$work/err")
}

run --help
is "$code" 0 'afterwork --help'
like "$(cat "$work/out")" 'examples:' 'has examples'
for command in migrate tasks user secret enqueue queue cron doctor; do
	like "$(cat "$work/out")" "  $command " "and lists $command"
done
for command in migrate tasks user secret enqueue queue cron doctor; do
	run $command --help
	is "$code:$err" 0: "afterwork $command --help"
	like "$(cat "$work/out")" "^usage: afterwork $command" 'has its usage'
	like "$(cat "$work/out")" 'examples:' 'and examples'
	is "$(awk 'length > 80' "$work/out")" '' 'in 80 columns'
	run $command --nonsense
	is "$code:$err" "64:afterwork: unknown option \"--nonsense\"; see \
afterwork $command --help" "afterwork $command --nonsense"
done

# ARGUMENTS | what it says
while IFS='|' read -r arguments want; do
	eval "run $arguments"
	is "$code:$err" "64:afterwork: $want" "afterwork $arguments"
done <<'END'
|say what to do; see afterwork --help
nonsense|unknown command "nonsense"; see afterwork --help
migrate now|unexpected argument "now"; see afterwork migrate --help
migrate --dry-run=yes|option --dry-run takes no argument
migrate --config|option --config needs an argument
tasks|say what to do: afterwork tasks sync
tasks list|say what to do: afterwork tasks sync
user|say what to do: afterwork user add EMAIL; see afterwork user --help
user list a@example.com|say what to do: afterwork user add EMAIL; see afterwork user --help
user add a@example.com --role king|a role is admin, operator or editor, not "king"
user role a@example.com king|a role is admin, operator or editor, not "king"
secret|say what to do: afterwork secret new, or afterwork secret check
enqueue|say which task: afterwork enqueue TASK [JSON]
cron|say one of --print crontab, --ping PATH and --serve; see afterwork cron --help
cron --serve --ping /a|say one of --print crontab, --ping PATH and --serve; see afterwork cron --help
cron --print sundial|cannot print "sundial"; there are --print crontab and --print duration
cron --ping api|the path "api" must begin with '/'
cron --serve --if-due|--schedule and --if-due belong to --ping
END

DATABASE_URL='host=/nonexistent' "$B/afterwork" migrate >"$work/out" \
	2>"$work/err"
is "$?" 1 'a database out of reach is exit status 1'
is "$(grep -c '^afterwork: ' "$work/err"):$(wc -l <"$work/err")" 1:1 \
	'and one line'
done_testing
