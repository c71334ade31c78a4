#!/bin/bash
# What the schema and the statements of the queue keep to, so that they run
# unchanged where jobs are distributed by queue; and how C sends SQL.
# shellcheck source=tests/lint/tap.bash
. "$(dirname "$0")/tap.bash"

# Tables that hold no jobs: few rows, the same for every queue.
cold='queue task upkeep schedule schedule_slot stats_mark'

read_sql() {
	awk -f "$top/tests/lint/sql.awk" -v cold="$cold" "$@"
}

table_files() {
	find schema/queue -name '*.sql' 2>/dev/null | sort
}

keys() {
	table_files | xargs -r awk -f "$top/tests/lint/sql.awk" \
	    -v mode=tables -v cold="$cold"
}

hot_tables() {
	table_files | xargs -r awk -f "$top/tests/lint/sql.awk" \
	    -v mode=tables -v cold="$cold" -v list=1 | tr '\n' ' '
}

function_statements() {
	table_files | xargs -r awk -f "$top/tests/lint/sql.awk" \
	    -v mode=statements -v hot="$hot"
}

# The statements of C files, one a line: FILE NAME TEXT.
constants() {
	sources "$@" | xargs -r awk '
	/^static const char SQL_[A-Z0-9_]+\[\]/ {
		name = $0
		sub(/^static const char /, "", name)
		sub(/\[.*/, "", name)
		inside = 1
		sql = ""
	}
	inside {
		rest = $0
		while (match(rest, /"([^"\\]|\\.)*"/)) {
			sql = sql substr(rest, RSTART + 1, RLENGTH - 2)
			rest = substr(rest, RSTART + RLENGTH)
		}
		if (rest ~ /;[ \t]*$/) {
			gsub(/\\n/, " ", sql)
			gsub(/\\"/, "\"", sql)
			print FILENAME, name, sql
			inside = 0
		}
	}'
}

sent_statements() {
	local sent=$scratch/sent
	rm -rf "$sent" && mkdir "$sent"
	# A file of its own for each, called FILE: NAME with % for every /.
	constants common/queue common/runner functions/tasks deploy/command |
	    awk -v sent="$sent" '{
		to = $1 ": " $2
		gsub("/", "%", to)
		to = sent "/" to
		$1 = $2 = ""
		print >to
		close(to)
	}'
	[ -z "$(ls "$sent")" ] ||
		read_sql -v mode=statements -v hot="$hot" "$sent"/* |
		sed "s|^$sent/\\([^:]*: [A-Z0-9_]*\\):[0-9]*|\\1|; s|%|/|g"
}

# The queue knows nothing of the site, in SQL as in C.
site_in_queue() {
	grep -rnE '\<site\.' schema/queue 2>/dev/null
	constants common/queue common/runner | grep -E '\<site\.'
}

# A SECURITY DEFINER function that looks names up where its caller says would
# run its caller's code as the owner.
loose_functions() {
	find schema -name '*.sql' 2>/dev/null | sort | xargs -r awk '
	FNR == 1 { from = 0 }
	{ sub(/--.*/, "") }
	/CREATE( OR REPLACE)? FUNCTION/ { head = ""; from = FNR }
	{ head = head " " $0 }
	/AS \$[a-z_]*\$/ && from {
		if (head ~ /SECURITY DEFINER/ && head !~ /SET search_path/)
			print FILENAME ":" from ": search_path is not set"
		from = 0
	}'
}

# A constant is used once: in the function that follows it.
constant_use() {
	{
		constants common functions deploy | sed 's/^/constant /'
		all_code common functions deploy
	} | awk '
	$1 == "constant" { there[$2 ":" $3] = 1; next }
	{
		file = substr($0, 1, index($0, ":") - 1)
		sub(/^[^:]*:[0-9]*:/, "")
		gsub(/sizeof\(SQL_[A-Z0-9_]+\)/, "")
		while (match($0, /[A-Za-z0-9_]*SQL_[A-Z0-9_]+/)) {
			n[file ":" substr($0, RSTART, RLENGTH)]++
			$0 = substr($0, RSTART + RLENGTH)
		}
	}
	END {
		for (constant in there)
			if (n[constant] != 2)
				print constant " is used " n[constant] - 1 " times"
	}' | sort
	constants common functions deploy | awk '{ print $2 }' | sort | uniq -d |
	    sed 's/$/: there are two/'
}

