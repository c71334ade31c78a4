#!/bin/bash
# ledger.t: while runners are killed, stopped past their leases and continued,
# their sessions ended and PostgreSQL restarted, at random, every job takes
# effect exactly once; and the books are right at every moment.
#
#	LEDGER_JOBS=2000   so many jobs; 100000 are the long form
#	LEDGER_SEED=…      the dice of an earlier run, which it prints
#
# Seven of eight jobs are compiled in: one row in the ledger, in the transaction
# that ends the job.  The others are executables, which write a line to a file:
# at least one, and one for each time that they ran.
. tests/lib.sh
# shellcheck source=tests/crash/crash.bash
. tests/crash/crash.bash
# shellcheck source=tests/crash/chaos.bash
. tests/crash/chaos.bash
jobs=${LEDGER_JOBS:-2000} seed=${LEDGER_SEED:-$RANDOM}
stack_start RUNNER_SLOTS=4 RUNNER_LINGER=100ms LOG_LEVEL=warn
home=$(readlink -f "$STATE")
echo "# again: LEDGER_JOBS=$jobs LEDGER_SEED=$seed tests/crash/ledger.t"
chaos_open "$seed"
short_leases 500

# make N MS: so many jobs, which take up to MS.
make_jobs() {
	sql "SELECT setseed($seed / 32768.0);
	    INSERT INTO tests.made SELECT id, task FROM (
	        SELECT CASE WHEN n % 8 = 0 THEN 'entry' ELSE 'ledger' END AS task,
	            n FROM generate_series(1, $1) n) AS j,
	        afterwork.enqueue_job(j.task, CASE WHEN j.task = 'entry'
	            THEN jsonb_build_object('file', '$entries/lines')
	            ELSE jsonb_build_object('ms', floor(random() * $2))
	            END) e" >/dev/null
}

