# shellcheck shell=bash disable=SC2034,SC2154
# A database of a test's own beside the stack's, with the queue and without the
# site, gone when the test ends:
#
#	queue_alone claim    makes it and lets sql, sql_is and sql_as use it
#	task SLUG [MEMBERS]  registers a task, MEMBERS being more of its task.json
#	plans FILE STATEMENT…  runs them in one session, and writes the plan of
#	                     every statement in them, those inside functions too,
#	                     with the rows that were read, to FILE in $work
#
# Needs stack_shared (or a stack of the test's own) before.

queue_alone() {
	alone=$1_$$
	alone_stack=$direct
	sql_as postgres "CREATE DATABASE $alone OWNER afterwork" ||
		bail "no database $alone"
	trap queue_alone_end EXIT
	sql_as postgres "REVOKE TEMPORARY ON DATABASE $alone FROM PUBLIC"
	DATABASE_URL=${DATABASE_URL/\/afterwork\?/\/$alone?}
	direct=${direct/\/afterwork\?/\/$alone?}
	[ "$direct" != "$alone_stack" ] || bail "not a stack's URL"
	sql_session
	TASKS_DIR='' "$B/afterwork" migrate --queue-only --no-tasks \
		>"$work/migrate" 2>&1 || bail "$(cat "$work/migrate")"
}

# The test's result is the result of this, whatever becomes of the database.
queue_alone_end() {
	local code=$?
	session_end sql
	direct=$alone_stack
	sql_as postgres "DROP DATABASE IF EXISTS $alone WITH (FORCE)" \
		>/dev/null
	(exit "$code")
	lib_end
}

task() {
	sql "SELECT afterwork.task_register(
		'{\"slug\":\"$1\"${2+,$2}}')" >/dev/null || bail "no task $1"
}

plans() {
	local to=$work/$1 text
	shift
	printf -v text '%s;\n' "$@"
	sql_as postgres "LOAD 'auto_explain';
		SET auto_explain.log_min_duration = 0;
		SET auto_explain.log_nested_statements = on;
		SET auto_explain.log_analyze = on;
		SET auto_explain.log_timing = off;
		SET client_min_messages = log;
		$text" >"$to"
	grep -q 'Query Text:' "$to" || note "$(head -20 "$to")"
}
