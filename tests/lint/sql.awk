# Reads SQL and prints where the rules of distribution by queue are broken.
#
#   awk -f sql.awk -v mode=tables ... FILE...
#       of every CREATE TABLE afterwork.x and index: faults, and with
#       -v list=1 the names of the tables that have a queue instead
#   awk -f sql.awk -v mode=statements -v hot="job failed" ... FILE...
#       of every statement in a function: each mention of a hot table must
#       have its queue compared, in the same SELECT, UPDATE or DELETE, with
#       one value; one that locks or writes with no other table's column
#
# -v cold: tables without jobs, which are the same everywhere.

function fault(text) {
	print file ":" line[stmt] ": " text
}

# --- words ------------------------------------------------------------------
# The text becomes word[1..words], lower case where it is not quoted, a string
# is '', comments are gone; line[i] is where a word stands.
function read_words(text, i, n, c, rest, at) {
	words = 0
	at = 1
	n = length(text)
	for (i = 1; i <= n; i++) {
		c = substr(text, i, 1)
		rest = substr(text, i)
		if (c == "\n") { at++; continue }
		if (c ~ /[ \t\r]/) continue
		if (substr(rest, 1, 2) == "--") {
			i += index(rest "\n", "\n") - 2
			continue
		}
		words++
		line[words] = at
		if (c == "\047") {
			do {
				i++
				if (substr(text, i, 1) == "\n") at++
				if (substr(text, i, 2) == "\047\047") i += 2
			} while (i <= n && substr(text, i, 1) != "\047")
			word[words] = "\047\047"
		} else if (match(rest, /^\$[A-Za-z_]*\$/) ||
		    match(rest, /^\$[0-9]+/) ||
		    match(rest, /^[A-Za-z_][A-Za-z_0-9]*/) ||
		    match(rest, /^[0-9]+/) || match(rest, /^(<=|>=|<>|!=|::|=>)/)) {
			word[words] = tolower(substr(rest, 1, RLENGTH))
			i += RLENGTH - 1
		} else
			word[words] = c
	}
}

# Index of the parenthesis that closes the one at i.
function closing(i, depth) {
	for (; i <= words; i++) {
		if (word[i] == "(") depth++
		if (word[i] == ")" && --depth == 0) return i
	}
	return words
}

# --- tables -----------------------------------------------------------------
# The columns of the key whose parenthesis opens at i begin with a, then b.
function begins(i, a, b) {
	if (word[i] != "(" || word[i + 1] != a) return 0
	return b == "" || (word[i + 2] == "," && word[i + 3] == b)
}

function table(i, name, end, j, key) {
	stmt = i
	name = word[i + 2]
	if (word[i + 3] != "(") {
		if (word[i + 3] != "partition")
			fault(name " is made in a way that is not understood")
		return
	}
	if ((" " cold " ") ~ (" " name " ")) {
		seen[name] = 1
		return
	}
	if (list) { print name; return }
	end = closing(i + 3)
	for (j = i + 3; j < end; j++) {
		if (word[j] == "primary" && word[j + 1] == "key") {
			key = 1
			if (!begins(j + 2, "queue"))
				fault(name ": the primary key does not begin with queue")
		}
		if (word[j] == "unique" && !begins(j + 1, "queue"))
			fault(name ": a unique constraint without queue in front")
		if (word[j] == "references" || word[j] == "foreign")
			fault(name ": a foreign key leaves the queue")
	}
	if (!key) fault(name ": no primary key")
}

function create_index(i, j) {
	for (j = i; word[j] != "on"; j++)
		if (word[j] == ";") return
	stmt = j
	j++
	if (word[j] == "only") j++
	if (word[j] != "afterwork") return
	j += 2
	if ((" " cold " ") ~ (" " word[j] " ")) return
	if (word[j + 1] == "using") j += 2
	if (!list && !begins(j + 1, "queue"))
		fault("an index on " word[j] " does not begin with queue")
}

function tables(i) {
	for (i = 1; i <= words; i++) {
		if (word[i] == "table" && word[i - 1] == "create" &&
		    word[i + 1] == "afterwork" && word[i + 2] == ".")
			table(i + 1)
		if (word[i] == "index" &&
		    (word[i - 1] == "create" || word[i - 1] == "unique"))
			create_index(i)
		if (word[i] == "alter" && word[i + 1] == "table")
			alter(i)
	}
}