# How many jobs are left, and of how many the books are wrong: an attempt is
# charged while it runs and when it failed, and else not.
look() {
	IFS='|' read -r left wrong < <(sql "
		SELECT count(*), count(*) FILTER (WHERE attempts <>
		    (lease_until IS NOT NULL)::integer
		    + jsonb_array_length(jsonb_path_query_array(coalesce(log, '[]'),
		        '\$[*] ? (@.outcome == \"failed\")')))
		FROM afterwork.job" 2>/dev/null)
	: "${left:=-1}" "${wrong:=0}"
	wrongs=$((wrongs + wrong))
	looks=$((looks + 1))
}

# How many jobs are left when PostgreSQL is restarted, fast and immediate in
# turn: the run, but for its last fifth, which may be over before a look, is cut
# into as many parts as there are restarts.  The dice say when in each, and how
# the first.
plan_restarts() {
	local i n=$((2 + jobs / 5000)) last=$((jobs / 5))
	due=() ways=(fast immediate) way=$((RANDOM % 2))
	for ((i = n - 1; i >= 0; i--)); do
		due+=($((last + (i * 32768 + RANDOM) * (jobs - last) / n / 32768)))
	done
	note "PostgreSQL is restarted (${ways[way]} first) with ${due[*]} jobs left"
}
due=()

restart_if_due() {
	[ ${#due[@]} -gt 0 ] && [ "$left" -ge 0 ] &&
		[ "$left" -le "${due[0]}" ] || return
	note "${ways[way]}, $left left"
	restart "${ways[way]}"
	way=$((1 - way)) due=("${due[@]:1}")
}

# drain SECONDS KIND…: strikes until no job is left, and no restart.
drain() {
	local end=$((SECONDS + $1))
	shift
	left=$jobs
	keep_pinging
	while [ "$left" -ne 0 ] || [ ${#due[@]} -gt 0 ]; do
		[ $SECONDS -lt "$end" ] || break
		strike "$@"
		sleep "0.0$((RANDOM % 10))"
		strike "$@"
		look
		restart_if_due
	done
	chaos_end
}

# Laws that do not hold, one a line.
audit() {
	sql 'TRUNCATE tests.entry' &&
		sed 's/ /|/' "$entries/lines" | psql -XqAt "$direct" \
			-c "COPY tests.entry FROM STDIN (DELIMITER '|')"
	sql "
	WITH ended AS (
	    SELECT m.task AS made, h.*, jsonb_path_query_array(coalesce(h.log, '[]'),
	        '\$[*].outcome') AS outcomes
	    FROM tests.made m LEFT JOIN afterwork.history h ON h.id = m.job
	), law (name, broken) AS (
	    SELECT 'stuck', count(*) FROM afterwork.job
	    UNION ALL SELECT 'failed', count(*) FROM afterwork.failed
	    UNION ALL SELECT 'not done', count(*) FROM ended
	        WHERE state IS DISTINCT FROM 'done'
	    UNION ALL SELECT 'done twice', count(*) - count(DISTINCT id) FROM ended
	    UNION ALL SELECT 'without effect', count(*) FROM ended e
	        WHERE e.made = 'ledger' AND NOT EXISTS (
	            SELECT FROM tests.ledger l WHERE l.job = e.id)
	    UNION ALL SELECT 'double effect', count(*) - count(DISTINCT job)
	        FROM tests.ledger
	    UNION ALL SELECT 'effect of a lease that did not end it', count(*)
	        FROM tests.ledger l WHERE NOT EXISTS (SELECT FROM ended e
	            WHERE e.id = l.job AND e.lease_no = l.lease_no)
	    UNION ALL SELECT 'late result', count(*) FROM ended e
	        WHERE e.lease_no <> (SELECT max(g.lease_no)
	            FROM tests.granted g WHERE g.job = e.id)
	    UNION ALL SELECT 'wrong number of attempts', count(*) FROM ended e
	        WHERE e.attempts <> 1 + jsonb_array_length(
	            jsonb_path_query_array(e.outcomes, '\$[*] ? (@ == \"failed\")'))
	    UNION ALL SELECT 'more crashes logged than counted', count(*)
	        FROM ended e WHERE e.crashes < jsonb_array_length(
	            jsonb_path_query_array(e.outcomes, '\$[*] ? (@ == \"crashed\")'))
	    UNION ALL SELECT 'executable that never ran', count(*) FROM ended e
	        WHERE e.made = 'entry' AND NOT EXISTS (SELECT FROM tests.entry n
	            WHERE n.job = e.id AND n.lease_no = e.lease_no)
	    UNION ALL SELECT 'executable that ran twice under a lease', count(*)
	        FROM (SELECT FROM tests.entry GROUP BY job, lease_no
	            HAVING count(*) > 1) AS t
	    UNION ALL SELECT 'executable that ran without a lease', count(*)
	        FROM tests.entry n WHERE NOT EXISTS (SELECT FROM tests.granted g
	            WHERE g.job = n.job AND g.lease_no = n.lease_no)
	)
	SELECT broken || ' ' || name FROM law WHERE broken <> 0" 2>&1
}

logged() {
	cat "$STATE"/log/*.log | grep -c "$1"
}

looks=0 wrongs=0
plan_restarts
make_jobs "$jobs" 50
drain $((jobs / 20 + 100)) worker guard both pause hold hold hold backend \
	program
# Late results that were refused.
refused() {
	logged 'lease was lost\|lease\b.* was lost\|"outcome":"lost"'
}

# A result that comes late is what this is about; and nothing that is to strike
# has been left out.
missing() {
	local kind
	for kind in worker guard both pause backend; do
		[ "${struck[$kind]-0}" -gt 0 ] || echo "$kind"
	done
	[ "$(refused)" -gt 0 ] || echo hold
}
for round in 1 2 3 4 5 6; do
	mapfile -t lacks < <(missing)
	[ ${#lacks[@]} -gt 0 ] && [ "$left" -eq 0 ] || break
	jobs=$((jobs + 200))
	make_jobs 200 100
	drain 60 "${lacks[@]}"
done
ok 'every job has ended' [ "$left" -eq 0 ]
is "$(audit)" '' 'each took effect once, no late result was taken'
note "$SECONDS s"
is "$wrongs" 0 "attempts added up, each of $looks times"
ok 'no runner is left' await 20 '[ -z "$(runner_pids)" ]'
is "$(slots_held)" 0 'and no slot'
for kind in worker guard both pause hold backend fast immediate; do
	ok "${struck[$kind]-0} times: $kind" [ "${struck[$kind]-0}" -gt 0 ]
done
sql "SELECT (SELECT count(*) FROM tests.granted), sum(crashes), max(crashes),
	    sum(attempts), (SELECT count(*) FROM tests.entry) FROM afterwork.history" |
	tr '|' ' ' >"$work/sums"
read -r claims crashes most _ lines <"$work/sums"
ok "$claims claims of $jobs jobs: some were claimed again" \
	[ "$claims" -gt "$jobs" ]
ok "$crashes crashes" [ "$crashes" -gt 0 ]
ok "$(refused) late results were refused" [ "$(refused)" -gt 0 ]
note "at most $most crashes of a job; $lines lines of $((jobs / 8)) executables"

# --- without the fence the same eyes see it ---
for name in settle settle_ended settle_back; do
	alter $name 'AND j.lease_no = r.lease_no' ''
done
alter settle 'AND j.lease_no = lease_nos[1]' ''
alter settle_first ' AND (j.lease_no = settle_first.lease)' ''
alter settle 'IF strict AND' 'IF false AND'
for round in 1 2 3 4 5 6; do
	sql 'TRUNCATE tests.made, tests.granted, tests.ledger;
	    DELETE FROM afterwork.history'
	: >"$entries/lines"
	jobs=150
	make_jobs $jobs 100
	drain 60 hold
	found=$(audit)
	note "round $round, ${struck[hold]} in all: $found"
	[[ $found != *'double effect'* ]] || break
done
like "$found" 'double effect' "a schema without the fence is caught"
done_testing
