# shellcheck shell=bash disable=SC2034,SC2154
# What the tests of this folder share; source it after tests/lib.sh.
#
# Points     points_open before stack_start; then set_point NAME.WAY asks the
#            next runner that comes by the point NAME to stop, or to die
#            (tests/tasks/point.c), and await_stopped NAME sets $stopped.
# Questions  ask SQL puts what sql prints into $answer, an error too.
# Effects    ledger_open, and ledger_is WHAT: each job of the task "ledger"
#            took effect exactly once, and nothing else did.
# Pages      album SLUG: a page with a text and a gallery that takes every new
#            picture; sets $page.  gallery_of PAGE prints its pictures' ids.
# Files      media_on_disk: rows without their file, files without their row;
#            sweep_all: a sweep that takes all files for old ones.

points=$work/points

points_open() {
	mkdir -m 0777 "$points"
	chmod 0777 "$points"
	export AFTERWORK_TEST_POINTS=$points
}

# set_point NAME.WAY [PASSES]
set_point() {
	rm -f "$points/${1%.*}.pid"
	echo "${2-}" >"$points/new"
	chmod 0666 "$points/new"
	mv "$points/new" "$points/$1"
}

# Some runner came by and did as it was asked.
await_point() {
	await 10 "! [ -e '$points/$1' ]"
}

await_stopped() {
	await 10 "[ -s '$points/$1.pid' ]" || return 1
	read -r stopped <"$points/$1.pid"
	await 5 'is_stopped "$stopped"'
}

is_stopped() {
	local stat
	read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
	[[ ${stat##*) } == T* ]]
}

# A process that runs, waiting to be reaped not included.
is_alive() {
	local stat
	read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
	[[ ${stat##*) } != Z* ]]
}

ask() {
	local rows=
	sql_rows "$1" 2>"$work/ask" || mapfile -d '' rows <"$work/ask"
	answer=${rows%$'\n'}
}

# answers WANT SQL: does it?
answers() {
	ask "$2"
	[ "$answer" = "$1" ]
}

# enqueue TASK [INPUT]: over the API; sets $job.
enqueue() {
	post /api/payload-jobs \
		"{\"task\":\"$1\",\"input\":${2:-"{}"}${3:+,$3}}"
	job=$(jqr .doc.id)
	[ "$status" = 201 ]
}

# In which state a job has ended; nothing while it has not.
job_end() {
	ask "SELECT state FROM (SELECT id, state FROM afterwork.history
	    UNION ALL SELECT id, state FROM afterwork.failed) e WHERE id = $1"
	echo "$answer"
}

# ends_as ID STATE: so, and in time.
ends_as() {
	await 10 "[ \"\$(job_end $1)\" = '$2' ]"
}

ledger_open() {
	sql 'CREATE SCHEMA tests;
	    CREATE TABLE tests.ledger (job bigint, lease_no bigint,
	        at timestamptz DEFAULT clock_timestamp());
	    GRANT USAGE ON SCHEMA tests TO afterwork_run;
	    GRANT INSERT ON tests.ledger TO afterwork_run'
}

# N: that so many jobs of the ledger are done, each with one effect.
ledger_is() {
	is "$(sql "SELECT count(*), count(DISTINCT job), count(h.id),
	        (SELECT count(*) FROM afterwork.job)
	    FROM tests.ledger LEFT JOIN afterwork.history h
	    ON h.id = job AND h.state = 'done' AND h.lease_no = ledger.lease_no
	    AND h.task = 'ledger'")" "$1|$1|$1|0" "$2"
}

album() {
	post /api/pages "{\"title\":\"$1\",\"slug\":\"$1\",\"layout\":[
	    {\"blockType\":\"content\",\"text\":\"old\"},
	    {\"blockType\":\"gallery\",\"autoSyncMedia\":true,\"images\":[]}]}"
	page=$(jqr .doc.id)
	[ "$status" = 201 ] || bail "no page: $body"
}

# The sweep, as it is an hour later.
sweep_all() {
	find "$STATE/media" -type f -exec touch -d '2 hours ago' {} +
	get /api/media/sweep
}

gallery_of() {
	get "/api/pages/$1?depth=0"
	jqr '.layout[1].images | sort | tostring'
}

# The words, in $as_owner, that make a command run as the servers' user.
find_owner() {
	local owner
	owner=$(stat -c %U "$STATE/pg/data")
	as_owner=()
	[ "$owner" = "$(id -un)" ] || as_owner=(setpriv --reuid "$owner"
		--regid "$(id -g "$owner")" --clear-groups --)
}

# How many workers are linked to the database.
runner_links() {
	if [ "${DATABASE_POOLED-}" = 1 ]; then
		links_of afterwork_run
		return
	fi
	ask "SELECT count(*) FROM pg_stat_activity
	    WHERE application_name = 'afterwork run'"
	echo "$answer"
}

# How many slots are held: the kernel's list of locks has a line for each, or two
# of one that moved while it was read; the marks of idle runners lie behind them.
slots_held() {
	[ -e "$STATE/runtime/slots" ] || { echo 0; return; }
	awk -v "inode=$(stat -c %i "$STATE/runtime/slots")" '
	    $2 == "OFDLCK" { split($6, at, ":"); n += at[3] == inode && $7 < 4096 && !seen[$7]++ }
	    END { print n + 0 }' /proc/locks
}

# Is a runner being started?  Its mark is behind those.
is_starting() {
	grep -qs "OFDLCK .*:$(stat -c %i "$STATE/runtime/slots" 2>/dev/null) 8192 8192\$" \
		/proc/locks
}

# Rows without their file and files without their row, one a line.
media_on_disk() {
	{
		sql 'SELECT storage_key FROM site.media' | sed 's/^/row /'
		(cd "$STATE/media" && find . -path ./tmp -prune -o \
			-type f -printf 'file %P\n')
	} | sort -k 2 | uniq -u -f 1
}