# What is sent is a constant, and two of them never share the name under
# which the server prepares one.
statement_names() {
	local files
	mapfile -t files < <(sources common functions deploy | grep '\.c$')
	[ ${#files[@]} -eq 0 ] || code_of strings "${files[@]}" | awk '
	function look(call, constant) {
		if (call ~ /struct db /)
			return
		if (!match(call, /SQL_[A-Z0-9_]+/)) {
			print file ": a statement that is no constant: " \
			    substr(call, 1, 60)
			return
		}
		constant = substr(call, RSTART, RLENGTH)
		if (match(call, /"[a-z_]+"/))
			print "name", substr(call, RSTART, RLENGTH), constant
	}
	function finish() {
		while (match(text, /[^A-Za-z0-9_](db_query|filter_(query|count))\([^;{]*/)) {
			call = substr(text, RSTART + 1, RLENGTH - 1)
			text = substr(text, RSTART + RLENGTH)
			look(call)
		}
		text = ""
	}
	{
		here = substr($0, 1, index($0, ":") - 1)
		if (here != file)
			finish()
		file = here
		sub(/^[^:]*:[0-9]*:/, "")
		text = text " " $0
	}
	END { finish() }' | awk '
	$1 != "name" { print; next }
	$2 in owner && owner[$2] != $3 {
		print "the name " $2 " is of " owner[$2] " and of " $3
	}
	{ owner[$2] = $3 }'
}

# Statements that are put together: link/filter alone does that, and link/db
# hands on what it was given.
composed_statements() {
	all_code common functions deploy |
	    grep -v '^common/link/\(filter\|db\(_adopt\)\?\)\.[ch]:' |
	    grep -E '[.>]sql = *[^=S "]|[.>]sql = S[^Q]|\<filter_compose\('
}

# Columns by name, values as parameters.
loose_statements() {
	constants common functions deploy | awk '
	{
		where = $1 ": " $2
		$1 = $2 = ""
		if (/SELECT \*|RETURNING \*|\.\* FROM/) print where ": SELECT *"
		if (/%[sdluz]/) print where ": a format in SQL"
		if (/INSERT INTO [a-z_.]+( AS [a-z]+)? +(VALUES|SELECT)/)
			print where ": INSERT without columns"
	}'
}

[ -d schema/queue ] || {
	echo '1..0 # SKIP schema/queue is not there'
	exit 0
}
hot=$(hot_tables)

case " $hot " in
*' job '*) result yes "hot tables: $hot" ;;
*) result no 'there is a table of jobs' "$hot" ;;
esac
holds 'every key and index begins with the queue' keys
holds 'every statement of a function names one queue' function_statements
holds 'every statement of the queue in C names one queue' sent_statements
holds 'the queue knows nothing of the site' site_in_queue
holds 'what runs as its owner has its own search_path' loose_functions
holds 'every SQL constant is used once' constant_use
holds 'statements are constants, prepared under names of their own' \
    statement_names
holds 'nothing but link/filter composes statements' composed_statements
holds 'statements name their columns' loose_statements

cold=''
hot='job failed'
plant() {
	finds "$1" "schema/queue/0001_x.sql" "$2" <<<"$3"
}
in_body() {
	plant "$1" function_statements \
	    "CREATE FUNCTION afterwork.f() AS \$\$ BEGIN $2 END \$\$;"
}
plant 'a key that begins with id' keys \
    'CREATE TABLE afterwork.job (id int, PRIMARY KEY (id, queue));'
plant 'a key in a column' keys \
    'CREATE TABLE afterwork.job (id int PRIMARY KEY, queue text);'
plant 'a table without a key' keys \
    'CREATE TABLE afterwork.job (id int, queue text);'
plant 'a unique constraint without queue' keys 'CREATE TABLE afterwork.job (
    queue text, id int, k text, PRIMARY KEY (queue, id), UNIQUE (k));'
plant 'a foreign key' keys 'CREATE TABLE afterwork.job (queue text, id int,
    t text REFERENCES afterwork.task, PRIMARY KEY (queue, id));'
