#!/bin/bash
# site-locks.t: syncs, page saves, removals of pages and of pictures, eight at a
# time on few rows, wait for one another but never in a circle.
. tests/lib.sh
stack_start
seconds=${LOCKS_SECONDS:-10}

sql "CREATE SCHEMA t;
CREATE FUNCTION t.any_page(r int) RETURNS bigint LANGUAGE sql AS \$\$
	SELECT id FROM site.page ORDER BY md5(id::text || r) LIMIT 1 \$\$;
CREATE FUNCTION t.any_media(r int) RETURNS bigint LANGUAGE sql AS \$\$
	SELECT id FROM site.media ORDER BY md5(id::text || r) LIMIT 1 \$\$;
-- What a row that went meanwhile makes of a save is not an error here.
CREATE FUNCTION t.save(page bigint, blocks jsonb) RETURNS text
LANGUAGE plpgsql AS \$\$
BEGIN
	PERFORM site.page_save(page, NULL, NULL, '[]', blocks, NULL, NULL,
		random() < 0.1);
	RETURN 'ok';
EXCEPTION WHEN raise_exception OR no_data_found THEN
	RETURN sqlerrm;
END \$\$;
CREATE FUNCTION t.page() RETURNS bigint LANGUAGE sql AS \$\$
	SELECT (site.page_save(NULL, 't', gen_random_uuid()::text, '[]',
	'[{\"block\":\"b1\",\"path\":\"x\",\"auto\":true,\"images\":[]},
	  {\"block\":\"b2\",\"path\":\"y\",\"auto\":true,\"images\":[]}]',
	NULL, NULL, false)).saved \$\$;
CREATE FUNCTION t.media() RETURNS bigint LANGUAGE sql AS \$\$
	SELECT (site.media_create('f.png', gen_random_uuid()::text, 'image/png',
		1, 'h', NULL, NULL, NULL, NULL, '')).job \$\$;
SELECT t.page() FROM generate_series(1, 5);
SELECT t.media() FROM generate_series(1, 30)" >/dev/null

cat >"$work/sync" <<'END'
\set r random(0, 1000000)
SELECT site.media_sync(t.any_media(:r));
END
cat >"$work/save" <<'END'
\set r random(0, 1000000)
WITH list AS (
	SELECT coalesce(jsonb_agg(id ORDER BY md5(id::text || :r)), '[]') AS ids
	FROM site.media WHERE md5(id::text || :r) < '8')
SELECT t.save(t.any_page(:r), CASE :r % 3
	WHEN 0 THEN jsonb_build_array(
		jsonb_build_object('block', 'b1', 'path', 'x', 'auto', true, 'images', ids),
		jsonb_build_object('block', 'b2', 'path', 'y', 'images', ids))
	WHEN 1 THEN jsonb_build_array(
		jsonb_build_object('block', 'b2', 'path', 'x', 'auto', true, 'images', ids,
			'asOf', pg_current_snapshot()::text))
	ELSE jsonb_build_array(
		jsonb_build_object('block', 'b2', 'path', 'x', 'auto', false),
		jsonb_build_object('block', 'b' || 3 + :r % 4, 'path', 'y', 'auto', true,
			'images', ids)) END)
FROM list;
END
cat >"$work/drop-media" <<'END'
\set r random(0, 1000000)
SELECT id FROM site.media_delete(t.any_media(:r));
SELECT t.media();
END
cat >"$work/drop-page" <<'END'
\set r random(0, 1000000)
SELECT site.page_delete(t.any_page(:r), NULL);
SELECT t.page();
END
# What the cascades of plain deletes would do instead.
cat >"$work/plain" <<'END'
\set r random(0, 1000000)
DELETE FROM site.page WHERE id = t.any_page(:r);
SELECT t.page();
DELETE FROM site.media WHERE id = t.any_media(:r);
SELECT t.media();
END

# press SECONDS REMOVAL…: sets $done and $deadlocks.
press() {
	local time=$1 script=()
	shift
	for name in "$@"; do
		script+=(-f "$work/$name@1")
	done
	pgbench -n -c 8 -j 2 -T "$time" --max-tries=1 -f "$work/sync@6" \
		-f "$work/save@3" "${script[@]}" "$direct" \
		>"$work/bench" 2>"$work/bench.err" </dev/null
	done=$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$work/bench")
	deadlocks=$(sed -n 's/^number of failed transactions: \([0-9]*\).*/\1/p' "$work/bench")
}

press "$seconds" drop-media drop-page
is "$(grep -c ERROR "$work/bench.err")" 0 'no statement fails' || note "$(head -5 "$work/bench.err")"
is "$deadlocks" 0 "no deadlock in $done transactions"
ok 'and they were many' [ "${done:-0}" -gt 500 ]
sql_is 'SELECT count(*) FROM (SELECT FROM site.gallery_image GROUP BY gallery_id, position HAVING count(*) > 1) AS twice' \
	0 'no two pictures share a place'

# The same without the order of locks: if this does not fail, the test above
# presses too little to prove anything.  In ten seconds it fails three times, or,
# beside others, not once.
for ((i = 0, tried = 0; i < 60; i += seconds)); do
	press "$seconds" plain plain
	tried=$((tried + done))
	[ "$deadlocks" = 0 ] || break
done
isnt "$deadlocks" 0 "plain deletes do deadlock ($deadlocks of $tried)"
done_testing
