#!/bin/bash
# input-path.t: the path that a task's fields are made into says yes to an input
# only if the checks field by field do, and says so wherever it can.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone input_path

# Every field with every value, also as lists, alone and beside another field.
sql "CREATE TABLE f AS SELECT jsonb_build_object('name', n, 'type', t)
		|| r || m || l AS field
	FROM unnest(ARRAY['a', 'b \"c\\', '\$.x || true']) n,
	unnest(ARRAY['number', 'text', 'checkbox', 'json', 'group', 'array',
		'blocks', 'relationship', 'upload', 'select', 'date', 'email',
		'unheard of']) t,
	unnest(ARRAY['{}', '{\"required\": true}']::jsonb[]) r,
	unnest(ARRAY['{}', '{\"hasMany\": true}']::jsonb[]) m,
	unnest(ARRAY['{}', '{\"min\": 1}', '{\"max\": 3}', '{\"min\": 1, \"max\": 2.5}',
		'{\"minLength\": 2}', '{\"maxLength\": 2}', '{\"options\": []}',
		'{\"options\": [\"x\", 1, true]}',
		'{\"options\": [{\"label\": \"X\", \"value\": \"x\"}, \"\\\" || 1 == 1\"]}',
		'{\"options\": [[1]]}']::jsonb[]) l;
CREATE TABLE v AS SELECT x AS value FROM unnest(ARRAY['1', '0', '2', '3', '4',
	'2.5', '-1e3', '\"x\"', '\"xyz\"', '\"\"', '\"ž\"', 'true', 'false', 'null',
	'[]', '[1]', '[[1]]', '[1, \"x\"]', '[null]', '[2, 1]', '[\"x\", \"x\"]',
	'[true]', '[{}]', '{}', '{\"a\": 1}', '{\"value\": \"x\"}']::jsonb[]) x;
CREATE TABLE tried AS
SELECT s, i, afterwork.input_path(s) AS path,
	jsonb_path_match(i, afterwork.input_path(s), '{}', true) AS quick,
	NOT EXISTS (SELECT FROM afterwork.check_input(s, i)) AS thorough
FROM (SELECT jsonb_build_array(field) AS s,
		jsonb_build_object(field ->> 'name', value) AS i FROM f, v
	UNION ALL SELECT jsonb_build_array(field), value FROM f, v
	UNION ALL SELECT jsonb_build_array('{\"name\": \"z\", \"type\": \"number\",
			\"required\": true}'::jsonb, field),
		jsonb_build_object(field ->> 'name', value, 'z', 5) FROM f, v
	UNION ALL SELECT jsonb_build_array(field, '{\"type\": \"ui\"}'::jsonb),
		'{}' FROM f) AS c" || bail 'cannot try them'

sql_is "SELECT count(*) > 50000 FROM tried" t 'many were tried'
sql_is "SELECT s, i FROM tried WHERE quick AND NOT thorough LIMIT 1" '' \
	'what the path lets through fits'
sql_is "SELECT s, i FROM tried WHERE path IS NOT NULL AND thorough
	AND quick IS NOT TRUE LIMIT 1" '' 'what fits the path lets through'
sql_is "SELECT count(*) > 2000 FROM tried WHERE quick" t 'that is often so'
sql_is "SELECT string_agg(DISTINCT coalesce(t.s -> 0 ->> 'type', '-'), ' ') FROM tried t
	WHERE path IS NULL AND NOT (s @? '\$[*] ? (exists(@.options) || exists(@.hasMany) || exists(@.minLength)
		|| exists(@.maxLength) || exists(@.min) || exists(@.max))')" '' \
	'only lists, lengths and strange options have no path'
done_testing