function alter(i, j) {
	stmt = i
	for (j = i; j <= words && word[j] != ";"; j++)
		if (word[j] ~ /^(references|foreign)$/ ||
		    (word[j] ~ /^(unique|primary)$/ &&
			!begins(j + (word[j] == "primary" ? 2 : 1), "queue")))
			fault("a key is added that does not begin with queue")
}

# --- statements --------------------------------------------------------------
function ends_alias(w) {
	return w ~ /^(where|set|using|order|group|limit|for|on|union|join|left|inner|cross|lateral|returning|default|values|select|loop|returning|having|window|[^a-z].*)?$/
}

# Words that part one SELECT from the next inside the same parentheses.
function parts(w) {
	return w ~ /^(;|union|except|intersect|loop|begin|\$[a-z_]*\$)$/
}

# Is "name.queue" compared with one value between the words from and to, at
# the depth of from?  constant: not with another table's column.
function compared(name, from, to, constant, i, other) {
	for (i = from; i <= to; i++) {
		if (word[i] == "(") { i = closing(i); continue }
		if (word[i] != name || word[i + 1] != "." ||
		    word[i + 2] != "queue")
			continue
		if (word[i + 3] == "=")
			other = i + 4
		else if (word[i - 1] == "=" && word[i - 3] != ".")
			other = i - 2
		else
			continue
		if (word[other] ~ /^(any|all|some|\()$/)
			continue
		if (constant && word[other + 1] == ".")
			continue
		return 1
	}
	return 0
}

# A mention of a hot table at i ("afterwork").
function mention(i, name, from, to, constant, verb, j, depth) {
	stmt = i
	verb = word[i - 1]
	if (verb == "only") verb = word[i - 2]
	if (verb !~ /^(from|join|update|into|using|,)$/)
		return
	name = word[i + 2]
	j = i + 3
	if (word[j] == "as") j++
	if (!ends_alias(word[j])) name = word[j++]
	if (verb == "into") {
		to = closing(j)
		for (; j < to; j++)
			if (word[j] == "queue") return
		fault("an INSERT without a queue")
		return
	}
	for (from = i; from > 1 && !(depth == 0 && parts(word[from - 1])); from--) {
		if (word[from - 1] == ")") depth++
		if (word[from - 1] == "(" && depth-- == 0) break
	}
	depth = 0
	for (to = i; to < words && !(depth == 0 && parts(word[to + 1])); to++) {
		if (word[to + 1] == "(") depth++
		if (word[to + 1] == ")" && depth-- == 0) break
	}
	constant = verb == "update" || word[i - 2] == "delete"
	for (j = from; j < to; j++) {
		if (word[j] == "(") { j = closing(j); continue }
		if (word[j] == "for" && word[j + 1] ~ /^(update|share|no|key)$/)
			constant = 1
	}
	if (!compared(name, from, to, constant))
		fault(verb " afterwork." word[i + 2] " without " name ".queue = " \
		    (constant ? "one value" : "a queue"))
}

# Statements stand in the bodies of functions and in what C sends; a view
# only gives names to things and is looked at where it is used.
function statements(i, hot_name, view) {
	for (i = 1; i <= words; i++) {
		if (word[i] == "view") view = 1
		if (word[i] == ";") view = 0
		hot_name = word[i + 2]
		if (!view && word[i] == "afterwork" && word[i + 1] == "." &&
		    (" " hot " ") ~ (" " hot_name " "))
			mention(i)
	}
}

# --- files ------------------------------------------------------------------
function done(name, i, n) {
	if (text == "") return
	read_words(text)
	if (mode == "tables") tables()
	else statements()
	text = ""
}

FNR == 1 { done(); file = FILENAME }
{ text = text $0 "\n" }
END {
	done()
	n = split(cold, name, " ")
	for (i = 1; i <= n; i++)
		if (mode == "tables" && !list && !(name[i] in seen))
			print "afterwork." name[i] ": is called cold and is not there"
}