plant 'an index without queue' keys \
    'CREATE INDEX x ON afterwork.job USING btree (run_at);'
plant 'a unique index without queue' keys \
    'CREATE UNIQUE INDEX x ON afterwork.job (unique_key);'
plant 'a foreign key added later' keys \
    'ALTER TABLE afterwork.job ADD FOREIGN KEY (task) REFERENCES x;'
in_body 'an update by id alone' \
    'UPDATE afterwork.job j SET x = 1 WHERE j.id = 7;'
in_body 'a delete by id alone' 'DELETE FROM afterwork.failed WHERE id = 7;'
in_body 'a select of all queues' \
    'SELECT j.id FROM afterwork.job j WHERE j.state = here;'
in_body 'several queues at once' \
    'SELECT j.id FROM afterwork.job j WHERE j.queue = ANY (queues);'
in_body 'the queue of another mention' 'UPDATE afterwork.job j SET x = 1
    WHERE j.id = (SELECT k.id FROM afterwork.job k WHERE k.queue = here);'
in_body 'the queue named inside only' 'UPDATE afterwork.job j SET x = 1
    WHERE EXISTS (SELECT FROM x WHERE j.queue = here);'
in_body 'a lock over a join of queues' 'SELECT j.id FROM afterwork.job j,
    afterwork.queue q WHERE j.queue = q.name FOR UPDATE SKIP LOCKED;'
in_body 'the other half of a union' 'SELECT j.id FROM afterwork.job j
    WHERE j.queue = here UNION ALL SELECT j.id FROM afterwork.failed j;'
in_body 'an insert without queue' \
    'INSERT INTO afterwork.job (id) VALUES (1);'
plant 'the site in the queue' site_in_queue 'SELECT 1 FROM site.media;'
plant 'a function without search_path' loose_functions \
    'CREATE FUNCTION f() RETURNS void SECURITY DEFINER AS $$ $$;'

in_c() {
	finds "$1" common/queue/x.c "$2" <<<"$3"
}
in_c 'a statement in C without a queue' sent_statements \
    'static const char SQL_X[] =
    "SELECT j.id FROM afterwork.job j\n"
    "WHERE j.id = $1";'
in_c 'a constant nobody uses' constant_use 'static const char SQL_X[] = "x";'
in_c 'a statement that is no constant' statement_names \
    '	if (!db_query(db, "x", text, 0, NULL, NULL, e))'
in_c 'a statement that is put together' composed_statements \
    '	call.sql = text.data;'
in_c 'a composer of its own' composed_statements \
    '	filter_compose(sql, fields, f, 0, &text, &args, &n, e);'
in_c 'a filter of no constant' statement_names \
    '	filter_query(db, "x", text, &fields, f, 0, NULL, &rows, e);'
in_c 'two statements under one name' statement_names \
    '	db_query(db, "x", SQL_X, 0, NULL, NULL, e);
	db_query(db, "x", SQL_Y, 0, NULL, NULL, e);'
in_c 'a constant used twice' constant_use \
    'static const char SQL_X[] = "x"; f(SQL_X); f(SQL_X);'
in_c 'SELECT *' loose_statements 'static const char SQL_X[] = "SELECT * FROM x";'
in_c 'a format in SQL' loose_statements \
    'static const char SQL_X[] = "SELECT %s";'
done_testing
